"""Time: the recorder's clock, and the model of what stamps, clock offsets and arrivals tell. Needs NumPy only.

The names here are imported when first used: who only asks what time it is does not wait for NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names
from .local import local_clock

if TYPE_CHECKING:
    from .analysis import analyse as analyse
    from .analysis import find_gaps as find_gaps
    from .analysis import sketch_for as sketch_for
    from .analysis import timeline_of as timeline_of
    from .evidence import Evidence as Evidence
    from .follower import Follower as Follower
    from .sketch import Sketch as Sketch
    from .thresholds import gap_threshold as gap_threshold
    from .timeline import Gap as Gap
    from .timeline import Timeline as Timeline

_HOME = {
    "Evidence": ".evidence",
    "Follower": ".follower",
    "Sketch": ".sketch",
    "Timeline": ".timeline",
    "analyse": ".analysis",
    "sketch_for": ".analysis",
    "timeline_of": ".analysis",
    "Gap": ".timeline",
    "find_gaps": ".analysis",
    "gap_threshold": ".thresholds",
}

__all__ = [*_HOME, "local_clock"]

__getattr__ = lazy_names(__name__, _HOME)
