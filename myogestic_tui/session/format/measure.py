"""What the time stamps of a stream tell: gaps, the rate it really had, what was lost."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from ...clock import Gap, GapTracker
from ...errors import SessionDamagedError
from .meta import GapRecord, StreamMeta

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .arrays import Rows

_log = logging.getLogger(__name__)

Gaps = Sequence[Gap] | Sequence[GapRecord]


def n_lost(gaps: Gaps, fs: float) -> int:
    """Samples that fit into the gaps at ``fs`` Hz."""
    return sum(round(gap.seconds * fs) for gap in gaps)


def measured_fs(n_samples: int, first: float | None, last: float | None, gaps: Gaps, fs: float) -> float | None:
    """Rate in Hz from the first and last time stamp, gaps left out; None where that says nothing."""
    if fs <= 0 or n_samples < 2 or first is None or last is None:
        return None
    seconds = last - first - sum(gap.seconds for gap in gaps)
    return (n_samples - 1) / seconds if seconds > 0 else None


def measure_stream(meta: StreamMeta, stamps: Rows, report: Callable[[str], None] | None = None) -> StreamMeta:
    """``meta`` with all that its time stamps ``(n_samples,)`` tell.

    With `report` stamps that cannot be read are left out and told to it; without it they raise SessionDamagedError.
    """
    n, length = stamps.n_rows, stamps.spec.chunk_length
    tracker = GapWatch(meta.name, meta.fs)
    first = last = None
    for start in range(0, n, length):
        stop = min(start + length, n)
        try:
            some = stamps.rows(start, stop)
        except SessionDamagedError as error:
            if report is None:
                raise
            report(f"the time stamps of samples {start}–{stop - 1} cannot be read: {error}")
            tracker.feed(np.full(stop - start, np.nan))
            continue
        tracker.feed(some)
        first = float(some[0]) if start == 0 else first
        last = float(some[-1]) if stop == n else None
    tracker.flush()
    return msgspec.structs.replace(
        meta, n_samples=n, first_timestamp=first, last_timestamp=last, gaps=gap_records(tracker.gaps)
    )


class GapWatch:
    """The gap rule (`clock.GapTracker`) on whatever a device stamps: what it stumbles over costs no sample."""

    def __init__(self, name: str, fs: float) -> None:
        self._name = name
        self._tracker: GapTracker | None = GapTracker(fs)
        self.gaps: list[Gap] = self._tracker.gaps
        """Those found so far."""

    def feed(self, stamps: NDArray[np.float64]) -> None:
        """Take the next stamps, ``(n,)`` seconds."""
        self._attempt(lambda tracker: tracker.feed(stamps.copy()))

    def flush(self) -> None:
        """Decide on the last ones; no more will come."""
        self._attempt(lambda tracker: tracker.flush())

    def _attempt(self, work: Callable[[GapTracker], object]) -> None:
        if self._tracker is None:
            return
        try:
            with np.errstate(all="ignore"):
                work(self._tracker)
        except Exception:  # the arrays have all there is to compute gaps from again; the samples come first
            _log.exception("%s: gaps cannot be followed any further", self._name)
            self._tracker = None


def gap_records(gaps: Gaps) -> list[GapRecord]:
    """Gaps as ``meta.json`` lists them."""
    return [GapRecord(gap.index, gap.seconds) for gap in gaps]
