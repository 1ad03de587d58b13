"""Fields to fill in: a line for typing, the take sheet, the metadata of a session, a protocol made up on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..keys import command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType


class Form(ModalScreen["dict[str, str] | None"]):
    """A field a row: tab or ``↓`` goes to the next, ``⏎`` saves all, ``esc`` cancels (the result is None then).

    Parameters
    ----------
    title
        What is filled in.
    fields
        Name and text of each; one alone stands beside the title.
    changed
        Told of the text as it is typed.
    does
        What ``⏎`` does with it, in a word.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("escape", "cancel", "cancel", id="form.cancel"),
        command("down,tab", "app.focus_next", "next field", id="form.next"),
        command("up,shift+tab", "app.focus_previous", "field before", id="form.previous"),
    ]

    def __init__(
        self, title: str, fields: Mapping[str, str], *, changed: Callable[[str], None] | None = None, does: str = "save"
    ) -> None:
        super().__init__()
        self._keys = f"⏎ {does}   esc cancel"
        self._heading, self._fields, self._told = title, dict(fields), changed

    def compose(self) -> ComposeResult:
        boxes = [Input(value, compact=True, name=name, select_on_focus=False) for name, value in self._fields.items()]
        for box in boxes:
            box.cursor_blink = False
        if len(boxes) == 1:
            with Vertical(classes="prompt"):
                yield Horizontal(Static(f" {self._heading}: ", markup=False, classes="question"), boxes[0])
                yield Static(f" gesture keys off   {self._keys}", markup=False, classes="hint")
            return
        with Vertical(classes="form"):
            yield Static(f" {self._heading}", markup=False, classes="question")
            for name, box in zip(self._fields, boxes, strict=True):
                yield Horizontal(Static(f" {name}", markup=False, classes="name"), box, classes="field")
            yield Static(f" gesture keys off   tab next field   {self._keys}", markup=False, classes="hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._told is not None:
            self._told(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss({box.name or "": box.value.strip() for box in self.query(Input)})

    def action_cancel(self) -> None:
        self.dismiss(None)
