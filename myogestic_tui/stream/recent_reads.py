"""When each of a stream's newest reads arrived, as far back as its ring has their samples."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACE_READS = 8


class Read(NamedTuple):
    """One read that brought samples."""

    first: int
    """Index of its first sample in the ring's count."""
    end: int
    arrived: float
    """When its samples were there (recorder's clock, s)."""


class RecentReads:
    """The reads whose samples are in the ring. Not thread-safe: the lock of the stream guards it."""

    def __init__(self) -> None:
        self._reads: deque[Read] = deque()
        self._reasons: deque[tuple[int, str]] = deque()
        self.began = 0.0
        """When the stream first connected (recorder's clock, s): nothing was read before."""

    def __bool__(self) -> bool:
        return bool(self._reads)

    @property
    def newest_at(self) -> float:
        """When the newest read arrived (recorder's clock, s); 0 where there is none."""
        return self._reads[-1].arrived if self._reads else 0.0

    @property
    def pace(self) -> float:
        """The longest that it took of late from one read to the next, in seconds."""
        newest = [read.arrived for read in list(self._reads)[-_PACE_READS - 1 :]]
        return float(np.diff(newest).max(initial=0.0))

    def add(self, n_written: int, count: int, arrived: float) -> None:
        """``count`` samples arrived, the last ones of the ``n_written`` that the ring has ever got."""
        self._reads.append(Read(n_written - count, n_written, arrived))

    def oldest_lost(self, n_gone: int) -> float | None:
        """When the newest read arrived of which the ring would lose samples, were the first ``n_gone`` gone."""
        lost = None
        for read in self._reads:
            if read.first >= n_gone:
                break
            lost = read.arrived
        return lost

    def forget(self, n_gone: int) -> None:
        """The ring has lost its first ``n_gone`` samples."""
        while self._reads and self._reads[0].end <= n_gone:
            self.began = self._reads.popleft().arrived
        if self._reads and self._reads[0].first < n_gone:
            first = self._reads[0]
            self._reads[0] = first._replace(first=n_gone)
            self.began = first.arrived
        while self._reasons and self._reasons[0][0] < n_gone:
            self._reasons.popleft()

    def since(self, arrived_after: float, first: int) -> Iterator[Read]:
        """The reads that arrived after an instant (recorder's clock, s), without samples before ``first``."""
        for read in list(self._reads):
            if read.arrived > arrived_after and read.end > first:
                yield read._replace(first=max(read.first, first))

    def explain(self, index: int, reason: str) -> None:
        """Keep why time is missing before a sample."""
        self._reasons.append((index, reason))

    def reasons(self, read: Read) -> Iterator[tuple[int, str]]:
        """Why time is missing before samples of a read: how many of them come before, and the reason."""
        return ((index - read.first, why) for index, why in self._reasons if read.first <= index < read.end)
