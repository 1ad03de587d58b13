"""What stamps, clock offsets and arrivals of a session tell at its end, stream by stream."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace as with_fields

from ...clock import analyse
from ...clock.hosts import share_arrivals
from ..format.time_summary import StreamSpan, measured_meta, session_evidence, with_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...clock import Timeline
    from ..format.events import SessionRecord
    from ..format.meta import StreamMeta
    from .zarr_committer import StreamCommitter


def measured_streams(record: SessionRecord, committers: Mapping[str, StreamCommitter]) -> dict[str, StreamMeta]:
    """Each stream's metadata with what was found, by stem.

    Parameters
    ----------
    record
        What the session says besides its samples.
    committers
        What took the samples, by stem; all are read by now.
    """
    spans = {
        stem: StreamSpan(one.n_read, one.journal.info.fs, one.arrivals(), _ends(one))
        for stem, one in committers.items()
    }
    session = session_evidence(record.meta, spans)
    found = {
        stem: analyse(one.sketch, replace(session[stem], offsets=offsets_of(record, stem), counts=one.counts))
        for stem, one in committers.items()
    }
    shared = share_arrivals(found, {stem: record.meta.all_streams[stem].hostname for stem in found})
    return {stem: _measured(record, one, shared[stem]) for stem, one in committers.items()}


def offsets_of(record: SessionRecord, stem: str) -> NDArray[np.float64] | None:
    """A stream's clock offsets, ``(k, 4)``; None where there are none."""
    rows = record.clock.get(stem)
    return np.array(rows, np.float64) if rows else None


def _measured(record: SessionRecord, committer: StreamCommitter, found: Timeline) -> StreamMeta:
    stem = committer.stem
    measured = measured_meta(record.meta.all_streams[stem], found, _ends(committer))
    measured = with_counts(measured, committer.counts)
    return with_fields(measured, gaps=record.with_reasons(stem, measured.gaps))


def _ends(committer: StreamCommitter) -> tuple[float | None, float | None]:
    return committer.journal.first_timestamp, committer.last_timestamp
