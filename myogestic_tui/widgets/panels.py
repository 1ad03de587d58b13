"""Public widgets on a recorder: what ``@app.ui`` composes, and what a whole Textual app of one's own can use.

Each takes a `Context` or any `app.recorder.Recorder`, looks at its status a few times a second, and shows what changed;
they are made of the widgets that the screens are made of.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal, Vertical
from textual.widgets import Button as TextualButton
from textual.widgets import Static

from ..app.interface import AddLabel, ScriptContext, Start, Stop
from ..plural import count_of
from .frame import Frame, recorder_of
from .gestures import GestureList
from .number_format import hms
from .problem_list import needs_you
from .session_table import Order, listed, table_columns
from .stable_table import Table
from .stream_table import StreamRow, columns, nothing_seen
from .strip_widget import Lines
from .styled_lines import DIM, REC, STRONG, line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from ..app.interface import Recorder, Reply

_FPS = 5.0
_LIST_SECONDS = 2.0
_LINES_OF_NEEDS = 2
"""Of what needs somebody, in the recording controls."""
_MOST_LINES = 50
_YES_SECONDS = 10.0
"""How long a question stands."""


class Panel(Vertical):
    """Base of the widgets here: shows the newest status ``fps`` times a second.

    Parameters
    ----------
    owner
        A `Context` or a recorder.
    """

    fps: ClassVar[float] = _FPS

    def __init__(self, owner: ScriptContext | Recorder, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.recorder = recorder_of(owner)

    def on_mount(self) -> None:
        self.set_interval(1.0 / self.fps, self.poll)
        self.call_after_refresh(self.poll)

    def poll(self) -> None:
        if self.is_attached:  # no widget can be mounted while the screens end
            self.show(Frame(status := self.recorder.status(), at=status.at))

    def show(self, frame: Frame) -> None:
        raise NotImplementedError


class Action(TextualButton):
    """A button that calls a function off the event loop, and shows what goes wrong with it.

    Parameters
    ----------
    label
        Its text.
    on_press
        Called with no argument; an exception is shown, and the recording continues.
    """

    def __init__(self, label: str, on_press: Callable[[], object], *, variant: Any = "default") -> None:
        super().__init__(label, variant=variant, compact=True)
        self._on_press_call = on_press

    def on_button_pressed(self, event: TextualButton.Pressed) -> None:
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
            with suppress(RuntimeError):  # the screens have ended meanwhile
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
    RecordingControls > .state { height: 1; }
    RecordingControls > Horizontal { height: 1; }
    RecordingControls Action { margin-right: 1; min-width: 12; }
    """

    def __init__(
        self,
        owner: ScriptContext | Recorder,
        class_names: Sequence[str] = (),
        *,
        on_record: Callable[[], object] | None = None,
        on_stop: Callable[[], object] | None = None,
        on_gesture: Callable[[int], object] | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__(owner, id=id)
        if isinstance(owner, ScriptContext):
            owner.offer_class_names(class_names)
        self._on_record = on_record or self._start
        self._on_stop = on_stop or (lambda: self._show(self.recorder.execute(Stop(actor="ui"))))
        self._asked = ("", 0.0)
        self._on_gesture = on_gesture
        self._state_line, self._needs = Lines(classes="state"), Lines()
        self._gestures = GestureList()
        self._buttons = (
            Action("● Record", self.record, variant="error"), Action("■ Stop", self.stop, variant="primary"),
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        yield self._state_line
        yield self._needs
        with Horizontal():
            yield from self._buttons
        yield self._gestures

    def show(self, frame: Frame) -> None:
        status = frame.status
        session = status.session
        head = (" ● REC ", REC) if frame.recording else (" ○ IDLE ", STRONG)
        elapsed = hms(session.elapsed_s) if frame.recording and session is not None else ""
        self._state_line.put([line(head, (f" {elapsed}  ", STRONG), (status.message, DIM))])
        told_elsewhere = bool(self.screen.query(StreamStatusView))
        needs = [] if told_elsewhere else needs_you(status.problems, self.size.width, _MOST_LINES)[1:]
        self._needs.put(needs[:_LINES_OF_NEEDS])
        self._gestures.show(frame)
        record, stop = self._buttons
        record.disabled = frame.recording and not status.stopping  # a start follows on a stop under way
        stop.disabled = not frame.recording or status.stopping

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

    def on_gesture_list_pressed(self, message: GestureList.Pressed) -> None:
        message.stop()
        self.gesture(message.class_index, message.at, message.doubt)


class StreamStatusView(Panel):
    """Every stream that is available, expected or lost, and what needs the operator."""

    DEFAULT_CSS = "StreamStatusView { height: auto; max-height: 14; } StreamStatusView Table { height: auto; }"

    def __init__(self, owner: ScriptContext | Recorder, *, id: str | None = None) -> None:
        super().__init__(owner, id=id)
        self._table, self._told = Table(cursor=False), Lines()

    def compose(self) -> ComposeResult:
        yield self._table
        yield self._told

    def show(self, frame: Frame) -> None:
        status, width = frame.status, self.size.width
        told = needs_you(status.problems, width, len(status.problems) + 1)
        if status.streams:
            self._table.put(columns(width), {s.key: StreamRow(s) for s in status.streams})
        else:
            told = [*nothing_seen(status), *told]
        self._table.display = bool(status.streams)
        self._told.put(told)


class SessionBrowser(Panel):
    """The sessions of the recorder's folder, newest first."""

    DEFAULT_CSS = """
    SessionBrowser { height: 1fr; min-height: 4; }
    SessionBrowser Lines { height: 1; }
    SessionBrowser Table { height: 1fr; }
    """
    fps = 2.0

    def __init__(self, owner: ScriptContext | Recorder, *, id: str | None = None) -> None:
        super().__init__(owner, id=id)
        self._told, self._table = Lines(), Table(cursor=False)
        self._sessions: list[Any] = []
        self._listed = 0.0
        self._listing = False

    def compose(self) -> ComposeResult:
        yield self._told
        yield self._table

    def show(self, frame: Frame) -> None:
        """Show the list; it is read again in the background every few seconds."""
        if not self._listing and time.monotonic() - self._listed > _LIST_SECONDS:
            self._listing = True
            folder = Path(frame.status.sessions_dir)
            self.run_worker(lambda: self._read(folder), thread=True, exit_on_error=False)
        order = Order()
        words = count_of(len(self._sessions), "session") if self._listed else "looking through the folder …"
        self._told.put([line((f" {frame.status.sessions_dir}   {words}", DIM))])
        rows = listed(order.sort(self._sessions), frame.status.jobs)
        self._table.put(table_columns(order, self.size.width), rows)

    def _read(self, folder: Path) -> None:
        from ..session.library.catalog import Catalog

        self._sessions = list(Catalog(folder).entries())
        self._listed, self._listing = time.monotonic(), False


class Text(Static):
    """Text that may change: a string, or a function that gives one a few times a second."""

    def __init__(self, content: str | Callable[[], object], *, id: str | None = None) -> None:
        super().__init__("" if callable(content) else content, markup=False, id=id)
        self._asked_for = content

    def on_mount(self) -> None:
        if callable(self._asked_for):
            self._ask()
            self.set_interval(1.0 / _FPS, self._ask)

    def _ask(self) -> None:
        assert callable(self._asked_for)
        try:
            self.update(str(self._asked_for()))
        except Exception as error:
            self.update(f"{type(error).__name__}: {error}")
