"""Sessions on disk: written so that nothing is lost, read so that nothing is invented.

A sample travels `Session.append` → `journal` (survives a kill) → `checkpoint` (whole chunks to Zarr) → `pack`
(the archive). `open_session_store` reads any of these states without writing.

The names here are imported when first used; ``zarrs``, where installed, becomes zarr's codec pipeline.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .zarrs import register_zarrs

if TYPE_CHECKING:
    from .findings import Finding as Finding
    from .meta import LabelEvent as LabelEvent
    from .meta import Note as Note
    from .reader import SessionReader as SessionReader
    from .reader import open_session_store as open_session_store
    from .recover import recover_session as recover_session
    from .recover import session_state as session_state
    from .recover import unfinished_sessions as unfinished_sessions
    from .summary import Summary as Summary
    from .writer import Session as Session

_HOME = {
    "Finding": ".findings",
    "LabelEvent": ".meta",
    "Note": ".meta",
    "Session": ".writer",
    "SessionReader": ".reader",
    "Summary": ".summary",
    "open_session_store": ".reader",
    "recover_session": ".recover",
    "session_state": ".recover",
    "unfinished_sessions": ".recover",
}

__all__ = [*_HOME]

register_zarrs()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
