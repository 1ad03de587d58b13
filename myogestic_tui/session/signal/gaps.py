"""Gaps of a stream whose source's clock may have been set while it was recorded.

Where a clock is set, raw stamps leap and the clock offset leaps back: nothing is missing there. The gap rule
(`clock.gaps`) sees the stamps alone, so what it finds at such a place is settled by corrected time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from ...clock.gaps import Gap, GapTracker, gap_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .streamdata import StreamData


class Tracker(Protocol):
    """What follows the raw stamps: `clock.GapTracker`, or one that survives whatever a device stamps."""

    gaps: list[Gap]

    def feed(self, stamps: NDArray[np.float64], /) -> object:
        """Take the next stamps, ``(n,)`` seconds."""
        ...

    def flush(self) -> object:
        """No more will come."""
        ...


class GapFinder:
    """Gaps of a whole stream, fed block by block.

    Parameters
    ----------
    fs
        Nominal rate in Hz, more than 0.
    tracker
        What follows the raw stamps.
    """

    def __init__(self, fs: float, tracker: Tracker) -> None:
        self._fs, self._tracker = fs, tracker
        self._threshold = gap_threshold(fs)
        self._last = np.nan, np.nan
        self._leaps: dict[int, tuple[float, float]] = {}
        """By sample: how far the offset leaps before it, and the corrected time since the one before."""

    def feed(self, start: int, raw: NDArray[np.float64], corrected: NDArray[np.float64]) -> None:
        """Take the stamps from number ``start`` on, ``(n,)`` seconds each, n > 0."""
        self._tracker.feed(raw)
        before, time = self._last
        leaps = np.diff(corrected - raw, prepend=before)
        for at in np.flatnonzero(np.abs(leaps) >= self._threshold).tolist():
            since = float(corrected[at]) - (float(corrected[at - 1]) if at else time)
            self._leaps[start + at] = float(leaps[at]), since
        self._last = float(corrected[-1] - raw[-1]), float(corrected[-1])

    def gaps(self) -> list[Gap]:
        """Those found, in order; call it once, after the last stamps."""
        self._tracker.flush()
        found = {gap.index: gap for gap in self._tracker.gaps}
        for index, (leap, since) in self._leaps.items():
            gap = found.pop(index, None)
            missing = since - 1.0 / self._fs if gap is None else gap.seconds + leap
            if missing >= self._threshold:
                found[index] = Gap(index, missing)
        return [found[index] for index in sorted(found)]


def stream_gaps(stream: StreamData) -> list[Gap]:
    """Gaps of a whole stream, without its time stamps in memory."""
    if stream.info.fs <= 0:
        return []
    finder = GapFinder(stream.info.fs, GapTracker(stream.info.fs))
    for start, raw, corrected in stream.time_blocks():
        finder.feed(start, raw, corrected)
    return finder.gaps()
