"""One line for typing; gesture keys are off while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..keys import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ...widgets.frame import Frame


class TypeLine(ModalScreen["str | None"]):
    """Typing in the bottom line: ``⏎`` saves, ``esc`` cancels (the result is None then).

    Parameters
    ----------
    title
        What is typed.
    value
        What stands there to begin with.
    changed
        Told of the text as it is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [command("escape", "cancel", "cancel", id="line.cancel")]

    def __init__(self, title: str, value: str = "", *, changed: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self._heading, self._value, self._told = title, value, changed

    def compose(self) -> ComposeResult:
        """Title, input, what the keys do."""
        with Horizontal(classes="prompt"):
            yield Static(f" {self._heading}: ", markup=False, classes="question")
            box = Input(self._value, compact=True, select_on_focus=False)
            box.cursor_blink = False
            yield box
            yield Static(" gesture keys off   ⏎ save  esc cancel ", markup=False, classes="hint")

    def frame_came(self, _: Frame) -> None:
        """What is typed has nothing to do with what is recorded."""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell, as it is typed."""
        event.stop()
        if self._told is not None:
            self._told(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self.dismiss(event.value.strip())

    def action_cancel(self) -> None:
        """Nothing was typed."""
        self.dismiss(None)
