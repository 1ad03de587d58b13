"""Even spacing of the samples between gaps, leaps and repeats."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .timeline import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .deviation import Course

    Floats = NDArray[np.float64]

_PART_SECONDS, _LEAST_PARTS, _LEAST_SECONDS = 60.0, 4, 10.0


def segments_of(course: Course, begins: Iterable[int]) -> tuple[Segment, ...]:
    """Segments that begin with the given cells, and the first one."""
    bounds = [*sorted({0, *begins}), len(course.cells)]
    return tuple(_segment(course, start, stop) for start, stop in pairwise(bounds))


def _segment(course: Course, start: int, stop: int) -> Segment:
    """Knots at the floor of each part; the line continues to both ends."""
    cells = course.cells
    first, last = cells.sample(start), cells.sample(stop)
    parts = np.array_split(np.arange(start, stop), _n_parts(course, start, stop))
    knots = [_knot(course, part) for part in parts]
    at, level = np.array(knots).T
    if len(at) > 1:
        rise, fall = (level[1] - level[0]) / (at[1] - at[0]), (level[-1] - level[-2]) / (at[-1] - at[-2])
        level = np.concatenate(([level[0] - rise * (at[0] - first)], level, [level[-1] + fall * (last - at[-1])]))
        at = np.concatenate(([first], at, [last]))
    return Segment(first if start else 0, at, cells.origin + level)


def _n_parts(course: Course, start: int, stop: int) -> int:
    seconds = (course.cells.sample(stop) - course.cells.sample(start)) / course.cells.fs
    few = min(_LEAST_PARTS, 1 + seconds // max(_LEAST_SECONDS, 5.0 * course.packet))
    usual = seconds / max(_PART_SECONDS, 20.0 * course.packet)
    return max(1, min(int(max(usual, few)), (stop - start + 1) // 2))


def _knot(course: Course, part: NDArray[np.intp]) -> tuple[float, float]:
    cells = course.cells
    if course.soft:
        return float(cells.first[part[0]] + cells.first[part[-1]]) / 2, float(np.median(course.y_mean[part]))
    lowest = int(part[course.y[part].argmin()])
    return float(cells.place[lowest]), float(course.hat[lowest])
