"""The timelines of a session's streams: found once, then asked by whoever needs to know about time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clock import analyse, sketch_for
from ...clock.counter import CounterTrack
from ...clock.hosts import placed_by_arrival, share_arrivals
from ...errors import SessionDamagedError
from ..format.arrays import chunk_spans
from ..format.time_summary import StreamSpan, measured_meta, session_evidence, with_counts
from ..signal.streamdata import TIME_BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ...clock import Evidence, Timeline
    from ...clock.counter import Counts
    from ..format.arrays import Rows
    from ..format.meta import Meta, StreamMeta
    from .session_view import StreamView


class Timelines:
    """Timelines of the streams of one session, each read when it is asked for.

    Parameters
    ----------
    meta, streams
        The session, as it was found.
    report
        Told stem and sentence about stamps that cannot be read; they are left out then. Without it they raise
        SessionDamagedError.
    """

    def __init__(
        self, meta: Meta, streams: Mapping[str, StreamView], report: Callable[[str, str], None] | None = None
    ) -> None:
        self._meta, self._streams, self._report = meta, streams, report
        self._alone: dict[str, Timeline] = {}
        self._shared: dict[str, Timeline] = {}
        self._counts: dict[str, Counts | None] = {}
        self._session: dict[str, Evidence] | None = None

    def of(self, stem: str) -> Timeline:
        """The timeline of one stream."""
        if stem not in self._shared:
            found = self._of_itself(stem)
            host = self._streams[stem].meta.hostname
            if host and placed_by_arrival(found) is not None:
                hosts = {name: view.meta.hostname for name, view in self._streams.items()}
                same = {name: self._of_itself(name) for name, other in hosts.items() if other == host}
                found = share_arrivals(same, hosts)[stem]
            self._shared[stem] = found
        return self._shared[stem]

    def measured(self, stem: str) -> StreamMeta:
        """The stream's metadata with what its timeline tells."""
        stream = self._streams[stem]
        measured = measured_meta(stream.meta, self.of(stem), self._ends(stream))
        return with_counts(measured, self._counts[stem]) if stem in self._counts else measured

    def _of_itself(self, stem: str) -> Timeline:
        if stem not in self._alone:
            stream = self._streams[stem]
            sketch = sketch_for(stream.info.fs)
            stamps = self._stamps(stream)
            for start in range(0, stamps.n_rows, TIME_BLOCK):
                sketch.feed(stamps.rows(start, min(start + TIME_BLOCK, stamps.n_rows)))
            evidence = replace(self._evidence()[stem], offsets=_all(stream.clock))
            if stream.info.counter is not None and evidence.counts is None and not stream.meta.n_samples:
                self._counts[stem] = _count(stream)  # nobody has looked at it yet: it was cut off
                evidence = replace(evidence, counts=self._counts[stem])
            self._alone[stem] = analyse(sketch, evidence)
        return self._alone[stem]

    def _evidence(self) -> dict[str, Evidence]:
        if self._session is None:
            spans = {
                stem: StreamSpan(view.n_samples, view.info.fs, _all(view.arrival), self._ends(view))
                for stem, view in self._streams.items()
            }
            self._session = session_evidence(self._meta, spans)
        return self._session

    def _stamps(self, stream: StreamView) -> Rows:
        if self._report is None:
            return stream.stamps
        report, stem = self._report, stream.stem
        return KnownStamps(stream.stamps, lambda text: report(stem, text))

    def _ends(self, stream: StreamView) -> tuple[float | None, float | None]:
        stamps = KnownStamps(stream.stamps, lambda _: None)
        n = stream.n_samples
        ends = [float(stamps.rows(at, at + 1)[0]) for at in (0, n - 1)] if n else [np.nan, np.nan]
        first, last = (None if np.isnan(end) else end for end in ends)
        return first, last


def _count(stream: StreamView) -> Counts | None:
    """What the counter channel did, from the samples; those that cannot be read count nothing."""
    track, channel = CounterTrack(), stream.info.counter
    for _, first, last in chunk_spans(stream.data.spec, 0, stream.n_samples):
        try:
            track.feed(stream.data.rows(first, last)[:, channel])
        except SessionDamagedError:
            track.feed(np.full(last - first, np.nan))
    return track.counts


def _all(rows: Rows | None) -> NDArray[np.float64] | None:
    """All rows; what cannot be read of them is no evidence."""
    try:
        return None if rows is None or not rows.n_rows else rows.rows(0, rows.n_rows).astype(np.float64, copy=False)
    except SessionDamagedError:
        return None


class KnownStamps:
    """Time stamps, of which those that cannot be read are NaN and told once."""

    def __init__(self, stamps: Rows, report: Callable[[str], None]) -> None:
        self.spec, self.n_rows, self.n_stored = stamps.spec, stamps.n_rows, stamps.n_stored
        self._stamps, self._report = stamps, report
        self._told: set[int] = set()

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`."""
        rows = np.full(stop - start, np.nan)
        for number, first, last in chunk_spans(self.spec, start, stop):
            try:
                rows[first - start : last - start] = self._stamps.rows(first, last)
            except SessionDamagedError as error:
                if number not in self._told:
                    self._report(f"the time stamps of samples {first}–{last - 1} cannot be read: {error}")
                self._told.add(number)
        return rows
