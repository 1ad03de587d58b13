"""Public widgets on a recorder: what ``@app.ui`` composes, and what a whole Textual app of one's own can use.

Each takes a `Context` or any `app.recorder.Recorder`, looks at its status a few times a second, and draws what changed.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widgets import Button as TextualButton
from textual.widgets import Static

from ..app.context import Context
from ..app.recorder import AddLabel, Start, Stop, View
from .envelope import EnvelopePlot, Page, plot_cells
from .format import hms
from .format import unit as short_unit
from .frame import Frame
from .gestures import GestureButtons
from .rows import Clicked, Rows
from .scaling import AutoScale
from .session_list import ListLook, session_rows
from .spans import row
from .streams import needs_you, nothing_seen, stream_table
from .traces import decode_envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Size

    from ..app.recorder import ChannelQuality, Envelope, Recorder, Reply, Status, StreamStatus

_FPS = 5.0
_PLOT_FPS = 10.0
_LIST_SECONDS = 2.0
_LINES_OF_NEEDS = 2
"""Of what needs somebody, in the recording controls."""
_MOST_LINES = 50
_YES_SECONDS = 10.0
"""How long a question stands."""


def recorder_of(owner: Context | Recorder) -> Recorder:
    """The recorder behind a context; a recorder is one itself."""
    return owner.app if isinstance(owner, Context) else owner


class Panel(Vertical):
    """Base of the widgets here: draws the newest status ``fps`` times a second.

    Parameters
    ----------
    owner
        A `Context` or a recorder.
    """

    fps: ClassVar[float] = _FPS

    def __init__(self, owner: Context | Recorder, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.recorder = recorder_of(owner)

    def on_mount(self) -> None:
        """Begin to draw."""
        self.set_interval(1.0 / self.fps, self.look)
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Draw the newest status."""
        self.draw(Frame(status := self.recorder.status(), at=status.at))

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        raise NotImplementedError


class Action(TextualButton):
    """A button that calls a function off the event loop, and shows what goes wrong with it.

    Parameters
    ----------
    label
        Its text.
    on_press
        Called with no argument; an exception is shown, and the recording goes on.
    """

    def __init__(self, label: str, on_press: Callable[[], object], *, variant: Any = "default") -> None:
        super().__init__(label, variant=variant, compact=True)
        self._on_press_call = on_press

    def on_button_pressed(self, event: TextualButton.Pressed) -> None:
        """Call the function."""
        event.stop()
        call_back(self, self._on_press_call)


def call_back(widget: Any, function: Callable[..., object], *arguments: object) -> None:
    """Call a script's function in a thread; an exception becomes a message on the screen."""
    app = widget.app

    def run() -> None:
        try:
            function(*arguments)
        except Exception as error:
            name = getattr(function, "__name__", "callback")
            text = f"{name} failed: {type(error).__name__}: {error}"
            app.call_from_thread(app.notify, text, severity="error", timeout=10)

    threading.Thread(target=run, name="ui-callback", daemon=True).start()


