"""Streams without a rate: events. There is no sample clock, so there are no gaps, but their clock can be set."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .offsets import line_after
from .placement import Stretch, nothing_yet, nowhere, place
from .stamp_sanity import unit_of
from .thresholds import ARRIVAL_ERROR, BACK, FORWARD, NO_TIME
from .timeline import Leap, Piece, Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .evidence import Arrivals, Evidence
    from .offsets import OffsetLine

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_MOST_KEPT = 1 << 16
_MOST_PLACES = 1000


class EventSketch:
    """The time stamps of an irregular stream, thinned out where they are many; independent of chunks."""

    fs = 0.0

    def __init__(self) -> None:
        self.n_samples = self.n_bad = 0
        self.places: list[tuple[int, float, float]] = []
        """Where stamps go back, or far ahead: sample, the stamp before it, its own."""
        self._every = 1
        self._index: Indices = np.empty(0, np.intp)
        self._stamps: Floats = np.empty(0)
        self._previous = np.nan

    @property
    def stamped_s(self) -> float:
        """As of a `Sketch`; of events it tells nothing."""
        return np.inf

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return self._index.nbytes + self._stamps.nbytes

    def feed(self, stamps: ArrayLike) -> None:
        """Take the next raw stamps, ``(n,)`` seconds."""
        given = np.array(stamps, dtype=np.float64)
        number = np.arange(self.n_samples, self.n_samples + len(given))
        good = np.abs(given) < NO_TIME
        self.n_samples += len(given)
        self.n_bad += len(given) - int(np.count_nonzero(good))
        given, number = given[good], number[good]
        if not len(given):
            return
        steps = np.diff(given, prepend=self._previous)
        for at in np.flatnonzero((steps <= -BACK) | (steps >= FORWARD)).tolist():
            if len(self.places) < _MOST_PLACES:
                self.places.append((int(number[at]), float(given[at] - steps[at]), float(given[at])))
        self._previous = float(given[-1])
        kept = number % self._every == 0
        self._index = np.concatenate((self._index, number[kept]))
        self._stamps = np.concatenate((self._stamps, given[kept]))
        while len(self._index) > _MOST_KEPT:
            self._every *= 2
            kept = self._index % self._every == 0
            self._index, self._stamps = self._index[kept], self._stamps[kept]

    def kept(self) -> tuple[Indices, Floats]:
        """Sample numbers and stamps, ``(k,)`` each."""
        return self._index, self._stamps


def place_events(sketch: EventSketch, arrivals: Arrivals, lines: Sequence[OffsetLine], evidence: Evidence) -> Timeline:
    """The timeline of an irregular stream."""
    index, stamps = sketch.kept()
    found = Timeline(sketch.n_samples, 0.0, bad_stamps=sketch.n_bad)
    if sketch.n_samples == 0:
        return _with(found, pieces=(nothing_yet(),))
    came = _arrivals_at(arrivals, index)
    reason = _why_unusable(sketch, stamps, came)
    if reason:
        return _with(found, unusable=reason, pieces=(_by_arrival(arrivals),))
    leaps = _leaps(sketch, arrivals, lines, evidence)
    bounds = [0, *(leap.index for leap in leaps), sketch.n_samples]
    pieces = [place(_stretch(start, stop, index, stamps, came), lines, evidence) for start, stop in pairwise(bounds)]
    return _with(found, leaps=tuple(leaps), pieces=tuple(pieces))


def _with(found: Timeline, *, leaps: tuple[Leap, ...] = (), pieces: tuple[Piece, ...], unusable: str = "") -> Timeline:
    return Timeline(found.n_samples, 0.0, bad_stamps=found.bad_stamps, leaps=leaps, pieces=pieces, unusable=unusable)


def _why_unusable(sketch: EventSketch, stamps: Floats, came: Floats) -> str:
    if sketch.n_bad > sketch.n_samples / 2:
        return f"{sketch.n_bad} of {sketch.n_samples} stamps are no numbers"
    known = np.isfinite(came)
    if np.count_nonzero(known) < 2:
        return ""
    passed, moved = float(np.ptp(came[known])), float(np.ptp(stamps[known]))
    if passed > 1.0 and moved == 0.0:
        return "the stamps stand still"
    return unit_of(moved / passed) if passed > 1.0 else ""


def _arrivals_at(arrivals: Arrivals, index: Indices) -> Floats:
    """When samples came, NaN where no row tells."""
    row = np.searchsorted(arrivals.counts, index, side="right")
    return np.append(arrivals.times, np.nan)[row]


def _by_arrival(arrivals: Arrivals) -> Piece:
    """Each sample at the time of its arrival, where there is an arrival record."""
    if not len(arrivals.counts):
        return nowhere()
    first = np.concatenate(([0.0], arrivals.counts[:-1]))
    at = np.column_stack((first, np.maximum(arrivals.counts - 1, first))).ravel()
    return Piece(0, "count", at, np.repeat(arrivals.times, 2), ARRIVAL_ERROR + 0.05)


def _leaps(sketch: EventSketch, arrivals: Arrivals, lines: Sequence[OffsetLine], evidence: Evidence) -> list[Leap]:
    found = []
    for index, before, after in sketch.places:
        step = after - before
        line = line_after(lines, before, after)
        came = _arrivals_at(arrivals, np.array([index - 1, index]))
        passed = float(came[1] - came[0])
        if line is not None:
            found.append(Leap(index, lines[line - 1].after - lines[line].before, True))
        elif np.isfinite(passed):
            if abs(step - passed) > BACK:
                found.append(Leap(index, step - passed, True))
        elif step < 0 or _beyond(step, evidence):
            found.append(Leap(index, step, False))
    return found


def _beyond(step: float, evidence: Evidence) -> bool:
    return evidence.start is not None and evidence.stop is not None and step > evidence.stop - evidence.start + 1.0


def _stretch(start: int, stop: int, index: Indices, stamps: Floats, came: Floats) -> Stretch:
    part = slice(*np.searchsorted(index, (start, stop)))
    if not len(stamps[part]):
        return Stretch(start, 0.0, 0.0, None)
    late = came[part] - stamps[part]
    late = late[np.isfinite(late)]
    return Stretch(
        start, float(stamps[part].min()), float(stamps[part].max()), float(late.min()) if len(late) else None
    )
