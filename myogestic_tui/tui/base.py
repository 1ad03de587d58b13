"""What all programs that take a whole terminal have in common: a look, and a terminal that may stall or go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.geometry import Size

from ..widgets.glyphs import wants_ascii
from .stage import Stage
from .terminal import HungUp, ViewerDriver
from .theme import STYLESHEET, choose_theme, palette_of, textual_themes

if TYPE_CHECKING:
    from textual.screen import Screen

HUNG_UP = 129
"""Exit code when the terminal went away."""


_AGAIN_SECONDS = 0.03
"""How soon it looks again whether the link has taken what came before."""


class TerminalApp(App[int], inherit_bindings=False):
    """A stage of rows, without Textual's own keys.

    Parameters
    ----------
    theme
        ``dark``, ``light`` or ``ansi``; the terminal may be able to show less.
    glyphs
        ``ascii``, or ``auto``: what the terminal's locale says; anything else is UTF-8.
    """

    CSS_PATH = STYLESHEET
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    ALLOW_SELECT = False
    TITLE = "myogestic-tui"
    BINDINGS: ClassVar[list[Any]] = []

    def __init__(self, theme: str, glyphs: str) -> None:
        super().__init__(driver_class=ViewerDriver)
        theme = choose_theme(theme)
        self.animation_level = "none"
        for one in textual_themes():
            self.register_theme(one)
        self.theme = theme
        self.ascii_only = wants_ascii(glyphs)
        self.palette = palette_of(theme)
        self._held = False
        self._trying = False

    def get_default_screen(self) -> Screen[None]:
        """The stage."""
        return Stage()

    @property
    def busy(self) -> bool:
        """Whether the link still has to take earlier output."""
        return isinstance(self._driver, ViewerDriver) and self._driver.busy

    def ask_terminal(self, wanted: bool) -> None:
        """Ask the terminal for signs of life as long as keys can become labels."""
        if isinstance(self._driver, ViewerDriver):
            self._driver.asks = wanted

    def hold_back(self) -> bool:
        """True where nothing may be drawn now; it is drawn as soon as the link has taken the rest."""
        self._held = self.busy
        if self._held and not self._trying:
            self._trying = True
            self.set_timer(_AGAIN_SECONDS, self._try_again)
        return self._held

    def _try_again(self) -> None:
        self._trying = False
        if not self.hold_back() and isinstance(self.screen, Stage):
            self.screen.draw_held()

    def caught_up(self) -> bool:
        """Whether the link has taken all that came before; what was held back is drawn then."""
        if self.busy:
            return False
        self._check_size()
        if self._held:
            self._held = False
            if isinstance(self.screen, Stage):
                self.screen.draw_held()
        return True

    def _check_size(self) -> None:
        """Ask the terminal: signals that overtake each other leave Textual with a size that is not the last one."""
        if not isinstance(self._driver, ViewerDriver):
            return
        size = Size(*self._driver.terminal_size())
        if size != self.size and size.area:
            self.post_message(events.Resize(size, size))

    def give_back(self) -> None:
        """Restore the terminal directly."""
        if isinstance(self._driver, ViewerDriver):
            self._driver.give_back()

    @property
    def crash(self) -> BaseException | None:
        """What ended the screens, where that was a fault of theirs."""
        return getattr(self._exception, "error", self._exception)

    def _fatal_error(self) -> None:
        """End quietly: `launch` says what happened once the terminal is given back."""
        self._close_messages_no_wait()

    def leave(self, code: int) -> None:
        """Ask the screens to end; safe in a signal handler."""
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self.exit, code)

    def on_hung_up(self, _: HungUp) -> None:
        """The terminal is gone; the recorder is not told to do anything."""
        self.exit(HUNG_UP)
