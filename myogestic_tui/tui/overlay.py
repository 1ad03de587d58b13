"""What lies over a body for a moment: help, the command palette, and longer texts. Gestures go on meanwhile."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ..widgets.palette import gesture_style
from ..widgets.spans import BLANK, Row, Span, fit, row, rule
from .keys import KeyCommand, Keymap, shown_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..widgets.frame import Frame

_RULE = "Digits and CAPITALS are gestures; lowercase and punctuation are commands."


def help_rows(keymap: Keymap, screen: str, frame: Frame, width: int) -> list[Row]:
    """Every key of the screen and those that work everywhere, in as many columns as fit."""
    gestures = [
        Span(f" {frame.key_of(i)} {gesture.name} ", gesture_style(i)) for i, gesture in enumerate(frame.status.gestures)
    ]
    rows = [rule(f"help: {screen}", width), row(("  " + _RULE, "strong"))]
    rows.append((Span("  gestures  ", "dim"), *gestures) if gestures else row(("  gestures  none are defined", "dim")))
    rows.append(BLANK)
    rows += _columns(keymap.on_screen(screen), width)
    rows += [BLANK, rule("everywhere", width), *_columns(keymap.everywhere(), width)]
    rows += [BLANK, row(("  esc ? q", "key"), ("  close     ", "dim"), ("↑↓ PgUp PgDn", "key"), ("  scroll", "dim"))]
    return rows


def _columns(commands: Sequence[KeyCommand], width: int) -> list[Row]:
    n_columns = 2 if width >= 100 else 1
    cell = (width - 2) // n_columns
    lines = -(-len(commands) // n_columns)
    rows: list[Row] = []
    for i in range(lines):
        spans: list[Span] = []
        for command in commands[i::lines]:
            spans += row((fit("  " + shown_keys(command), 10), "key"), fit(command.help, cell - 10))
        rows.append(tuple(spans))
    return rows


def text_rows(title: str, lines: Sequence[str], width: int) -> list[Row]:
    """A longer text, wrapped."""
    wrapped = [
        part for line in lines for part in textwrap.wrap(line, max(width - 2, 10), subsequent_indent="  ") or [""]
    ]
    closing = [BLANK, row(("  esc", "key"), ("  close     ", "dim"), ("↑↓ PgUp PgDn", "key"), ("  scroll", "dim"))]
    return [rule(title, width), *(row(" " + line) for line in wrapped), *closing]


class Palette:
    """Commands found by their words; the list that stands over the body while ``:`` is open."""

    def __init__(self, keymap: Keymap, screen: str, extra: Sequence[KeyCommand] = ()) -> None:
        self._all = (*keymap.on_screen(screen), *keymap.everywhere(), *extra)
        self.text = ""
        self.at = 0

    @property
    def found(self) -> list[KeyCommand]:
        """Commands that hold every word typed."""
        words = self.text.casefold().split()
        return [c for c in self._all if all(word in f"{c.help} {c.id}".casefold() for word in words)]

    @property
    def chosen(self) -> KeyCommand | None:
        """The one that ⏎ runs."""
        found = self.found
        return found[min(self.at, len(found) - 1)] if found else None

    def find(self, text: str) -> None:
        """Take the typed text."""
        if text != self.text:
            self.text, self.at = text, 0

    def move(self, step: int) -> None:
        """Choose the next or the one before."""
        self.at = min(max(self.at + step, 0), max(len(self.found) - 1, 0))

    def rows(self, width: int, height: int) -> list[Row]:
        """The list."""
        found = self.found
        rows = [rule("commands", width)]
        start = max(min(self.at - height // 2, len(found) - height + 1), 0)
        for i, command in enumerate(found[start : start + height - 1], start):
            style = "select" if i == self.at else ""
            rows.append(
                row(
                    ("▸" if i == self.at else " ", "key"),
                    (fit(shown_keys(command), 12), "key"),
                    (fit(command.help, width - 14), style),
                )
            )
        if not found:
            rows.append(row(("  no command has these words", "dim")))
        return rows
