"""What a session knows of time, told on another clock. Time stamps stay as they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace

from ..format.time_records import PlacedMeta

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..format.meta import StreamMeta
    from ..reading.reader import SessionReader
    from ..reading.session_view import StreamView
    from .clock_relation import Relation

    Floats = NDArray[np.float64]

_EVERY_SECONDS = 5.0
_UNTOUCHED = ("lsl", "arrival", "count", "none")
"""What these rest on is on the recorder's clock already: clock offsets and arrivals."""


class StreamTimes(NamedTuple):
    """Clock offsets ``(k, 4)`` and arrival record ``(k, 2)`` of a stream on another clock, and its metadata there."""

    offsets: Floats
    arrivals: Floats | None
    meta: StreamMeta
    lost_place: bool = False
    """Its time rested on wall-clock time, which nothing ties to the other clock."""


def rebase(session: SessionReader, stream: StreamView, relation: Relation) -> StreamTimes:
    """The times of a stream on the clock that ``relation`` leads to."""
    measured, timeline = session.measured(stream.stem), session.timeline(stream.stem)
    offsets = _all(stream.clock, 4)
    arrivals = _all(stream.arrival, 2) if stream.arrival is not None else None
    if relation.is_same:
        return StreamTimes(offsets, arrivals, replace(measured, time=None))
    given = measured.placed if timeline.basis != "none" else None
    if timeline.basis == "uncompared" or given is not None:
        moved = _as_offsets(stream, relation)
    else:
        moved = offsets.copy()
        moved[:, 1] += relation.offset(offsets[:, 0])
        moved[:, 0] = relation.map(offsets[:, 0])
        moved[:, 2] += relation.error_s
    if arrivals is not None:
        arrivals = np.column_stack((arrivals[:, 0], relation.map(arrivals[:, 1])))
    joined = None if measured.joined_at is None else relation.one(measured.joined_at)
    lost = timeline.basis not in (*_UNTOUCHED, "uncompared")
    placed = PlacedMeta("none") if lost or timeline.basis == "none" else None
    doubt = measured.clock_error_s + relation.error_s + (0.0 if given is None else given.error_s or 0.0)
    meta = replace(measured, joined_at=joined, placed=placed, time=None, clock_error_s=doubt)
    return StreamTimes(moved, arrivals, meta, lost)


def _all(rows: object, width: int) -> Floats:
    read = getattr(rows, "rows", None)
    if read is None:
        return np.empty((0, width))
    return np.asarray(read(0, rows.n_rows), dtype=np.float64).reshape(-1, width)  # type: ignore[attr-defined]


def _as_offsets(stream: StreamView, relation: Relation) -> Floats:
    """Comparisons of a stream whose stamps are on its recorder's clock: what the relation tells."""
    n = stream.n_samples
    ends = [float(stream.stamps.rows(at, at + 1)[0]) for at in (0, n - 1)] if n else []
    if not np.isfinite(ends).all() or not ends:
        return np.empty((0, 4))
    low, high = min(ends), max(ends)
    at = np.linspace(low, high, max(2, int((high - low) / _EVERY_SECONDS) + 1))
    return np.column_stack((relation.map(at), relation.offset(at), np.full(len(at), relation.error_s), at))
