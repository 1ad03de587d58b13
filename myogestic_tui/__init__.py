"""Record Lab Streaming Layer biosignals from a terminal, and lose nothing.

The names here are imported when first used, so that ``import myogestic_tui`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy_names
from .version import __version__ as __version__

if TYPE_CHECKING:
    from .app import App as App
    from .app import Context as Context
    from .clock import local_clock as local_clock
    from .errors import MyoGesticError as MyoGesticError
    from .grid_layout import GridLayout as GridLayout
    from .info import StreamInfo as StreamInfo
    from .montage import ChannelGrid as ChannelGrid
    from .session import open_session_store as open_session_store
    from .sources import LSLSource as LSLSource
    from .stream import Stream as Stream

_HOME = {
    "App": ".app",
    "ChannelGrid": ".montage",
    "Context": ".app",
    "GridLayout": ".grid_layout",
    "LSLSource": ".sources",
    "MyoGesticError": ".errors",
    "Stream": ".stream",
    "StreamInfo": ".info",
    "local_clock": ".clock",
    "open_session_store": ".session",
}

__all__ = [*_HOME, "__version__"]

__getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
