"""The one gap rule, used by health, metadata, verify and windows.

A **gap** is time that the samples of a regular stream do not account for: a missing block of ``max(20 ms, 5
samples)`` or more, with its size right to a sample. A chunk that comes late is none.

Why single intervals cannot tell: LSL stamps chunks when they are pushed and deduces the stamps within, so a late
chunk opens an interval just as a missing block does. But lateness passes: a stamp can be late, never early, and what
was held up comes after it at once. So sample ``i`` is compared with the running sample clock, ``x[i] = t[i] - i /
fs``. Delays lift single chunks off the floor of ``x``; a missing block lifts the floor itself, for good.

1. A *candidate* is an interval that is half a threshold or more longer than a sample.
2. Its *step* is the floor of ``x`` over the 3 s of samples after it, less the floor over up to 8 s before it (not
   reaching back beyond the gap before). Both are taken along the stream's real rate, the slope of the line that
   supports ``x`` from below (Moon, Skelly and Towsley, 1999), so that a device whose crystal is off shows no gap.
3. While ``x`` still falls at the end of those 3 s a held-up block is being caught up: look on for as long as the
   interval was long, 30 s at most.
4. A step of a threshold or more is a gap of that size, and lies where the candidate is.

Where data end before 3 s have passed, 0.25 s or an interval of more than 1 s suffice. A step back of the source's
clock is no gap. Where stamps scatter both ways (there is no sharp floor), the middle takes the floor's place. Irregular
streams have no gaps.

The decision on a candidate depends on the stamps around it only, never on how they were cut into chunks: `GapTracker`
(live) and `find_gaps` (offline) give the same gaps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MIN_GAP_SECONDS = 0.020
MIN_GAP_SAMPLES = 5
SETTLE_SECONDS = 3.0
HISTORY_SECONDS = 8.0
CATCH_UP_SECONDS = 30.0
TAIL_SECONDS = 0.25
"""At the end of the data: a step that has held this long counts."""
TAIL_CERTAIN_SECONDS = 1.0
"""At the end of the data: an interval this long counts at once."""
MIN_WINDOW = 16
"""Samples that each window holds at least, however slow the stream."""

_GLANCE_SECONDS = 0.5
_PARTS = 16
_MAX_SLOPE = 0.25
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap.

    Attributes
    ----------
    index
        Index of the first sample after it.
    seconds
        Time that is missing: the interval less one sample period.
    """

    index: int
    seconds: float

    def n_samples(self, fs: float) -> int:
        """Samples that are missing, at ``fs`` Hz."""
        return round(self.seconds * fs)


class Step(NamedTuple):
    """A step of the sample clock: its size in seconds, and what the stamps around it are like.

    ``falling``: they still come down at the end, a held-up block is being caught up. ``soft``: they scatter both ways.
    """

    seconds: float
    falling: bool = False
    soft: bool = False


NO_STEP = Step(0.0)


def gap_threshold(fs: float) -> float:
    """Least missing time, in seconds, that counts as a gap at ``fs`` Hz (> 0)."""
    return max(MIN_GAP_SECONDS, MIN_GAP_SAMPLES / fs)


def find_gaps(timestamps: ArrayLike, fs: float, *, previous: float | None = None) -> list[Gap]:
    """Gaps of a whole stream.

    Parameters
    ----------
    timestamps
        ``(n_samples,)`` seconds, raw, in the order the samples came.
    fs
        Nominal rate in Hz; 0 for irregular, which has no gaps.
    previous
        The stamp just before the first one; a gap between the two has index 0.
    """
    tracker = GapTracker(fs)
    stamps = np.asarray(timestamps, dtype=np.float64)
    shift = 0
    gaps: list[Gap] = []
    if previous is not None:
        tracker.feed(np.array([previous]))
        shift = 1
    for start in range(0, len(stamps), _BLOCK):
        gaps += tracker.feed(stamps[start : start + _BLOCK])
    gaps += tracker.flush()
    return [Gap(gap.index - shift, gap.seconds) for gap in gaps]


