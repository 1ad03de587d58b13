"""How a stream is: rate, jitter, gaps, age, clock; measured as its chunks come in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..clock import GapTracker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .source import ClockEstimate


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """A snapshot; see `app.recorder.StreamStatus` for what each field means."""

    measured_fs: float | None = None
    mean_fs: float | None = None
    rate_trace: tuple[float, ...] = ()
    jitter_s: float | None = None
    n_samples: int = 0
    n_bytes: int = 0
    gaps: int = 0
    lost_samples: int = 0
    lost_s: float = 0.0
    age_s: float | None = None
    clock_offset: float | None = None
    clock_uncertainty: float | None = None
    clock_drift_ppm: float | None = None
    foreign_clock: bool = False


class HealthMeter:
    """Fed with every chunk by the worker, asked by anyone."""

    def __init__(self, info: StreamInfo) -> None:
        self._info = info
        self._tracker = GapTracker(info.fs)
        self._arrivals: deque[tuple[float, int]] = deque(maxlen=256)
        self._first: float | None = None
        self._last: float | None = None
        self._n_samples = 0
        self._n_bytes = 0
        self._gaps = 0
        self._lost_s = 0.0
        self._jitter: float | None = None
        self._trace: deque[float] = deque(maxlen=60)
        self._second: tuple[float, int] | None = None
        self._clock: tuple[float, float, float | None] | None = None

    def feed(self, timestamps: NDArray[np.float64], n_bytes: int, now: float) -> None:
        """Take note of a chunk: stamps ``(n,)``, its size, and when it arrived (recorder's clock, s)."""
        self._first = now if self._first is None else self._first
        self._n_samples += len(timestamps)
        self._n_bytes += n_bytes + timestamps.nbytes
        self._arrivals.append((now, self._n_samples))
        self._last = now
        for gap in self._tracker.feed(timestamps):
            self._gaps += 1
            self._lost_s += gap.seconds
        if self._second is None:
            self._second = (now, self._n_samples)
        elif now - self._second[0] >= 1.0:
            self._trace.append((self._n_samples - self._second[1]) / (now - self._second[0]))
            self._second = (now, self._n_samples)
        if self._info.is_regular and len(timestamps) > 2:
            deviations = np.abs(np.diff(timestamps) - 1.0 / self._info.fs)
            self._jitter = float(np.percentile(deviations, 99))

    def clock(self, estimates: Sequence[ClockEstimate]) -> None:
        """Take note of all clock offsets so far, oldest first."""
        newest, oldest = estimates[-1], estimates[0]
        span = newest.collected_at - oldest.collected_at
        drift = 1e6 * (newest.offset - oldest.offset) / span if span > 30.0 else None
        self._clock = (newest.offset, newest.uncertainty, drift)

    def snapshot(self, now: float, *, foreign: bool = False) -> StreamHealth:
        """How it is at ``now`` (recorder's clock, s)."""
        offset, uncertainty, drift = self._clock or (None, None, None)
        return StreamHealth(
            measured_fs=self._rate(now, 2.0),
            mean_fs=self._mean(),
            rate_trace=tuple(self._trace),
            jitter_s=self._jitter,
            n_samples=self._n_samples,
            n_bytes=self._n_bytes,
            gaps=self._gaps,
            lost_samples=round(self._lost_s * self._info.fs),
            lost_s=self._lost_s,
            age_s=None if self._last is None else max(0.0, now - self._last),
            clock_offset=offset,
            clock_uncertainty=uncertainty,
            clock_drift_ppm=drift,
            foreign_clock=foreign,
        )

    def _rate(self, now: float, span: float) -> float | None:
        arrivals = [row for row in list(self._arrivals) if row[0] >= now - span]
        if len(arrivals) < 2 or arrivals[-1][0] - arrivals[0][0] < span / 4:
            return None
        return (arrivals[-1][1] - arrivals[0][1]) / (arrivals[-1][0] - arrivals[0][0])

    def _mean(self) -> float | None:
        if self._first is None or self._last is None or self._last - self._first < 1.0:
            return None
        first = self._arrivals[0]
        if self._last - first[0] < 1.0:
            return None
        return (self._n_samples - first[1]) / (self._last - first[0])
