"""Several fields at once: the take sheet, the metadata of a session, a protocol made up on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..keys import command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from ...widgets.frame import Frame


class Form(ModalScreen["dict[str, str] | None"]):
    """A field a row: tab or ``↓`` goes to the next, ``⏎`` saves all, ``esc`` cancels (the result is None then)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        command("escape", "cancel", "cancel", id="form.cancel"),
        command("down,tab", "app.focus_next", "next field", id="form.next"),
        command("up,shift+tab", "app.focus_previous", "field before", id="form.previous"),
    ]

    def __init__(self, title: str, fields: Mapping[str, str]) -> None:
        super().__init__()
        self._heading, self._fields = title, dict(fields)

    def compose(self) -> ComposeResult:
        """Heading, fields, what the keys do."""
        with Vertical(classes="form"):
            yield Static(f" {self._heading}", markup=False, classes="question")
            for name, value in self._fields.items():
                with Horizontal(classes="field"):
                    yield Static(f" {name}", markup=False, classes="name")
                    box = Input(value, compact=True, name=name, select_on_focus=False)
                    box.cursor_blink = False
                    yield box
            yield Static(" gesture keys off   tab next field   ⏎ save   esc cancel", markup=False, classes="hint")

    def frame_came(self, _: Frame) -> None:
        """What is typed has nothing to do with what is recorded."""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done, from any field."""
        event.stop()
        self.dismiss({box.name or "": box.value.strip() for box in self.query(Input)})

    def action_cancel(self) -> None:
        """Nothing changes."""
        self.dismiss(None)
