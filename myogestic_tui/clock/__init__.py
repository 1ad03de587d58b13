"""Time: the recorder's clock, the gap rule, and fits of clock offsets. Needs NumPy only.

The names here are imported when first used: who only asks what time it is does not wait for NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)
