"""What the time model tells of a stream, as ``meta.json`` and the summaries of sessions have it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace as with_fields

from ...clock import Evidence
from ...clock.counter import Counts, Jump
from ...clock.evidence import believable
from ...clock.hosts import is_remote
from ...clock.thresholds import MODEL
from ...clock.timeline import BASES
from .time_records import CountsMeta, GapRecord, LeapRecord, RepeatRecord, TimeMeta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ...clock import Timeline
    from ...clock.timeline import Basis
    from .meta import Anchor, Meta, StreamMeta

CLOCK_SET = "source's clock was set"
"""Earlier recorders listed leaps of the stamps among the gaps, with this reason."""


class StreamSpan(NamedTuple):
    """How many samples a stream has, its nominal rate in Hz, its arrival record, ``(k, 2)``, and its end stamps."""

    n_samples: int
    fs: float
    arrivals: NDArray[np.float64] | None
    ends: tuple[float | None, float | None] = (None, None)

    @property
    def stamped_s(self) -> float:
        """Seconds from the first stamp to the last; infinite where they are not known."""
        first, last = self.ends
        return np.inf if first is None or last is None else last - first


def session_evidence(meta: Meta, streams: Mapping[str, StreamSpan]) -> dict[str, Evidence]:
    """What a session's metadata and arrival records tell of the time of each of its streams.

    Recorders that wrote no arrival record noted the stop after they had drained their streams. Where one stream shows
    that a script filled the session, rather than devices, neither arrivals nor the session's ends count for any.
    """
    arrivals = {
        stem: span.arrivals for stem, span in streams.items() if span.arrivals is not None and len(span.arrivals)
    }
    last = max((float(rows[-1, 1]) for rows in arrivals.values()), default=None)
    session = _ends_of(meta, last)
    found = {stem: replace(session, arrivals=arrivals.get(stem)) for stem in streams}
    live = all(
        believable(found[stem], span.n_samples, span.fs, span.stamped_s) is found[stem]
        for stem, span in streams.items()
    )
    host = recorder_host(meta) if live else ""
    found = found if live else dict.fromkeys(streams, Evidence())
    for stem in meta.all_streams.keys() & found.keys():
        stream = meta.all_streams[stem]
        found[stem] = replace(
            found[stem],
            counts=counts_of(stream),
            remote=is_remote(stream.hostname, host),
            placed=_placed(stream),
            clock_error_s=max(stream.clock_error_s, 0.0),
        )
    return found


def _placed(meta: StreamMeta) -> tuple[Basis, float] | None:
    placed = meta.placed
    if placed is None:
        return None
    basis: Basis = next((one for one in BASES if one == placed.basis), "none")
    return basis, np.inf if placed.error_s is None or basis == "none" else placed.error_s


def recorder_host(meta: Meta) -> str:
    """The computer whose clock the session counts in; empty where it is not known, as in an imported session."""
    return meta.recorder.host if meta.anchors else ""


def counts_of(meta: StreamMeta) -> Counts | None:
    """What the counter channel of a stream did, as it was stored."""
    if meta.counter is None or (known := meta.counts) is None or not known.step or known.hold < 1:
        return None
    jumps = tuple(Jump(*jump) for jump in known.jumps)
    return Counts(known.step, known.hold, known.low, known.high, known.modulus, jumps)


def with_counts(meta: StreamMeta, counts: Counts | None) -> StreamMeta:
    """The metadata with what the counter channel did."""
    if counts is None:
        return with_fields(meta, counts=None)
    jumps = [(one.index, one.samples, one.before, one.after) for one in counts.jumps]
    known = CountsMeta(counts.step, counts.hold, counts.low, counts.high, counts.modulus, jumps)
    return with_fields(meta, counts=known)


def _ends_of(meta: Meta, last_arrival: float | None) -> Evidence:
    anchors = meta.anchors
    if not anchors:
        return Evidence()
    stop = anchors[1].lsl if len(anchors) > 1 else last_arrival
    requested = len(anchors) > 1 and last_arrival is not None
    return Evidence(start=anchors[0].lsl, stop=stop, stop_requested=requested, utc_offset=_utc_offset(anchors[0]))


def _utc_offset(anchor: Anchor) -> float | None:
    try:
        return datetime.fromisoformat(anchor.utc).timestamp() - anchor.lsl
    except (ValueError, OverflowError):
        return None


def measured_meta(meta: StreamMeta, found: Timeline, ends: tuple[float | None, float | None]) -> StreamMeta:
    """``meta`` with what the time model found, and the first and last raw stamp.

    Reasons of gaps that are known stay.
    """
    reasons = {gap.index: gap.reason for gap in meta.gaps if gap.reason != CLOCK_SET}
    gaps = [
        GapRecord(gap.index, float(gap.seconds), reasons.get(gap.index, ""), "" if gap.kind == "gap" else gap.kind)
        for gap in found.gaps
    ]
    return with_fields(
        meta,
        n_samples=found.n_samples,
        first_timestamp=ends[0],
        last_timestamp=ends[1],
        gaps=gaps,
        time=_time_meta(found, ends),
    )


def is_measured(meta: StreamMeta) -> bool:
    """Whether the metadata hold what the present time model found; what an earlier one found counts no more."""
    return meta.time is not None and meta.time.model == MODEL


def _time_meta(found: Timeline, ends: tuple[float | None, float | None]) -> TimeMeta:
    first, last = (np.nan if end is None else end for end in ends)
    n = found.n_samples
    return TimeMeta(
        model=MODEL,
        basis=found.basis,
        error_s=_finite(found.error_s),
        measured_fs=None if found.measured_fs is None else float(found.measured_fs),
        delivered_fs=None if found.delivered_fs is None else float(found.delivered_fs),
        packet_s=float(found.packet_s),
        leaps=[LeapRecord(one.index, float(one.seconds), bool(one.known)) for one in found.leaps],
        repeated=[RepeatRecord(one.index, one.samples) for one in found.repeated],
        bad_stamps=found.bad_stamps,
        unusable=found.unusable,
        late_at_end_s=float(found.late_at_end_s),
        scatter_s=float(found.scatter_s),
        n_offsets=found.n_offsets,
        first_at=_finite(found.sample_time([first])[0]) if n else None,
        last_at=_finite(found.sample_time([last], n - 1)[0]) if n else None,
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def lost_gaps(gaps: Iterable[GapRecord]) -> list[GapRecord]:
    """Those between samples: without head and tail."""
    return [gap for gap in gaps if not gap.kind and gap.reason != CLOCK_SET]


def seconds_of(gaps: Iterable[GapRecord], kind: str) -> float:
    """Length of the head or tail; 0 where there is none."""
    return sum((gap.seconds for gap in gaps if gap.kind == kind), 0.0)


def n_lost(meta: StreamMeta) -> int:
    """Samples that fit into the gaps between samples, at the rate that the device really had."""
    fs = (meta.time.measured_fs if meta.time is not None else None) or meta.fs
    return sum(round(gap.seconds * fs) for gap in lost_gaps(meta.gaps))
