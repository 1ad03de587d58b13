"""The screens by name; each is imported when it is first opened, so that the first paint does not wait for all."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import ViewerScreen

_HOME = {
    "streams": (".streams", "StreamsScreen"),
    "live": (".live", "LiveScreen"),
    "record": (".record", "RecordScreen"),
    "sessions": (".sessions", "SessionsScreen"),
    "script": (".script", "ScriptScreen"),
}


def screen_class(name: str) -> type[ViewerScreen]:
    """The class of a screen."""
    module, class_name = _HOME[name]
    found: type[ViewerScreen] = getattr(import_module(module, __package__), class_name)
    return found


def _builder(name: str) -> Callable[[], ViewerScreen]:
    return lambda: screen_class(name)()


SCREENS = {name: _builder(name) for name in _HOME}
"""What `Viewer.MODES` takes."""
