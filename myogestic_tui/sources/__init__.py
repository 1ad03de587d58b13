"""Where samples come from: LSL outlets on the network, and a synthetic EMG.

Names are imported when first used; nothing here costs anything until then. What is on the network is asked of
``sources.discovery.discovery()``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .adapter import configure_lsl as configure_lsl
    from .discovery import Discovery as Discovery
    from .discovery import Seen as Seen
    from .lsl import LSLSource as LSLSource
    from .outlet import Outlet as Outlet
    from .replay import ReplaySource as ReplaySource
    from .synthetic import SyntheticSource as SyntheticSource

_HOME = {
    "Discovery": ".discovery",
    "LSLSource": ".lsl",
    "Outlet": ".outlet",
    "ReplaySource": ".replay",
    "Seen": ".discovery",
    "SyntheticSource": ".synthetic",
    "configure_lsl": ".adapter",
}

__all__ = ["Discovery", "LSLSource", "Outlet", "ReplaySource", "Seen", "SyntheticSource", "configure_lsl"]

__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
