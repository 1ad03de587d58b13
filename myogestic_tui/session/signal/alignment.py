"""The value of one stream at an instant of another: nearest samples, the latest ones, or between two of them.

Nothing is made up: where a regular stream has no sample within a gap's threshold of the instant, or the samples that
would be combined lie on both sides of a gap, there is no value.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from ...clock import gap_threshold
from .gapless_runs import find_runs
from .sample_reader import SampleReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .streamdata import StreamData

_SPAN = 256
"""Stamps that the index sums up in one entry: 16 bytes for 256 samples."""

_BEHIND, _AHEAD = 1 << 10, 1 << 14
"""Stamps that are read along with those asked for."""


class Alignment:
    """Values of a stream at instants that mostly move forward.

    Parameters
    ----------
    stream
        A stream of numbers, regular or not.
    samples
        How many samples are averaged.
    causal
        Use samples at or before the instant only.
    interpolate
        Draw a line between the samples at both sides instead.
    """

    def __init__(
        self, stream: StreamData, samples: int = 1, *, causal: bool = False, interpolate: bool = False
    ) -> None:
        self._stream, self._samples, self._causal, self._interpolate = stream, samples, causal, interpolate
        fs = stream.info.fs
        self._tolerance = gap_threshold(fs) if fs > 0 else np.inf
        self._reach = (samples + 1) / fs + gap_threshold(fs) if fs > 0 else 1.0
        self._runs = [run.start for run in find_runs(stream)] if fs > 0 else [0]
        self._earliest, self._latest = _time_index(stream)
        self._reader = SampleReader(stream, 1)
        self._times = _TimeCache(stream)

    def value(self, instant: float) -> NDArray[np.float64] | None:
        """``(n_channels,)`` at ``instant`` (corrected time, seconds); None where there is none to give."""
        if self._interpolate:
            return self._between(instant)
        found, times = self._nearest(instant, self._samples, -np.inf, 0.0 if self._causal else np.inf)
        if len(found) < self._samples or not self._belong_together(found, times, instant):
            return None
        rows = np.concatenate([self._row(int(index)) for index in np.sort(found)], axis=1, dtype=np.float64)
        mean: NDArray[np.float64] = rows.mean(axis=1)
        return mean

    def _between(self, instant: float) -> NDArray[np.float64] | None:
        before, t_before = self._nearest(instant, 1, -np.inf, 0.0)
        after, t_after = self._nearest(instant, 1, 0.0, np.inf)
        if not len(before) or not len(after):
            return None
        found, times = np.concatenate((before, after)), np.concatenate((t_before, t_after))
        if not self._belong_together(found, times, instant):
            return None
        left, right = (self._row(int(index))[:, 0].astype(np.float64) for index in found)
        span = times[1] - times[0]
        weight = (instant - times[0]) / span if span > 0 else 0.0
        line: NDArray[np.float64] = left * (1.0 - weight) + right * weight
        return line

    def _belong_together(self, found: NDArray[np.intp], times: NDArray[np.float64], instant: float) -> bool:
        if np.abs(times - instant).min() > self._tolerance:
            return False
        runs = {bisect_right(self._runs, int(index)) for index in found}
        return len(runs) == 1

    def _row(self, index: int) -> NDArray[np.generic]:
        return self._reader.take(index, index + 1)

    def _nearest(
        self, instant: float, count: int, least: float, most: float
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Up to ``count`` samples nearest to the instant, nearest first, with their times.

        Only samples whose time less the instant lies within ``least`` to ``most`` count; the earlier index wins a tie.
        """
        reach = self._reach
        while True:
            start, stop = self._within(instant, reach)
            times = self._times.take(start, stop)
            away = times - instant
            distance = np.where((away >= least) & (away <= most), np.abs(away), np.inf)
            order = np.argsort(distance, kind="stable")[:count]
            order = order[np.isfinite(distance[order])]
            if len(order) == count and distance[order[-1]] <= reach:
                return order + start, times[order]
            nothing_near = reach >= self._tolerance and not (len(order) and distance[order[0]] <= self._tolerance)
            if nothing_near or stop - start == self._stream.n_samples:
                return order + start, times[order]
            reach *= 4.0

    def _within(self, instant: float, reach: float) -> tuple[int, int]:
        """Samples among which are all that lie within ``reach`` of the instant, in whatever order stamps come."""
        first = int(np.searchsorted(self._latest, instant - reach))
        last = int(np.searchsorted(self._earliest, instant + reach, side="right"))
        return first * _SPAN, min(max(first, last) * _SPAN, self._stream.n_samples)


class _TimeCache:
    """Corrected times around the place that was asked for last."""

    def __init__(self, stream: StreamData) -> None:
        self._stream = stream
        self._start = self._stop = 0
        self._times: NDArray[np.float64] = np.empty(0)

    def take(self, start: int, stop: int) -> NDArray[np.float64]:
        """Times of the samples ``start`` to ``stop`` (not included); not to be written to."""
        if start < self._start or stop > self._stop:
            self._start = max(0, start - _BEHIND)
            self._stop = min(stop + _AHEAD, self._stream.n_samples)
            self._times = self._stream.times(self._start, self._stop)
        return self._times[start - self._start : stop - self._start]


def _time_index(stream: StreamData) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per `_SPAN` samples: the earliest time from there on, and the latest time up to there. Both ascend."""
    least, most = [np.empty(0)], [np.empty(0)]
    for _, times in stream.time_blocks():
        edges = np.arange(0, len(times), _SPAN)
        least.append(np.minimum.reduceat(np.where(np.isfinite(times), times, np.inf), edges))
        most.append(np.maximum.reduceat(np.where(np.isfinite(times), times, -np.inf), edges))
    earliest = np.minimum.accumulate(np.concatenate(least)[::-1])[::-1]
    return earliest, np.maximum.accumulate(np.concatenate(most))
