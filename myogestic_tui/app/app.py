"""The recorder as a Python object: streams, the idle/recording state machine, and everything a viewer can ask."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ..clock import local_clock
from ..config import Config
from ..errors import ConfigError, MyoGesticError, NotAllowedError, SessionError
from ..info import MOST_CLASSES
from ..process_limits import check_limits
from . import preferences
from .commands import carry_out
from .context import Context
from .cue_markers import CueOutlet
from .disk_space import byte_rate, disk_status
from .envelope_views import look
from .from_config import apply_config, apply_lsl
from .generator import Generators
from .interface import AnyCommand, DiskStatus, Envelope, JobStatus, Reply, Status, StopStatus, TakeStatus, View
from .job_queue import JobQueue, outcome_words
from .mvc import is_mvc_take, measure_later
from .recording import Recordings
from .recording_watch import Watch
from .status import QualityRows, build_status
from .streams import StreamTable
from .takes import Takes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from ..errors import DiskError
    from ..session import LabelEvent, Session
    from ..stream import Stream
    from .protocol import ProtocolRunner

Hook = Callable[["App"], object]
Mode = Literal["tui", "gui", "headless"]

_log = logging.getLogger(__name__)
_HOUSEKEEPING_SECONDS = 0.25
_MVC_SECONDS = 10.0
"""How long the end of the app waits for an MVC that is being measured."""
_POLL_WATCHED, _POLL_ALONE = 0.05, 0.2
"""Seconds between looks at a stream, while somebody watches and while nobody does."""


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
        self.recordings = Recordings(lambda: self.table.streams.values(), lambda text: self.say(text))
        self.ctx = Context(self)
        self.before_run_hooks: list[Hook] = []
        self.cleanup_hooks: list[Hook] = []
        self.table = StreamTable(lambda _: self.recordings.reconcile())
        self.jobs = JobQueue(lambda: self.ctx.state == "recording", self._job_ended)
        self.protocol: ProtocolRunner | None = None
        self.cues = CueOutlet(name)
        self.generators = Generators(self.config.lsl, self.say)
        self.viewers = 0
        self.quality_rows = QualityRows()
        self._screens_here = False
        self.ui_function: Callable[[Context], object] | None = None
        self.gesture_keys: tuple[str, ...] = ()
        self.bad_channels: dict[str, set[int]] = {}
        self.stopped: StopStatus | None = None
        """The recording that ended by itself, until somebody has acknowledged it."""
        self.watch = Watch(self._happened_to_stream)
        self._labels_from = ""
        self._stopping = threading.Event()
        self._housekeeper: threading.Thread | None = None
        self._looking: threading.Thread | None = None
        self._house_troubles: dict[str, str] = {}
        self._mvc_thread: threading.Thread | None = None
        self._remembered = preferences.load(self.sessions_dir)
        self.takes = Takes(self.sessions_dir, self._remembered)
        if config is not None:
            apply_config(self, config)

    # ---------------------------------------------------------------- set up

    def streams(self, *streams: Stream) -> None:
        """Register streams; they are connected when the app runs.

        Raises
        ------
        ConfigError
            Two have the same name.
        """
        self.table.add(streams)

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
        self._stopping.set()

    @property
    def stopping(self) -> threading.Event:
        """Set once the app was asked to end."""
        return self._stopping

    # ---------------------------------------------------------------- life of the app

    def open(self, *, discover: bool = False) -> None:
        """Start the streams' workers and the housekeeping (`run` calls it).

        Raises
        ------
        ConfigError
            The config has LSL settings, and this process uses LSL with others already.
        ProcessLimitError
            Too little memory may be reserved for the threads.
        """
        check_limits()
        apply_lsl(self.config.lsl)
        self._stopping.clear()
        if discover:
            self.table.bring_back(self._remembered.picked, self.ticks)
        self.table.start()
        if discover:
            self.table.discover()
        self._housekeeper = threading.Thread(target=self._keep_house, name="housekeeper", daemon=True)
        self._housekeeper.start()
        # A folder on a disk that hangs, or with thousands of sessions, keeps nobody from watching the recording.
        self._looking = threading.Thread(target=self._take_up, name="take-up", daemon=True)
        self._looking.start()

    def shut(self, pack_s: float | None = None, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Finish the session, wait for packing, stop everything that was started (`run` calls it).

        Parameters
        ----------
        pack_s
            Seconds that packing may take; what is not packed by then is left to the next start. None: no limit.
        hurry
            Asked while packing is waited for; True leaves it to the next start at once.
        """
        with self.recordings.turn():  # a stop under way elsewhere has its packing queued by then
            if self.recordings.running is not None:
                self._end_recording("stopped by the recorder, which was asked to end", "saved")
        self._stopping.set()
        for thread in (self._housekeeper, self._looking):
            if thread is not None:
                thread.join(5.0)
        if self._mvc_thread is not None:
            self._mvc_thread.join(_MVC_SECONDS)
        self.jobs.finish(pack_s, hurry=hurry)
        self.table.stop()
        self.takes.close()
        self.cues.close()
        if self.generators.running:
            self.generators.stop()

    def watched(self, viewers: int | None = None, *, here: bool | None = None) -> None:
        """Look at the streams often while somebody watches, rarely while nobody does.

        Parameters
        ----------
        viewers
            How many programs watch from outside; None: as before.
        here
            Whether screens are open in this process; None: as before.
        """
        self.viewers = self.viewers if viewers is None else viewers
        self._screens_here = self._screens_here if here is None else here
        self.table.set_poll_interval(_POLL_WATCHED if self.viewers or self._screens_here else _POLL_ALONE)

    def _take_up(self) -> None:
        self._do_part("what earlier recorders left", lambda: self.jobs.resume(self.sessions_dir, preferences.places()))

    def _keep_house(self) -> None:
        parts: dict[str, Callable[[], None]] = {
            "jobs": self.jobs.poll,
            "what is selected": self.recordings.reconcile,
            "the streams": self._watch_streams,
            "the disk": self._watch_disk,
            "take numbers": self._look_for_takes,
        }
        while not self._stopping.wait(_HOUSEKEEPING_SECONDS):
            for name, part in parts.items():
                self._do_part(name, part)

    def _do_part(self, name: str, part: Callable[[], None]) -> None:
        """One part of the housekeeping: where it fails that is told, once, and the others continue."""
        try:
            part()
        except Exception as error:
            trouble = f"internal error while looking after {name}: {type(error).__name__}: {error}"
            if self._house_troubles.get(name) != trouble:
                _log.exception("housekeeping: %s", name)
                self.say(trouble)
            self._house_troubles[name] = trouble
        else:
            self._house_troubles.pop(name, None)

    def _session_fails(self, session: Session, error: DiskError) -> None:
        """The disk refused: the recording ends at once. In a thread of its own, for what tells must not wait."""
        words = f"{error}; the session was finished with what is safe"
        end = threading.Thread(target=self._stop_by_itself, args=(session, words), name="session-fails", daemon=True)
        end.start()

    def _watch_streams(self) -> None:
        self.watch.look(self.recordings.running, self.table.streams.values(), local_clock())

    def _look_for_takes(self) -> None:
        if self.recordings.running is None:
            self.takes.look()

    def _watch_disk(self) -> None:
        session = self.recordings.running
        if session is None:
            return
        disk = self.disk()
        if disk.free_bytes < disk.reserve_bytes:
            reserve = f"{disk.reserve_bytes / 1e6:.0f} MB"
            self._stop_by_itself(session, f"the disk reached its reserve of {reserve}; free some space")

    def _stop_by_itself(self, session: Session, why: str) -> None:
        """End a recording that cannot continue; that stands in the status until somebody has acknowledged it."""
        at, this = local_clock(), self.recordings.id
        if session is not self.recordings.running:
            return
        with contextlib.suppress(NotAllowedError):  # somebody was quicker
            self._end_recording(f"stopped by the recorder: {why}", "", wanted=this)
            self.stopped = StopStatus(session=this, at=at, text=why, path=str(session.path), take=session.meta.take)

    def acknowledge(self) -> None:
        """Somebody has taken note that a recording ended by itself."""
        self.stopped = None

    def _happened_to_stream(self, kind: str, text: str, stream: str) -> None:
        self.add_event(kind, text, stream=stream)
        if kind in ("joined", "not recorded"):
            self.say(text)

    def add_event(self, kind: str, text: str, *, who: str = "", stream: str = "") -> None:
        """Enter what happens to the running recording among its events."""
        _log.info("%s%s", text, f" ({who})" if who else "")
        session = self.recordings.running
        if session is not None:
            with contextlib.suppress(MyoGesticError):  # it is ending, and says so itself
                session.add_event(kind, text, who=who, stream=stream)

    def _job_ended(self, job: JobStatus) -> None:
        if job.state == "failed" or self.ctx.state == "idle" or job.kind != "pack":
            self.say(outcome_words(job))
        if job.kind == "recover" and job.state == "done":
            self.jobs.add("pack", Path(msgspec.json.decode(job.result)["path"]))

    def say(self, message: str) -> None:
        """Put a message before the operator."""
        self.ctx.status_message = message
        _log.info("%s", message)

    # ---------------------------------------------------------------- recording

    def disk(self) -> DiskStatus:
        """Room in the folder that is, or would be, recorded into."""
        session = self.ctx.session
        folder = self.sessions_dir
        if self.ctx.state == "recording" and session is not None:
            folder = Path(session.path).parent
        rate = self._byte_rate()
        return disk_status(folder, rate, self.config.disk.reserve_bytes(rate))

    def _byte_rate(self) -> float:
        return byte_rate(stream.info for stream in self.table.selected() if stream.info is not None)

    @property
    def started_at(self) -> float:
        """Start of the session that is being recorded, or of the last one; seconds on the recorder's clock."""
        return self.recordings.started_at

    @contextlib.contextmanager
    def recording(
        self, base_path: str | os.PathLike[str] | None = None, *, name: str | None = None
    ) -> Iterator[Session]:
        """Record within a ``with`` block: start at its beginning, stop and save at its end, also after an exception.

        Raises
        ------
        MyoGesticError
            As `start_recording`.
        SessionError
            The recorder ended the recording before the block ended; what came before that is safe.
        """
        session = self.start_recording(base_path, name=name)
        this = self.recordings.id
        try:
            yield session
        except BaseException:
            self._stop_this(this)
            raise
        if not self._stop_this(this):
            raise SessionError(f"{session.path.name} ended early: {session.meta.ended_by or self.ctx.status_message}")

    def _stop_this(self, wanted: str) -> bool:
        """False where that recording has ended before."""
        try:
            self._end_recording("stopped by script", "saved", who="script", wanted=wanted)
        except NotAllowedError:
            return False
        return True

    def start_recording(
        self,
        base_path: str | os.PathLike[str] | None = None,
        *,
        name: str | None = None,
        since_connected: bool = False,
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
        from ..session.format.layout import is_session_folder

        folder = Path(self.sessions_dir if base_path is None else base_path)
        try:
            if is_session_folder(folder):
                raise SessionError(f"{folder} is a session itself; choose another folder")
            session = self.recordings.start(lambda at: self._new_session(folder, at, name), since_connected)
        except (MyoGesticError, OSError) as error:
            self.say(f"not started: {error}")
            raise
        session.when_failing(lambda error: self._session_fails(session, error))
        preferences.remember_place(folder)
        self.protocol, self._labels_from = None, ""
        self.add_event("started", f"started by {who}", who=who)
        self.say(self._started_words())
        return session

    def _new_session(self, folder: Path, at: float, name: str | None) -> Session:
        from ..session import Session

        self.takes.settle()
        number = self.take.take
        try:
            session = Session(
                folder,
                app_name=self.name,
                class_names=self.ctx.class_names or None,
                fields=self.takes.fields(name),
                reserve_bytes=self.config.disk.reserve_bytes(self._byte_rate()),
                started_at=at,
            )
        except BaseException:
            self.takes.not_used(number)
            raise
        if self.ctx.current_label is not None:
            session.add_label(self.ctx.current_label, timestamp=at, source="script")
        for stream in self.table.selected():
            for channel in self.bad_channels.get(stream.name, ()):
                session.mark_channel(stream.name, channel)
        return session

    def _started_words(self) -> str:
        selected = self.table.selected()
        missing = [stream.name for stream in selected if stream.info is None]
        if len(missing) == len(selected):
            return "No connected streams to record; they join as they connect"
        if missing:
            n_connected = len(selected) - len(missing)
            return f"recording {n_connected} of {len(selected)} streams; waiting for {', '.join(missing)}"
        return f"recording {len(selected)} stream{'s' if len(selected) > 1 else ''}"

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
        try:
            self._end_recording(f"stopped by {who}", "saved", who=who, wanted=wanted)
        except NotAllowedError as error:
            self.say(str(error))
            return False
        return True

    def _end_recording(self, ended_by: str, message: str, *, who: str = "", wanted: str | None = None) -> None:
        """End the recording that runs; NotAllowedError where none, or another one than is ``wanted``, does."""
        told = [message or ended_by]

        def finish(session: Session) -> None:
            try:
                if session.error is None and session.path.exists():
                    session.add_event("stopped", ended_by, who=who)
                    session.set_fields(ended_by=ended_by)
                    session.save_meta(self.name, class_names=self.ctx.class_names or None)
                session.finish()
            except SessionError as error:
                told[0] = f"{error}; what is on disk can be recovered"

        with self.recordings.turn():
            self.recordings.must_run(wanted)
            self._end_protocol()
            undrained = self.recordings.stop(finish)
            session = self.recordings.session
            assert session is not None
            self.ctx.current_label = None
            self.takes.count()
            if undrained:
                told.append(f"not heard from at the end: {', '.join(undrained)}")
            self.say(f"{'; '.join(told)}: {session.path}")
            if is_mvc_take(self, session):
                self._mvc_thread = measure_later(self, session)
            if session.path.exists():
                self._pack(session)  # before the next turn: who shuts the app then waits for it

    def _pack(self, session: Session) -> None:
        try:
            self.jobs.pack(session)
        except MyoGesticError as error:
            self.say(f"not packed: {error}; it stays as a folder")

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
        where: list[str] = []

        def finish(session: Session) -> None:
            with contextlib.suppress(SessionError):
                session.add_event("stopped", f"discarded by {who}", who=who)
                session.set_fields(ended_by=f"discarded by {who}")
            where.append(str(session.discard()))

        try:
            with self.recordings.turn():
                self.recordings.must_run(wanted)
                self._end_protocol()
                self.recordings.stop(finish)
        except (NotAllowedError, SessionError) as error:
            self.say(f"not discarded: {error}")
            return False
        finally:
            if self.recordings.running is None:
                self.ctx.current_label = None
        self.takes.count()
        self.say(f"discarded; it can be restored from {where[0]}")
        return True

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
        self.check_class(class_index)
        before = -1 if self.ctx.current_label is None else self.ctx.current_label
        self.generators.gesture(class_index)
        session = self.ctx.session
        if self.ctx.state != "recording" or session is None:
            self.ctx.current_label = class_index
            return None
        if class_index == before and source != "protocol":
            return None
        return session.add_label(class_index, timestamp, source=source, uncertainty_s=uncertainty_s)

    def check_class(self, class_index: int) -> None:
        """Raise ConfigError where there is no class of that index; -1 is no label."""
        names = self.ctx.class_names
        if not -1 <= class_index < (len(names) or MOST_CLASSES):
            there = f"there are {len(names)}: {', '.join(names)}" if names else "classes count from 0"
            raise ConfigError(f"no class {class_index}; {there}")

    def labels_come_from(self, who: str) -> None:
        """Enter it among the events where labels come from somebody else than before."""
        if self.recordings.running is not None and who != self._labels_from:
            self._labels_from = who
            self.add_event("labels", f"labels from {who}", who=who)

    def undo_label(self) -> LabelEvent | None:
        """Take the last label back.

        Raises
        ------
        NotAllowedError
            Nothing is being recorded.
        """
        session = self.ctx.session
        if self.ctx.state != "recording" or session is None:
            raise NotAllowedError("not recording; there is no label to undo")
        return session.undo_label()

    def mark_channel(self, stream_name: str, channel: int, bad: bool = True) -> None:
        """Mark a channel bad (or good again), for this session and the next ones.

        Raises
        ------
        StreamNotFoundError
            No stream of that name is connected.
        ConfigError
            It has no such channel; ``channel`` counts from 0.
        """
        stream = self.table.find(stream_name)
        if stream.info is None or not 0 <= channel < stream.info.n_channels:
            raise ConfigError(f"{stream_name} has no channel {channel + 1}")
        marked = self.bad_channels.setdefault(stream_name, set())
        (marked.add if bad else marked.discard)(channel)
        if self.ctx.state == "recording" and self.ctx.session is not None:
            self.ctx.session.mark_channel(stream_name, channel, bad)

    # ---------------------------------------------------------------- takes and protocols

    @property
    def take(self) -> TakeStatus:
        """The take sheet; setting it remembers it for the sessions folder."""
        return self.takes.sheet

    @take.setter
    def take(self, take: TakeStatus) -> None:
        self.takes.sheet = take

    @property
    def ticks(self) -> dict[str, bool]:
        """By stream name, whether it was included in the recording or not when last chosen."""
        return self._remembered.ticks

    def remember_picked(self) -> None:
        """Streams connected by hand come back with the next recorder on this folder."""
        self._remembered.picked = dict(self.table.picked)
        preferences.save(self.sessions_dir, self._remembered)

    @property
    def chosen(self) -> dict[str, preferences.PickedStream]:
        """By stream name, the outlet that the operator chose where several are what was asked for."""
        return self._remembered.chosen

    def remember_choice(self, name: str, outlet: preferences.PickedStream) -> None:
        """A stream is this outlet, also for the recorders that come after this one."""
        if name in self.table.picked:
            host = "" if outlet.source_id else outlet.hostname
            self.table.picked[name] = msgspec.structs.replace(outlet, hostname=host)
            self.remember_picked()
        else:
            self._remembered.chosen = {**self._remembered.chosen, name: outlet}
            preferences.save(self.sessions_dir, self._remembered)

    @property
    def mvc(self) -> dict[str, preferences.StreamMVC]:
        """Maximum voluntary contraction by source_id (or stream name), from the last take of the protocol ``mvc``."""
        return self._remembered.mvc

    def remember_mvc(self, found: dict[str, preferences.StreamMVC]) -> None:
        """Keep what was measured, also for the recorders that come after this one."""
        self._remembered.mvc = {**self._remembered.mvc, **found}
        preferences.save(self.sessions_dir, self._remembered)

    def tick(self, stream: Stream, record: bool, *, who: str = "script") -> None:
        """Select a stream for recording, or deselect it, the running recording included; the choice is remembered.

        Raises
        ------
        SessionError, NotAllowedError
            It is selected, and cannot join the running recording.
        """
        leaves = not record and stream.recording
        self._remembered.ticks[stream.name] = record
        preferences.save(self.sessions_dir, self._remembered)
        if record:
            self.recordings.include(stream)
        else:
            self.recordings.exclude(stream, "taken out by the operator")
        if leaves:
            self.add_event(
                "excluded", f"{stream.name} taken out of the recording by {who}", who=who, stream=stream.name
            )

    def run_protocol(self, runner: ProtocolRunner, *, who: str = "script") -> None:
        """Start a cued protocol, recording first where idle.

        Raises
        ------
        NotAllowedError
            One is running.
        MyoGesticError
            Recording cannot start.
        """
        if self.protocol is not None and self.protocol.active:
            raise NotAllowedError(f"protocol {self.protocol.plan.name} is running; abort it first")
        if self.ctx.state == "idle":
            self.start_recording(who=who)
        self.protocol = runner
        self.cues.open()
        plan = runner.plan
        seed = f", seed {plan.seed}" if plan.seed is not None else ""
        self._note(f"protocol {plan.name}: {len(plan.cues)} cues in {plan.total_s:g} s{seed}")
        runner.start()

    def protocol_ended(self, how: str) -> None:
        """A protocol is "done" or "aborted": said, and noted in the session."""
        if self.protocol is not None:
            text = f"protocol {self.protocol.plan.name} {how}"
            self._note(text)
            self.say(text)

    def _note(self, text: str) -> None:
        if self.ctx.state != "recording" or self.ctx.session is None:
            return
        try:
            self.ctx.session.add_note(text)
        except MyoGesticError as error:
            self.say(f"not noted: {error}")

    def cue(self, class_index: int, started_at: float) -> None:
        """A protocol's cue begins: its label is stamped at its true start, and others can see it as a marker."""
        if self.ctx.state != "recording":
            return
        self.cues.publish(self.ctx.class_names[class_index] if class_index >= 0 else None, started_at)
        try:
            self.add_label(class_index, started_at, source="protocol")
        except MyoGesticError as error:
            self.say(f"cue not labelled: {error}")

    def _end_protocol(self) -> None:
        if self.protocol is not None and self.protocol.active:
            self.protocol.abort()

    # ---------------------------------------------------------------- what viewers ask (the Recorder protocol)

    def status(self) -> Status:
        """A snapshot of everything that a screen draws; cheap, never blocks on a stream or the disk."""
        return build_status(self)

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope of a stream, None where it is not connected or not numeric."""
        return look(self, view)

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command; a refusal changes nothing and says why."""
        return carry_out(self, command)

    def close(self) -> None:
        """A viewer in this process goes; the app stays."""
