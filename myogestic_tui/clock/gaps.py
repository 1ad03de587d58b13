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
streams have no gaps. A stamp that no clock shows (NaN, infinite, 30,000 years off) is passed over. A stream that has as
many gaps as samples does not follow its rate: then no more of them are told, nor beyond `MOST_GAPS`.

The decision on a candidate depends on the stamps around it only, never on how they were cut into chunks: `GapTracker`
(live) and `find_gaps` (offline) give the same gaps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .steps import MIN_GAP_SAMPLES, NO_STEP, Rate, Step, clock_offsets, lines_along, measure_step
from .steps import gap_threshold as gap_threshold

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SETTLE_SECONDS = 3.0
HISTORY_SECONDS = 8.0
CATCH_UP_SECONDS = 30.0
TAIL_SECONDS = 0.25
"""At the end of the data: a step that has held this long counts."""
TAIL_CERTAIN_SECONDS = 1.0
"""At the end of the data: an interval this long counts at once."""
MOST_GAPS = 50_000
"""Gaps that are told of one stream."""
MIN_WINDOW = 16
"""Samples that each window holds at least, however slow the stream."""

_GLANCE_SECONDS = 0.5
_BLOCK = 1 << 20
_NO_TIME = 1e12
_DENSE = 1000
"""Gaps in a row, half of which or more have one sample between them: the stream does not follow its rate."""


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
        self.overrun = False
        """There are more gaps than are told."""
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
            self._slope = (0.0, 0.0, 0)

    def feed(self, timestamps: NDArray[np.float64]) -> list[Gap]:
        """Take the next stamps, ``(n,)`` seconds, and return the gaps that became certain.

        Indices count all stamps ever fed.
        """
        if self.fs <= 0 or len(timestamps) == 0 or self.overrun:
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
        good = np.abs(stamps) < _NO_TIME
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
        while self._pending and not self.overrun:
            step = self._step(self._pending[0][0], final=final)
            if step is None:
                break
            index, _ = self._pending.popleft()
            if step.seconds > 0:
                index = self._longest(index) if step.soft else index
                found.append(Gap(index, step.seconds))
                self._note(found[-1])
        self._trim()
        return found

    def _note(self, gap: Gap) -> None:
        self.gaps.append(gap)
        self._since_gap = gap.index
        dense = len(self.gaps) >= _DENSE and gap.index - self.gaps[-_DENSE].index < 2 * _DENSE
        if dense or len(self.gaps) >= MOST_GAPS:
            self.overrun = True
            self._pending.clear()

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
        rate = self._rate_around(before, stamps[here : here + self._settle], self._undisturbed(index))
        step = measure_step(before, stamps[here : here + self._settle], self.fs, rate)
        if step.falling:
            interval = min(float(stamps[here] - stamps[here - 1]), CATCH_UP_SECONDS)
            reach = self._settle + round(interval * self.fs)
            if n_after < reach and not final:
                return None
            step = measure_step(before, stamps[here : here + reach], self.fs, rate)
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

    def _rate_around(self, before: NDArray[np.float64], after: NDArray[np.float64], undisturbed: int) -> Rate:
        """The stream's real rate, from the longer run of stamps without a candidate in it.

        Where losses come thick and fast both are short: then what a longer run once showed still holds. Where stamps
        scatter widely every other chunk is a candidate: then all that follow are taken.
        """
        soft = self._scatters(before if len(before) >= len(after) else after)
        run = before if len(before) >= undisturbed else after[:undisturbed]
        if soft and len(run) < len(after):
            run = after
        slope, doubt, length = self._slope
        if len(run) >= min(max(length, self._glance), 2 * self._settle):
            found = lines_along(clock_offsets(run, float(run[0]), 0, self.fs), self.fs)
            slope = found.through if soft or found.soft else found.below
            doubt = abs(found.below - found.through)
            self._slope = (slope, doubt, len(run))
        return Rate(slope, soft, doubt)

    def _scatters(self, stamps: NDArray[np.float64]) -> bool:
        """Whether intervals are too short as often as they are too long, and no edge shows on time."""
        excess = np.diff(stamps) - 1.0 / self.fs
        early, late = np.count_nonzero(excess <= -self._threshold / 2), np.count_nonzero(excess >= self._threshold / 2)
        if 2 * early < late:
            return False
        return lines_along(clock_offsets(stamps, float(stamps[0]), 0, self.fs), self.fs).soft

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
