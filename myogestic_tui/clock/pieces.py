"""The stretches of a stream between two leaps of its stamps, each placed on the recorder's clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .placement import Stretch, place
from .thresholds import ARRIVAL_ERROR, WALL_ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .deviation import Course
    from .evidence import Arrivals, Evidence
    from .gap_or_step import Verdict
    from .offsets import OffsetLine
    from .timeline import Piece


def pieces_of(
    course: Course,
    verdicts: Sequence[Verdict],
    arrivals: Arrivals,
    lines: Sequence[OffsetLine],
    evidence: Evidence,
) -> tuple[Piece, ...]:
    """One piece for the stamps between two leaps."""
    leaps = [one for one in verdicts if one.leap]
    bounds = [0, *(one.move.cell for one in leaps), len(course.cells)]
    chains = [0, *(number for number, leap in enumerate(leaps, 1) if leap.line is not None), len(leaps) + 1]
    placing = _Placing(course, arrivals, evidence)
    pieces: list[Piece] = []
    for first, last in pairwise(chains):
        since = (leaps[first - 1].line or 0) if first else 0
        until = (leaps[last - 1].line or 0) if last <= len(leaps) else len(lines)
        pieces += placing.chain(bounds[first : last + 1], leaps[first : last - 1], lines[since:until])
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class _Placing:
    course: Course
    arrivals: Arrivals
    evidence: Evidence

    def chain(self, bounds: Sequence[int], leaps: Sequence[Verdict], lines: Sequence[OffsetLine]) -> list[Piece]:
        """The pieces of one LSL clock, whose stamps leapt against it: one is placed, the others follow from it."""
        stretches = [self._stretch(start, stop) for start, stop in pairwise(bounds)]
        anchor, piece = 0, place(stretches[0], lines, self.evidence)
        if piece.basis == "none":
            # A source may send its first stamps before it knows the time.
            others = ((number, place(one, lines, self.evidence)) for number, one in enumerate(stretches))
            anchor, piece = next((found for found in others if found[1].basis != "none"), (anchor, piece))
        pieces = [piece]
        for number in range(anchor + 1, len(stretches)):
            pieces.append(self._after(pieces[-1], bounds[number], leaps[number - 1]))
        for number in range(anchor - 1, -1, -1):
            pieces.insert(0, self._before(pieces[0], bounds[number], leaps[number]))
        return pieces

    def _after(self, before: Piece, cell: int, leap: Verdict) -> Piece:
        """The stamps leapt, though the source's LSL clock did not.

        Where it is not known how much time passed meanwhile, it was none, or as much as is left of the session.
        """
        piece = self._moved(before, cell, before.shift - leap.leap)
        if leap.gap is not None:
            return piece
        stop = self.evidence.stop
        left = None if stop is None else stop - _placed(self.course.cells.last_stamp, piece)
        return _unsure(piece, left)

    def _before(self, after: Piece, cell: int, leap: Verdict) -> Piece:
        """The same, told by what came after the leap: time that passed there was none, or what lies before."""
        piece = self._moved(after, cell, after.shift + leap.leap)
        if leap.gap is not None:
            return piece
        start = self.evidence.start
        left = None if start is None else _placed(self.course.cells.stamp(cell), piece) - start
        return _unsure(piece, left)

    def _moved(self, beside: Piece, cell: int, shift: float) -> Piece:
        error = beside.error_s + (ARRIVAL_ERROR if self.arrivals else WALL_ERROR)
        return replace(beside, start=self._first(cell), error_s=error, shift=shift)

    def _stretch(self, start: int, stop: int) -> Stretch:
        cells = self.course.cells
        first, last = self._first(start), cells.sample(stop)
        low, high = sorted((cells.stamp(start), cells.stamp(stop - 1)))
        came = self.arrivals.latest(self.course.period)[self.arrivals.places(first, last)]
        floor = cells.origin + float(self.course.y[start:stop].min())
        return Stretch(first, low, high, float(came.min()) - floor if len(came) else None)

    def _first(self, cell: int) -> int:
        return self.course.cells.sample(cell) if cell else 0


def _placed(stamp: float, piece: Piece) -> float:
    moved = stamp + piece.shift
    return moved + float(np.interp(moved, piece.at, piece.offsets))


def _unsure(piece: Piece, left: float | None) -> Piece:
    if left is None:
        return replace(piece, basis="none", error_s=np.inf)
    return replace(piece, error_s=piece.error_s + max(left, 0.0))
