"""How a stream is: rate, jitter, gaps, age; measured as its chunks come in."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..clock import Timeline
from .live_timeline import LiveTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .live_offsets import OffsetHistory

RATE_SECONDS = 1.0
TRACE_SECONDS = 60
JITTER_SECONDS = 5.0
_JITTER_EVERY = 2.0
_RATE_SAMPLES = 5
_QUIET_PACKETS = 3
"""Nothing is reported of a pause that is shorter than so many packets."""
_NOTHING = Timeline(0, 0.0)


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """A snapshot of one stream.

    Attributes
    ----------
    measured_fs
        Rate over the last second (five samples, or three packets, if that is longer), 0.0 where nothing comes.
    mean_fs
        Rate since it connected; time that is missing counts.
    rate_trace
        ``measured_fs`` of each of the last 60 s, oldest first.
    jitter_s
        99th percentile, over the last 5 s, of how far sample intervals are from nominal.
    n_samples, n_bytes, gaps, lost_samples, lost_s
        In the present recording, or since it connected. While nothing comes, what is missing by now is lost, too.
    age_s
        Since the last sample arrived.
    silent_s
        How long nothing has come where samples were due; 0.0 while they come.
    lag_s
        How far behind the samples are that come now; they are late, not lost so far.
    clock_offset, clock_uncertainty, clock_drift_ppm, clock_residual
        Of the source's clock; None where it is not compared. The residual is the scatter about the fit.
    time
        What stamps, arrivals and clock offsets tell together, since the start of the recording.
    last_gap_s
        When the newest gap began, in seconds since the start of the recording; None where there is none.
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
    silent_s: float = 0.0
    lag_s: float = 0.0
    clock_offset: float | None = None
    clock_uncertainty: float | None = None
    clock_drift_ppm: float | None = None
    clock_residual: float | None = None
    time: Timeline = _NOTHING
    last_gap_s: float | None = None


class _Fed(NamedTuple):
    """What `HealthMeter.feed` was given."""

    timestamps: NDArray[np.float64]
    at: float
    kept: slice
    counted: NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: float
    stamp: float
    count: int


