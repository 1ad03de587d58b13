"""The screens by name; each is imported when it is first opened, so that the first paint does not wait for all."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .base import ViewerScreen


def screen_class(name: str) -> type[ViewerScreen]:
    """The class of a screen; its module has the same name."""
    found: type[ViewerScreen] = getattr(import_module(f".{name}", __package__), f"{name.title()}Screen")
    return found


def _opened(name: str) -> ViewerScreen:
    return screen_class(name)()


SCREENS = {name: partial(_opened, name) for name in ("streams", "live", "record", "sessions", "script")}
"""What `Viewer.MODES` takes."""
