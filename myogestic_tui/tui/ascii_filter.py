"""ASCII alone, for terminals and locales that have no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

from ..widgets.glyphs import to_ascii

if TYPE_CHECKING:
    from textual.color import Color


class AsciiFilter(LineFilter):
    """Replaces every character beyond ASCII by one that is like it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same segments, as wide as before."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]
