"""Where samples come from: LSL outlets on the network, and a synthetic EMG.

Names are imported when first used; nothing here costs anything until then. What is on the network is asked of
``sources.discovery.discovery()``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .discovery import Discovery as Discovery
    from .discovery import Seen as Seen
    from .liblsl import configure_lsl as configure_lsl
    from .lsl_source import LSLSource as LSLSource
    from .outlet import Outlet as Outlet
    from .replay_source import ReplaySource as ReplaySource
    from .replayed_windows import live_windows as live_windows
    from .synthetic_emg import SyntheticSource as SyntheticSource

_HOME = {
    "Discovery": ".discovery",
    "LSLSource": ".lsl_source",
    "Outlet": ".outlet",
    "ReplaySource": ".replay_source",
    "Seen": ".discovery",
    "SyntheticSource": ".synthetic_emg",
    "configure_lsl": ".liblsl",
    "live_windows": ".replayed_windows",
}

__all__ = [*_HOME]

__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
