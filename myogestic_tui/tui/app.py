"""The viewer: a header and a footer that never move, four bodies between them, and one poller that feeds them."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual import events
from textual.containers import Container
from textual.message import Message

from ..app.protocol import foreseen
from ..app.recorder import AnyCommand, Recorder, Reply, Status
from ..clock import local_clock
from ..errors import MyoGesticError
from ..widgets.frame import Frame
from ..widgets.header import Header
from ..widgets.rows import Clicked, Rows
from ..widgets.spans import fit, row
from .actions import Actions
from .base import TerminalApp
from .bell import CueBell
from .dispatch import Dispatcher
from .footer import footer_row, typing_footer
from .keys import KeyCommand, Keymap
from .labels import Labeller
from .overlay import Palette, help_rows, text_rows
from .pacer import Pacer
from .prompt import Ask, TypeLine
from .runner import CommandRunner, Then
from .screens import build_body
from .stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from ..widgets.traces import GlyphSet
    from .options import ViewerOptions
    from .terminal import KeyBurst
    from .view import Body

SAID_SECONDS = 8.0
"""How long a reply stands in the message line."""
IDLE_FPS = 2.0
CALM_FPS = 4.0


class Snapshot(Message):
    """The newest frame; one that was not handled yet is replaced, so a slow screen skips and never queues."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame

    def can_replace(self, message: Message) -> bool:
        """A newer snapshot is all that counts."""
        return isinstance(message, Snapshot)