class HealthMeter:
    """Takes every chunk, and a tick at every poll, from the stream's thread; anyone may ask it.

    What they tell is worked out once a second, and when somebody asks: several at once cost little more than one.

    Parameters
    ----------
    info
        Layout of the stream.
    """

    def __init__(self, info: StreamInfo) -> None:
        self._info = info
        self._lock = threading.Lock()
        self._fed: deque[_Fed] = deque()
        self._n_samples = self._n_bytes = 0
        self._before = (0, 0)
        self._resting = False
        self._live: LiveTime | None = None
        self._arrivals: deque[_Arrival] = deque()
        self._first: _Arrival | None = None
        self._recent: deque[NDArray[np.float64]] = deque()
        self._n_recent = 0
        self._trace: deque[float] = deque(maxlen=TRACE_SECONDS)
        self._jitter: float | None = None
        self._jitter_of = 0  # how many samples there were when it was measured
        self._jitter_at = -np.inf
        self._tick_due: float | None = None
        self._rate_seconds = max(RATE_SECONDS, _RATE_SAMPLES / info.fs) if info.is_regular else RATE_SECONDS

    def feed(
        self,
        timestamps: NDArray[np.float64],
        n_bytes: int,
        now: float,
        kept: slice | None = None,
        counted: NDArray[Any] | None = None,
    ) -> None:
        """Take note of a chunk.

        Parameters
        ----------
        timestamps
            ``(n,)`` raw stamps, n > 0.
        n_bytes
            Size of its samples.
        now
            When it arrived (recorder's clock, s).
        kept
            Which of them belong to the recording; None is all.
        counted
            ``(n,)`` values of the counter channel, where the stream has one.
        """
        own = None if counted is None else counted.copy()  # not to keep all channels of the chunk
        with self._lock:
            if self._resting:
                self._take_all()
                self._count_from(now, None)
            self._n_samples += len(timestamps)
            self._n_bytes += n_bytes + timestamps.nbytes
            self._arrivals.append(_Arrival(now, float(timestamps[-1]), self._n_samples))
            if self._first is None:
                self._first = _Arrival(now, float(timestamps[0]), 1)
            self._fed.append(_Fed(timestamps, now, slice(None) if kept is None else kept, own))

    @contextmanager
    def _up_to_date(self) -> Iterator[None]:
        """Hold the lock, with all chunks taken in."""
        with self._lock, np.errstate(all="ignore"):  # stamps may be no numbers, and it may be whoever asks that works
            self._take_all()
            yield

    def _take_all(self) -> None:
        while self._fed:
            fed = self._fed.popleft()
            live = self._live = self._live or LiveTime(self._info, fed.at)
            self._keep_recent(fed.timestamps)
            live.feed(fed.timestamps[fed.kept], fed.at, None if fed.counted is None else fed.counted[fed.kept])

    def feed_earlier(
        self, timestamps: NDArray[np.float64], arrived: float, counted: NDArray[Any] | None = None
    ) -> None:
        """Samples, as for `feed`, that came before the recording began and belong to it."""
        with self._up_to_date():
            if self._live is not None:
                self._live.feed(timestamps, arrived, counted)

    def _keep_recent(self, timestamps: NDArray[np.float64]) -> None:
        if not self._info.is_regular:
            return
        self._recent.append(timestamps)
        self._n_recent += len(timestamps)
        while self._n_recent - len(self._recent[0]) > JITTER_SECONDS * self._info.fs:
            self._n_recent -= len(self._recent.popleft())

    def tick(self, now: float, clock: OffsetHistory | None = None) -> bool:
        """Once a second of the recorder's clock, whether or not samples came: measure; True where it did."""
        if self._tick_due is not None and now < self._tick_due:
            return False
        late = self._tick_due is None or now - self._tick_due > 1.0
        self._tick_due = now + 1.0 if late or self._tick_due is None else self._tick_due + 1.0
        with self._up_to_date():
            if self._live is not None and clock is not None:
                self._live.look(now, clock.rows)
            rate = self._rate(now)
            if rate is not None:
                self._trace.append(rate)
        return True

    def _jitter_by(self, now: float) -> float | None:
        """The jitter, measured when somebody asks, every other second at most: it takes longer than all the rest."""
        with self._up_to_date():
            if self._n_samples == self._jitter_of or now < self._jitter_at + _JITTER_EVERY:
                return self._jitter
            self._jitter_of, self._jitter_at = self._n_samples, now
            recent = [*self._recent]
        with np.errstate(all="ignore"):  # stamps may be no numbers, and it is whoever asks that measures
            self._jitter = self._measured_jitter(recent)
        return self._jitter

    def _measured_jitter(self, recent: list[NDArray[np.float64]]) -> float | None:
        stamps = np.concatenate(recent) if recent else np.empty(0)
        deviations = np.abs(np.diff(stamps) - 1.0 / self._info.fs) if len(stamps) else stamps
        if not np.isfinite(deviations.sum()):
            deviations = deviations[np.isfinite(deviations)]
        if not deviations.size:
            return self._jitter
        rank = round(0.99 * (deviations.size - 1))
        return float(np.partition(deviations, rank)[rank])

    def restart_counts(self, start: float | None = None, earlier: LiveTime | None = None) -> None:
        """A recording begins: samples, bytes, gaps and losses count from here.

        Parameters
        ----------
        start
            When the session began (recorder's clock, s); None is the last arrival.
        earlier
            What an earlier part of the same recording left.
        """
        with self._up_to_date():
            self._count_from(self._arrivals[-1].at if start is None and self._arrivals else start, earlier)

    def _count_from(self, start: float | None, earlier: LiveTime | None) -> None:
        self._before, self._resting = (self._n_samples, self._n_bytes), False
        self._live = earlier or (None if start is None else LiveTime(self._info, start))

    def rest(self) -> None:
        """The recording is over: with the next samples all counts restart."""
        with self._up_to_date():
            self._resting = True

    @property
    def live(self) -> LiveTime | None:
        """What follows the time of the present recording, for `restart_counts`."""
        with self._up_to_date():
            return self._live

    def snapshot(self, now: float, clock: OffsetHistory, *, lag_s: float = 0.0) -> StreamHealth:
        """How it is at ``now`` (recorder's clock, s); ``lag_s`` is how late samples are by their own clock."""
        newest, jitter = clock.newest, self._jitter_by(now)
        with self._up_to_date():
            found = _NOTHING if self._live is None else self._live.look(now, clock.rows)
            lost = found.lost
            age = self._age(now)
            silent = self._silent(age, found)
            lost_s = sum(gap.seconds for gap in lost) + silent
            lag = 0.0 if silent else max(lag_s, found.late_at_end_s)
            return StreamHealth(
                measured_fs=self._rate(now),
                mean_fs=self._mean(),
                rate_trace=tuple(self._trace),
                jitter_s=jitter,
                n_samples=self._n_samples - self._before[0],
                n_bytes=self._n_bytes - self._before[1],
                gaps=len(lost),
                lost_samples=found.lost_samples + round(silent * (found.measured_fs or self._info.fs)),
                lost_s=lost_s,
                age_s=age,
                silent_s=silent,
                lag_s=lag,
                clock_offset=None if newest is None else clock.offset,
                clock_uncertainty=None if newest is None else newest.uncertainty,
                clock_drift_ppm=clock.drift_ppm,
                clock_residual=clock.residual,
                time=found,
                last_gap_s=None if self._live is None else self._live.last_gap_s,
            )

    def pace(self, now: float) -> tuple[float | None, float | None]:
        """``age_s`` and ``measured_fs`` of `snapshot`, which costs 20 times as much."""
        with self._lock:
            return self._age(now), self._rate(now)

    def _age(self, now: float) -> float | None:
        return max(0.0, now - self._arrivals[-1].at) if self._arrivals else None

    def _silent(self, age: float | None, found: Timeline) -> float:
        if age is None or not self._info.is_regular:
            return 0.0
        usual = max(RATE_SECONDS, _QUIET_PACKETS * found.packet_s, _RATE_SAMPLES / self._info.fs)
        return age if age > usual else 0.0

    def _rate(self, now: float) -> float | None:
        if not self._arrivals:
            return None
        newest, length = self._arrivals[-1], self._rate_seconds
        if self._live is not None:
            length = max(length, _QUIET_PACKETS * self._live.found.packet_s)
        while len(self._arrivals) > 2 and self._arrivals[1].at <= newest.at - length:
            self._arrivals.popleft()
        if now - newest.at > length + 0.5:
            return 0.0
        oldest = self._arrivals[0]
        count, passed, stamped = newest.count - oldest.count, newest.at - oldest.at, newest.stamp - oldest.stamp
        if not self._info.is_regular:
            return count / passed if passed > 0 and now - oldest.at >= length / 2 else count / length
        return _ratio(count, stamped, passed)

    def _mean(self) -> float | None:
        if self._first is None or not self._arrivals:
            return None
        newest, first = self._arrivals[-1], self._first
        return _ratio(newest.count - first.count, newest.stamp - first.stamp, newest.at - first.at)


def _ratio(count: int, stamped: float, passed: float) -> float | None:
    """Samples a second: by their stamps, which are exact, unless these do not agree at all with the arrivals."""
    if abs(stamped - passed) < 0.5 + 0.5 * passed:
        return count / stamped if stamped > 0 else None
    return count / passed if passed >= RATE_SECONDS else None
