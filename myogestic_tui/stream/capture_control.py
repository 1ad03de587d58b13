"""The part of a stream that goes into recordings: which samples, since when, and why some are missing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import gap_threshold, local_clock
from ..errors import DiskError, NotAllowedError, SourceError
from .capture import AHEAD_SECONDS, LATE_SECONDS, Take
from .chunks import Chunk
from .sample_times import SampleTimes
from .session_change import SessionChange

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray

    from ..session import Session
    from .live_timeline import LiveTime
    from .recent_reads import Read
    from .source import ClockEstimate

_log = logging.getLogger(__name__)
_BEGIN_SECONDS = 2.0
"""How long a recording that begins waits for a disk that still writes samples of the one before."""


class Taking(SessionChange):
    """What `Stream` records, and what it needs to know for that."""

    def __init__(self, name: str, *, compared: bool) -> None:
        super().__init__(name)
        self.message = ""
        self.asked_at = 0.0
        """Before the connection was made (recorder's clock, s): nothing that it brought is older."""
        self.heard_since: float | None = None
        """When the first sample was taken that came since it connected (recorder's clock, s); None without any."""
        self._connected = False
        self._message_until: float | None = None
        self._times = SampleTimes(self._clock, compared=compared)
        self._last_stamp: float | None = None
        self._left: tuple[Session | None, LiveTime | None] = None, None
        self._left_before = 0.0
        self._thread: threading.Thread | None = None

    @property
    def recording(self) -> bool:
        """Whether it belongs to a recording now, connected or not."""
        return self._take is not None and not self._take.done.is_set()

    def recorded_into(self, session: Session) -> bool:
        """Whether its samples go into this session now."""
        take = self._take
        return take is not None and take.session is session and take.joined and not take.done.is_set()

    @property
    def writing_since(self) -> float | None:
        """Since when (recorder's clock, s) the disk has been writing one chunk; None where it is not."""
        take = self._take
        return take.writing_since if take is not None else None

    @property
    def clock_offset(self) -> float:
        """The clock offset by now: ``recorder time = stamp + offset``, seconds; 0 where nothing is known."""
        return self._clock.offset

    @property
    def lag_s(self) -> float:
        """How long after they were taken its samples arrive, in seconds, where that is known; 0 elsewhere."""
        return self._times.lag_s

    def begin(self, session: Session, at: float, *, late: bool = False, since: float | None = None) -> None:
        """From now on append every sample taken at or after ``at`` (recorder's clock, s) to the session.

        Samples that have been read already are looked through, too. A stream that has not connected yet joins when it
        does. One that is recorded into this session already continues.

        Parameters
        ----------
        session
            Where the samples go.
        at
            The start.
        late
            The session has been running without this stream, which joins it at ``at``.
        since
            Earlier instant from which on samples of an irregular stream are recorded: the first markers of a sender
            that waits for a consumer.

        Raises
        ------
        NotAllowedError
            It is being recorded into another session.
        DiskError
            The disk has not finished with the samples of the last recording.
        SessionError
            The session does not take the stream.
        """
        if not self._cutting.acquire(timeout=_BEGIN_SECONDS):
            raise DiskError(f"{self.name}: the disk still writes its samples of the last recording; start again soon")
        try:
            if self._free_for(session):
                if since is not None and self.info is not None and not self.info.is_regular:
                    at = min(at, since)
                self._begin(Take(session, self.name, at), at, late)
        finally:
            self._cutting.release()
        self._wake.set()

    def _free_for(self, session: Session) -> bool:
        """False where it is in this session already; a recording that was told to end is over by now."""
        take = self._take
        if take is None or take.done.is_set():
            return True
        if take.end is None and take.session is session:
            return False
        if take.end is None:
            raise NotAllowedError(f"{self.name} is being recorded into {take.session.path.name}; stop that first")
        take.finish(drained=False)
        return True

    def _begin(self, take: Take, at: float, late: bool) -> None:
        self._take = take
        self.left_at = None
        if self._connected and self._message_until is None:
            self.message = ""  # why it was not recorded any more
        self._restart_counts()
        if self.info is None:
            return
        try:
            take.join(self.info, at if late else None, self._estimates_for(take.session))
        except Exception as error:
            self._drop_take(take, error)
            raise
        self._record_backlog(at)

    def finish(self, at: float, timeout: float = 1.0, *, reason: str = "") -> bool:
        """Append what was taken up to ``at`` (recorder's clock, s), then leave the session.

        Parameters
        ----------
        at
            The stop.
        timeout
            Seconds to wait for samples that are under way; while the disk does not answer, up to a minute.
        reason
            Why it leaves while the others are recorded on.

        Returns
        -------
        bool
            True where the stream was heard beyond ``at``, or has nothing more to say; False where ``timeout`` seconds
            passed first, or recording had failed. What had arrived by then is stored either way.
        """
        take = self._take
        if take is None:
            return True
        take.end = at
        if self._thread is not None and self._thread.is_alive():
            self._wake.set()
            self._wait_for_end(take, timeout)
        elif self.info is None:
            take.finish(drained=True)
        # A disk that hangs in the middle of an append must not hang whoever stops.
        if self._cutting.acquire(timeout=max(timeout, 0.1)):
            try:
                self._leave(take, at, reason)
            finally:
                self._cutting.release()
        return take.drained

    def _note_first(self, times: NDArray[np.float64] | None, arrived: float) -> None:
        if self.heard_since is None:
            near = times is not None and abs(arrived - times[0]) < LATE_SECONDS
            self.heard_since = max(self.asked_at, float(times[0])) if near and times is not None else arrived
            self.first_heard = self.heard_since if self.first_heard is None else self.first_heard

    def _restart_counts(self) -> None:
        """Health counts from the start of the session on, also where the stream was taken out of it meanwhile."""
        take = self._take
        if take is None or self._health is None:
            return
        session, live = self._left
        start = getattr(take.session, "started_at", take.start)
        self._health.restart_counts(min(start, take.start), live if session is take.session else None)

    def _leave(self, take: Take, at: float, reason: str) -> None:
        take.finish(drained=take.drained)
        if self._take is take:
            self._take = None
        self.left_at = take.end
        self._left_before = at
        if self._health is not None:
            self._left = take.session, self._health.live
            self._health.rest()
        try:
            if reason or self._interruption:
                take.note_reason(0, reason or self._interruption)
        except Exception as error:
            _log.warning("%s: the reason of its end is not noted: %s", self.name, error)

    def _join(self, joined_at: float | None) -> None:
        take = self._take
        if take is None or self.info is None:
            return
        try:
            take.join(self.info, joined_at, self._estimates_for(take.session))
        except Exception as error:
            self._drop_take(take, error)

    def _estimates_for(self, session: Session) -> list[ClockEstimate]:
        """Clock offsets known by now, without those that the session got before the stream left it."""
        known = self._left_before if self._left[0] is session else float("-inf")
        return [one for one in self._clock.estimates if one.collected_at > known]

    def _record_backlog(self, at: float) -> None:
        """Samples from ``at`` on that were read before this call; none that came long before, whatever their stamps."""
        if self._ring is None:
            return
        ring = self._ring
        for read in self._reads.since(at - AHEAD_SECONDS, self._n_recorded):
            first, data, timestamps = ring.since(read.first, limit=read.end - read.first)
            assert first == read.first, "nothing is forgotten while the lock is held"
            times = self._times.of(timestamps, read.arrived)
            kept = self._record(Chunk(data, timestamps, times, read.arrived, read.arrived))
            self._note_recorded(first, kept)
            self._explain_earlier(read, kept)
            if self._health is not None:
                counted = self._counted(data)
                self._health.feed_earlier(timestamps[kept], read.arrived, None if counted is None else counted[kept])

    def _note_recorded(self, first: int, kept: slice) -> None:
        """Of samples from ``first`` on in the ring's count, a recording has those ``kept``."""
        if self._take is not None and kept.stop:
            self._n_recorded = first + kept.stop

    def _explain_earlier(self, read: Read, kept: slice) -> None:
        take = self._take
        for place, reason in self._reads.reasons(read):
            if take is not None and kept.start <= place < kept.stop:
                take.note_reason(place - kept.stop, reason)

    def _counted(self, data: NDArray[Any]) -> NDArray[Any] | None:
        """Values of the counter channel, where there is one."""
        counter = None if self.info is None else self.info.counter
        return None if counter is None else data[:, counter]

    def _record(self, chunk: Chunk) -> slice:
        """Which of the samples belong to the recording; all where there is none."""
        take = self._take
        if take is None:
            return slice(None)
        if not take.done.is_set():
            try:
                kept = take.add(chunk)
            except SourceError as error:
                self._refuse_chunk(error, chunk.read_at)
            except Exception as error:
                self._drop_take(take, error)
            else:
                return self._into_next(take, kept, chunk)
        return slice(0, 0)

    def _into_next(self, take: Take, kept: slice, chunk: Chunk) -> slice:
        """Of a chunk that was added to ``take``, what lies behind its end goes into the next recording."""
        if not take.done.is_set() or take.successor is None:
            return kept
        self._follow(take)
        rest = slice(kept.stop, chunk.n_samples)
        if rest.start < rest.stop:
            self._record(chunk.part(rest))
        return rest

    def _store_estimates(self, estimates: list[ClockEstimate]) -> None:
        take = self._take
        if take is None or not take.joined or take.done.is_set():
            return
        try:
            take.session.add_clock_estimates(self.name, estimates)
        except Exception as error:
            self._drop_take(take, error)

    def _explain_gap(self, timestamps: NDArray[np.float64]) -> None:
        """After an interruption: say in the session why time is missing before the first sample that follows it."""
        take, info = self._take, self.info
        if not self._interruption or info is None:
            return
        reason, self._interruption = self._interruption, ""
        if not info.is_regular or self._last_stamp is None:
            return
        intervals = np.diff(timestamps, prepend=self._last_stamp)
        place = int(intervals.argmax())
        if not intervals[place] - 1.0 / info.fs >= gap_threshold(info.fs) / 2:
            place = 0  # its clock restarted: the pause lies before the first sample all the same
        self._reads.explain(self.n_received + place, reason)
        if take is None or take.done.is_set():
            return
        try:
            take.note_reason(place, reason)
        except Exception as error:
            self._drop_take(take, error)

    def _drop_take(self, take: Take, error: Exception) -> None:
        """The session does not take it any more: the recording of this stream ends, the stream continues."""
        self.message = f"{self.name} is not recorded any more: {error}"
        self._message_until = None
        _log.warning("%s", self.message)
        take.finish(drained=False)
        if self._take is take:
            self._take = take.successor

    def _refuse_chunk(self, error: SourceError, now: float) -> None:
        """A chunk that is not what the stream says is left out whole, and told."""
        raise NotImplementedError

    def _watch_end(self) -> None:
        with self._cutting:
            take = self._take
            if take is None or take.end is None:
                return
            info = self.info if self._connected else None
            if info is None or not self._held_back:
                take.check_silence(info, local_clock(), self._reads.newest_at, self._reads.pace)
            if take.done.is_set():
                self._follow(take)
