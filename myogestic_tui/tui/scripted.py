"""The main screen of a script with ``@app.ui``: its widgets, with gesture keys, and the four screens one key away."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from ..app.recorder import AddLabel, Stop
from ..widgets.compose import compose_ui
from ..widgets.frame import Frame
from ..widgets.glyphs import terminal_is_utf8
from ..widgets.header import Header
from ..widgets.panels import RecordingControls, call_back, gesture_of
from .keytimes import doubt_of
from .launch import launch
from .signals import Shed, bounded_exit
from .terminal import HungUp, KeyBurst, ViewerDriver
from .theme import choose_theme, palette_of, textual_themes

if TYPE_CHECKING:
    from textual import events

    from ..app import App as Recording
    from .options import ViewerOptions

_SCREENS = ("streams", "live", "record", "sessions")
_FPS = 5.0
_FOOTER = " 1-9 A-Z gestures  e no label  tab ⏎ buttons  x stop  s l r b screens  q leave"


class ScriptScreens(App[str]):
    """Runs until it is left; the result is the name of the screen to open instead, ``"leave"`` or ``"keep"``.

    Parameters
    ----------
    recording
        The script's app, with its ``ui`` function.
    options
        Theme and mouse.
    """

    CSS = """
    Screen { background: $paper; color: $ink; layout: vertical; }
    #header { height: 3; }
    #script { height: 1fr; padding: 0 1; }
    #ask, #keys { height: 1; }
    #keys { color: $ink-2; }
    """
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[Any]] = [
        Binding("s", "open('streams')"),
        Binding("l", "open('live')"),
        Binding("r", "open('record')"),
        Binding("b", "open('sessions')"),
        Binding("x", "ask_stop"),
        Binding("q", "ask_leave"),
        Binding("ctrl+q", "ask_leave", priority=True),
    ]

    def __init__(self, recording: Recording, options: ViewerOptions) -> None:
        super().__init__(driver_class=ViewerDriver)
        self.recording = recording
        self.animation_level = "none"
        for theme in textual_themes():
            self.register_theme(theme)
        self.theme = choose_theme(options.theme)
        self.ascii_only = options.glyphs == "ascii" or not terminal_is_utf8()
        self.palette = palette_of(self.theme)
        self._composed_for = ""
        self._answers: dict[str, Any] = {}

    def compose(self) -> ComposeResult:
        """Header, the script's widgets, a line for questions, the keys."""
        yield Header(id="header")
        yield Vertical(id="script")
        yield Static("", id="ask", markup=False)
        yield Static(_FOOTER, id="keys", markup=False)

    async def on_mount(self) -> None:
        """Compose the script's part, and look at the recorder from now on."""
        await self._look()
        self.set_interval(1.0 / _FPS, self._look)

    async def _look(self) -> None:
        if self.recording.stopping.is_set():
            self.exit("leave")
            return
        status = self.recording.status()
        if isinstance(self._driver, ViewerDriver):
            self._driver.asks = status.state == "recording"
        self.query_one(Header).draw(Frame(status, screen="", at=status.at, wall=time.strftime("%H:%M")))
        if self._composed_for != self.recording.ctx.state:
            self._composed_for = self.recording.ctx.state
            await self._compose_script()

    async def _compose_script(self) -> None:
        """The script's widgets for the present state; what goes wrong there is shown in their place."""
        box = self.query_one("#script", Vertical)
        assert self.recording.ui_function is not None
        try:
            widgets = compose_ui(self.recording.ui_function, self.recording.ctx)
        except Exception as error:
            text = f"ui(ctx) failed: {type(error).__name__}: {error}\nThe recording is not touched by it."
            widgets = [VerticalScroll(Static(text, markup=False))]
        await box.remove_children()
        await box.mount_all(widgets)

    # ---------------------------------------------------------------- keys

    def on_key(self, event: events.Key) -> None:
        """An answer to the open question, or a gesture."""
        if self._answers:
            event.stop()
            event.prevent_default()
            action = self._answers.get(event.key)
            if action is not None or event.key == "escape":
                self._ask("", {})
            if action is not None:
                action()
            return
        index = -1 if event.key == "e" else gesture_of(event, Frame(self.recording.status()))
        if index is not None:
            event.stop()
            self.action_label(index, event.time, doubt_of(event))

    def on_key_burst(self, message: KeyBurst) -> None:
        """Keys of one read, one after the other."""
        for key in message.keys:
            self.post_message(key)

    def on_hung_up(self, _: HungUp) -> None:
        """The terminal is gone; the recording is not."""
        self.exit("keep")

    def leave(self, _: int) -> None:
        """Ask the screens to end; safe in a signal handler."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit, "keep")

    def give_back(self) -> None:
        """Restore the terminal directly."""
        if isinstance(self._driver, ViewerDriver):
            self._driver.give_back()

    def action_label(self, class_index: int, at: float | None = None, doubt: float = 0.0) -> None:
        """Begin a gesture, through the script's controls where it has some."""
        controls = self.query(RecordingControls)
        if controls:
            controls.first().gesture(class_index, at, doubt)
            return
        command = AddLabel(class_index=class_index, timestamp=at, uncertainty_s=doubt, actor="ui")
        call_back(self.screen, self.recording.execute, command)

    def action_open(self, screen: str) -> None:
        """One of the four screens."""
        self.exit(screen)

    def action_ask_stop(self) -> None:
        """Stop takes two different keys, so that a repeat cannot do it."""
        if self.recording.ctx.state == "recording":
            self._ask("stop?   ⏎ save   esc go on", {"enter": self._stop})

    def _stop(self) -> None:
        controls = self.query(RecordingControls)
        call_back(self.screen, controls.first().stop if controls else lambda: self.recording.execute(Stop(actor="ui")))

    def action_ask_leave(self) -> None:
        """While recording, leaving asks."""
        if self.recording.ctx.state != "recording":
            self.exit("leave")
            return
        answers = {"enter": lambda: self.exit("keep"), "x": self._stop_and_leave}
        self._ask("leave?   ⏎ keep recording   x stop and save   esc stay", answers)

    def _stop_and_leave(self) -> None:
        self.recording.stop_recording()
        self.exit("leave")

    def _ask(self, question: str, answers: dict[str, Any]) -> None:
        self._answers = answers
        self.query_one("#ask", Static).update(f" {question}" if question else "")


def run_scripted(recording: Recording, options: ViewerOptions) -> int:
    """Show a script's own screen, and the four screens when they are asked for, until they are left.

    Returns
    -------
    int
        0 after leaving; what `run_viewer` says where its screens failed.
    """
    while True:
        screens = ScriptScreens(recording, options)
        try:
            with bounded_exit(screens.leave, screens.give_back, embedded=True):
                wanted = screens.run(mouse=options.mouse)
        except Shed:
            screens.give_back()
            return 0
        if wanted not in _SCREENS:
            return screens.return_code or 0
        code = launch(recording, replace(options, screen=wanted))
        if code or recording.stopping.is_set():
            return code
