"""Clock offsets as liblsl estimates them, made into one relation between two clocks.

*Recorder's time = source's time + offset.* Single estimates carry the noise of the network and some are wrong; a
computer that restarts makes the offset jump for good. So the history is cut at such jumps into segments, and each
segment gets one robust line.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .robust import mad
from .thresholds import CERTAIN_JUMP, DRIFT, FOREIGN, OFFSET_JUMP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

MIN_SPAN = 60.0
"""Estimates over a shorter time tell no drift."""
_LEAST_ESTIMATES = 6
_MAX_SLOPE = 1e-3
_KNOT_SECONDS = 300.0
_WANDER_SECONDS = 1200.0
"""Over a longer time a crystal is not taken to be steady."""
_MAX_ERROR = 0.010
"""A slope is followed as far as it may be this wrong."""
_LEAST_DOUBT = 1e-6
_WINDOW, _RETURN = 5, 13
_MOST_POINTS = 60


@dataclass(frozen=True, slots=True)
class OffsetLine:
    """The offset of one segment over the source's time.

    Attributes
    ----------
    start, end
        First and last estimate on the recorder's clock.
    at, offsets
        ``(k,)`` knots: source's time, and offset there; steady beyond the first and the last.
    error
        Scatter of the estimates in seconds.
    first, last
        Source's time of the first and last estimate.
    doubt, reach
        How far wrong the slope may be (s/s), and how far beyond the estimates it is followed.
    """

    start: float
    end: float
    at: Floats
    offsets: Floats
    error: float
    first: float
    last: float
    doubt: float
    reach: float
    before: float
    """Offset by the first estimates."""
    after: float
    """Offset by the last estimates."""

    def offset(self, stamps: Floats) -> Floats:
        """Offsets ``(n,)`` at source times ``(n,)``."""
        return np.asarray(np.interp(stamps, self.at, self.offsets), dtype=np.float64)

    def error_over(self, low: float, high: float) -> float:
        """Error in seconds that must be reckoned with between two source times."""
        away = max(self.first - low, high - self.last, 0.0)
        return self.error + 2.0 * self.doubt * min(away, self.reach) + DRIFT * max(away - self.reach, 0.0)


def clean_estimates(rows: ArrayLike | None) -> Floats:
    """Those of ``(k, 4)`` clock estimates that have a finite time and offset."""
    estimates = np.empty((0, 4)) if rows is None else np.asarray(rows, dtype=np.float64).reshape(-1, 4)
    return estimates[np.isfinite(estimates[:, :2]).all(axis=1)]


def offset_lines(estimates: Floats) -> list[OffsetLine]:
    """One line for each segment of ``(k, 4)`` estimates: collected, offset, uncertainty, source's time."""
    bounds = [0, *_jumps(estimates[:, 1]), len(estimates)] if len(estimates) else [0]
    return [_line(estimates[start:stop]) for start, stop in pairwise(bounds)]


def line_after(lines: Sequence[OffsetLine], before: float, after: float) -> int | None:
    """Number of the line that follows the jump on both sides of which two neighbouring stamps of the source lie."""
    for number, (one, following) in enumerate(pairwise(lines), 1):
        left, right = before + one.after, after + following.before
        late = one.start - FOREIGN <= left <= following.start + 20.0
        if late and left - 1.0 <= right <= following.start + 20.0 and right >= one.end - 20.0:
            return number
    return None


def _jumps(offsets: Floats) -> list[int]:
    """Estimates that begin a new segment: the offset jumped and did not come back within a minute."""
    noise = mad(np.diff(offsets)) / 1.4
    least = max(OFFSET_JUMP, 10.0 * noise)
    found = [0]
    for k in (np.flatnonzero(np.abs(np.diff(offsets)) >= least / 4) + 1).tolist():
        before = float(np.median(offsets[max(found[-1], k - _WINDOW) : k]))
        now = float(np.median(offsets[k : k + _WINDOW]))
        if abs(offsets[k] - before) >= least and abs(now - before) >= least and _stays(offsets, k, before, now, least):
            found.append(k)
    return found[1:]


def _stays(offsets: Floats, k: int, before: float, now: float, least: float) -> bool:
    if abs(now - before) > CERTAIN_JUMP:
        return True
    later = offsets[k + _WINDOW : k + _RETURN]
    return len(offsets) - k >= 3 and (not len(later) or abs(float(np.median(later)) - before) >= least)


def _line(rows: Floats) -> OffsetLine:
    remote = rows[:, 3]
    at = np.where(np.isfinite(remote) & (remote != 0.0), remote, rows[:, 0] - rows[:, 1])
    order = np.argsort(at, kind="stable")
    at, offsets = at[order], rows[order, 1]
    first, last = float(at[0]), float(at[-1])
    span = last - first
    ends = float(np.median(offsets[:_WINDOW])), float(np.median(offsets[-_WINDOW:]))
    if len(offsets) < _LEAST_ESTIMATES or span < MIN_SPAN:
        middle, error = np.array([at.mean()]), mad(offsets) + DRIFT * span
        knots, doubt, reach = np.array([np.median(offsets)]), DRIFT, 0.0
    else:
        middle, knots, error, doubt, reach = _sloped(at, offsets, span)
    known = float(rows[0, 0]), float(rows[-1, 0])
    return OffsetLine(*known, middle, knots, error, first, last, float(doubt), float(reach), *ends)


def _sloped(at: Floats, offsets: Floats, span: float) -> tuple[Floats, Floats, float, float, float]:
    centre = float(at.mean())
    x = at - centre
    slope = _median_slope(x, offsets)
    rest = offsets - slope * x
    error = mad(rest)
    knots = np.linspace(x[0], x[-1], max(2, int(span // _KNOT_SECONDS) + 1))
    level = np.full(len(knots), np.median(rest))
    if span > _WANDER_SECONDS:
        near = [np.abs(x - knot) <= _KNOT_SECONDS for knot in knots]
        level = np.array([np.median(rest[one]) if one.any() else np.median(rest) for one in near])
    doubt = max(5.0 * error / (span * len(offsets) ** 0.5), _LEAST_DOUBT)
    reach = max(MIN_SPAN, _MAX_ERROR / doubt)
    knots = np.concatenate(([knots[0] - reach], knots, [knots[-1] + reach]))
    level = np.concatenate((level[:1], level, level[-1:])) + slope * knots
    return knots + centre, level, error, doubt, reach


def _median_slope(x: Floats, y: Floats) -> float:
    """Theil-Sen, over at most `_MOST_POINTS` medians of neighbours."""
    px, py = _part_medians(x), _part_medians(y)
    i, j = np.triu_indices(len(px), 1)
    apart = px[j] - px[i]
    slopes = (py[j] - py[i])[apart > 0] / apart[apart > 0]
    return float(np.clip(np.median(slopes), -_MAX_SLOPE, _MAX_SLOPE)) if len(slopes) else 0.0


def _part_medians(values: Floats) -> Floats:
    """Medians of at most `_MOST_POINTS` parts of neighbours, which are equally long but for one."""
    if len(values) <= _MOST_POINTS:
        return values
    length, more = divmod(len(values), _MOST_POINTS)
    longer, shorter = np.split(values, [more * (length + 1)])
    parts = [part for part in (longer.reshape(-1, length + 1), shorter.reshape(-1, length)) if len(part)]
    return np.concatenate([np.median(part, axis=1) for part in parts])
