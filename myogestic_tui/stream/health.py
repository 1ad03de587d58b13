"""How a stream is: rate, jitter, gaps, age; measured as its chunks come in."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..clock import GapTracker

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .offsets import OffsetHistory

RATE_SECONDS = 1.0
TRACE_SECONDS = 60
JITTER_SECONDS = 5.0
_RATE_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """A snapshot of one stream.

    Attributes
    ----------
    measured_fs
        Rate over the last second (five samples, if that is longer) by the samples' stamps, 0.0 where nothing comes.
    mean_fs
        Rate since it connected, by the stamps; time that is missing counts.
    rate_trace
        ``measured_fs`` of each of the last 60 s, oldest first.
    jitter_s
        99th percentile, over the last 5 s, of how far sample intervals are from nominal.
    n_samples, n_bytes, gaps, lost_samples, lost_s
        In the present recording, or since it connected.
    age_s
        Since the last sample arrived.
    clock_offset, clock_uncertainty, clock_drift_ppm, clock_residual
        Of the source's clock; None where it is not compared. The residual is what the fit leaves, RMS.
    foreign_clock
        Its stamps are more than a minute off the recorder's clock: they are in no clock that can be compared.
    """

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
    clock_residual: float | None = None
    foreign_clock: bool = False


@dataclass(slots=True)
class _Counts:
    samples: int = 0
    bytes: int = 0
    gaps: int = 0
    lost_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: float
    stamp: float
    count: int


class HealthMeter:
    """Fed with every chunk and ticked at every poll by the worker, asked by anyone.

    Parameters
    ----------
    info
        Layout of the stream.
    """

    def __init__(self, info: StreamInfo) -> None:
        self._info = info
        self._tracker = GapTracker(info.fs)
        self._lock = threading.Lock()
        self._all, self._before = _Counts(), _Counts()
        self._arrivals: deque[_Arrival] = deque()
        self._first: _Arrival | None = None
        self._deviations: deque[NDArray[np.float64]] = deque()
        self._trace: deque[float] = deque(maxlen=TRACE_SECONDS)
        self._jitter: float | None = None
        self._tick_due: float | None = None
        self._rate_seconds = max(RATE_SECONDS, _RATE_SAMPLES / info.fs) if info.is_regular else RATE_SECONDS

    def feed(self, timestamps: NDArray[np.float64], n_bytes: int, now: float) -> None:
        """Take note of a chunk: stamps ``(n,)``, n > 0, its size in bytes, when it arrived (recorder's clock, s)."""
        with self._lock:
            self._note_deviations(timestamps)
            self._all.samples += len(timestamps)
            self._all.bytes += n_bytes + timestamps.nbytes
            arrival = _Arrival(now, float(timestamps[-1]), self._all.samples)
            self._arrivals.append(arrival)
            if self._first is None:
                self._first = _Arrival(now, float(timestamps[0]), 1)
            for gap in self._tracker.feed(timestamps):
                for counts in (self._all, self._before) if gap.index <= self._before.samples else (self._all,):
                    counts.gaps += 1
                    counts.lost_s += gap.seconds

    def _note_deviations(self, timestamps: NDArray[np.float64]) -> None:
        if not self._info.is_regular:
            return
        stamps = np.concatenate(([self._arrivals[-1].stamp], timestamps)) if self._arrivals else timestamps
        self._deviations.append(np.abs(np.diff(stamps) - 1.0 / self._info.fs))
        held = sum(map(len, self._deviations))
        while held - len(self._deviations[0]) > JITTER_SECONDS * self._info.fs:
            held -= len(self._deviations.popleft())

    def tick(self, now: float) -> bool:
        """Once a second of the recorder's clock, whether or not samples came: measure; True where it did."""
        if self._tick_due is not None and now < self._tick_due:
            return False
        late = self._tick_due is None or now - self._tick_due > 1.0
        self._tick_due = now + 1.0 if late or self._tick_due is None else self._tick_due + 1.0
        with self._lock:
            rate = self._rate(now)
            if rate is not None:
                self._trace.append(rate)
            deviations = np.concatenate(self._deviations) if self._deviations else np.empty(0)
            deviations = deviations[np.isfinite(deviations)]
            if deviations.size:
                self._jitter = float(np.percentile(deviations, 99))
        return True

    def restart_counts(self) -> None:
        """A recording begins: samples, bytes, gaps and losses count from here."""
        with self._lock:
            self._before = _Counts(self._all.samples, self._all.bytes, self._all.gaps, self._all.lost_s)

    def snapshot(self, now: float, clock: OffsetHistory, *, foreign: bool = False) -> StreamHealth:
        """How it is at ``now`` (recorder's clock, s)."""
        newest = clock.newest
        with self._lock:
            lost_s = max(0.0, self._all.lost_s - self._before.lost_s)
            return StreamHealth(
                measured_fs=self._rate(now),
                mean_fs=self._mean(),
                rate_trace=tuple(self._trace),
                jitter_s=self._jitter,
                n_samples=self._all.samples - self._before.samples,
                n_bytes=self._all.bytes - self._before.bytes,
                gaps=self._all.gaps - self._before.gaps,
                lost_samples=round(lost_s * self._info.fs),
                lost_s=lost_s,
                age_s=max(0.0, now - self._arrivals[-1].at) if self._arrivals else None,
                clock_offset=None if newest is None else clock.offset,
                clock_uncertainty=None if newest is None else newest.uncertainty,
                clock_drift_ppm=clock.drift_ppm,
                clock_residual=clock.residual,
                foreign_clock=foreign,
            )

    def _rate(self, now: float) -> float | None:
        if not self._arrivals:
            return None
        newest = self._arrivals[-1]
        while len(self._arrivals) > 2 and self._arrivals[1].at <= newest.at - self._rate_seconds:
            self._arrivals.popleft()
        if now - newest.at > self._rate_seconds + 0.5:
            return 0.0
        oldest = self._arrivals[0]
        if not self._info.is_regular:
            return sum(1 for _ in self._arrivals) / max(newest.at - oldest.at, RATE_SECONDS)
        seconds = newest.stamp - oldest.stamp
        return (newest.count - oldest.count) / seconds if seconds > 0 else None

    def _mean(self) -> float | None:
        if self._first is None or not self._arrivals:
            return None
        newest = self._arrivals[-1]
        seconds = newest.stamp - self._first.stamp
        return (newest.count - self._first.count) / seconds if seconds > 0 else None
