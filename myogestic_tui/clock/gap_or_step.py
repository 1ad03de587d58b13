"""Whether samples are missing where the stamps step, or the source's clock was set: *gap = dX + dL*.

dX is the step of the stamps, dL how much less the source's clock lies behind the recorder's from there on. It comes
from the clock offsets where they cover the place, else from arrivals, else from the session's ends; where nothing
tells it, that is what the verdict says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .offsets import line_after
from .thresholds import ARRIVAL_TOLERANCE, BACK, DRIFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .deviation import Course
    from .evidence import Arrivals, Evidence
    from .offsets import OffsetLine
    from .steps import Move

    Floats = NDArray[np.float64]

_NEAR_ROWS = 60
_AGREE = 2.0
_OUTSIDE = 5.0
_AT_STOP = 1.5
_MOST_BETWEEN = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """``leap`` (-dL) and ``gap`` in seconds; ``gap`` is None where it is not known how much time passed.

    ``line``: number of the clock line from there on, where the clock offsets jump with the stamps.
    """

    move: Move
    leap: float
    gap: float | None
    line: int | None = None


class _Passed(NamedTuple):
    """How much time passed at a move, in seconds, by arrivals."""

    since_last: float
    """Since those just before it."""
    since_soonest: float
    """Since those that came with the least delay of all before it: more where the source lagged behind meanwhile."""
    doubt: float
    """How much the clocks' drift makes of the second."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides on the moves of one stream."""

    course: Course
    evidence: Evidence
    arrivals: Arrivals
    lines: Sequence[OffsetLine]

    def judge(self, moves: Sequence[Move]) -> list[Verdict]:
        """One verdict for each move."""
        undone = _undone(moves, self.course.cells.threshold)
        return [self._judge(moves, number, number in undone) for number in range(len(moves))]

    def _judge(self, moves: Sequence[Move], number: int, undone: bool) -> Verdict:
        move = moves[number]
        passed = self._passed(moves, number)
        verdict = self._by_arrivals(move, passed) if passed is not None else None
        cells = self.course.cells
        line = line_after(self.lines, cells.stamp(move.cell - 1), cells.stamp(move.cell))
        if line is not None:
            jump = self.lines[line].before - self.lines[line - 1].after
            if verdict is None or passed is None or _agree(verdict, passed, jump):
                return Verdict(move, -jump, move.seconds + jump, line)
        if verdict is not None:
            return verdict
        if undone:
            return Verdict(move, move.seconds, 0.0)
        if self._beyond_the_session(moves, move):
            return Verdict(move, move.seconds, None)
        if move.seconds >= 0 or not move.begins_epoch or self._sent_twice(moves, number):
            return Verdict(move, 0.0, move.seconds)
        return Verdict(move, move.seconds, None)

    def _by_arrivals(self, move: Move, passed: _Passed) -> Verdict:
        least = max(ARRIVAL_TOLERANCE, 0.75 * self.course.packet)
        against = passed.since_last - move.local
        lag = passed.since_soonest - move.local
        if abs(against) <= least or against * move.local >= 0 or abs(lag) <= least + passed.doubt:
            return Verdict(move, 0.0, move.seconds)
        if passed.since_last > ARRIVAL_TOLERANCE:
            return Verdict(move, move.seconds - passed.since_last, passed.since_last)
        return Verdict(move, move.seconds, 0.0)

    def _passed(self, moves: Sequence[Move], number: int) -> _Passed | None:
        """By arrivals, how much time passed at a move; None where they do not tell."""
        if not self.arrivals:
            return None
        cells, move = self.course.cells, moves[number]
        bounds = [0, *(cells.sample(one.cell) for one in moves), cells.n_samples]
        came = self.arrivals.latest(self.course.period)
        earlier = came[self.arrivals.places(bounds[number], bounds[number + 1])]
        before = earlier[-_NEAR_ROWS:]
        after = came[self.arrivals.places(bounds[number + 1], bounds[number + 2])][:_NEAR_ROWS]
        if not len(before) and len(after) and move.begins_epoch:
            return _Passed(0.0, 0.0, 0.0)  # one read brought the samples on both sides
        if not len(before) or not len(after):
            return None
        seconds = (bounds[number + 1] - bounds[number]) * self.course.period
        return _Passed(float(after.min() - before.min()), float(after.min() - earlier.min()), DRIFT * seconds)

    def _beyond_the_session(self, moves: Sequence[Move], move: Move) -> bool:
        """Whether, had the clock not been set, there would be stamps from outside the session."""
        start, stop = self.evidence.start, self.evidence.stop
        if start is None or stop is None:
            return False
        if move.seconds > stop - start + 1.0:
            return True
        cells, known = self.course.cells, self.lines[-1].after if self.lines else 0.0
        before, after = (cells.stamp(cell) + known for cell in (move.cell - 1, move.cell))
        inside = [start - _OUTSIDE < time < stop + _OUTSIDE for time in (before, after)]
        if move.begins_epoch and inside[0] != inside[1]:
            return True
        over = cells.last_stamp + known - stop
        greatest = move.seconds == max(one.seconds for one in moves)
        return greatest and 1.0 + self.course.packet < over < min(stop - start, move.seconds + 1.0)

    def _sent_twice(self, moves: Sequence[Move], number: int) -> bool:
        """Whether stamps that go back end at the stop all the same: the samples in between came twice."""
        start, stop = self.evidence.start, self.evidence.stop
        if stop is None or (start is None and not self.lines):
            return False
        cells, move = self.course.cells, moves[number]
        previous = cells.sample(moves[number - 1].cell) if number else 0
        if -move.seconds / self.course.period > cells.sample(move.cell) - previous + 1:
            return False
        end = cells.last_stamp + (self.lines[-1].after if self.lines else 0.0) - stop
        return -_AT_STOP < end < _AT_STOP and end - move.seconds > max(0.5, end)


def _agree(verdict: Verdict, passed: _Passed, jump: float) -> bool:
    """Whether arrivals allow that the clock offset jumped at a move."""
    return abs(verdict.leap + jump) < _AGREE or abs(passed.since_last - verdict.move.local - jump) < _AGREE


def _undone(moves: Sequence[Move], threshold: float) -> set[int]:
    """A step ahead that a step back undoes, and that step back: both are leaps, and no time passed at either."""
    found: set[int] = set()
    for number, move in enumerate(moves):
        if move.begins_epoch and move.seconds < -BACK:
            recent = range(max(0, number - _MOST_BETWEEN), number)
            near = [k for k in recent if abs(moves[k].seconds + move.seconds) < max(threshold, 0.25)]
            found |= {near[-1], number} if near else set()
    return found
