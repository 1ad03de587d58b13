"""What all programs that take a whole terminal have in common: a look, keys in order, frames that the link can take."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.geometry import Size

from ..widgets.colours import readable, variable_defaults
from ..widgets.glyphs import AsciiFilter, PrintableFilter, wants_ascii
from .frame_pacing import Pacer
from .key_timing import ASLEEP_SECONDS
from .keys import KeyQueue, settled
from .parsed_once import ParsedOnce
from .terminal_link import HUNG_UP, Link
from .themes import DARK, LIGHT, choose_theme, colour_bits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.filter import LineFilter

    from .shutdown_signals import BoundedExit

_BUSY_SECONDS = 0.05
"""How soon it looks again whether the link has taken what came before."""
_READING_SECONDS = 0.1
_IDLE_READING_SECONDS = 0.25
"""How often it tells that keys are read, while they can become labels and while not; a quarter is `KeyTimes`' least."""
_WAITED_SECONDS = 0.2
"""What is read so soon after the screens opened, or after this process stood still, has waited for that."""
_LAST_ANSWER_SECONDS = 0.4
"""Leaving waits so long for answers of the terminal: they would be typed into the shell."""


class TerminalApp(App[int]):
    """An app whose frames come from a clock that knows the link.

    Parameters
    ----------
    theme
        ``dark``, ``light``, ``ansi``, or a theme of Textual's; the terminal may be able to show less.
    glyphs
        ``ascii``, ``block``, or ``auto``: what the terminal's locale says; anything else is UTF-8.
    fps
        Frames per second at most.
    link
        The terminal; None is one that neither stalls nor goes, as in tests.
    """

    TITLE = "myogestic-tui"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[Any]] = []

    def __init__(self, theme: str, glyphs: str, fps: float, link: Link | None = None) -> None:
        no_colour = "NO_COLOR" in os.environ
        self.colour_bits = colour_bits()
        self.theme_wanted = choose_theme(theme)
        super().__init__(ansi_color=True if no_colour else None)
        self.animation_level = "none"
        self.ascii_only = wants_ascii(glyphs)
        self.block_glyphs = glyphs == "block"
        self.text_filter = AsciiFilter() if self.ascii_only else PrintableFilter()
        self.link = link or Link()
        self.ending: BoundedExit | None = None
        self.pacer = Pacer(fps)
        self.keys = KeyQueue(self._hand_on, self.pasted, self.is_typing, self._doubt, self.link.times.answered)
        self.key_time = self.key_doubt = 0.0
        """When the last key or click was read, and how much earlier (s) it may have been made."""
        self._opened_until = self._drew_at = 0.0
        self._wake = asyncio.Event()
        self._held = contextlib.ExitStack()
        self._holding = False
        self._leaving = False
        self._own_loop: asyncio.AbstractEventLoop | None = None
        for one in (DARK, LIGHT):
            self.register_theme(one)
        if self.theme_wanted not in self.available_themes:
            from ..errors import ConfigError

            known = ", ".join(["dark", "light", "ansi", *sorted(self.available_themes)])
            raise ConfigError(f"screen.theme {self.theme_wanted!r} is not known; allowed: {known}")
        self.theme = self.theme_wanted
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Gesture colours, and what our stylesheets use beyond Textual's variables."""
        return variable_defaults(self.current_theme)

    def get_css_variables(self) -> dict[str, str]:
        """The theme's, such that all that is written can be read."""
        self.theme_variables = readable(self.current_theme, super().get_css_variables())
        return self.theme_variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Nothing that is no text; ASCII alone, where the terminal has no more."""
        return [*super().get_line_filters(), self.text_filter]

    @property
    def picture_bytes(self) -> float:
        """Bytes that pictures may send with this frame."""
        return self.link.picture_bytes

    # ---------------------------------------------------------------- frames

    def on_mount(self) -> None:
        self._own_loop = asyncio.get_running_loop()
        self.link.asks = not self.is_headless
        self._opened_until = time.monotonic() + _WAITED_SECONDS if self.link.asks else 0.0
        self.run_worker(self.keys.run(), name="keys", exit_on_error=True)
        self.run_worker(self._watch_reading(), name="reading", exit_on_error=True)
        self.run_worker(self._clock(), name="clock", exit_on_error=True)

    def rate(self) -> float:
        return self.pacer.fps

    def frame_due(self) -> None:
        raise NotImplementedError

    def wake(self) -> None:
        """Draw a frame as soon as the link can take one."""
        self._wake.set()

    def _in_loop(self, call: Callable[..., object], *arguments: object) -> None:
        """Call in the event loop, from any thread and from a signal handler; not once the loop has ended."""
        if self._own_loop is not None:
            with contextlib.suppress(RuntimeError):
                self._own_loop.call_soon_threadsafe(call, *arguments)

    def wake_soon(self) -> None:
        """As `wake`, from any thread."""
        self._in_loop(self._wake.set)

    def frame_soon(self) -> None:
        """As `wake_soon`, but no sooner than the frame rate has it."""
        self._in_loop(self._wake_in_time)

    def _wake_in_time(self) -> None:
        asyncio.get_running_loop().call_later(self._drew_at + 1.0 / self.pacer.fps - time.monotonic(), self._wake.set)

    async def _clock(self) -> None:
        """Frames at a steady pace; none while the link has not taken what came before."""
        due = time.monotonic()
        while True:
            due += 1.0 / self.rate()
            await self._rest(due)
            if self._leaving:
                return
            now = time.monotonic()
            self.pacer.woke(max(now - due, 0.0), busy=self.link.busy)
            due = min(due, now) if now - due < 1.0 else now
            if self.link.gone:
                self.leave(HUNG_UP)
            elif not self._hold():
                self._follow_size()
                self._drew_at = time.monotonic()
                self.frame_due()

    async def _rest(self, due: float) -> None:
        """Until a frame is due or wanted at once, or a link that was busy takes one."""
        self._wake.clear()
        while (left := due - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _BUSY_SECONDS) if self._holding else left):
                    await self._wake.wait()
            if self._holding:
                self.link.ask_again()
                self._wake.clear()
                if not self._hold() and not self.link.waits_for_answers:
                    break
            elif self._wake.is_set():
                return
        await asyncio.sleep(0)

    def _hold(self) -> bool:
        """Hold all output back while the link is busy; True while it is."""
        busy = self.link.busy
        if busy and not self._holding:
            self._held.enter_context(self.batch_update())
        elif not busy and self._holding:
            self._held.close()
        self._holding = busy
        return busy

    def _follow_size(self) -> None:
        """Ask the terminal: signals that overtake each other leave Textual with a size that is not the last one."""
        size = self.link.size()
        if size is not None and Size(*size) != self.size:
            self.post_message(events.Resize(Size(*size), Size(*size)))

    # ---------------------------------------------------------------- keys

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.CursorPosition):
            for _ in range(self.link.answered(event.x)):
                self.keys.put(event)
            if self._holding:
                self.wake()
        elif isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded:
            self.keys.put(event)
        else:
            if isinstance(event, events.MouseUp) and not event.is_forwarded:
                self.key_time, self.key_doubt = event.time, self._doubt(event.time, 1)
            await super().on_event(event)

    async def _watch_reading(self) -> None:
        """Tell that keys are read, and ask the terminal for signs of life as long as keys can become labels."""
        looked, times = time.monotonic(), self.link.times
        while not self._leaving:
            await asyncio.sleep(_READING_SECONDS if self.is_labelling() else _IDLE_READING_SECONDS)
            if time.monotonic() - looked > ASLEEP_SECONDS:
                await asyncio.sleep(_WAITED_SECONDS)
            looked = time.monotonic()
            times.reading(looked)
            if self.is_labelling() and times.due(looked):
                self.link.ask()

    def _doubt(self, at: float, n_keys: int) -> float:
        """How much earlier (s) than ``at`` the keys of one read may have been pressed."""
        times = self.link.times
        if self.is_headless:  # nothing lies between a test and its keys
            times.reading(at)
        if at < self._opened_until:
            times.opened(self.link.began)
        return times.doubt(at, n_keys, stalled_since=self.link.stalled_since(at))

    async def _hand_on(self, event: events.Event, doubt: float) -> None:
        """One key, and all that it sets off; none once the screens are being closed."""
        if self._leaving:
            return
        self.key_time, self.key_doubt = event.time, doubt
        event = _one_line(event) if isinstance(event, events.Paste) else self.meant(event)
        await super().on_event(event)
        if not self._leaving:
            await settled([*(self.focused or self.screen).ancestors_with_self])

    def meant(self, event: events.Event) -> events.Event:
        """The key that an event stands for; it is about to be handed on."""
        return event

    def is_typing(self) -> bool:
        """Whether a line is open for typing."""
        return False

    def is_labelling(self) -> bool:
        """Whether a key may become a label now."""
        return False

    def pasted(self, n_keys: int) -> None:
        """So many keys looked like pasted text, and were dropped."""

    # ---------------------------------------------------------------- the end

    def leave(self, code: int = 0) -> None:
        """End within a second, whatever the link does."""
        if self._leaving:
            return
        self._leaving = True
        if self.ending is not None:
            self.ending.arm(code)
        self.link.asks = False
        self.run_worker(self._leave(code), name="leave", exit_on_error=False)

    async def _leave(self, code: int) -> None:
        until = time.monotonic() + _LAST_ANSWER_SECONDS
        while self.link.waits_for_answers and time.monotonic() < until and not self.link.gone:
            await asyncio.sleep(0.01)
        self._held.close()
        self.exit(code)

    def leave_soon(self, code: int) -> None:
        """As `leave`; safe in a signal handler."""
        self._in_loop(self.leave, code)

    async def action_quit(self) -> None:
        self.leave(0)


def _one_line(event: events.Paste) -> events.Paste:
    """A paste for a line of typing: line ends become blanks."""
    pasted = events.Paste(" ".join(event.text.split()))
    pasted.time = event.time
    return pasted
