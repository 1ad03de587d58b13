"""The time model on a stream that is still coming in: the same rules as at the stop, at a bounded cost.

At most once a second, on at most the last quarter of an hour; what was found before that stays as it was.
"""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import Evidence, Follower, Timeline, gap_threshold, local_clock
from ..clock.counter import CounterTrack
from ..clock.follower import LOOK_BACK
from ..clock.hosts import is_remote
from ..clock.irregular import EventSketch
from ..session.format.arrival_record import ArrivalRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

_STEP_SECONDS = 300.0
_MOST_ROWS = 1 << 14
_LOOK_SECONDS = 1.0
_QUIET_SECONDS = 20.0
"""How often a stream is looked at in which nothing happens."""
_COUNTED_SECONDS = 2.0
"""How often if it has a counter channel, which tells of losses that its stamps do not show."""
_UNSETTLED_SECONDS = 15.0
"""How long a stream is looked at closely after something happened."""
_BATCH_SECONDS = 5.0
_EARLY = 0.25
"""A new stream is looked at each time it is so much older."""


class LiveTime:
    """What the stamps, arrivals and clock offsets of one stream tell by now. Not thread-safe.

    Parameters
    ----------
    info
        Layout of the stream.
    start
        When its recording began, or when it connected (recorder's clock, s).
    """

    def __init__(self, info: StreamInfo, start: float) -> None:
        self._fs = info.fs
        self._start = start
        self._remote = is_remote(info.hostname, socket.gethostname())
        self._follower = Follower(info.fs)
        self._arrivals = ArrivalRows(start)
        self._waiting: list[NDArray[np.float64]] = []
        self._n_waiting = 0
        self._unsettled_until = -np.inf
        self._floor = Floor(info.fs) if info.is_regular else None
        self._counter = None if info.counter is None else CounterTrack()
        self._forgotten = 0
        self._looked_at = -np.inf
        self._looked_n = -1
        self._n_offsets = 0
        self._last_gap: int | None = None
        self.last_gap_s: float | None = None
        """When the last sample before the newest gap arrived, in seconds since the start; None where there is none."""
        self.found = Timeline(0, info.fs)
        """What was known at the last look. It has no tail: who asks sees himself that nothing comes."""

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return self._follower.sketch.nbytes + 16 * self._arrivals.n_chosen

    def feed(self, timestamps: NDArray[np.float64], arrived: float, counted: NDArray[Any] | None = None) -> None:
        """Take the next samples.

        Parameters
        ----------
        timestamps
            ``(n,)`` raw stamps.
        arrived
            When they arrived (recorder's clock, s).
        counted
            ``(n,)`` values of the counter channel, where the stream has one.
        """
        if not len(timestamps):
            return
        if self._counter is not None and counted is not None:
            self._counter.feed(counted)
        self._arrivals.feed(self.n_samples, len(timestamps), arrived)
        if self._floor is not None and self._floor.moved(timestamps, arrived):
            self._unsettled_until = arrived + _UNSETTLED_SECONDS
        self._waiting.append(timestamps)
        self._n_waiting += len(timestamps)
        if self._n_waiting > _BATCH_SECONDS * self._fs:
            self._sum_up()

    @property
    def n_samples(self) -> int:
        """Samples so far."""
        return self._follower.sketch.n_samples + self._n_waiting

    def _sum_up(self) -> None:
        """Seconds of stamps at once cost as much as a single chunk, and come to the same."""
        if self._waiting:
            self._follower.sketch.feed(np.concatenate(self._waiting))
            self._waiting, self._n_waiting = [], 0

    def look(self, now: float, offsets: NDArray[np.float64]) -> Timeline:
        """What is known at ``now`` (recorder's clock, s), with the newest clock offsets ``(k, 4)``."""
        if self._is_due(now, len(offsets)):
            self._look(now, offsets)
        return self.found

    def _is_due(self, now: float, n_offsets: int) -> bool:
        passed = now - self._looked_at
        if passed < _LOOK_SECONDS or self.n_samples == self._looked_n:
            return False
        if n_offsets != self._n_offsets and min(n_offsets, self._n_offsets) < 2:
            return True
        quiet = _QUIET_SECONDS if self._counter is None else _COUNTED_SECONDS
        return now < self._unsettled_until or passed >= min(quiet, _EARLY * (self._looked_at - self._start))

    def _look(self, now: float, offsets: NDArray[np.float64]) -> None:
        self._sum_up()
        self._looked_at, self._n_offsets = now, len(offsets)
        self._looked_n = self._follower.sketch.n_samples
        arrivals = self._arrivals.table()
        evidence = Evidence(
            arrivals=arrivals,
            offsets=offsets,
            start=self._start,
            stop=now,
            stop_requested=True,
            utc_offset=time.time() - local_clock(),
            counts=None if self._counter is None else self._counter.counts,
            remote=self._remote,
        )
        found = self._follower.analyse(evidence)
        self.found = replace(found, gaps=tuple(gap for gap in found.gaps if gap.kind != "tail"))
        self._place_last_gap(arrivals)
        if self._floor is not None and self.found.period_s:
            self._floor.follow(self.found.period_s)
        self._forget()

    def _place_last_gap(self, arrivals: NDArray[np.float64]) -> None:
        """Once, when it is found: later on its arrival is forgotten."""
        index = self.found.lost[-1].index if self.found.lost else None
        if index != self._last_gap:
            self._last_gap = index
            before = 0 if index is None else max(0, int(np.searchsorted(arrivals[:, 0], index, side="right")) - 1)
            self.last_gap_s = None if index is None else float(arrivals[before, 1]) - self._start

    def _forget(self) -> None:
        """Let go of what lies before the window, some minutes at a time."""
        sketch, rows = self._follower.sketch, self._arrivals
        before = sketch.n_samples - round(LOOK_BACK * self._fs)
        if isinstance(sketch, EventSketch):
            rows.forget(max(0, rows.n_chosen - _MOST_ROWS))
        elif before - self._forgotten > _STEP_SECONDS * self._fs:
            self._forgotten = before
            sketch.forget(before)
            known = rows.table()[: rows.n_chosen, 0] >= before
            rows.forget(max(0, int(known.argmax()) - 1) if len(known) else 0)


class Floor:
    """Tells that the stamps moved against the sample clock, for good or for a while: the model has to look.

    Parameters
    ----------
    fs
        Nominal rate in Hz, more than 0.
    """

    def __init__(self, fs: float) -> None:
        self._period = 1.0 / fs
        self._most = gap_threshold(fs) / 2
        self._n = 0
        self._least = np.inf
        self._level: float | None = None
        self._due = -np.inf
        self._steady: NDArray[np.floating] = np.empty(0)

    def follow(self, period: float) -> None:
        """The stream's samples take so many seconds."""
        if abs(period - self._period) > 1e-6 * self._period:
            self._period, self._least, self._level, self._steady = period, np.inf, None, np.empty(0)

    def moved(self, timestamps: NDArray[np.float64], now: float) -> bool:
        """Take the next stamps ``(n,)``, n > 0; once a second, whether they lie otherwise than a second ago."""
        n = len(timestamps)
        if len(self._steady) < n:
            self._steady = np.arange(n) * self._period
        least = float((timestamps - self._steady[:n]).min()) - self._n * self._period
        self._n += n
        self._least = least if not least >= self._least else self._least
        if now < self._due:
            return False
        level, self._level = self._level, self._least
        self._least, self._due = np.inf, now + _LOOK_SECONDS
        return level is not None and not abs(self._level - level) < self._most
