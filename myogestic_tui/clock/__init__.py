"""Time: the recorder's clock, the gap rule, and fits of clock offsets. Needs NumPy only.

The names here are imported when first used: who only asks what time it is does not wait for NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .local import local_clock

if TYPE_CHECKING:
    from .fit import ClockFit as ClockFit
    from .fit import ClockSegment as ClockSegment
    from .fit import dejitter as dejitter
    from .fit import fit_offsets as fit_offsets
    from .gaps import Gap as Gap
    from .gaps import GapTracker as GapTracker
    from .gaps import find_gaps as find_gaps
    from .steps import gap_threshold as gap_threshold

_HOME = {
    "ClockFit": ".fit",
    "ClockSegment": ".fit",
    "Gap": ".gaps",
    "GapTracker": ".gaps",
    "dejitter": ".fit",
    "find_gaps": ".gaps",
    "fit_offsets": ".fit",
    "gap_threshold": ".steps",
}

__all__ = [*_HOME, "local_clock"]

__getattr__ = lazy_names(__name__, _HOME)
