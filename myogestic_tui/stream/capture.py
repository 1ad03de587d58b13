"""One recording of one stream: which of its samples belong to it, and where they go."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import local_clock
from ..errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session import Session
    from .chunks import Chunk
    from .source import ClockEstimate

LINGER_SECONDS = 0.25
"""How long after the end a sample from before it may still be on its way."""
_NEVER_SECONDS = 2.0
"""Samples that arrive so long after the start and are still stamped before it: that clock may never get there."""
LATE_SECONDS = 2.5
"""Samples that arrive so long after their stamps: whether they are late or their clock is off cannot be told."""
AHEAD_SECONDS = 1.0
"""A stamp may be ahead of its sample's arrival by this much: offsets are estimates."""
_SLOW_FS = 5.0
"""Below this rate nobody waits for a sample from beyond the end."""


class Take:
    """Cuts a stream at two instants of the recorder's clock, and appends what lies between to the session.

    What arrives between the two belongs to the session, unless its own time says that it was taken just before the
    start. What was taken before the end and comes after it belongs to it, too. Between the first and the last sample
    nothing is left out, whatever the stamps are like. Not thread-safe: the lock of the stream guards it.

    Parameters
    ----------
    session
        Where the samples go.
    name
        The stream's name there.
    start
        First instant, seconds on the recorder's clock.
    follows
        It continues where another take of the stream ended: every sample that comes from then on belongs to it.
    """

    def __init__(self, session: Session, name: str, start: float, *, follows: bool = False) -> None:
        self.session = session
        self.name = name
        self.start = start
        self.end: float | None = None
        self.done = threading.Event()
        self.drained = False
        self.joined = False
        self.n_samples = 0
        """Of this recording of the stream; there may be earlier ones in the session."""
        self.writing_since: float | None = None
        """Since when (recorder's clock, s) the disk has been taking a chunk; None where it is not."""
        self.successor: Take | None = None
        """What continues where this ends, so that the stream loses nothing between two sessions."""
        self._first_kept = follows

    def join(self, info: StreamInfo, joined_at: float | None, estimates: Iterable[ClockEstimate]) -> None:
        """Make the stream's arrays, with the clock offsets known by now; called again, check the layout.

        Raises
        ------
        StreamChangedError
            The session has the stream with another layout.
        SessionError
            The session cannot take it.
        """
        began = self.start if joined_at is None else joined_at
        self.session.init_stream(self.name, info, None if self.joined else joined_at, began=began)
        if not self.joined:
            self.session.mark_arrival(self.name, began)
            self.session.add_clock_estimates(self.name, list(estimates))
        self.joined = True

    def add(self, chunk: Chunk) -> slice:
        """Append what belongs to the recording of a chunk that is not empty; return which of its samples do.

        Raises
        ------
        SessionError
            The session did not take them.
        """
        first, last = 0, chunk.n_samples
        if not self._first_kept:
            first = self._first(chunk.times, last, chunk.arrived)
            self._first_kept = first < last
        over = False
        if self.end is not None:
            over, last = self._last(self.end, _credible(chunk), last, chunk.read_at)
        if first < last:
            self._append(chunk.data[first:last], chunk.timestamps[first:last], chunk.arrived)
        if over:
            self.finish(drained=True)
        return slice(first, max(first, last))

    def _append(self, data: NDArray[Any], timestamps: NDArray[np.float64], arrived: float) -> None:
        self.writing_since = local_clock()
        try:
            self.session.append(self.name, data, timestamps, arrived)
        finally:
            self.writing_since = None
        self.n_samples += len(timestamps)

    def _first(self, times: NDArray[np.float64] | None, count: int, arrived: float) -> int:
        if times is None:
            return 0 if arrived >= self.start else count
        inside = np.flatnonzero(times >= self.start)
        if inside.size:
            return int(inside[0])
        never = arrived >= self.start + _NEVER_SECONDS or arrived - times[-1] > LATE_SECONDS
        return 0 if never and arrived >= self.start else count

    def _last(self, end: float, times: NDArray[np.float64] | None, count: int, read_at: float) -> tuple[bool, int]:
        if times is None:
            return read_at >= end, count
        if not times[-1] > end:
            return False, count
        inside = np.flatnonzero(times <= end)
        return True, int(inside[-1]) + 1 if inside.size else 0

    def note_reason(self, ahead: int, reason: str) -> None:
        """Say why time is missing before the sample ``ahead`` samples after those appended so far."""
        if self.joined:
            ahead = ahead if self._first_kept else 0
            self.session.add_gap_reason(self.name, self.session.n_samples(self.name) + ahead, reason)

    def check_silence(self, info: StreamInfo | None, now: float, last_arrival: float, pace: float) -> None:
        """Finish where nothing more is to be waited for, though no sample from beyond the end has come.

        Parameters
        ----------
        info
            The stream's layout; None where it is not connected.
        now, last_arrival
            Recorder's clock, s.
        pace
            The longest that it took of late from one arrival to the next, in seconds.
        """
        if self.end is None or now < self.end + LINGER_SECONDS:
            return
        due = info is not None and info.fs >= _SLOW_FS and now < last_arrival + 1.5 * pace + LINGER_SECONDS
        if not due:
            self.finish(drained=True)

    def finish(self, *, drained: bool) -> None:
        """Let go of whoever waits for the end."""
        if self.joined and not self.done.is_set():
            with suppress(SessionError):  # the samples are safe; that no more came is only for the record
                self.session.mark_arrival(self.name, self.end)
        self.drained = drained
        self.done.set()


def _credible(chunk: Chunk) -> NDArray[np.float64] | None:
    """Its times; None for such that are ahead of the samples' own arrival: there the stamps leapt."""
    ahead = chunk.times is not None and chunk.times[-1] - chunk.arrived > AHEAD_SECONDS
    return None if ahead else chunk.times
