"""What ``ui(ctx)`` calls: each function makes a widget and puts it on the screen that is being composed.

A widget may be yielded as well, or instead; it is shown once. Textual widgets that are not from here are yielded.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from textual.widget import Widget

from ..errors import ConfigError
from .panels import Action, RecordingControls, SessionBrowser, StreamStatusView, Text
from .signal_display import SignalView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..app.interface import Recorder, ScriptContext

W = TypeVar("W", bound=Widget)

_composing: ContextVar[list[Widget] | None] = ContextVar("composing", default=None)


def _place(widget: W) -> W:
    placed = _composing.get()
    if placed is not None:
        placed.append(widget)
    return widget


def recording_controls(
    ctx: ScriptContext | Recorder,
    class_names: Sequence[str] = (),
    *,
    on_record: Callable[[], object] | None = None,
    on_stop: Callable[[], object] | None = None,
    on_gesture: Callable[[int], object] | None = None,
) -> RecordingControls:
    """Record and Stop buttons and a row per gesture; see `RecordingControls`."""
    return _place(RecordingControls(ctx, class_names, on_record=on_record, on_stop=on_stop, on_gesture=on_gesture))


def signal_view(ctx: ScriptContext | Recorder, stream: str, seconds: float = 10.0) -> SignalView:
    """A stream as heat map or traces, live; see `SignalView`."""
    return _place(SignalView(ctx, stream, seconds))


def stream_status(ctx: ScriptContext | Recorder) -> StreamStatusView:
    """Every stream and what needs the operator; see `StreamStatusView`."""
    return _place(StreamStatusView(ctx))


def session_browser(ctx: ScriptContext | Recorder) -> SessionBrowser:
    """The sessions of the folder; see `SessionBrowser`."""
    return _place(SessionBrowser(ctx))


def button(ctx: ScriptContext | Recorder, label: str, on_press: Callable[[], object]) -> Action:  # noqa: ARG001
    """A button; ``on_press`` is called off the event loop, and what it raises is shown."""
    return _place(Action(label, on_press))


def text(ctx: ScriptContext | Recorder, content: str | Callable[[], object]) -> Text:  # noqa: ARG001
    """A text, or a function that gives one a few times a second."""
    return _place(Text(content))


def compose_ui(function: Callable[[Any], object], ctx: ScriptContext) -> list[Widget]:
    """Run a script's ``ui`` and collect its widgets, in the order in which they were made or yielded.

    Raises
    ------
    ConfigError
        It yields or returns something that is no widget.
    """
    placed: list[Widget] = []
    token = _composing.set(placed)
    try:
        for widget in _given(function(ctx)):
            if not isinstance(widget, Widget):
                raise ConfigError(
                    f"ui(ctx) gave {widget!r}; yield Textual widgets or call those of myogestic_tui.widgets"
                )
            if not any(widget is one for one in placed):
                placed.append(widget)
    finally:
        _composing.reset(token)
    return placed


def _given(result: object) -> Iterable[object]:
    if isinstance(result, Widget):
        return [result]
    if result is None:
        return []
    if inspect.isgenerator(result) or isinstance(result, (list, tuple)):
        return result
    raise ConfigError(f"ui(ctx) returned {result!r}; yield widgets, or call those of myogestic_tui.widgets")