class GapTracker:
    """The gap rule on a stream that is still coming in: bounded memory (about 10 s of stamps), not thread-safe.

    A gap is known once 3 s of samples have followed it.

    Parameters
    ----------
    fs
        Nominal rate in Hz; 0 for irregular, which has no gaps.
    """

    def __init__(self, fs: float) -> None:
        self.fs = fs
        self.gaps: list[Gap] = []
        self._stamps: list[NDArray[np.float64]] = []
        self._base = 0
        self._n = 0
        self._last: float | None = None
        self._anchor = (0.0, 0)
        self._since_gap = 0
        self._pending: deque[tuple[int, float]] = deque()
        if fs > 0:
            self._threshold = gap_threshold(fs)
            self._settle = self._length(SETTLE_SECONDS)
            self._history = self._length(HISTORY_SECONDS)
            self._glance = self._length(_GLANCE_SECONDS)
            self._rate = (0.0, 0)

    def feed(self, timestamps: NDArray[np.float64]) -> list[Gap]:
        """Take the next stamps, ``(n,)`` seconds, and return the gaps that became certain.

        Indices count all stamps ever fed.
        """
        if self.fs <= 0 or len(timestamps) == 0:
            self._n += len(timestamps)
            return []
        stamps = self._filled(np.asarray(timestamps, dtype=np.float64))
        if len(stamps) == 0:
            return []
        first = self._n - len(stamps)
        head = stamps[:1] if self._last is None else np.array([self._last])
        excess = np.diff(stamps, prepend=head) - 1.0 / self.fs
        late = np.flatnonzero(excess >= self._threshold / 2)
        if late.size:
            self._pending.extend(zip((late + first).tolist(), excess[late].tolist(), strict=True))
        self._last = float(stamps[-1])
        self._stamps.append(stamps)
        return self._decided(final=False)

    def flush(self) -> list[Gap]:
        """Decide on what is left, with the data there are; call it when no more will come."""
        return self._decided(final=True) if self.fs > 0 else []

    def _length(self, seconds: float) -> int:
        return max(round(seconds * self.fs), MIN_WINDOW)

    def _filled(self, stamps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count the stamps in; a stamp that is not a number becomes what the sample clock says it should be."""
        first, self._n = self._n, self._n + len(stamps)
        good = np.isfinite(stamps)
        if self._last is None:
            skip = int(good.argmax()) if good.any() else len(stamps)
            stamps, good, first = stamps[skip:], good[skip:], first + skip
            self._base = self._since_gap = first
        if good.all():
            if len(stamps):
                self._anchor = (float(stamps[-1]), self._n - 1)
            return stamps.copy()
        index = np.arange(first, self._n)
        origin = np.maximum.accumulate(np.where(good, index, -1))
        known = np.where(origin >= 0, stamps[np.maximum(origin - first, 0)], self._anchor[0])
        origin = np.where(origin >= 0, origin, self._anchor[1])
        self._anchor = (float(known[-1]), int(origin[-1]))
        filled: NDArray[np.float64] = known + (index - origin) / self.fs
        return filled

    def _decided(self, *, final: bool) -> list[Gap]:
        found: list[Gap] = []
        while self._pending:
            step = self._step(self._pending[0][0], final=final)
            if step is None:
                break
            index, _ = self._pending.popleft()
            if step.seconds > 0:
                index = self._longest(index) if step.soft else index
                found.append(Gap(index, step.seconds))
                self._since_gap = index
        self._trim()
        self.gaps += found
        return found

    def _step(self, index: int, *, final: bool) -> Step | None:
        """The step before sample ``index``: `NO_STEP` where that is no gap, None where it is too early to tell."""
        n_after = self._n - index
        if n_after < self._settle and not final:
            return None
        stamps = self._joined()
        here = index - self._base
        if not self._worth_it(stamps, here):
            return NO_STEP
        before = stamps[max(self._since_gap - self._base, here - self._history, 0) : here]
        slope = self._slope(before, stamps[here : here + self._undisturbed(index)])
        step = measure_step(before, stamps[here : here + self._settle], self.fs, slope)
        if step.falling:
            interval = min(float(stamps[here] - stamps[here - 1]), CATCH_UP_SECONDS)
            reach = self._settle + round(interval * self.fs)
            if n_after < reach and not final:
                return None
            step = measure_step(before, stamps[here : here + reach], self.fs, slope)
        if n_after < self._settle and (step.falling or not self._tail_counts(stamps, here)):
            return NO_STEP
        # A quarter of a sample of slack, so that a block of exactly the threshold counts in spite of rounding.
        return step if step.seconds >= self._threshold - 0.25 / self.fs else NO_STEP

    def _longest(self, index: int) -> int:
        """Where stamps scatter widely: the longest interval of the next half second, rather than the first."""
        interval = float(np.diff(self._joined()[index - 1 - self._base :][:2])[0]) - 1.0 / self.fs
        near = [(excess, -i) for i, excess in self._pending if i < index + self._glance]
        index = -max([*near, (interval, -index)])[1]
        while self._pending and self._pending[0][0] <= index:
            self._pending.popleft()
        return index

    def _undisturbed(self, index: int) -> int:
        """Samples from ``index`` up to the next candidate, or until the step is settled."""
        return min(self._settle, self._pending[1][0] - index) if len(self._pending) > 1 else self._settle

    def _slope(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
        """The stream's real rate as a slope of ``x``, from the longer run of undisturbed stamps.

        Where losses come thick and fast both are short: then what a longer run once showed still holds.
        """
        run = before if len(before) >= len(after) else after
        known, length = self._rate
        if len(run) < min(max(length, self._glance), 2 * self._settle):
            return known
        x = clock_offsets(run, float(run[0]), 0, self.fs)
        slope = floor_slope(np.arange(len(run)) / self.fs, x, self._threshold)
        self._rate = (slope, len(run))
        return slope

    def _worth_it(self, stamps: NDArray[np.float64], here: int) -> bool:
        """A glance at the half seconds around: most late chunks are caught up by then."""
        start = max(here - self._glance, self._since_gap - self._base, 0)
        floor_before = clock_offsets(stamps[start:here], stamps[here], start - here, self.fs).min()
        after = stamps[here : here + self._glance]
        return bool(clock_offsets(after, stamps[here], 0, self.fs).min() - floor_before >= self._threshold / 2)

    def _tail_counts(self, stamps: NDArray[np.float64], here: int) -> bool:
        if stamps[here] - stamps[here - 1] >= TAIL_CERTAIN_SECONDS:
            return True
        return len(stamps) - here >= max(TAIL_SECONDS * self.fs, MIN_GAP_SAMPLES)

    def _joined(self) -> NDArray[np.float64]:
        if len(self._stamps) > 1:
            self._stamps = [np.concatenate(self._stamps)]
        return self._stamps[0]

    def _trim(self) -> None:
        oldest = (self._pending[0][0] if self._pending else self._n) - self._history
        while len(self._stamps) > 1 and self._base + len(self._stamps[0]) <= oldest:
            self._base += len(self._stamps.pop(0))
        if self._stamps and oldest - self._base > 4 * self._history:
            drop = oldest - self._base
            self._stamps[0] = self._stamps[0][drop:].copy()
            self._base = oldest


def clock_offsets(stamps: NDArray[np.float64], origin: float, first: int, fs: float) -> NDArray[np.float64]:
    """``x``: the stamps ``(n,)`` less what a sample clock of ``fs`` Hz through ``origin`` says, in seconds.

    ``first`` is the index of the first stamp, counted from the sample at ``origin``.
    """
    offsets: NDArray[np.float64] = stamps - origin - np.arange(first, first + len(stamps)) / fs
    return offsets


def measure_step(before: NDArray[np.float64], after: NDArray[np.float64], fs: float, slope: float = 0.0) -> Step:
    """The step of the sample clock between two runs of stamps, ``(n,)`` seconds each, that follow one another.

    ``slope`` is how much longer (seconds per second) a sample really takes than ``1 / fs``.
    """
    origin, threshold, rate = float(after[0]), gap_threshold(fs), fs / (1.0 + slope)
    x_before = clock_offsets(before, origin, -len(before), rate)
    x_after = clock_offsets(after, origin, 0, rate)
    floor_step = float(x_after.min()) - _steady_floor(x_before, threshold)
    middle_step = float(np.median(x_after) - np.median(x_before))
    if min(floor_step, middle_step) < threshold / 2:
        return NO_STEP
    half = len(x_after) // 2
    falling = half > 0 and bool(x_after[:half].min() - x_after[half:].min() >= threshold / 2)
    if falling or not is_soft(x_before if len(before) >= len(after) else x_after):
        return Step(floor_step, falling)
    scatter = float(np.subtract(*np.percentile(x_after, (75, 25)))) / 1.35
    return Step(middle_step, soft=True) if middle_step >= 2.5 * scatter else NO_STEP


def is_soft(x: NDArray[np.float64]) -> bool:
    """Whether the floor of ``x`` has no edge: the stamps scatter both ways, not only late.

    The least of many such stamps is a matter of chance; then the middle tells a step better than the floor.
    """
    low, middle = np.percentile(x, (2, 50)) - x.min()
    return bool(low > 0.15 * middle)


def floor_slope(s: NDArray[np.float64], x: NDArray[np.float64], threshold: float) -> float:
    """Slope (seconds per second) of the line that supports ``x(s)`` from below; 0.0 where there is too little."""
    if len(x) < 2 * _PARTS:
        return 0.0
    rough = _median_slope(*_part_middles(s, x))
    at, floors = _part_floors(s, x - rough * s)
    order = np.sort(floors)
    kept = floors >= order[1] - threshold / 2
    slope = rough + _hull_slope(at[kept], floors[kept])
    return float(np.clip(rough if is_soft(x - slope * s) else slope, -_MAX_SLOPE, _MAX_SLOPE))


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
