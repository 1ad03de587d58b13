"""Where the stamps of a stream go back, or leap ahead further than any lag, for good."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .thresholds import BACK, FORWARD, SETTLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Flags = NDArray[np.bool_]

_LEAST_BACK = 0.1


def epoch_cuts(cells: Cells, packet: float) -> Flags:
    """``(k,)``: the cells that begin an epoch."""
    cuts = (cells.excess <= -BACK - 1.0 / cells.fs) | (cells.excess >= FORWARD)
    least = max(cells.threshold, _LEAST_BACK)
    for cell in np.flatnonzero((cells.excess <= -least) & ~cuts).tolist():
        cuts[cell] = _stays_back(cells, cell, max(SETTLE, 3.0 * packet), least)
    cuts[:1] = False
    return cuts


def restarted(cells: Cells, cuts: Flags) -> Cells:
    """The cells with floors of the stamps themselves behind small steps back that stay.

    Their running maximum, which knows nothing of what follows, stands still there until the stamps have caught up.
    """
    floor, place = cells.floor.copy(), cells.place.copy()
    above = cells.floor - cells.lowest > cells.threshold / 8
    bounds = [*np.flatnonzero(cuts).tolist(), len(cells)]
    for start, stop in pairwise(bounds):
        behind = start + int(np.argmin(np.append(above[start:stop], False)))
        floor[start:behind], place[start:behind] = cells.lowest[start:behind], cells.first[start:behind]
    return replace(cells, floor=floor, place=place)


def _stays_back(cells: Cells, cell: int, reach: float, least: float) -> bool:
    """Whether all that follows is lower than all that precedes; one packet out of order is not."""
    before = cells.lowest[max(cells.seek(cell, -reach), 0) : cell]
    after = cells.lowest[cell : max(cells.seek(cell, reach), cell + 1)]
    if not len(before):
        return False
    lowest = float(before.min())
    return bool(np.median(after) < lowest - least and after.max() < lowest)
