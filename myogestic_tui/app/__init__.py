"""The recorder: `App`, its `Context`, and the `Recorder` interface that screens and the control socket use.

The names here are imported when first used: a viewer or `ctl` needs `app.recorder` only, and not what streams need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import App as App
    from .app import Hook as Hook
    from .context import Context as Context

_HOME = {"App": ".app", "Context": ".context", "Hook": ".app"}

__all__ = ["App", "Context", "Hook"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name], __name__), name)
