"""A source that gives exactly what a test tells it to, when it tells it to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from myogestic_tui import Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import StreamNotFoundError
from myogestic_tui.stream import ClockEstimate, Condition


class ScriptedSource:
    """Each `read` gives the next of what was put in (or raises it), nothing when there is none."""

    def __init__(self, info: StreamInfo, *, there: bool = True) -> None:
        self.info = info
        self.there = there
        self.n_connects = 0
        self._script: deque[Any] = deque()
        self._turn = threading.Condition()
        self._n_reads = 0
        self._held: Callable[[], bool] | None = None

    def connect(self) -> StreamInfo:
        with self._turn:
            self._turn.notify_all()
        if not self.there:
            raise StreamNotFoundError("nothing of that name is on the network")
        self.n_connects += 1
        return self.info

    def read(self) -> tuple[Any, Any]:
        with self._turn:
            self._n_reads += 1
            self._turn.notify_all()
            held = self._held is not None and self._held()
            item = self._script.popleft() if self._script and not held else (self.nothing(), np.empty(0))
        if isinstance(item, Exception):
            raise item
        return item

    def nothing(self) -> np.ndarray:
        return np.empty((0, self.info.n_channels), self.info.np_dtype)

    def disconnect(self) -> None:
        pass

    def put(self, *items: Any) -> None:
        with self._turn:
            self._script.extend(items)

    def put_for_the_end(self, stream: Stream, *items: Any) -> None:
        """Put items in that come only once the stream has been told to finish: they were under way till then."""
        with self._turn:
            self._held = lambda: stream._take is None or stream._take.end is None
            self._script.extend(items)

    def give(self, *items: Any) -> None:
        """Put items in, and wait until the stream has dealt with them."""
        self.put(*items)
        with self._turn:
            assert self._turn.wait_for(lambda: not self._script, 120.0)
            after = self._n_reads + 1
            assert self._turn.wait_for(lambda: self._n_reads >= after, 120.0)


class ClockedScriptedSource(ScriptedSource):
    """One that compares clocks, too."""

    def __init__(self, info: StreamInfo) -> None:
        super().__init__(info)
        self.estimates: list[ClockEstimate] = []

    def take_clock_estimates(self) -> list[ClockEstimate]:
        taken, self.estimates = self.estimates, []
        return taken


class MonitoredScriptedSource(ScriptedSource):
    """One that knows how it is."""

    state = Condition("live")

    def condition(self) -> Condition:
        return self.state


def chunk(first: int, count: int, info: StreamInfo, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Samples that tell their index and channel, stamped ``start + index / fs``."""
    index = np.arange(first, first + count)
    data = (index[:, None] * 10 + np.arange(info.n_channels)).astype(info.np_dtype)
    return data, start + index / info.fs


def estimate(offset: float, *, at: float | None = None, uncertainty: float = 1e-4) -> ClockEstimate:
    now = local_clock() if at is None else at
    return ClockEstimate(now, offset, uncertainty, now - offset)
