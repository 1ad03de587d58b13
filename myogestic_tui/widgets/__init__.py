"""Parts of the screens as Textual widgets, and as functions that make them.

Scripts use the functions in ``@app.ui`` (`recording_controls`, `signal_view`, …); whole Textual apps use the widgets.
The names here are imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .compose import button as button
    from .compose import recording_controls as recording_controls
    from .compose import session_browser as session_browser
    from .compose import signal_view as signal_view
    from .compose import stream_status as stream_status
    from .compose import text as text
    from .panels import RecordingControls as RecordingControls
    from .panels import SessionBrowser as SessionBrowser
    from .panels import StreamStatusView as StreamStatusView
    from .signalview import SignalView as SignalView

_HOME = {
    "RecordingControls": ".panels",
    "SessionBrowser": ".panels",
    "SignalView": ".signalview",
    "StreamStatusView": ".panels",
    "button": ".compose",
    "recording_controls": ".compose",
    "session_browser": ".compose",
    "signal_view": ".compose",
    "stream_status": ".compose",
    "text": ".compose",
}

__all__ = [*_HOME]

__getattr__ = lazy_names(__name__, _HOME)
