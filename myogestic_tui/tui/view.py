"""What the four screens have in common: a body of rows between header and footer, and commands as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

from ..widgets.rows import Rows

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ..widgets.frame import Frame
    from ..widgets.spans import Row
    from .app import Viewer

SIDE_WIDTH = 34
WIDE = 120
"""From this width on a screen that has a side column shows it."""


class Body(Widget):
    """The body of a screen: a main column and, where there is room, one at the side.

    A command ``live.zoom`` is the method ``do_zoom``; one without a screen (``note``) belongs to the viewer.
    """

    name_of: ClassVar[str] = ""
    lively: ClassVar[bool] = False
    """Drawn at the full frame rate while something moves."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(id=f"body-{self.name_of}", classes="view")
        self.viewer = viewer
        self.main = Rows(classes="main")
        self.side = Rows(classes="side")
        self.first_action = 0

    def compose(self) -> ComposeResult:
        """Main and side column."""
        yield self.main
        yield self.side

    def fit_width(self, width: int) -> None:
        """Show the side column where there is room for it, and something to show."""
        self.set_class(width >= WIDE and self.has_side, "wide")

    has_side: ClassVar[bool] = False

    def on_resize(self) -> None:
        """Its rows have their size, the first one too: there is something to draw on."""
        self.viewer.call_after_refresh(self.viewer.redraw)

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        self.main.show(self.main_rows(frame, self.main.size.width, self.main.size.height))
        if self.has_class("wide"):
            self.side.show(self.side_rows(frame, self.side.size.width, self.side.size.height))

    def main_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """The main column."""
        raise NotImplementedError

    def side_rows(self, frame: Frame, width: int, height: int) -> list[Row]:  # noqa: ARG002
        """The side column; none by default."""
        return []

    def click(self, action: str) -> bool:  # noqa: ARG002
        """Take a click on a span; False where the action is not this screen's."""
        return False

    def opened(self) -> None:
        """The screen came to the front."""
