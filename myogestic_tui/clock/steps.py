"""The step of a stream's sample clock at one place: what `gaps` decides by.

Throughout, ``x`` is time stamps less what a sample clock of the nominal rate says, ``(n,)`` in seconds: flat for a
perfect device, sloping for one that is off its nominal rate, lifted for good by a missing block,
for a while by a late one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_GAP_SECONDS = 0.020
MIN_GAP_SAMPLES = 5

_PARTS = 16
_SOFT_PARTS = 8
_MAX_SLOPE = 0.25


class Step(NamedTuple):
    """A step of the sample clock: its size in seconds, and what the stamps around it are like.

    ``falling``: they still come down at the end, a held-up block is being caught up. ``soft``: they scatter both ways.
    """

    seconds: float
    falling: bool = False
    soft: bool = False


NO_STEP = Step(0.0)


class Rate(NamedTuple):
    """How much longer (``slope``, seconds per second) a sample really takes than nominal.

    ``soft``: the stamps scatter both ways, so the middle of ``x`` tells a step, not its floor. ``doubt``: how far wrong
    the slope may be, since floor and middle tell it differently.
    """

    slope: float
    soft: bool = False
    doubt: float = 0.0


class Lines(NamedTuple):
    """Slopes of the line that supports ``x`` from below, and of the one through its middle.

    ``soft``: the floor of ``x`` has no edge; go by the middle.
    """

    below: float
    through: float
    soft: bool


def gap_threshold(fs: float) -> float:
    """Least missing time, in seconds, that counts as a gap at ``fs`` Hz (> 0)."""
    return max(MIN_GAP_SECONDS, MIN_GAP_SAMPLES / fs)


def clock_offsets(stamps: NDArray[np.float64], origin: float, first: int, fs: float) -> NDArray[np.float64]:
    """``x``: the stamps ``(n,)`` less what a sample clock of ``fs`` Hz through ``origin`` says, in seconds.

    ``first`` is the index of the first stamp, counted from the sample at ``origin``.
    """
    offsets: NDArray[np.float64] = stamps - origin - np.arange(first, first + len(stamps)) / fs
    return offsets


def measure_step(before: NDArray[np.float64], after: NDArray[np.float64], fs: float, rate: Rate) -> Step:
    """The step of the sample clock between two runs of stamps, ``(n,)`` seconds each, that follow one another."""
    origin, threshold, real_fs = float(after[0]), gap_threshold(fs), fs / (1.0 + rate.slope)
    x_before = clock_offsets(before, origin, -len(before), real_fs)
    x_after = clock_offsets(after, origin, 0, real_fs)
    floor_step = float(x_after.min()) - _steady_floor(x_before, threshold)
    middle_step = float(np.median(x_after) - np.median(x_before))
    doubt = rate.doubt * (len(before) + len(after)) / (2.0 * fs)
    if min(floor_step, middle_step) - doubt < 0.75 * threshold:
        return NO_STEP
    half = len(x_after) // 2
    if half and x_after[:half].min() - x_after[half:].min() >= threshold / 2:
        return Step(floor_step, falling=True)
    if not rate.soft:
        return Step(floor_step)
    return Step(middle_step, soft=True) if _stands_out(x_before, x_after, middle_step) else NO_STEP


def _stands_out(x_before: NDArray[np.float64], x_after: NDArray[np.float64], step: float) -> bool:
    """Whether a step is more than the scatter of the stamps, and holds in all parts of either run."""
    if step < 2.5 * _spread(x_after):
        return False
    low, high = np.median(x_before) + step / 2, np.median(x_after) - step / 2
    before = [np.median(part) for part in np.array_split(x_before, _SOFT_PARTS) if len(part)]
    after = [np.median(part) for part in np.array_split(x_after, _SOFT_PARTS) if len(part)]
    return bool(max(before) < low and min(after) > high)


def lines_along(x: NDArray[np.float64], fs: float) -> Lines:
    """The lines along ``x`` ``(n,)``; level ones where there is too little to tell."""
    if len(x) < 2 * _PARTS:
        return Lines(0.0, 0.0, soft=False)
    s, threshold = np.arange(len(x)) / fs, gap_threshold(fs)
    through = _median_slope(*_part_middles(s, x))
    at, floors = _part_floors(s, x - through * s)
    kept = floors >= np.sort(floors)[1] - threshold / 2
    below = through + _hull_slope(at[kept], floors[kept])
    soft = _is_soft(x - through * s, x - below * s)
    below, through = np.clip((below, through), -_MAX_SLOPE, _MAX_SLOPE).tolist()
    return Lines(below, through, soft)


def _is_soft(through: NDArray[np.float64], below: NDArray[np.float64]) -> bool:
    """Whether the floor has no edge, given ``x`` less the line through its middle, and less the one below it.

    Then few values lie close to the least, and the middles of parts of ``x`` vary less than their floors do, or by far
    too little for the two lines to differ as much as they do.
    """
    low, middle = np.percentile(below, (2, 50)) - below.min()
    index = np.arange(len(below), dtype=np.float64)
    middles = _spread(_part_middles(index, through)[1])
    apart = np.ptp(below - through)
    return bool(low > 0.08 * middle and (middles < _spread(_part_floors(index, below)[1]) or apart > 4.0 * middles))


def _spread(values: NDArray[np.float64]) -> float:
    """Standard deviation, if they are normal: from the quartiles, so that outliers do not count."""
    return float(np.subtract(*np.percentile(values, (75, 25)))) / 1.35


def _steady_floor(x: NDArray[np.float64], threshold: float) -> float:
    """Least of ``x``, but for one short run of stamps far below the rest: a bad stamp, not an early sample."""
    if len(x) < 2 * _PARTS:
        return float(x.min())
    _, floors = _part_floors(np.arange(len(x), dtype=np.float64), x)
    floors.sort()
    return float(floors[0] if floors[1] - floors[0] < threshold / 2 else floors[1])


def _part_floors(s: NDArray[np.float64], x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place and value of the least of ``x`` in each of `_PARTS` equal parts."""
    length = len(x) // _PARTS
    used = x[len(x) - length * _PARTS :].reshape(_PARTS, length)
    places = used.argmin(axis=1)
    rows = np.arange(_PARTS)
    return s[len(x) - length * _PARTS + rows * length + places], used[rows, places]


def _part_middles(s: NDArray[np.float64], x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middle of the place and of ``x`` in each of `_PARTS` equal parts."""
    length = len(x) // _PARTS
    parts = slice(len(x) - length * _PARTS, None)
    return s[parts].reshape(_PARTS, length).mean(axis=1), np.median(x[parts].reshape(_PARTS, length), axis=1)


def _median_slope(s: NDArray[np.float64], x: NDArray[np.float64]) -> float:
    """Theil-Sen: the median slope over all pairs."""
    i, j = np.triu_indices(len(s), 1)
    return float(np.median((x[j] - x[i]) / (s[j] - s[i])))


def _hull_slope(s: NDArray[np.float64], x: NDArray[np.float64]) -> float:
    """Slope of the edge of the lower convex hull that lies below the middle; ``s`` ascending."""
    hull: list[tuple[float, float]] = []
    for point in zip(s.tolist(), x.tolist(), strict=True):
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    middle = (hull[0][0] + hull[-1][0]) / 2
    for (s0, x0), (s1, x1) in pairwise(hull):
        if s1 >= middle:
            return (x1 - x0) / (s1 - s0)
    return 0.0


def _turns_up(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether ``b`` lies on or above the line from ``a`` to ``c``."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])
