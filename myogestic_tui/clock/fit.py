"""Offsets between a source's clock and the recorder's, made into corrected time.

liblsl compares both clocks every few seconds: *recorder time = source time + offset*. Single estimates carry the noise
of the network, some are wrong, and a clock that is set (or a device that restarts) makes the offset jump. So each
unbroken stretch of the history, a *segment*, gets one straight line, fitted with weights from the stated
uncertainties and with outliers left out; a jump starts the next segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from .gaps import Gap

    Floats = NDArray[np.float64]

MIN_JUMP_SECONDS = 0.0005
"""A jump smaller than this is left to the line: it costs less than it would to be wrong about it."""
NOISE_FACTOR = 5.0
"""A jump is this many times the noise of the estimates, at least."""
CERTAIN_JUMP_SECONDS = 1.0
"""An offset this far off counts as a jump even if it is the first or last of its kind: no round trip is that wrong."""
DRIFT_PRIOR = 100e-6
"""Crystals differ by so much: what keeps the line through two or three noisy estimates from running away."""

_WINDOW = 5
_LEAST_SIGMA = 10e-6


@dataclass(frozen=True, slots=True)
class ClockSegment:
    """A line: ``offset = intercept + slope * (source time - origin)``.

    Attributes
    ----------
    start, end
        Source time of its first and last estimate that is no outlier, in seconds.
    origin, intercept, slope
        The line; seconds, seconds, seconds per second.
    residual
        RMS of what the line leaves of the estimates it was fitted to, in seconds.
    n, n_outliers
        Estimates in the segment, and how many of them were left out.
    """

    start: float
    end: float
    origin: float
    intercept: float
    slope: float
    residual: float
    n: int
    n_outliers: int

    def offset(self, timestamps: ArrayLike) -> Floats:
        """Offset in seconds at source times ``(n,)``."""
        at = np.asarray(timestamps, dtype=np.float64)
        return np.asarray(self.intercept + self.slope * (at - self.origin), dtype=np.float64)

    def correct(self, timestamps: ArrayLike) -> Floats:
        """Source times ``(n,)`` on the recorder's clock, in seconds."""
        return np.asarray(timestamps, dtype=np.float64) + self.offset(timestamps)


@dataclass(frozen=True, slots=True)
class ClockFit:
    """The offset history of one stream, as lines. Without any estimate the two clocks are taken to be one."""

    segments: tuple[ClockSegment, ...] = ()

    @property
    def drift_ppm(self) -> float:
        """How fast the offset grows, in microseconds per second; the mean over segments, weighted by length."""
        weights = [max(segment.end - segment.start, 1e-9) for segment in self.segments]
        if not weights:
            return 0.0
        return float(np.average([segment.slope for segment in self.segments], weights=weights)) * 1e6

    @property
    def residual(self) -> float:
        """RMS in seconds of what the lines leave of the estimates, outliers apart."""
        counts = [segment.n - segment.n_outliers for segment in self.segments]
        if not sum(counts):
            return 0.0
        squares = [segment.residual**2 for segment in self.segments]
        return float(np.sqrt(np.average(squares, weights=counts)))

    def correct(self, timestamps: ArrayLike) -> Floats:
        """Time stamps ``(n,)`` of a source, in the order its samples came, on the recorder's clock, in seconds.

        A clock that was set between two estimates shows in the stamps themselves: there the segments meet.
        """
        stamps = np.array(timestamps, dtype=np.float64)
        if not self.segments:
            return stamps
        corrected = np.empty_like(stamps)
        start = 0
        for this, following in pairwise(self.segments):
            stop = start + meeting_point(stamps[start:], this, following)
            corrected[start:stop] = this.correct(stamps[start:stop])
            start = stop
        corrected[start:] = self.segments[-1].correct(stamps[start:])
        return corrected


