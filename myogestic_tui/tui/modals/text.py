"""A longer text over a screen: what happened, what the doctor found, how a stream describes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from ...widgets.styled_lines import content
from ..keys import command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ...widgets.frame import Frame
    from ...widgets.styled_lines import Line


class TextScreen(ModalScreen[None]):
    """Lines that scroll; ``esc`` closes them."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        command("escape,enter,h,q,question_mark", "close", "back", id="text.close"),
        command("up", "move(-1)", "up", id="text.up", show=False),
        command("down", "move(1)", "down", id="text.down", show=False),
        command("pageup", "page(-1)", "page up", id="text.page_up", show=False),
        command("pagedown,space", "page(1)", "page down", id="text.page_down", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Line]) -> None:
        super().__init__()
        self._heading, self._lines, self._told = title, list(lines), Static(content(lines), markup=False)
        self.renew: Callable[[], Sequence[Line]] | None = None
        """What the lines are now, where they are of something that goes on."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="text"):
            yield Static(f" {self._heading}", markup=False, classes="question")
            yield VerticalScroll(self._told)
            yield Static(" ↑↓ scroll   esc back", markup=False, classes="hint")

    def frame_came(self, _frame: Frame) -> None:
        """Something may have happened."""
        if self.renew is not None and (lines := list(self.renew())) != self._lines:
            self.put(lines)

    def put(self, lines: Sequence[Line]) -> None:
        """Other lines."""
        self._lines = list(lines)
        self._told.update(content(lines))

    def action_move(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        area = self.query_one(VerticalScroll)
        area.scroll_relative(y=by * max(area.size.height - 1, 1), animate=False)

    def action_close(self) -> None:
        self.dismiss(None)
