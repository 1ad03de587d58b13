"""The recorder: `App`, its `Context`, and the `Recorder` interface that screens and the control socket use."""

from .app import App, Hook
from .context import Context

__all__ = ["App", "Context", "Hook"]
