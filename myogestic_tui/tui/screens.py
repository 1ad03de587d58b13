"""The four bodies by name; each is imported when it is first opened, so that the first paint does not wait for all."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import Viewer
    from .view import Body

_HOME = {
    "streams": (".streams", "StreamsBody"),
    "live": (".live", "LiveBody"),
    "record": (".record", "RecordBody"),
    "sessions": (".sessions", "SessionsBody"),
}


def build_body(name: str, viewer: Viewer) -> Body:
    """A new body."""
    module, class_name = _HOME[name]
    body: Body = getattr(import_module(module, __package__), class_name)(viewer)
    return body
