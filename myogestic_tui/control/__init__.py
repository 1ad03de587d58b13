"""Between the recorder and everybody who watches or drives it: messages, server, client, the recorder's process.

The names here are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .client import RecorderClient as RecorderClient
    from .embedded import hosted as hosted
    from .server import ControlServer as ControlServer
    from .spawn import attach as attach
    from .spawn import attach_again as attach_again
    from .spawn import find_recorder as find_recorder

_HOME = {
    "ControlServer": ".server",
    "RecorderClient": ".client",
    "attach": ".spawn",
    "attach_again": ".spawn",
    "find_recorder": ".spawn",
    "hosted": ".embedded",
}

__all__ = ["ControlServer", "RecorderClient", "attach", "attach_again", "find_recorder", "hosted"]

__getattr__ = lazy_names(__name__, _HOME)
