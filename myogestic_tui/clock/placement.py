"""How the stamps of a stream lie to the recorder's clock: which clock they count in, and how far that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .thresholds import ARRIVAL_ERROR, FOREIGN, UNCOMPARED_ERROR, WALL_ERROR, WORST_ERROR
from .timeline import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .evidence import Evidence
    from .offsets import OffsetLine
    from .timeline import Basis

_SEGMENT_SLACK = 30.0
_EARLY, _LATE = -1.0, 30.0
"""A sample is read this long after its stamp, if the two clocks are one."""
_COVERS_START, _COVERS_STOP = 1.0, 1.5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Stamps between two leaps: first sample, least and greatest stamp, and least arrival less stamp if known."""

    start: int
    low: float
    high: float
    latency: float | None


def place(stretch: Stretch, lines: Sequence[OffsetLine], evidence: Evidence) -> Piece:
    """The best relation that the evidence allows."""
    if evidence.placed is not None:
        basis, known_error = evidence.placed
        return _steady(stretch, basis, 0.0, known_error)
    for line in lines:
        piece = _by_line(stretch, line, len(lines) == 1, evidence)
        if piece is not None:
            return piece
    if not lines and (error := _uncompared_error(stretch, evidence)) is not None:
        return _steady(stretch, "uncompared", 0.0, error)
    if stretch.latency is not None:
        return _steady(stretch, "arrival", stretch.latency, ARRIVAL_ERROR)
    if _is_wall(stretch, evidence):
        return _steady(stretch, "wall", -(evidence.utc_offset or 0.0), WALL_ERROR)
    known = float(np.median(np.concatenate([line.offsets for line in lines]))) if lines else 0.0
    return _steady(stretch, "none", known, np.inf)


def nowhere() -> Piece:
    """The piece of a stream whose stamps tell nothing."""
    return Piece(0, "none", np.zeros(1), np.zeros(1), np.inf)


def nothing_yet() -> Piece:
    """The piece of a stream without samples."""
    return Piece(0, "uncompared", np.zeros(1), np.zeros(1), UNCOMPARED_ERROR)


def _by_line(stretch: Stretch, line: OffsetLine, only: bool, evidence: Evidence) -> Piece | None:
    ends = np.array([stretch.low, stretch.high])
    low, high = (ends + line.offset(ends)).tolist()
    mine = only or (low < line.end + _SEGMENT_SLACK and high > line.start - _SEGMENT_SLACK)
    middle = float(line.offset(ends.mean(keepdims=True))[0])
    timely = _timely(None if stretch.latency is None else stretch.latency - middle)
    error = line.error_over(stretch.low, stretch.high)
    if not (mine and timely and error <= WORST_ERROR and _within(low, high, evidence)):
        return None
    return Piece(stretch.start, "lsl", line.at, line.offsets, error)


def _within(low: float, high: float, evidence: Evidence) -> bool:
    start, stop = evidence.start, evidence.stop
    return (start is None or low > start - FOREIGN) and (stop is None or high < stop + FOREIGN)


def _timely(latency: float | None) -> bool:
    return latency is None or _EARLY < latency < _LATE


def _uncompared_error(stretch: Stretch, evidence: Evidence) -> float | None:
    """How far stamps may be from the recorder's clock that look like its own; None where they do not.

    Another computer's clock can stand anywhere: it is the recorder's only as far as arrivals agree, or the session's
    start and stop.
    """
    if not (_within(stretch.low, stretch.high, evidence) and _timely(stretch.latency)):
        return None
    if not evidence.remote:
        return UNCOMPARED_ERROR
    if stretch.latency is not None:
        return ARRIVAL_ERROR if -UNCOMPARED_ERROR < stretch.latency < ARRIVAL_ERROR else None
    return WALL_ERROR if covers((stretch.low, stretch.high), (evidence.start, evidence.stop)) else None


def _is_wall(stretch: Stretch, evidence: Evidence) -> bool:
    utc = evidence.utc_offset
    if utc is None:
        return False
    return covers((stretch.low - utc, stretch.high - utc), (evidence.start, evidence.stop))


def covers(stamps: tuple[float, float], ends: tuple[float | None, float | None]) -> bool:
    """Whether stamps, by the least and the greatest, begin with the session and end with it."""
    (low, high), (start, stop) = stamps, ends
    if start is None or stop is None:
        return False
    return abs(low - start) < _COVERS_START and abs(high - stop) < _COVERS_STOP


def _steady(stretch: Stretch, basis: Basis, offset: float, error: float) -> Piece:
    return Piece(stretch.start, basis, np.zeros(1), np.array([offset]), error)
