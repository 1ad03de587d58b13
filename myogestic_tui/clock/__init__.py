"""Time: the recorder's clock, the gap rule, and fits of clock offsets. Needs NumPy only."""

from __future__ import annotations

from .fit import ClockFit, ClockSegment, dejitter, fit_offsets
from .gaps import Gap, GapTracker, find_gaps
from .local import local_clock
from .steps import gap_threshold

__all__ = [
    "ClockFit",
    "ClockSegment",
    "Gap",
    "GapTracker",
    "dejitter",
    "find_gaps",
    "fit_offsets",
    "gap_threshold",
    "local_clock",
]