def fit_offsets(clock_rows: ArrayLike) -> ClockFit:
    """Fit an offset history.

    Parameters
    ----------
    clock_rows
        ``(k, 4)``: collected_at, offset, uncertainty, remote time, in seconds, in the order they were collected (a row
        of ``<stream>_clock.zarr`` each). Rows without a finite offset are passed over. ``k`` may be 0 (no correction)
        or 1 (a constant offset).
    """
    rows = np.asarray(clock_rows, dtype=np.float64).reshape(-1, 4)
    rows = rows[np.isfinite(rows[:, :2]).all(axis=1)]
    if len(rows) == 0:
        return ClockFit()
    collected, offsets, uncertainty, remote = rows.T
    known = np.isfinite(remote) & (remote != 0.0)
    at = np.where(known, remote, collected - offsets)
    sigma = np.maximum(np.where(np.isfinite(uncertainty), np.abs(uncertainty), 0.0), _LEAST_SIGMA)
    bounds = _segment_bounds(collected, offsets)
    return ClockFit(tuple(_fit_line(at[a:b], offsets[a:b], sigma[a:b]) for a, b in pairwise(bounds)))


def dejitter(timestamps: ArrayLike, fs: float, gaps: Iterable[Gap] = ()) -> Floats:
    """Time stamps ``(n,)`` freed from delivery jitter: evenly spaced between gaps.

    Each run between gaps becomes the straight line that fits its stamps best, late ones left out. Stamps of an
    irregular stream (``fs`` 0) come back as they are.
    """
    stamps = np.array(timestamps, dtype=np.float64)
    if fs <= 0:
        return stamps
    bounds = [0, *sorted({gap.index for gap in gaps if 0 < gap.index < len(stamps)}), len(stamps)]
    for start, stop in pairwise(bounds):
        stamps[start:stop] = _straight(stamps[start:stop], fs)
    return stamps


def _straight(stamps: Floats, fs: float) -> Floats:
    good = np.isfinite(stamps)
    if good.sum() < 3:
        return stamps
    index = np.arange(len(stamps), dtype=np.float64)
    slope, intercept = 1.0 / fs, float(np.median(stamps[good] - index[good] / fs))
    for _ in range(3):
        residual = stamps - (intercept + slope * index)
        spread = 1.4826 * float(np.median(np.abs(residual[good])))
        kept = good & (np.abs(residual) <= max(4.0 * spread, 0.02 / fs))
        if kept.sum() < 3:
            break
        slope, intercept = np.polyfit(index[kept] - index[-1] / 2, stamps[kept] - stamps[good][0], 1)
        intercept += stamps[good][0] - slope * index[-1] / 2
    line: Floats = intercept + slope * index
    return line


def _segment_bounds(collected: Floats, offsets: Floats) -> list[int]:
    """Indices where segments begin, with the end: ``[0, …, k]``."""
    if len(offsets) < 2:
        return [0, len(offsets)]
    steps, spans = np.diff(offsets), np.diff(collected)
    rates = steps[spans > 0] / spans[spans > 0]
    drift = float(np.median(rates)) if len(rates) else 0.0
    flat = offsets - drift * (collected - collected[0])
    noise = 1.4826 * float(np.median(np.abs(np.diff(flat)))) / np.sqrt(2.0)
    return [0, *_jumps(flat, max(MIN_JUMP_SECONDS, NOISE_FACTOR * noise), 0), len(flat)]


def _jumps(flat: Floats, least: float, first: int) -> list[int]:
    """Indices (plus ``first``) before which ``flat`` jumps by ``least`` or more.

    The greatest jump first, then those on either side of it.
    """
    steps = np.abs(_median_steps(flat))
    for candidate in np.flatnonzero(steps >= least) + 1:
        if not _is_jump(flat, int(candidate), least):
            steps[candidate - 1] = 0.0
    if not len(steps) or steps.max() < least:
        return []
    places = np.flatnonzero(steps >= 0.7 * steps.max()) + 1
    place = min(map(int, places), key=lambda i: _unrest(*_sides(flat, i)))
    return [
        *_jumps(flat[:place], least, first),
        first + place,
        *_jumps(flat[place:], least, first + place),
    ]


def _sides(flat: Floats, i: int) -> tuple[Floats, Floats]:
    """Up to 5 estimates before place ``i``, and up to 5 from there on."""
    return flat[max(0, i - _WINDOW) : i], flat[i : i + _WINDOW]


