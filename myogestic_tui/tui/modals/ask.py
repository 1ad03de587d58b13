"""A question, and under it each answer: a key of its own, and a button."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from ...widgets.styled_lines import cells
from ..keys import character_of, shown

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from ...widgets.frame import Frame
    from ..terminal_app import TerminalApp

Answers = dict[str, tuple[str, Callable[[], None]]]
"""By key: the word beside it, and what it does."""


class Ask(ModalScreen[str]):
    """Asks until one of the keys is pressed; the result is that key, empty for none of them.

    Parameters
    ----------
    question
        In a few words.
    answers
        By key; the word is left out where it is empty.
    close
        What ``esc`` means; empty where another answer says it.
    holds
        Whether the question still makes sense with a snapshot; it goes where not.
    """

    AUTO_FOCUS = ""

    def __init__(
        self, question: str, answers: Answers, *, close: str = "continue", holds: Callable[[Frame], bool] | None = None
    ) -> None:
        super().__init__()
        self.question, self.answers, self.close = question, answers, close
        self.holds = holds

    def compose(self) -> ComposeResult:
        with Vertical(classes="prompt"):
            yield Static(f" {self.question}", markup=False, classes="question")
            for row in self._rows(self.app.size.width):
                yield Horizontal(*(self._button(key, label) for key, label in row))

    def _rows(self, width: int) -> list[list[tuple[str, str]]]:
        """Keys and labels of the buttons, as many in a row as have room."""
        ascii_only = cast("TerminalApp", self.app).ascii_only
        labels = [
            (key, f"{shown(key, ascii_only=ascii_only)} {word}".strip()) for key, (word, _) in self.answers.items()
        ]
        labels += [("escape", f"esc {self.close}")] if self.close else []
        rows: list[list[tuple[str, str]]] = [[]]
        left = width
        for key, label in labels:
            if cells(label) + 2 > left and rows[-1]:
                rows.append([])
                left = width
            rows[-1].append((key, label))
            left -= cells(label) + 2
        return rows

    def _button(self, key: str, label: str) -> Button:
        button = Button(label, compact=True, name=key)
        button.can_focus = False
        return button

    def frame_came(self, frame: Frame) -> None:
        """A question about a recording goes with that recording."""
        if self.holds is not None and not self.holds(frame) and self.is_active:
            self.dismiss("")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._answer(event.button.name or "")

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self._answer(character_of(event))

    def _answer(self, key: str) -> None:
        if key == "escape":
            self.dismiss("")
        elif key in self.answers:
            self.dismiss(key)
