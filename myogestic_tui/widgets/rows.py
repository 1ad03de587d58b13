"""The widget that shows rows, and draws only what changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rich.segment import Segment
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from .glyphs import to_ascii
from .palette import Palette
from .spans import BLANK, Row, cells, changed_cells, encode, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from textual import events


@runtime_checkable
class TakesRows(Protocol):
    """A screen that paints changed rows itself."""

    def take(self, rows: Rows, changed: Iterable[tuple[int, int, int]]) -> None:
        """Note rows ``(y, first, last)`` of a widget that changed."""
        ...


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
        self._width = 0

    @property
    def rows(self) -> list[Row]:
        """What is shown now."""
        return self._rows

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows from the top; only the changed ones are drawn again."""
        old, self._rows = self._rows, list(rows)
        width = self.size.width
        changed = [
            (y, *columns)
            for y in range(max(len(old), len(self._rows)))
            if (columns := changed_cells(_at(old, y), _at(self._rows, y), width)) is not None
        ]
        for y, _, _ in changed:
            self._strips.pop(y, None)
        if changed and isinstance(self.screen, TakesRows):
            self.screen.take(self, changed)
        elif changed:
            self.refresh(*(Region(first, y, last - first, 1) for y, first, last in changed))

    def forget(self) -> None:
        """Draw everything again, as after a change of theme or size."""
        self._strips.clear()
        self.refresh()

    def encode(self, y: int, first: int, last: int, codes: Mapping[str, str]) -> str:
        """Columns ``first`` to ``last`` of a row as text for the terminal; ``codes`` switch to a style, by its name."""
        return encode(_at(self._rows, y), first, last, codes, ascii_only=self.ascii_only)

    def _fit_width(self) -> None:
        """Strips of another width are of no use."""
        if self.size.width != self._width:
            self._width = self.size.width
            self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One row as a strip (Textual's line API)."""
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(_at(self._rows, y), self._width)
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows as they are: there is no border, padding or background to be laid around them."""
        self._fit_width()
        strips = [self.render_line(y) for y in crop.line_range]
        if crop.x == 0 and crop.width >= self._width:
            return strips
        return [strip.crop(crop.x, crop.right) for strip in strips]

    def _strip(self, spans: Row, width: int) -> Strip:
        """The row as a strip: neighbours of one style become one segment, so that it is set but once."""
        palette = self.palette
        segments: list[Segment] = []
        texts: list[str] = []
        style = ""
        for span in spans:
            if span.style != style:
                if texts:
                    segments.append(Segment(self._text("".join(texts)), palette[style]))
                    texts = []
                style = span.style
            texts.append(span.text)
        length = width_of(spans)
        if length < width:
            if style:
                segments.append(Segment(self._text("".join(texts)), palette[style]))
                texts = []
            texts.append(" " * (width - length))
            style = ""
        segments.append(Segment(self._text("".join(texts)), palette[style]))
        strip = Strip(segments, max(length, width))
        return strip if length <= width else strip.crop(0, width)

    def _text(self, text: str) -> str:
        return to_ascii(text) if self.ascii_only else text

    @property
    def palette(self) -> Palette:
        """Style names resolved for the present theme."""
        palette = getattr(self.app, "palette", None)
        return palette if isinstance(palette, Palette) else Palette.of(self.app.theme_variables)

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal shows ASCII only."""
        return bool(getattr(self.app, "ascii_only", False))

    def on_click(self, event: events.Click) -> None:
        """Report the action of the span under the pointer."""
        action = self._action_at(event.x, event.y)
        if action:
            event.stop()
            self.post_message(Clicked(action, event.time))

    def _action_at(self, x: int, y: int) -> str:
        for span in _at(self._rows, y):
            x -= cells(span.text)
            if x < 0:
                return span.action
        return ""


def _at(rows: Sequence[Row], y: int) -> Row:
    return rows[y] if 0 <= y < len(rows) else BLANK
