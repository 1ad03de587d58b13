"""What the time stamps of a stream tell: gaps, the rate it really had, what was lost."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...clock import Gap, GapTracker
from .meta import GapRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

Gaps = Sequence[Gap] | Sequence[GapRecord]


CLOCK_SET = "source's clock was set"
"""Reason of a gap that is none: stamps leap there, and nothing is missing."""


def real_gaps(gaps: Iterable[GapRecord]) -> list[GapRecord]:
    """Those where samples are missing."""
    return [gap for gap in gaps if gap.reason != CLOCK_SET]


def n_lost(gaps: Gaps, fs: float) -> int:
    """Samples that fit into the gaps at ``fs`` Hz."""
    return sum(round(gap.seconds * fs) for gap in gaps)


def measured_fs(n_samples: int, first: float | None, last: float | None, gaps: Gaps, fs: float) -> float | None:
    """Rate in Hz from the first and last time stamp, gaps left out; None where that says nothing."""
    if fs <= 0 or n_samples < 2 or first is None or last is None:
        return None
    seconds = last - first - sum(gap.seconds for gap in gaps)
    return (n_samples - 1) / seconds if seconds > 0 else None


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
