"""Rows of styled text: what every part of every screen is made of.

A part turns a snapshot into a list of `Row`; `Rows` compares them with what is on the screen and redraws only the rows
that changed. Nothing here knows what it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from .glyphs import to_ascii
from .palette import Palette

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style
    from textual import events


class Span(NamedTuple):
    """A run of text in one style; ``action`` makes it clickable."""

    text: str
    style: str = ""
    action: str = ""


Row = tuple[Span, ...]
"""One screen row, left to right."""

BLANK: Row = ()


def row(*parts: str | tuple[str, str] | tuple[str, str, str] | Span) -> Row:
    """Build a row from plain strings, ``(text, style)`` and ``(text, style, action)``."""
    return tuple(Span(part) if isinstance(part, str) else Span(*part) for part in parts if part)


def fit(text: str, width: int, align: str = "<") -> str:
    """Text in exactly ``width`` cells: cut with ``…`` or padded; ``align`` is ``<``, ``>`` or ``^``."""
    if width <= 0:
        return ""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    pad = width - length
    if align == ">":
        return " " * pad + text
    if align == "^":
        return " " * (pad // 2) + text + " " * (pad - pad // 2)
    return text + " " * pad


def width_of(spans: Iterable[Span]) -> int:
    """Cells that spans take."""
    return sum(cell_len(span.text) for span in spans)


def spread(left: Row, right: Row, width: int) -> Row:
    """``left`` at the left edge, ``right`` at the right one; the left is cut where both do not fit."""
    room = width - width_of(right)
    gap = room - width_of(left)
    if gap >= 0:
        return (*left, Span(" " * gap), *right)
    return (*cut(left, max(room, 0)), *right)


def cut(spans: Row, width: int) -> Row:
    """The first ``width`` cells of a row."""
    kept: list[Span] = []
    for span in spans:
        length = cell_len(span.text)
        if length > width:
            kept.append(span._replace(text=set_cell_size(span.text, width)))
            break
        kept.append(span)
        width -= length
    return tuple(kept)


def rule(title: str, width: int) -> Row:
    """A heading that fills its row: ``── title ─────``."""
    if not title:
        return row(("─" * width, "faint"))
    head = f" {fit(title, min(cell_len(title), width - 6))} "
    return row(("──", "faint"), (head, "strong"), ("─" * max(width - 2 - cell_len(head), 0), "faint"))


def fill(rows: Sequence[Row], height: int) -> list[Row]:
    """Exactly ``height`` rows: cut or padded with blank ones."""
    return [*rows[:height], *([BLANK] * (height - len(rows)))]


class Clicked(Message):
    """A span with an action was clicked; ``at`` is the click's own time (monotonic seconds)."""

    def __init__(self, action: str, at: float) -> None:
        super().__init__()
        self.action = action
        self.at = at


class Rows(Widget):
    """A widget that shows rows and redraws those that differ from before."""

    can_focus = False
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._strips: dict[int, Strip] = {}

    @property
    def rows(self) -> list[Row]:
        """What is shown now."""
        return self._rows

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows from the top; only the changed ones are drawn again."""
        old, new = self._rows, list(rows)
        self._rows = new
        changed = [y for y in range(max(len(old), len(new))) if old[y : y + 1] != new[y : y + 1]]
        if not changed:
            return
        for y in changed:
            self._strips.pop(y, None)
        width = self.size.width
        self.refresh(*(Region(0, y, width, 1) for y in changed))

    def forget(self) -> None:
        """Draw everything again, as after a change of theme or size."""
        self._strips.clear()
        self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """The strips have the old width."""
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One row as a strip (Textual's line API)."""
        strip = self._strips.get(y)
        if strip is None:
            spans = self._rows[y] if y < len(self._rows) else BLANK
            strip = self._strips[y] = self._strip(spans, self.size.width)
        return strip

    def _strip(self, spans: Row, width: int) -> Strip:
        palette = self.palette
        segments = [Segment(self._text(span.text), palette[span.style]) for span in spans]
        return Strip(segments).adjust_cell_length(width, palette[""])

    def _text(self, text: str) -> str:
        return text if text.isascii() or not self.ascii_only else to_ascii(text)

    @property
    def palette(self) -> Palette:
        """Style names resolved for the present theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette.of(self.app.theme_variables)

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal shows ASCII only."""
        return bool(getattr(self.app, "ascii_only", False))

    def style_of(self, name: str) -> Style:
        """The rich style of a style name."""
        return self.palette[name]

    def on_click(self, event: events.Click) -> None:
        """Report the action of the span under the pointer."""
        action = self._action_at(event.x, event.y)
        if action:
            event.stop()
            self.post_message(Clicked(action, event.time))

    def _action_at(self, x: int, y: int) -> str:
        for span in self._rows[y] if 0 <= y < len(self._rows) else BLANK:
            x -= cell_len(span.text)
            if x < 0:
                return span.action
        return ""