class RecordingControls(Panel):
    """Record and Stop, a row per gesture with its key, what the recorder says, and what needs somebody most.

    Parameters
    ----------
    owner
        A `Context` or a recorder.
    class_names
        The gestures. They are given to the app, unless it has names of its own.
    on_record, on_stop
        Called with no argument; None starts and stops the recorder.
    on_gesture
        Called with the class index after its label was added; None adds the label alone.
    """

    DEFAULT_CSS = """
    RecordingControls { height: auto; }
    RecordingControls > .gestures { height: 4; }
    RecordingControls > .state { height: 1; }
    RecordingControls > .needs { height: 0; }
    RecordingControls Horizontal { height: 1; }
    RecordingControls Action { margin-right: 1; min-width: 12; }
    """

    def __init__(
        self,
        owner: Context | Recorder,
        class_names: Sequence[str] = (),
        *,
        on_record: Callable[[], object] | None = None,
        on_stop: Callable[[], object] | None = None,
        on_gesture: Callable[[int], object] | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(owner, id=id)
        if isinstance(owner, Context):
            owner.offer_class_names(class_names)
        self._on_record = on_record or self._start
        self._on_stop = on_stop or (lambda: self._show(self.recorder.execute(Stop(actor="ui"))))
        self._asked = ("", 0.0)
        self._on_gesture = on_gesture
        self._state = Rows(classes="state")
        self._needs = Rows(classes="needs")
        self._gestures = GestureButtons(classes="gestures")

    def compose(self) -> ComposeResult:
        """State, buttons, gestures."""
        yield self._state
        yield self._needs
        with Horizontal():
            yield Action("● Record", self.record, variant="error")
            yield Action("■ Stop", self.stop, variant="primary")
        yield self._gestures

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        status = frame.status
        session = status.session
        head = ("● REC", "rec") if frame.recording else ("○ IDLE", "strong")
        elapsed = hms(session.elapsed_s) if frame.recording and session is not None else ""
        self._state.show([row((f" {head[0]} ", head[1]), (f" {elapsed}  ", "strong"), (status.message, "dim"))])
        told_elsewhere = bool(self.screen.query(StreamStatusView))
        needs = [] if told_elsewhere else needs_you(status.problems, self.size.width, _MOST_LINES)[1:]
        self._needs.styles.height = min(len(needs), _LINES_OF_NEEDS)
        self._needs.show(needs[:_LINES_OF_NEEDS])
        self._gestures.styles.height = len(status.gestures) + 2
        self._gestures.draw(frame)
        buttons = list(self.query(Action))
        buttons[0].disabled = frame.recording and not status.stopping  # a start follows on a stop under way
        buttons[1].disabled = not frame.recording or status.stopping

    def _start(self) -> None:
        """Start; where the recorder asks, a second press within a few seconds is a yes."""
        asked, at = self._asked
        again = asked and time.monotonic() - at < _YES_SECONDS
        reply = self.recorder.execute(Start(actor="ui", confirmed=1 if again else 0))
        self._asked = (reply.confirm, time.monotonic())
        self._show(reply)

    def _show(self, reply: Reply) -> None:
        """What was refused or is asked stands on the screen; what was done shows by itself."""
        if reply.ok:
            return
        text = f"{reply.confirm}: Record again starts all the same" if reply.confirm else reply.message
        self.app.call_from_thread(self.app.notify, text, severity="error", timeout=_YES_SECONDS)

    def record(self) -> None:
        """What the Record button does."""
        self._on_record()

    def stop(self) -> None:
        """What the Stop button does."""
        self._on_stop()

    def gesture(self, class_index: int, at: float | None = None, uncertainty_s: float = 0.0) -> None:
        """Begin a gesture at ``at`` (recorder's clock, s; None is now), uncertain by so much; -1 ends the label."""
        when = time.monotonic() if at is None else at
        command = AddLabel(class_index=class_index, timestamp=when, uncertainty_s=uncertainty_s, actor="ui")

        def label() -> None:
            reply = self.recorder.execute(command)
            if not reply.ok:
                self.app.call_from_thread(self.app.notify, reply.message, severity="error")
            elif self._on_gesture is not None:
                self._on_gesture(class_index)

        call_back(self, label)

    def on_clicked(self, message: Clicked) -> None:
        """A gesture row was clicked."""
        kind, _, value = message.action.partition(":")
        if kind == "label":
            message.stop()
            self.gesture(int(value), message.at)


class SignalView(Panel):
    """Envelopes of all channels of a stream that fit, scaled to the signal.

    Parameters
    ----------
    owner
        A `Context` or a recorder.
    stream
        Its name.
    seconds
        The window.
    """

    DEFAULT_CSS = "SignalView { height: 1fr; min-height: 6; }"
    fps = _PLOT_FPS

    def __init__(self, owner: Context | Recorder, stream: str, seconds: float = 10.0, *, id: str | None = None) -> None:
        super().__init__(owner, id=id)
        self.stream, self.seconds = stream, seconds
        self._plot = EnvelopePlot()
        self._scale = AutoScale()

    def compose(self) -> ComposeResult:
        """The plot."""
        yield self._plot

    def draw(self, frame: Frame) -> None:
        """Ask for the newest envelope and show it."""
        size = self._plot.size
        stream = next((one for one in frame.status.streams if one.name == self.stream), None)
        if stream is None or not stream.n_channels:
            self._plot.show([row((f" {self.stream}: not connected yet", "dim"))])
        elif size.height > 3:
            self._draw_stream(stream, frame, size)

    def _draw_stream(self, stream: StreamStatus, frame: Frame, size: Size) -> None:
        cells = plot_cells(size.width)
        n_channels = min(stream.n_channels, size.height - 3)
        view = View(stream=self.stream, seconds=self.seconds, columns=2 * cells, n_channels=n_channels)
        envelope = self.recorder.envelope(view)
        page = Page(
            n_channels=stream.n_channels,
            cursor=-1,
            seconds=self.seconds,
            scale=self._fit(envelope, frame.at, stream.quality[:n_channels]),
            unit=short_unit(stream.units[0]) if stream.units else "",
            quality=stream.quality,
        )
        self._plot.draw(envelope, page, frame)

    def _fit(self, envelope: Envelope | None, at: float, quality: Sequence[ChannelQuality]) -> float:
        if envelope is not None:
            low, high = decode_envelope(envelope.low, envelope.high, envelope.n_channels, envelope.columns)
            self._scale.feed(low, high, at, quality)
        return self._scale.scale or 1.0


class StreamTable(Rows):
    """Every stream that is seen, wanted or lost."""

    def draw(self, status: Status) -> None:
        """Show a snapshot."""
        self.show(stream_table(status.streams, -1, self.size.width) if status.streams else nothing_seen(status))


class StreamStatusView(Panel):
    """Every stream that is seen, wanted or lost, and what needs the operator."""

    DEFAULT_CSS = "StreamStatusView { height: auto; max-height: 14; }"

    def __init__(self, owner: Context | Recorder, *, id: str | None = None) -> None:
        super().__init__(owner, id=id)
        self._table, self._problems = StreamTable(), Rows()

    def compose(self) -> ComposeResult:
        """Table over problems."""
        yield self._table
        yield self._problems

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        problems = frame.status.problems
        self._table.styles.height = max(len(frame.status.streams) + 1, 5 if not frame.status.streams else 2)
        self._table.draw(frame.status)
        self._problems.styles.height = len(problems) + 1 if problems else 0
        self._problems.show(needs_you(problems, self.size.width, len(problems) + 1))


class SessionBrowser(Panel):
    """The sessions of the recorder's folder, newest first."""

    DEFAULT_CSS = "SessionBrowser { height: 1fr; min-height: 4; }"
    fps = 2.0

    def __init__(self, owner: Context | Recorder, *, id: str | None = None) -> None:
        super().__init__(owner, id=id)
        self._list = Rows()
        self._sessions: list[Any] = []
        self._listed = 0.0
        self._listing = False

    def compose(self) -> ComposeResult:
        """The list."""
        yield self._list

    def draw(self, frame: Frame) -> None:
        """Show the list; it is read again in the background every few seconds."""
        if not self._listing and time.monotonic() - self._listed > _LIST_SECONDS:
            self._listing = True
            folder = Path(frame.status.sessions_dir)
            self.run_worker(lambda: self._read(folder), thread=True, exit_on_error=False)
        size = self._list.size
        look = ListLook(n_known=len(self._sessions), listing=self._listed == 0.0)
        rows = session_rows(look.order.sort(self._sessions), frame, look, size.width, size.height)
        self._list.show(rows)

    def _read(self, folder: Path) -> None:
        from ..session.library.catalog import Catalog

        self._sessions = Catalog(folder).entries()
        self._listed, self._listing = time.monotonic(), False


class Text(Static):
    """Text that may change: a string, or a function that gives one a few times a second."""

    def __init__(self, content: str | Callable[[], object], *, id: str | None = None) -> None:
        super().__init__("" if callable(content) else content, markup=False, id=id)
        self._content = content

    def on_mount(self) -> None:
        """Begin to ask, where there is something to ask."""
        if callable(self._content):
            self._ask()
            self.set_interval(1.0 / _FPS, self._ask)

    def _ask(self) -> None:
        assert callable(self._content)
        try:
            self.update(str(self._content()))
        except Exception as error:
            self.update(f"{type(error).__name__}: {error}")


def gesture_of(key: events.Key, frame: Frame) -> int | None:
    """The class index that a key stands for; None where it is no gesture's."""
    character = key.character or ""
    return frame.keys.index(character) if character and character in frame.keys else None
