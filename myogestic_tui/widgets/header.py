"""The header as a widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .headrows import header_rows
from .rows import Rows

if TYPE_CHECKING:
    from .frame import Frame


class Header(Rows):
    """Rows 1 to 3 of every screen."""

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        self.show(header_rows(frame, self.size.width))
