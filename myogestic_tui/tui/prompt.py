"""The bottom line: questions with one-key answers, and typing with the gesture keys off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..widgets.spans import Row, Span, fit, row, spread, width_of
from .keys import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OFF = "gesture keys off"


@dataclass
class Ask:
    """A question on one line. Gesture keys and the recording go on while it is open.

    ``answers`` maps a key to its words and what it does; ``escape`` always closes the line.
    """

    question: str
    answers: dict[str, tuple[str, Callable[[], None]]]
    close: str = "go on"
    session: str = ""
    """The recording that it is about: it closes when that ends."""

    def rows(self, width: int) -> Row:
        """The line."""
        spans = [Span(f" {self.question}  ", "strong")]
        for key, (words, _) in self.answers.items():
            spans += row((shown(key), "key"), (f" {words}   " if words else " ", ""))
        return spread(tuple(spans), row(("esc", "key"), (f" {self.close} ", "")), width)


@dataclass
class Entry:
    """One field of a line that is typed: its title, its text, and where the caret stands."""

    title: str
    text: str = ""
    caret: int = -1

    def __post_init__(self) -> None:
        if self.caret < 0:
            self.caret = len(self.text)

    def insert(self, text: str) -> None:
        """Put text in at the caret; line breaks and controls become blanks."""
        clean = "".join(letter if letter.isprintable() else " " for letter in text)
        self.text = self.text[: self.caret] + clean + self.text[self.caret :]
        self.caret += len(clean)

    def press(self, key: str) -> bool:
        """Carry out an editing key; False where it is none."""
        match key:
            case "backspace" | "ctrl+h":
                if self.caret:
                    self.text = self.text[: self.caret - 1] + self.text[self.caret :]
                    self.caret -= 1
            case "delete":
                self.text = self.text[: self.caret] + self.text[self.caret + 1 :]
            case "left":
                self.caret = max(self.caret - 1, 0)
            case "right":
                self.caret = min(self.caret + 1, len(self.text))
            case "home" | "ctrl+a":
                self.caret = 0
            case "end" | "ctrl+e":
                self.caret = len(self.text)
            case "ctrl+u":
                self.text, self.caret = self.text[self.caret :], 0
            case "ctrl+w":
                kept = self.text[: self.caret].rstrip().rpartition(" ")
                start = len(kept[0] + kept[1])
                self.text, self.caret = self.text[:start] + self.text[self.caret :], start
            case _:
                return False
        return True


@dataclass
class TypeLine:
    """Typing on one line, in one or more fields.

    ``done`` gets the texts of all fields; ``changed``, where given, gets the text of the first with each key (to find
    as one types). Tab and the arrows go from field to field, ⏎ goes on to the next and saves on the last.
    """

    entries: Sequence[Entry]
    done: Callable[[list[str]], None]
    changed: Callable[[str], None] | None = None
    cancelled: Callable[[], None] | None = None
    at: int = 0
    extra_keys: dict[str, Callable[[], None]] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """The field that has the caret."""
        return self.entries[self.at]

    def press(self, key: str, character: str | None) -> bool:
        """Take a key; True once the line is finished and saved."""
        last = len(self.entries) - 1
        if key == "enter":
            if self.at == last:
                return True
            self.at += 1
        elif key in self.extra_keys:
            self.extra_keys[key]()
        elif key in ("tab", "down"):
            self.at = min(self.at + 1, last)
        elif key in ("shift+tab", "up"):
            self.at = max(self.at - 1, 0)
        elif not self.entry.press(key) and character is not None and character.isprintable():
            self.insert(character)
            return False
        if self.changed is not None:
            self.changed(self.entries[0].text)
        return False

    def insert(self, text: str) -> None:
        """Put typed or pasted text in."""
        self.entry.insert(text)
        if self.changed is not None:
            self.changed(self.entries[0].text)

    def rows(self, width: int) -> Row:
        """The line, scrolled so that the field with the caret shows."""
        right = row((f" {OFF} ", "warn"))
        room = width - width_of(right) - 1
        fields = [self._field(entry, room) for entry in self.entries]
        first = 0
        while first < self.at and width_of(span for field in fields[first : self.at + 1] for span in field) > room:
            first += 1
        lead = Span("…" if first else " ", "dim")
        return spread((lead, *(span for field in fields[first:] for span in field)), right, width)

    def _field(self, entry: Entry, room: int) -> Row:
        if entry is not self.entry:
            return (*row((f"{entry.title} ", "dim"), fit(entry.text, min(len(entry.text), 16))), Span("  "))
        return (
            Span(f"{entry.title} ", "strong"),
            *_caret_spans(entry, max(room - len(entry.title) - 3, 8)),
            Span("  "),
        )


def _caret_spans(entry: Entry, room: int) -> list[Span]:
    start = max(entry.caret - room + 1, 0)
    text = entry.text[start : start + room].ljust(min(max(len(entry.text) + 1, 8), room))
    at = entry.caret - start
    before, under, after = text[:at], text[at : at + 1] or " ", text[at + 1 :]
    return [Span(before, "field"), Span(under, "caret"), Span(after, "field")]
