"""Which of several recorders' clocks were compared with which, and the best way from one to another."""

from __future__ import annotations

import heapq
import re
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from .clock_relation import Relation, from_source, to_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ..reading.reader import SessionReader
    from ..reading.session_view import StreamView

_CLOCK = re.compile(r"<recorder_clock>([^<]+)</recorder_clock>")
"""What the outlet of a recorder's labels says of its clock; see `app.label_markers`."""


class Clock(NamedTuple):
    """One clock: a recorder's, by its id, or that of an outlet, by its uid."""

    kind: str
    id: str


class Recorded(NamedTuple):
    """A session, its clock, and the time that it spans there."""

    session: SessionReader
    name: str
    clock: Clock
    start: float
    stop: float


class _Compared(NamedTuple):
    """A source's clock that a recorder compared with its own."""

    recorder: Clock
    source: Clock
    rows: NDArray[np.float64]
    words: str


class ClockGraph:
    """The comparisons of several sessions.

    Parameters
    ----------
    sessions
        Those that are merged.
    """

    def __init__(self, sessions: Sequence[Recorded]) -> None:
        self._compared = [one for recorded in sessions for one in _comparisons(recorded)]

    def way(self, start: Recorded, goal: Clock) -> Relation | None:
        """The relation between two clocks that has the least error over a session; None where nothing leads there."""
        order = count()
        queue = [(0.0, next(order), start.clock, Relation.same())]
        done: set[Clock] = set()
        while queue:
            error, _, clock, relation = heapq.heappop(queue)
            if clock == goal:
                return relation
            if clock in done:
                continue
            done.add(clock)
            low, high = relation.one(start.start), relation.one(start.stop)
            for following, step in self._steps(clock, low, high):
                heapq.heappush(queue, (error + step.error_s, next(order), following, relation.then(step)))
        return None

    def _steps(self, clock: Clock, low: float, high: float) -> Iterator[tuple[Clock, Relation]]:
        for one in self._compared:
            if one.recorder == clock:
                yield from ((one.source, step) for step in to_source(one.rows, low, high, one.words))
            if one.source == clock:
                yield from ((one.recorder, step) for step in from_source(one.rows, low, high, one.words))


def _comparisons(recorded: Recorded) -> Iterator[_Compared]:
    for stream in recorded.session.view.streams.values():
        source = _clock_of(stream)
        if stream.clock is None or not stream.clock.n_rows or source is None or source == recorded.clock:
            continue
        rows = stream.clock.rows(0, stream.clock.n_rows)
        yield _Compared(recorded.clock, source, rows, f"{recorded.name} with {stream.meta.name or stream.stem}")


def _clock_of(stream: StreamView) -> Clock | None:
    """The clock of a stream's outlet: of the recorder that it names, or one of its own, known by its uid."""
    if named := _CLOCK.search(stream.meta.desc_xml):
        return Clock("recorder", named[1])
    return Clock("outlet", stream.meta.uid) if stream.meta.uid else None