def _median_steps(flat: Floats) -> Floats:
    """For each place ``1 … k-1``: the median of the estimates from there on, less that of those before it."""
    k = len(flat)
    steps = np.zeros(max(k - 1, 0))
    if k > 2 * _WINDOW:
        medians = np.median(np.lib.stride_tricks.sliding_window_view(flat, _WINDOW), axis=1)
        steps[_WINDOW - 1 : k - _WINDOW] = medians[_WINDOW:] - medians[:-_WINDOW]
    for i in (i for i in range(1, k) if i < _WINDOW or i > k - _WINDOW):
        before, after = _sides(flat, i)
        steps[i - 1] = np.median(after) - np.median(before)
    return steps


def _is_jump(flat: Floats, i: int, least: float) -> bool:
    """Whether on either side three estimates agree, or all there are if the step is too large for an outlier."""
    before, after = _sides(flat, i)
    certain = abs(np.median(after) - np.median(before)) >= CERTAIN_JUMP_SECONDS
    return all(
        np.count_nonzero(np.abs(side - np.median(side)) < least) >= (min(len(side), 3) if certain else 3)
        for side in (before, after)
    )


def _unrest(before: Floats, after: Floats) -> float:
    """How badly the estimates on either side of a place agree with a jump there."""
    return float(np.abs(before - np.median(before)).sum() + np.abs(after - np.median(after)).sum())


def _fit_line(at: Floats, offsets: Floats, sigma: Floats) -> ClockSegment:
    """Weighted line with Tukey's biweight, from a robust first guess."""
    origin = float(at.mean())
    x = at - origin
    slope = _rough_slope(x, offsets)
    intercept = float(np.median(offsets - slope * x))
    kept = np.ones(len(at), dtype=bool)
    for _ in range(10):
        residual = np.abs(offsets - intercept - slope * x)
        reach = 5.0 * max(1.4826 * float(np.median(residual)), _LEAST_SIGMA)
        kept = residual < reach
        weights = np.where(kept, (1.0 - (residual / reach) ** 2) ** 2, 0.0) / sigma**2
        if not weights.any():
            break
        intercept, slope = _weighted_line(x, offsets, weights)
    left = (offsets - intercept - slope * x)[kept]
    rms = float(np.sqrt(np.mean(left**2))) if len(left) else 0.0
    inside = at[kept] if kept.any() else at
    return ClockSegment(float(inside[0]), float(inside[-1]), origin, intercept, slope, rms, len(at), int((~kept).sum()))


def _rough_slope(x: Floats, y: Floats) -> float:
    """Theil-Sen over the medians of up to 48 runs; 0.0 where there are too few points for a robust guess."""
    if len(x) < 4:
        return 0.0
    runs = np.array_split(np.arange(len(x)), min(48, len(x)))
    at, middle = np.array([np.median(x[run]) for run in runs]), np.array([np.median(y[run]) for run in runs])
    i, j = np.triu_indices(len(at), 1)
    apart = at[j] != at[i]
    if not apart.any():
        return 0.0
    return float(np.median((middle[j] - middle[i])[apart] / (at[j] - at[i])[apart]))


def _weighted_line(x: Floats, y: Floats, weights: Floats) -> tuple[float, float]:
    """Intercept and slope; the slope is drawn towards 0 where the points say little about it (`DRIFT_PRIOR`)."""
    mean_x, mean_y = float(np.average(x, weights=weights)), float(np.average(y, weights=weights))
    dx = x - mean_x
    slope = float((weights * dx * (y - mean_y)).sum() / ((weights * dx * dx).sum() + DRIFT_PRIOR**-2))
    return mean_y - slope * mean_x, slope


def meeting_point(stamps: Floats, this: ClockSegment, following: ClockSegment) -> int:
    """How many of ``stamps`` belong to ``this`` segment, the rest to ``following`` or later ones."""
    if len(stamps) == 0:
        return 0
    middle = (this.end + following.start) / 2
    leap = float(this.offset(middle) - following.offset(middle))
    steps = np.diff(stamps)
    if len(steps):
        usual = float(np.median(steps))
        near = (stamps[:-1] > this.end - abs(leap) - usual) & (stamps[:-1] < following.start + abs(leap) + usual)
        wrong = np.where(near, np.abs(steps - usual - leap), np.inf)
        place = int(wrong.argmin())
        if wrong[place] < abs(leap) / 2:
            return place + 1
    if following.start < this.end:
        centre = float(np.median(stamps))
        return len(stamps) if this.start <= centre <= this.end or centre > following.end else 0
    later = stamps >= middle
    return int(later.argmax()) if later.any() else len(stamps)
