"""One recording of one stream: which of its samples belong to it, and where they go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session import Session
    from .source import ClockEstimate

LINGER_SECONDS = 0.25
"""How long after the end a sample from before it may still be on its way."""
_NEVER_SECONDS = 2.0
"""Samples that arrive so long after the start and are still stamped before it: that clock may never get there."""
_SLOW_FS = 5.0
"""Below this rate nobody waits for a sample from beyond the end."""


class Take:
    """Cuts a stream at two instants of the recorder's clock, and appends what lies between to the session.

    The first sample is the first one stamped at or after the start; of a stream whose stamps do not get there (they run
    backwards, or stand still) the first one that arrives two seconds after it. The last one is the last one stamped at
    or before the end. Between the two nothing is left out, whatever the stamps are like. Not thread-safe: the stream's
    lock guards it.

    Parameters
    ----------
    session
        Where the samples go.
    name
        The stream's name there.
    start
        First instant, seconds on the recorder's clock.
    """

    def __init__(self, session: Session, name: str, start: float) -> None:
        self.session = session
        self.name = name
        self.start = start
        self.end: float | None = None
        self.done = threading.Event()
        self.drained = False
        self.joined = False
        self.n_samples = 0

    def join(self, info: StreamInfo, joined_at: float | None, estimates: Iterable[ClockEstimate]) -> None:
        """Make the stream's arrays, with the clock offsets known by now; called again, check the layout.

        Raises
        ------
        StreamChangedError
            The session has the stream with another layout.
        SessionError
            The session cannot take it.
        """
        self.session.init_stream(self.name, info, None if self.joined else joined_at)
        if not self.joined:
            self.session.add_clock_estimates(self.name, list(estimates))
        self.joined = True

    def add(
        self, data: NDArray[Any], timestamps: NDArray[np.float64], times: NDArray[np.float64] | None, read_at: float
    ) -> None:
        """Append what belongs to the recording.

        Parameters
        ----------
        data, timestamps
            ``(n, n_channels)`` and ``(n,)``, n > 0, raw, as read.
        times
            The stamps on the recorder's clock; None where they are in no clock that can be compared: then the samples
            are cut by arrival, to the poll.
        read_at
            When the source was asked for them (recorder's clock, s).

        Raises
        ------
        SessionError
            The session did not take them.
        """
        first, last = 0, len(timestamps)
        if self.n_samples == 0:
            first = self._first(times, last, read_at)
        over = False
        if self.end is not None:
            over, last = self._last(self.end, times, last, read_at)
        if first < last:
            self.session.append(self.name, data[first:last], timestamps[first:last])
            self.n_samples += last - first
        if over:
            self.finish(drained=True)

    def _first(self, times: NDArray[np.float64] | None, count: int, read_at: float) -> int:
        if times is None:
            return 0 if read_at >= self.start else count
        inside = np.flatnonzero(times >= self.start)
        if inside.size:
            return int(inside[0])
        return 0 if read_at >= self.start + _NEVER_SECONDS else count

    def _last(self, end: float, times: NDArray[np.float64] | None, count: int, read_at: float) -> tuple[bool, int]:
        if times is None:
            return read_at >= end, count
        if times[-1] <= end:
            return False, count
        inside = np.flatnonzero(times <= end)
        return True, int(inside[-1]) + 1 if inside.size else 0

    def note_reason(self, ahead: int, reason: str) -> None:
        """Say why time is missing before the sample ``ahead`` samples after those appended so far."""
        if self.n_samples:
            self.session.add_gap_reason(self.name, self.n_samples + ahead, reason)

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
        self.drained = drained
        self.done.set()
