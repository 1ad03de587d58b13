"""The recorder: `App`, its `Context`, and the `Recorder` interface that screens and the control socket use.

The names here are imported when first used: a viewer or `ctl` needs `app.interface` only, and not what streams need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .app import App as App
    from .app import Hook as Hook
    from .context import Context as Context

_HOME = {"App": ".app", "Context": ".context", "Hook": ".app"}

__all__ = ["App", "Context", "Hook"]

__getattr__ = lazy_names(__name__, _HOME)
