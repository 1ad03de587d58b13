"""Parts of the screens as Textual widgets, and as functions that make them.

Scripts use the functions in ``@app.ui`` (`recording_controls`, `signal_view`, …); whole Textual apps use the widgets.
The names here are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .panels import RecordingControls as RecordingControls
    from .panels import SessionBrowser as SessionBrowser
    from .panels import StreamStatusView as StreamStatusView
    from .script_ui import button as button
    from .script_ui import recording_controls as recording_controls
    from .script_ui import session_browser as session_browser
    from .script_ui import signal_view as signal_view
    from .script_ui import stream_status as stream_status
    from .script_ui import text as text
    from .signal_display import SignalView as SignalView

_HOME = {
    "RecordingControls": ".panels",
    "SessionBrowser": ".panels",
    "SignalView": ".signal_display",
    "StreamStatusView": ".panels",
    "button": ".script_ui",
    "recording_controls": ".script_ui",
    "session_browser": ".script_ui",
    "signal_view": ".script_ui",
    "stream_status": ".script_ui",
    "text": ".script_ui",
}

__all__ = [*_HOME]

__getattr__ = lazy_names(__name__, _HOME)
