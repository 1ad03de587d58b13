"""Steps of the sample clock that last: where samples are missing, or where the source's clock was set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .thresholds import HISTORY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .deviation import Course

    Places = NDArray[np.intp]

_BESIDE = 0.5
_LONG = 5.0


@dataclass(frozen=True, slots=True)
class Move:
    """The stamps step by ``seconds`` (dX) before a cell, and stay there.

    ``begins_epoch``: they went back, or ahead by more than any lag. ``local``: the step right there; more than
    ``seconds`` where a part of it was caught up later.
    """

    cell: int
    seconds: float
    begins_epoch: bool
    local: float


def find_moves(course: Course) -> list[Move]:
    """All steps of a threshold or more, in order."""
    search = _Search(course)
    moves: list[Move] = []
    since = 0
    for cell in search.candidates().tolist():
        if cell <= since:
            continue
        move = search.epoch(cell, since) if course.cuts[cell] else search.step(cell, since)
        if move is None:
            continue
        since = move.cell
        _add(moves, move, course)
    return [move for move in _by_means(course, moves) if move.begins_epoch or move.seconds >= search.least]


def beside(course: Course) -> float:
    """Samples within which two steps are one."""
    return max(_BESIDE, 1.5 * course.packet) * course.cells.fs


def _add(moves: list[Move], move: Move, course: Course) -> None:
    """A late chunk and a loss side by side are one gap."""
    first, excess = course.cells.first, course.cells.excess
    if moves and not moves[-1].begins_epoch and not move.begins_epoch:
        last = moves[-1]
        near = first[move.cell] - first[last.cell] < beside(course)
        if near and max(move.seconds, last.seconds) < _LONG:
            moves.pop()
            cell = move.cell if excess[move.cell] > excess[last.cell] else last.cell
            move = Move(cell, move.seconds + last.seconds, False, move.local + last.local)
    moves.append(move)


class _Search:
    """Looks at one candidate after the other; a step's history does not reach over the step before."""

    def __init__(self, course: Course) -> None:
        self._course, self._cells = course, course.cells
        self._threshold = self._cells.threshold
        self.least = self._threshold - 0.25 / self._cells.fs
        """A quarter of a sample of slack: a block of exactly the threshold counts in spite of rounding."""
        self._history = max(HISTORY, 4.0 * course.packet)

    def candidates(self) -> Places:
        """Cells that may begin with a step: their interval is long, and the floor after it is higher."""
        course, cells = self._course, self._cells
        found = np.flatnonzero((cells.excess >= self._threshold / 2) | course.cuts)
        found = found[found > 0]
        if not len(found):
            return found
        at = cells.first[found]
        low = np.clip(np.searchsorted(cells.first, at - self._history * cells.fs), 0, found - 1)
        high = np.clip(np.searchsorted(cells.first, at + course.reach * cells.fs), found + 1, len(cells))
        ends = np.array(course.bounds)[np.searchsorted(course.bounds, found, side="right")]
        rise = _least_between(course.y, found, np.minimum(high, ends)) - _least_between(course.y, low, found)
        return found[(rise >= 0.75 * self._threshold) | course.cuts[found]]

    def epoch(self, cell: int, since: int) -> Move:
        """The step between two epochs."""
        y, course = self._course.y, self._course
        before = y[max(min(self._cells.seek(cell, -course.reach), cell - 1), since) : cell]
        step = float(y[cell : self._stop(cell)].min() - before.min())
        return Move(cell, step, True, step)

    def step(self, cell: int, since: int) -> Move | None:
        """The step at a long interval; None where it is none, or is caught up."""
        course, threshold = self._course, self._threshold
        before = self._floor_before(cell, since)
        after = float(course.y[cell : self._stop(cell)].min())
        move = Move(cell, after - before, False, after - before)
        if move.seconds < 0.75 * threshold:
            return None
        late = max(min(4.0 * course.noise, move.seconds / 2, threshold / 2), threshold / 4)
        if course.hat[cell] < after - late:
            return self._caught_up(move, before)
        if course.soft and move.seconds < 2.5 * course.noise:
            return None
        return move if move.seconds >= self.least and not self._too_late(cell) else None

    def _caught_up(self, move: Move, before: float) -> Move | None:
        """What is left of a step after its catch-up; it lies where most is missing."""
        course, excess = self._course, self._cells.excess
        left = float(course.hat[move.cell]) - before
        if left < self.least:
            return None
        end = course.epoch_end(move.cell)
        reached = course.y[move.cell : end] <= course.hat[move.cell : end] + self._threshold / 8
        down = max(move.cell + int(reached.argmax()), move.cell + 1)
        cell = move.cell + int(excess[move.cell : down].argmax())
        return None if self._too_late(cell) else Move(cell, left, False, left)

    def _floor_before(self, cell: int, since: int) -> float:
        start = max(min(self._cells.seek(cell, -self._history), cell - 1), since)
        floor = float(self._course.y[start:cell].min())
        if self._course.n_groups > 4 and cell - start > 8:
            # One stray early stamp is no floor.
            second = float(np.partition(self._course.y[start:cell], 1)[1])
            return second if second - floor > self._threshold / 2 else floor
        return floor

    def _stop(self, cell: int) -> int:
        """One past the last cell that is looked at after a step."""
        reach = max(self._cells.seek(cell, self._course.reach), cell + 1)
        return min(reach, self._course.epoch_end(cell))

    def _too_late(self, cell: int) -> bool:
        """So near the end that it cannot be told whether samples are lost or late."""
        cells, packet = self._cells, self._course.packet
        after = (cells.sample(self._course.epoch_end(cell)) - cells.first[cell]) / cells.fs
        return bool(after < max(1.0, 1.5 * packet) and cells.excess[cell] < max(1.0, 4.0 * packet))


def _least_between(values: NDArray[np.float64], start: Places, stop: Places) -> NDArray[np.float64]:
    """Least value of each of ``(k,)`` ranges, none of them empty."""
    padded = np.append(values, np.inf)
    return np.minimum.reduceat(padded, np.column_stack((start, stop)).ravel())[::2]


def _by_means(course: Course, moves: list[Move]) -> list[Move]:
    """Where stamps scatter both ways, means tell a step better than floors."""
    if not course.soft:
        return moves
    return [_mean_step(course, moves, number) for number in range(len(moves))]


def _mean_step(course: Course, moves: list[Move], number: int) -> Move:
    move, cells = moves[number], course.cells
    low = max(min(cells.seek(move.cell, -HISTORY), move.cell - 1), 0)
    high = max(cells.seek(move.cell, course.reach), move.cell + 1)
    alone = all(not low <= other.cell <= high for other in moves[max(number - 1, 0) : number + 2] if other is not move)
    if move.begins_epoch or not alone or move.seconds != move.local:
        return move
    parts = slice(move.cell, high), slice(low, move.cell)
    after, before = (float(np.average(course.y_mean[part], weights=cells.sizes[part])) for part in parts)
    if abs(after - before - move.seconds) >= 6.0 * course.noise + cells.threshold:
        return move
    return replace(move, seconds=after - before, local=after - before)