class Viewer(TerminalApp, inherit_bindings=False):
    """The screens on a recorder.

    Parameters
    ----------
    recorder
        What is shown and driven.
    options
        How.
    """

    def __init__(self, recorder: Recorder, options: ViewerOptions) -> None:
        super().__init__(options.theme, options.glyphs)
        self.recorder = recorder
        self.options = options
        self.keymap = Keymap(options.keymap, options.keyboard)
        self.pacer = Pacer(options.fps)
        self.frame = Frame(Status(at=time.monotonic()), screen=options.screen)
        self.prompt: Ask | TypeLine | None = None
        self.labeller = Labeller(self)
        self.actions = Actions(self)
        self.actor = f"tui {os.getpid()}"
        self._dispatcher = Dispatcher(self)
        self._bodies: dict[str, Body] = {}
        self._overlay: Callable[[int, int], list[Any]] | None = None
        self._overlay_at = 0
        self._said = ("", "", 0.0)
        self._history: deque[tuple[str, str, bool]] = deque(maxlen=100)
        self.opening = False
        self._cue_bell = CueBell()
        self._greeted = False
        self._before: Status | None = None
        self._footer_about: object = None
        self._wake = asyncio.Event()
        self._runner: CommandRunner | None = None
        self.command_palette_list: Palette | None = None

    # ---------------------------------------------------------------- composition

    def compose(self) -> ComposeResult:
        """Header, body, message line, footer."""
        self.header = Header(id="header")
        self.overlay_rows = Rows(id="overlay")
        self.body_box = Container(self.overlay_rows, id="body")
        self.message_row = Rows(id="message")
        self.footer_rows = Rows(id="footer")
        yield self.header
        yield self.body_box
        yield self.message_row
        yield self.footer_rows

    async def on_mount(self) -> None:
        """Open the first screen, and start the poller once it is painted."""
        self._runner = CommandRunner(self.recorder, asyncio.get_running_loop())
        self.refresh_status()
        await self._open(self.options.screen)
        self.run_worker(self._poll(), name="poller", exit_on_error=True)

    @property
    def glyph_set(self) -> GlyphSet:
        """What traces are drawn with."""
        if self.ascii_only:
            return "ascii"
        return "block" if self.options.glyphs == "block" else "braille"

    @property
    def screen_name(self) -> str:
        """Which of the four screens is in front."""
        return self.frame.screen

    @property
    def body(self) -> Body:
        """The body in front."""
        return self._bodies[self.screen_name]

    async def _open(self, name: str) -> None:
        if name not in self._bodies:
            self._bodies[name] = body = build_body(name, self)
            await self.body_box.mount(body)
        for other, body in self._bodies.items():
            body.display = other == name
        self.frame = self._framed(self.frame.status, name)
        self._bodies[name].fit_width(self.size.width)
        self._bodies[name].opened()
        self.opening = False
        self.call_after_refresh(self.redraw)

    def open_screen(self, name: str) -> None:
        """Bring one of the four screens to the front."""
        self.hide_overlay()
        self.opening = True
        self.call_next(self._open, name)
        self._wake.set()

    # ---------------------------------------------------------------- poller

    async def _poll(self) -> None:
        due = time.monotonic()
        while True:
            due += 1.0 / self._rate()
            await self._rest(due - time.monotonic())
            now = time.monotonic()
            self.pacer.woke(max(now - due, 0.0) if now >= due else 0.0, busy=self.busy)
            due = min(due, now)
            if due < now - 1.0:
                due = now
            if not self.caught_up():
                continue
            if self._stopping():
                self.exit(0)
                return
            self.refresh_status()
            self.post_message(Snapshot(self.frame))

    async def _rest(self, seconds: float) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), max(seconds, 0.001))
        except TimeoutError:
            return

    def _rate(self) -> float:
        frame = self.frame
        body = self._bodies.get(self.screen_name)
        protocol = frame.status.protocol
        moving = frame.recording or (protocol is not None and protocol.state == "running")
        if body is not None and body.lively and (moving or (self.screen_name == "live" and frame.live)):
            return self.pacer.fps
        return min(self.pacer.fps, CALM_FPS if frame.recording or frame.live else IDLE_FPS)

    def _stopping(self) -> bool:
        stopping = getattr(self.recorder, "stopping", None)
        return stopping is not None and stopping.is_set()

    def refresh_status(self) -> None:
        """Take the newest snapshot."""
        try:
            status, gone = self.recorder.status(), str(getattr(self.recorder, "gone", None) or "")
        except MyoGesticError as error:
            status, gone = self.frame.status, str(error)
        self._close_old_question(status)
        went = bool(gone) and not self.frame.gone
        self.ask_terminal(status.state == "recording" and not gone)
        status = foreseen(status, local_clock())
        if self._cue_bell.began(status.protocol) and status.protocol is not None and status.protocol.bell:
            self.bell()
        self.frame = self._framed(status, self.screen_name, gone)
        if went:
            self.actions.recorder_gone(gone)
        elif not self._greeted and status.app_name and self._runner is not None:  # it is up, not just starting
            self._greeted = True
            self.actions.greet(status, self._before)

    def _close_old_question(self, status: Status) -> None:
        """A question about a recording closes when that ends; who ended it is told."""
        about = self.prompt.session if isinstance(self.prompt, Ask) else ""
        session = status.session
        if about and (session is None or session.id != about or status.state == "idle"):
            self.close_prompt()
            same = session is not None and session.id == about
            how = session.ended_by if same and session is not None else ""
            self.say(how or "that recording has ended", bad=True)

    def _framed(self, status: Status, screen: str, gone: str | None = None) -> Frame:
        return Frame(
            status,
            screen=screen,
            at=status.at,
            wall=time.strftime("%H:%M"),
            fps=self.pacer.fps,
            slowed=self.pacer.slowed,
            gone=self.frame.gone if gone is None else gone,
        )

    def on_snapshot(self, message: Snapshot) -> None:
        """Draw what changed."""
        message.stop()
        self.redraw()

    def redraw(self) -> None:
        """Show the present state everywhere; rows that did not change cost nothing."""
        body = self._bodies.get(self.screen_name)
        if body is None or not self.is_running:
            return
        frame = self.frame
        with self.batch_update():
            self.header.draw(frame)
            if self._overlay is not None:
                size = self.overlay_rows.size
                rows = self._overlay(size.width, size.height)
                self._overlay_at = max(min(self._overlay_at, len(rows) - size.height), 0)
                self.overlay_rows.show(rows[self._overlay_at :][: size.height])
            else:
                body.draw(frame)
            self.message_row.show([self._message_line(self.message_row.size.width)])
            typing = isinstance(self.prompt, TypeLine)
            self._draw_footer(frame, self.footer_rows.size.width, typing)
        if isinstance(self.screen, Stage):
            self.screen.paint()

    def reconnect(self) -> None:
        """Find or start a recorder in place of the one that went."""
        start = self.options.reconnect
        if start is None or self._runner is None:
            return
        self.say("starting the recorder …")
        self._before = self.frame.status

        def swap() -> None:
            try:
                fresh = start()
            except (MyoGesticError, OSError) as error:
                self.call_from_thread(self.say, str(error), bad=True)
                return
            self.call_from_thread(self._take_over, fresh)

        threading.Thread(target=swap, name="viewer-reconnect", daemon=True).start()

    def _take_over(self, fresh: Recorder) -> None:
        if fresh is not self.recorder:
            self.recorder.close()
            self.recorder = fresh
        self._greeted = False
        if self._runner is not None:
            self._runner.recorder = fresh
        self.refresh_status()
        self.say("a recorder answers again")

    def _draw_footer(self, frame: Frame, width: int, typing: bool) -> None:
        cued = frame.protocol is not None
        about = (self.screen_name, frame.recording, cued, width, typing)
        if about != self._footer_about:
            self._footer_about = about
            keys = footer_row(self.keymap, self.screen_name, frame.recording, width, cued=cued)
            self.footer_rows.show([typing_footer(width) if typing else keys])

    def on_unmount(self) -> None:
        """Let the commands under way finish."""
        if self._runner is not None:
            self._runner.close()

    # ---------------------------------------------------------------- keys, clicks, resize

    async def on_event(self, event: events.Event) -> None:
        """Keys and pastes end here; nothing ever has the focus."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._dispatcher.take([event])
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            self._dispatcher.paste(event.text)
        else:
            await super().on_event(event)

    def on_key_burst(self, message: KeyBurst) -> None:
        """Keys of one read."""
        self._dispatcher.take(message.keys)

    def on_clicked(self, message: Clicked) -> None:
        """A span with an action was clicked."""
        message.stop()
        kind, _, value = message.action.partition(":")
        if kind == "screen":
            self.open_screen(value)
        elif kind == "label":
            self.labeller.press(int(value), message.at, self.frame)
        elif kind == "key":
            command = self.keymap.command(self.screen_name, value)
            if command is not None:
                self.run_command(command.id, message.at)
        elif not self.body.click(message.action):
            return
        self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """The new size decides on the layout; everything is drawn for it once it is known."""
        for body in self._bodies.values():
            body.fit_width(event.size.width)
        self.call_after_refresh(self.redraw)

    def run_command(self, command_id: str, at: float, doubt: float = 0.0) -> None:
        """Run a command by its id; ``at`` is when it was asked for, with a doubt in seconds."""
        screen, _, name = command_id.rpartition(".")
        if screen == "screen":
            self.open_screen(name)
            return
        owner = self.actions if not screen else self._bodies.get(screen)
        handler = getattr(owner, f"do_{name}", None)
        if handler is None:
            self.say(f"{name} is not available here")
            return
        self.actions.at, self.actions.doubt = at, doubt
        handler()
        self.redraw()

    # ---------------------------------------------------------------- what is said, asked and typed

    def execute(self, command: AnyCommand, then: Then | None = None) -> None:
        """Send a command; its reply goes to ``then``, or else to the message line."""
        if self._runner is not None:
            self._runner.submit(command, then or self._heard)

    def _heard(self, command: AnyCommand, reply: Reply) -> None:
        self.refresh_status()
        if reply.confirm:
            self._confirm(command, reply.confirm)
        else:
            self.say(reply.message, bad=not reply.ok)

    def _confirm(self, command: AnyCommand, question: str) -> None:
        """The recorder asks before it carries out a command; a yes sends it again."""
        again = replace(command, confirmed=getattr(command, "confirmed", 0) + 1)
        answers = {"enter": ("yes", lambda: self.execute(again))}
        self.ask(Ask(question, answers, close="no", session=self.frame.session_id))

    def say(self, text: str, *, bad: bool = False) -> None:
        """Put a line before the operator for a while."""
        if text:
            self._history.append((time.strftime("%H:%M:%S"), text, bad))
        self._said = (text, "warn" if bad else "ok", time.monotonic() + SAID_SECONDS)
        self.redraw()

    def _message_line(self, width: int) -> Any:
        if self.prompt is not None:
            return self.prompt.rows(width)
        text, style, until = self._said
        if time.monotonic() > until:
            text, style = self.frame.gone or self.frame.status.message, "bad" if self.frame.gone else "dim"
        return row((fit(f" {text}", width), style))

    def ask(self, question: Ask) -> None:
        """Open a question."""
        self.prompt = question
        self.redraw()

    def type_line(self, line: TypeLine) -> None:
        """Open a line for typing; gesture keys are off while it is open."""
        self.prompt = line
        self.redraw()

    def close_prompt(self) -> None:
        """Close the bottom line."""
        self.prompt = None
        if self.command_palette_list is not None:
            self.command_palette_list = None
            self.hide_overlay()

    # ---------------------------------------------------------------- overlay

    def show_overlay(self, rows: Callable[[int, int], list[Any]]) -> None:
        """Lay rows over the body; gestures go on."""
        self._overlay, self._overlay_at = rows, 0
        self._toggle_overlay(True)

    def hide_overlay(self) -> None:
        """Back to the body."""
        if self._overlay is not None:
            self._overlay = None
            self._toggle_overlay(False)

    def _toggle_overlay(self, on: bool) -> None:
        self.overlay_rows.set_class(on, "open")
        self.body.display = not on
        self.call_after_refresh(self.redraw)

    def overlay_key(self, name: str) -> bool:
        """Keys while something lies over the body: scroll or close; False where nothing does."""
        if self._overlay is None:
            return False
        page = max(self.overlay_rows.size.height - 2, 1)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}
        if name in steps:
            self._overlay_at = max(self._overlay_at + steps[name], 0)
            self.redraw()
            return True
        self.hide_overlay()
        return name in ("escape", "?", "q", "enter")

    def show_text(self, title: str, lines: Sequence[str]) -> None:
        """A longer text over the body."""
        self.show_overlay(lambda width, _: text_rows(title, lines, width))

    def show_history(self) -> None:
        """What was said so far, newest first, at full length."""
        said = [f"{clock}  {text}" for clock, text, _ in reversed(self._history)]
        self.show_text("messages, newest first", said or ["nothing was said yet"])

    def show_help(self) -> None:
        """All keys."""
        self.show_overlay(lambda width, _: help_rows(self.keymap, self.screen_name, self.frame, width))

    def open_palette(self, extra: tuple[KeyCommand, ...] = ()) -> Palette:
        """The list of commands over the body."""
        self.command_palette_list = palette = Palette(self.keymap, self.screen_name, extra)
        self.show_overlay(palette.rows)
        return palette
