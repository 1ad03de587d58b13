"""What the time stamps of a stream show, by the time model: gaps, leaps, foreign clocks, heads and tails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clock import analyse, sketch_for
from ..format.findings import Finding, observation
from ..format.time_remarks import time_remarks
from ..format.time_summary import StreamSpan, is_measured, measured_meta, recorder_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ...clock import Evidence, Timeline
    from ..format.meta import Meta, StreamMeta


class StampCheck:
    """Takes the time stamps of a stream, its clock offsets and its arrival record, each in order.

    Parameters
    ----------
    fs
        Nominal rate in Hz; 0 for irregular.
    """

    def __init__(self, fs: float) -> None:
        self.fs = fs
        self.first: float | None = None
        """The first finite stamp, seconds on the source's clock."""
        self.last: float | None = None
        self._sketch = sketch_for(fs)
        self._n_holes = 0
        self._rows: dict[str, list[NDArray[Any]]] = {}

    def feed(self, first: int, stamps: NDArray[np.float64]) -> None:
        """Look at ``(n,)`` stamps, the first of which is that of sample `first`; holes before it are no gaps."""
        hole = first - self._sketch.n_samples
        if hole > 0:
            self._n_holes += hole
            self._sketch.feed(np.full(hole, np.nan))
        self._sketch.feed(stamps)
        usable = stamps[np.isfinite(stamps)]
        if len(usable):
            self.first = float(usable[0]) if self.first is None else self.first
            self.last = float(usable[-1])

    def feed_evidence(self, what: str, rows: NDArray[Any]) -> None:
        """Take rows of the clock offsets (``_clock``) or of the arrival record (``_arrival``)."""
        self._rows.setdefault(what, []).append(rows)

    def span(self) -> StreamSpan:
        """Samples, rate and arrival record."""
        return StreamSpan(self._sketch.n_samples, self.fs, self._evidence("_arrival"), (self.first, self.last))

    def findings(
        self, stream: str, member: str, declared: StreamMeta | None, meta: Meta, session: Evidence
    ) -> Iterator[Finding]:
        """What was seen, if any stamp was read; otherwise what ``meta.json`` has of an earlier look."""
        if declared is not None and (self._sketch.n_samples or declared.n_samples == 0):
            declared = measured_meta(declared, self._timeline(session), (self.first, self.last))
        elif declared is not None and not is_measured(declared):
            declared = None
        for text in [] if declared is None else time_remarks(declared, meta.duration_s or 0.0, recorder_host(meta)):
            yield observation(f"{stream}: {text}", stream=stream, member=member)

    def _evidence(self, what: str) -> NDArray[np.float64] | None:
        rows = self._rows.get(what)
        return None if rows is None else np.concatenate(rows)

    def _timeline(self, session: Evidence) -> Timeline:
        found = analyse(self._sketch, replace(session, offsets=self._evidence("_clock")))
        return replace(found, bad_stamps=max(0, found.bad_stamps - self._n_holes))
