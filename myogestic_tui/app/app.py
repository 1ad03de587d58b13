"""`App`: what a recording script builds on, and what screens and the socket see as the recorder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..config import Config
from ..process_limits import check_limits
from .context import Context
from .envelope_views import read_envelope
from .execute import execute
from .from_config import apply_config, apply_lsl
from .parts import Parts
from .snapshot import build_status

if TYPE_CHECKING:
    import os
    import threading
    from contextlib import AbstractContextManager

    from ..session import LabelEvent, Session
    from ..stream import Stream
    from .interface import AnyCommand, Envelope, Reply, Status, TakeStatus, View
    from .protocol import Plan

Hook = Callable[["App"], object]
Mode = Literal["tui", "gui", "headless"]


class App:
    """A recording app: register streams, run it, start and stop recording.

    Parameters
    ----------
    name
        Written into every session as ``app_name``.
    config
        A loaded ``myogestic.toml``; None is an empty one.
    sessions_dir
        Where `start_recording` puts sessions unless told otherwise.

    Attributes
    ----------
    ctx
        The `Context` that hooks and callbacks see.
    parts
        What the app is made of, one object for each concern; internal.
    before_run_hooks, cleanup_hooks
        Called with the app after the streams have started, and before they are stopped.
    """

    def __init__(
        self,
        name: str = "myogestic_tui",
        *,
        config: Config | None = None,
        sessions_dir: str | os.PathLike[str] = "sessions",
    ) -> None:
        self.name = name
        self.config = config or Config()
        self.sessions_dir = Path(sessions_dir)
        self.parts = Parts(name, self.config, self.sessions_dir)
        self.ctx = Context(self, self.parts)
        self.before_run_hooks: list[Hook] = []
        self.cleanup_hooks: list[Hook] = []
        self.ui_function: Callable[[Context], object] | None = None
        if config is not None:
            apply_config(self.parts)

    # ---------------------------------------------------------------- set up and life

    def streams(self, *streams: Stream) -> None:
        """Register streams; they are connected when the app runs.

        Raises
        ------
        ConfigError
            Two have the same name.
        """
        self.parts.streams.add(streams)

    def ui(self, function: Callable[[Context], object]) -> Callable[[Context], object]:
        """Decorate the function that composes the main screen; see `myogestic_tui.widgets`."""
        self.ui_function = function
        return function

    def run(self, mode: Mode = "tui") -> int:
        """Run until stopped, and return an exit code: 0 ok, 1 the session failed, 2 no terminal.

        Parameters
        ----------
        mode
            ``"tui"`` (``"gui"`` is the same) opens the screens in this terminal; ``"headless"`` waits for `stop`,
            SIGINT or SIGTERM. Either way a running recording is stopped cleanly, and packing is waited for.

        Meanwhile ``myogestic-tui`` and its ``ctl`` can attach to it from the same folder. When the terminal closes
        (an SSH link that drops), the screens go and a recording continues; the app then ends once nothing is recorded
        and nobody has been attached for a minute.

        Raises
        ------
        ConfigError
            There is no such mode.
        SessionLockedError
            Another recorder has the sessions folder; the message names it and its pid.
        Exception
            What a hook raised, once the recording is saved and packed and all hooks of the end have been called.
        """
        from .run import run_app

        return run_app(self, mode)

    def stop(self) -> None:
        """Ask a running app to end; `run` stops the recording, waits for packing and returns."""
        self.parts.ending.set()

    @property
    def stopping(self) -> threading.Event:
        """Set once the app was asked to end."""
        return self.parts.ending

    def open(self, *, discover: bool = False, publish: bool = False, lean: bool = False) -> None:
        """Start the streams' workers and the housekeeping (`run` calls it).

        Parameters
        ----------
        discover
            Watch the network for further streams, and restore what was connected by hand.
        publish
            Send every label as an LSL marker, too, unless the configuration switches that off.
        lean
            While nobody watches, hold 2 s of fast streams instead of ``buffer_seconds``: nothing here reads windows.

        Raises
        ------
        ConfigError
            The config has LSL settings, and this process uses LSL with others already.
        ProcessLimitError
            Too little memory may be reserved for the threads.
        """
        check_limits()
        apply_lsl(self.config.lsl)
        self.parts.start(discover=discover, publish=publish, lean=lean)

    def shut(self, pack_s: float | None = None, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Finish the session, wait for packing, stop everything that was started (`run` calls it).

        Parameters
        ----------
        pack_s
            Seconds that packing may take; what is not packed by then is left to the next start. None: no limit.
        hurry
            Asked while packing is waited for; True leaves it to the next start at once.
        """
        self.parts.shut(pack_s, hurry=hurry)

    def set_viewers(self, viewers: int | None = None, *, here: bool | None = None) -> None:
        """Read the streams often while somebody watches, rarely while nobody does.

        Parameters
        ----------
        viewers
            How many programs watch from outside; None: as before.
        here
            Whether screens are open in this process; None: as before.
        """
        self.parts.set_viewers(viewers, here=here)

    # ---------------------------------------------------------------- recording

    @property
    def started_at(self) -> float:
        """Start of the session that is being recorded, or of the last one; seconds on the recorder's clock."""
        return self.parts.recordings.started_at

    @property
    def take(self) -> TakeStatus:
        """The take sheet; setting it remembers it for the sessions folder."""
        return self.parts.takes.sheet

    @take.setter
    def take(self, take: TakeStatus) -> None:
        self.parts.takes.sheet = take

    def recording(
        self, base_path: str | os.PathLike[str] | None = None, *, name: str | None = None
    ) -> AbstractContextManager[Session]:
        """Record within a ``with`` block: start at its beginning, stop and save at its end, also after an exception.

        Raises
        ------
        MyoGesticError
            As `start_recording`.
        SessionError
            The recorder ended the recording before the block ended; what came before that is safe.
        """
        return self.parts.recorder.recording(_path(base_path), name=name)

    def start_recording(
        self,
        base_path: str | os.PathLike[str] | None = None,
        *,
        name: str | None = None,
        since_connected: bool = False,
        segment_s: float | None = None,
        who: str = "script",
    ) -> Session:
        """Start a session; streams that are not connected yet join it as they connect.

        Asked for while the last recording is stopping, it waits for that.

        Parameters
        ----------
        base_path
            Folder that gets the session; None is the app's sessions folder (``"sessions"``).
        name
            Name of the session; None takes the take sheet's.
        since_connected
            Start with the samples that all of the streams have brought since they connected, instead of now, and
            record every sample of an irregular one: somebody may have waited until he was heard.
        segment_s
            Continue in another session after so many seconds, each time; 0: never. None takes the config's.
        who
            Who asks; entered among the session's events.

        Returns
        -------
        Session
            The session that is being recorded: ``ctx.session``.

        Raises
        ------
        NotAllowedError
            It is recording already.
        SessionError
            The folder cannot be recorded into (`DiskError`: not writable, too little room), or a stream cannot.
        ConfigError
            A field of the take sheet cannot be stored.

        Where it raises, nothing was changed, and ``ctx.status_message`` says why as well.
        """
        return self.parts.recorder.start(
            _path(base_path), name=name, since_connected=since_connected, segment_s=segment_s, who=who
        )

    def stop_recording(self, *, who: str = "script", wanted: str | None = None) -> bool:
        """Stop, finish the session on disk, and pack it in the background.

        Every stream is drained and cut at the instant of this call, on the recorder's clock.

        Parameters
        ----------
        who
            Who asks; entered in the session.
        wanted
            Stop only this one: the ``id`` of its `SessionStatus`.

        Returns
        -------
        bool
            False where nothing (or another session) was being recorded.
        """
        return self.parts.recorder.stop(who=who, wanted=wanted)

    def discard_recording(self, *, who: str = "script", wanted: str | None = None) -> bool:
        """Stop and move the session to the trash folder, from where it can be restored.

        Parameters
        ----------
        who, wanted
            As in `stop_recording`.

        Returns
        -------
        bool
            False where nothing (or another session) was being recorded.
        """
        return self.parts.recorder.discard(who=who, wanted=wanted)

    # ---------------------------------------------------------------- labels

    def add_label(
        self, class_index: int, timestamp: float | None = None, *, source: str = "script", uncertainty_s: float = 0.0
    ) -> LabelEvent | None:
        """Begin a gesture (-1 ends the label). While idle it chooses the first label of the next session.

        A press of the active gesture is ignored, since keys repeat; a protocol's cue is not, since each is a trial.

        Returns
        -------
        LabelEvent or None
            What was stored; None while idle, or where the gesture is active already.

        Raises
        ------
        ConfigError
            There is no class of that index.
        """
        return self.parts.labels.add(class_index, timestamp, source=source, uncertainty_s=uncertainty_s)

    def undo_label(self) -> LabelEvent | None:
        """Remove the last label.

        Raises
        ------
        NotAllowedError
            Nothing is being recorded, or the label was given in the session before, which is finished.
        """
        return self.parts.labels.undo()

    def mark_channel(self, stream_name: str, channel: int, bad: bool = True) -> None:
        """Mark a channel bad (or good again), for this session and the next ones.

        Raises
        ------
        StreamNotFoundError
            No stream of that name is connected.
        ConfigError
            It has no such channel; ``channel`` counts from 0.
        """
        self.parts.labels.mark_channel(self.parts.streams.find(stream_name), channel, bad)

    def run_protocol(self, plan: Plan, *, who: str = "script") -> None:
        """Start a cued protocol, recording first where idle.

        Raises
        ------
        NotAllowedError
            One is running.
        MyoGesticError
            Recording cannot start.
        """
        self.parts.run_protocol(plan, who=who)

    # ---------------------------------------------------------------- what viewers ask (the Recorder protocol)

    def status(self) -> Status:
        """A snapshot of everything that a screen draws; cheap, never blocks on a stream or the disk."""
        return build_status(self.parts)

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope of a stream, None where it is not connected or not numeric."""
        return read_envelope(self.parts.streams, self.parts.recordings, view)

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command; a refusal changes nothing and says why."""
        return execute(self.parts, command)

    def close(self) -> None:
        """A viewer in this process goes; the app stays."""


def _path(path: str | os.PathLike[str] | None) -> Path | None:
    return None if path is None else Path(path)
