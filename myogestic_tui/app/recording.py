"""Idle, recording, stopping: the one place where recordings begin and end, and where streams join and leave them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Literal

from ..clock import local_clock
from ..errors import MyoGesticError, NotAllowedError, SessionClosedError
from ..session.format.chain import SEGMENT_SOURCE
from .all_streams import DRAIN_SECONDS, all_heard_since, await_all, begin_all, drain_seconds, held_since

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..session import LabelEvent, Session
    from ..stream import Stream

State = Literal["idle", "recording", "stopping"]

_log = logging.getLogger(__name__)
_TURN_SECONDS = 15.0
"""How long a start waits for the end of the recording before it."""
_STILL_SECONDS = 0.1
"""How long a stop or a change of session waits for chunks that are being written."""
_RETRY_SECONDS = 2.0
"""Between two attempts to take a selected stream into the recording."""


class Recordings:
    """The recording state machine; thread-safe.

    Parameters
    ----------
    streams
        Gives all registered streams; those whose ``record`` is set belong into a recording.
    tell
        Called with what the operator should know.

    Attributes
    ----------
    state
        ``session`` is set before it becomes ``"recording"``.
    session
        The session being recorded, or the last one.
    id
        What that session is named by as long as the recorder runs; its path changes when it is packed.
    started_at
        Its start, seconds on the recorder's clock.
    expected
        Names of the streams that were selected at the start, and of those that joined since.
    """

    def __init__(self, streams: Callable[[], Iterable[Stream]], tell: Callable[[str], None]) -> None:
        self.state: State = "idle"
        self.session: Session | None = None
        self.id = ""
        self.started_at = 0.0
        self.expected: tuple[str, ...] = ()
        self.on_change: Callable[[], object] = lambda: None
        """Called when a recording has begun, before anybody is informed, and when it is about to be finished."""
        self._streams = streams
        self._tell = tell
        self._lock = threading.RLock()
        self._refused: dict[str, float] = {}
        self.previous: Session | None = None
        """The session of the same recording before the present one; None in the first."""
        self._following: tuple[Session, float] | None = None
        """While the session changes: the next one, and the instant from which on it holds."""

    @property
    def running(self) -> Session | None:
        """The session that takes samples and labels now; None while idle."""
        return self.session if self.state != "idle" else None

    def require_running(self, wanted: str | None = None) -> Session:
        """The session that is being recorded.

        Parameters
        ----------
        wanted
            The `id` that the caller means; None is whichever runs.

        Raises
        ------
        NotAllowedError
            None is, or another one.
        """
        session = self.running
        if session is None:
            raise NotAllowedError("not recording; start first")
        if wanted is not None and wanted != self.id:
            raise NotAllowedError("that recording has ended, and another one runs now; nothing was changed")
        return session

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the state still; a start that is asked for while the last recording is stopping waits here.

        Raises
        ------
        NotAllowedError
            The last recording is not through in time.
        """
        if not self._lock.acquire(timeout=_TURN_SECONDS):
            raise NotAllowedError("the last recording is still being written, the disk is slow; try again soon")
        try:
            yield
        finally:
            self._lock.release()

    def add_event(self, kind: str, text: str, *, who: str = "", stream: str = "") -> None:
        """Enter what happens to the running recording among its events."""
        _log.info("%s%s", text, f" ({who})" if who else "")
        session = self.running
        if session is not None:
            with contextlib.suppress(MyoGesticError):  # it is ending, and says so itself
                session.add_event(kind, text, who=who, stream=stream)

    # ---------------------------------------------------------------- start and stop

    def start(
        self, make: Callable[[float, float], Session], *, since_connected: bool = False, before_s: float = 0.0
    ) -> Session:
        """Start a session with all selected streams; those that are not connected yet join as they connect.

        Parameters
        ----------
        make
            Makes the session that starts at an instant, and was asked for at another (recorder's clock, s).
        since_connected
            Start with what all streams have brought since they connected; else
        before_s
            so many seconds before now, as far as streams hold what came since then and no recording has.

        Raises
        ------
        NotAllowedError
            One is being recorded.
        MyoGesticError
            What ``make`` raises, or why a stream cannot be recorded; nothing was changed.
        """
        with self.turn():
            if self.state != "idle":
                raise NotAllowedError("already recording; stop first")
            selected = [stream for stream in self._streams() if stream.record]
            asked = local_clock()
            at = all_heard_since(selected, asked) if since_connected else held_since(selected, asked, before_s)
            session = make(at, at if since_connected else asked)
            try:
                begin_all(selected, session, at, since_connected=since_connected, held=at < asked)
            except BaseException:
                self._give_up(session, selected)
                raise
            self.session, self.id, self.started_at, self.previous = session, str(session.path), at, None
            self.expected = tuple(stream.name for stream in selected)
            self._refused = {}
            self.state = "recording"
            self._changed()
            return session

    def _changed(self) -> None:
        try:
            self.on_change()
        except Exception:  # what is kept for later is no reason to lose what is recorded now
            _log.exception("what is being recorded could not be written down")

    def _give_up(self, session: Session, streams: Iterable[Stream]) -> None:
        self._cut(session, [stream for stream in streams if stream.recording])
        with contextlib.suppress(MyoGesticError):
            session.discard()

    def prepare(self, following: Session, at: float) -> list[Stream]:
        """Have all recorded streams make ready for the session that follows at an instant; returns them.

        Raises
        ------
        MyoGesticError
            It does not take a stream.
        """
        streams = [stream for stream in self._streams() if stream.recording]
        return [stream for stream in streams if stream.prepare_next(following, at)]

    def change(self, recording: str, following: Session, at: float) -> list[str]:
        """Continue in another session from an instant on that is just to come, without a sample lost or doubled.

        Parameters
        ----------
        recording
            The `id` of the recording that continues; it keeps that.
        following
            The session, which begins at that instant.
        at
            The instant (recorder's clock, s).

        Returns
        -------
        list of str
            Names of the streams that were not heard beyond it in time.

        Raises
        ------
        TooLateError
            The instant has come already; nothing was changed.
        NotAllowedError
            That recording has ended.
        MyoGesticError
            ``following`` does not take a stream; nothing was changed.
        """
        from .segments import TooLateError

        with self.turn():
            session = self.require_running(recording)
            streams = self.prepare(following, at)
            self._following = following, at
            if not _hand_over(streams, at):
                self._following = None
                raise TooLateError("the next session was not ready in time")
            time.sleep(max(0.0, at - local_clock()))
            try:
                with contextlib.suppress(MyoGesticError):  # then it failed, and says why
                    session.request_stop(at)
                undrained = await_all(streams, lambda stream: stream.await_next(drain_seconds(stream)))
                self._carry_label(session, following, at)
            finally:  # the streams are in it by now
                self.previous, self.session, self.started_at = session, following, at
                self._following = None
                self._changed()
            return undrained

    def _carry_label(self, session: Session, following: Session, at: float) -> None:
        active = [label.class_index for label in session.label_track if label.timestamp <= at][-1:]
        if active and active[0] >= 0:
            following.add_label(active[0], at, source=SEGMENT_SOURCE)

    def label(self, class_index: int, timestamp: float | None, *, source: str, uncertainty_s: float) -> LabelEvent:
        """Add a label to the session that its time lies in, also where that is another than the present one.

        Raises
        ------
        NotAllowedError
            Nothing is being recorded.
        MyoGesticError
            As `Session.add_label`.
        """
        session, following = self.require_running(), self._following
        if following is not None and (local_clock() if timestamp is None else timestamp) > following[1]:
            session = following[0]
        elif timestamp is not None and self.previous is not None and timestamp <= self.started_at:
            return self._late_label(session, self.previous, class_index, timestamp, source, uncertainty_s)
        return session.add_label(class_index, timestamp, source=source, uncertainty_s=uncertainty_s)

    def _late_label(
        self, session: Session, previous: Session, class_index: int, timestamp: float, source: str, uncertainty_s: float
    ) -> LabelEvent:
        """A key that was pressed before the change of session and heard after it."""
        try:
            label = previous.add_label(class_index, timestamp, source=source, uncertainty_s=uncertainty_s)
        except SessionClosedError:
            return session.add_label(class_index, timestamp, source=source, uncertainty_s=uncertainty_s)
        if previous.label_track[-1] == label:
            first = session.label_track[:1]
            if first and first[0].source == SEGMENT_SOURCE:
                session.relabel(0, class_index)
            else:
                session.add_label(class_index, self.started_at, source=SEGMENT_SOURCE)
        return label

    def stop(self, finish: Callable[[Session], None]) -> list[str]:
        """Cut all streams at this instant, and let ``finish`` end the session.

        Parameters
        ----------
        finish
            Called once every stream is drained.

        Returns
        -------
        list of str
            Names of the streams that were not heard from up to the end.

        Raises
        ------
        NotAllowedError
            Nothing is being recorded.
        """
        with self.turn():
            session = self.require_running()
            self.state = "stopping"
            try:
                undrained = self._cut(session, [stream for stream in self._streams() if stream.recording])
                self._changed()
                finish(session)
            finally:
                self.state = "idle"
            return undrained

    def _cut(self, session: Session, streams: list[Stream]) -> list[str]:
        """End every stream's recording at one instant; return the names of those that did not answer."""
        if not streams:
            return []
        at = _end_now(streams)
        with contextlib.suppress(MyoGesticError):  # then `finish` of the session says when it ended, or why it failed
            session.request_stop(at)
        late = [f"{stream.name} {stream.lag_s:.1f} s" for stream in streams if stream.lag_s > DRAIN_SECONDS]
        if late:
            self._tell(f"stopping; samples come late and are waited for: {', '.join(late)}")
        return await_all(streams, lambda stream: stream.finish(at, drain_seconds(stream)))

    # ---------------------------------------------------------------- which streams

    def include(self, stream: Stream) -> None:
        """Select a stream; it joins the recording that runs.

        Raises
        ------
        SessionError, NotAllowedError
            It cannot join.
        """
        with self.turn():
            stream.record = True
            self._join(stream)

    def exclude(self, stream: Stream, reason: str) -> None:
        """Deselect a stream; it leaves the recording that runs, and ``reason`` stands with the gap."""
        with self.turn():
            stream.record = False
            if stream.recording:
                stream.finish(_end_now([stream]), drain_seconds(stream), reason=reason)

    def reconcile(self) -> None:
        """See to it that the selected streams, and no others, are recorded, whoever selected them."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            for stream in self._streams():
                if not stream.record and stream.recording:
                    self.exclude(stream, "excluded by the script")
                elif stream.record and local_clock() > self._refused.get(stream.name, 0.0):
                    self._try_join(stream)
        finally:
            self._lock.release()

    def _try_join(self, stream: Stream) -> None:
        try:
            self._join(stream)
        except MyoGesticError as error:
            self._refused[stream.name] = local_clock() + _RETRY_SECONDS
            stream.message = f"{stream.name} is not recorded: {error}"
            _log.warning("%s", stream.message)

    def _join(self, stream: Stream) -> None:
        if self.state != "recording" or self.session is None or stream.recording:
            return
        if stream.name not in self.expected:
            self.expected = (*self.expected, stream.name)
        stream.begin(self.session, local_clock(), late=True)


def _end_now(streams: list[Stream]) -> float:
    """End the recording of all streams at this instant, and return it (recorder's clock, s).

    None of them records a sample meanwhile, so that none has one from beyond it. A chunk that a disk which does not
    answer is still to take was read before.
    """
    give_up = local_clock() + _STILL_SECONDS
    with contextlib.ExitStack() as held:
        for stream in streams:
            if stream.hold_still(max(0.0, give_up - local_clock())):
                held.callback(stream.let_go)
        at = local_clock()
        for stream in streams:
            stream.end_at(at)
    return at


def _hand_over(streams: list[Stream], at: float) -> bool:
    """Have all streams continue in the next session from an instant on; False where it came before all were told.

    None of them records a sample meanwhile, so that either all change or none does.
    """
    with contextlib.ExitStack() as held:
        for stream in streams:
            if not stream.hold_still(_STILL_SECONDS):
                return False
            held.callback(stream.let_go)
        if local_clock() >= at:
            return False
        for stream in streams:
            stream.hand_over()
    return True
