"""How two clocks lie to each other, over a stretch of time, and how far wrong that may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...clock.offsets import clean_estimates, offset_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ...clock.offsets import OffsetLine

    Floats = NDArray[np.float64]

_SLACK = 60.0
"""Seconds beyond its comparisons for which a segment of clock offsets may still be the one that is meant."""
_FEW = 3
"""Fewer comparisons do not tell their scatter."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Time on another clock is time on this one, and an offset.

    Attributes
    ----------
    at, offsets
        ``(k,)`` knots: seconds on this clock, and the offset there; steady beyond the first and the last.
    error_s
        How far wrong it may be, in seconds.
    n_compared
        Comparisons that it rests on; of several steps the fewest. None where both are one clock.
    steps
        What was compared, in words.
    """

    at: Floats
    offsets: Floats
    error_s: float = 0.0
    n_compared: int | None = None
    steps: tuple[str, ...] = ()

    @classmethod
    def same(cls) -> Relation:
        """Both are one clock."""
        return cls(np.zeros(1), np.zeros(1))

    @property
    def is_same(self) -> bool:
        """Whether both are one clock."""
        return self.n_compared is None

    def offset(self, times: Floats) -> Floats:
        """Offsets ``(n,)`` at times ``(n,)`` of this clock."""
        return np.asarray(np.interp(times, self.at, self.offsets), dtype=np.float64)

    def map(self, times: Floats) -> Floats:
        """Times ``(n,)`` of this clock on the other one."""
        return np.asarray(times, dtype=np.float64) + self.offset(times)

    def one(self, at: float) -> float:
        """A single time of this clock on the other one."""
        return float(self.map(np.array([at]))[0])

    def then(self, following: Relation) -> Relation:
        """From this clock over the other one to a third."""
        inner = following.at - self._back(following.at)
        at = np.unique(np.concatenate((self.at, inner)))
        offsets = following.map(self.map(at)) - at
        counts = [one for one in (self.n_compared, following.n_compared) if one is not None]
        steps = (*self.steps, *following.steps)
        return Relation(at, offsets, self.error_s + following.error_s, min(counts, default=None), steps)

    def _back(self, there: Floats) -> Floats:
        """Offsets at times of the other clock."""
        return np.asarray(np.interp(there, self.at + self.offsets, self.offsets), dtype=np.float64)


def to_source(rows: Floats | None, low: float, high: float, words: str) -> Iterator[Relation]:
    """From a recorder's clock to that of a source which it compared.

    Parameters
    ----------
    rows
        ``(k, 4)`` estimates of the recorder.
    low, high
        The stretch of the recorder's clock that is asked about.
    words
        What was compared.
    """
    for line, error, count in _segments(rows):
        ahead = line.at + line.offsets
        offset = np.interp((low, high), ahead, line.offsets)
        ends = low - offset[0], high - offset[1]
        if _fits(line, *ends):
            yield Relation(ahead, -line.offsets, float(error + line.error_over(*ends)), count, (words,))


def from_source(rows: Floats | None, low: float, high: float, words: str) -> Iterator[Relation]:
    """From the clock of a source to that of a recorder which compared it; ``low`` and ``high`` on the source's."""
    for line, error, count in _segments(rows):
        if _fits(line, low, high):
            yield Relation(line.at, line.offsets, float(error + line.error_over(low, high)), count, (words,))


def _segments(rows: Floats | None) -> Iterator[tuple[OffsetLine, float, int]]:
    """Stretches between two restarts of the source; how far the way back may differ from the way there; their rows."""
    estimates = clean_estimates(rows)
    for line in offset_lines(estimates):
        inside = (estimates[:, 0] >= line.start) & (estimates[:, 0] <= line.end)
        count = int(inside.sum())
        doubt = float(np.median(np.abs(estimates[inside, 2]))) * (0.5 if count >= _FEW else 1.0)
        yield line, doubt if np.isfinite(doubt) else 0.0, count


def _fits(line: OffsetLine, low: float, high: float) -> bool:
    """Whether the source's clock was the one of this segment all the time."""
    return low <= line.last + _SLACK and high >= line.first - _SLACK
