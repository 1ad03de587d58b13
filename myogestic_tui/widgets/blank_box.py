"""Containers without anything of their own: a picture that moves beneath them need not style their rows anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container, Horizontal, Vertical
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.widget import Widget as Mixed
else:
    Mixed = object  # Textual takes the stylesheet of the first base that is a widget


class Blank(Mixed):
    """Of a widget without border, padding and text: all its rows are one blank strip, which is made once.

    Textual renders whatever lies around a cell that changes, some times a second on Live.
    """

    _row: Strip | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The paper alone."""
        if self._row is None or self._row.cell_length != crop.width:
            row = Strip.blank(crop.width, self.rich_style)
            for one in self.get_line_filters():
                row = row.apply_filter(one, self.background_colors[1])
            self._row = row
        return [self._row] * crop.height

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self._row = None


class BlankBox(Blank, Container):
    """A `Container` without anything of its own."""


class BlankRow(Blank, Horizontal):
    """A `Horizontal` without anything of its own."""


class BlankColumn(Blank, Vertical):
    """A `Vertical` without anything of its own."""
