"""The one screen of the viewer: draws only what changed, and only while the terminal has taken all that came before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen

from ..widgets.rows import Rows

if TYPE_CHECKING:
    from rich.console import Console
    from textual.widget import Widget


class ChangedCells(ChopsUpdate):
    """Emits exactly the changed cells of a row; Textual's own would begin at the widget's left edge."""

    def render_segments(self, console: Console) -> str:
        """The update as text for the terminal."""
        parts: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                first, last = max(x1 - x, 0), min(end, x2) - x
                whole = first == 0 and last >= strip.cell_length
                parts.append(Control.move_to(x + first, y).segment.text)
                parts.append((strip if whole else strip.crop(first, last)).render(console))
        return "".join(parts)


class ThriftyCompositor(Compositor):
    """Textual's compositor, which looks at rows alone when only cells of them changed.

    Rows tile the screen, so that nothing of the containers beneath them is ever seen.
    """

    _rows_only = False

    def render_partial_update(self) -> ChopsUpdate | None:
        """An update of the dirty regions; None where there are none."""
        spans = list(self._regions_to_spans(self._dirty_regions))
        self._dirty_regions.clear()
        if not spans:
            return None
        lines = {y for y, _, _ in spans}
        crop = Region(0, min(lines), self.size.width, max(lines) - min(lines) + 1)
        self._rows_only = True
        try:
            chops = self._render_chops(crop.intersection(self.size.region), lines.__contains__)
        finally:
            self._rows_only = False
        return ChangedCells(chops, spans, [cuts[1:] for cuts in self.cuts])

    @property
    def visible_widgets(self) -> dict[Widget, tuple[Region, Region]]:
        """Widgets on the screen with region and clip."""
        found = super().visible_widgets
        if not self._rows_only:
            return found
        return {widget: place for widget, place in found.items() if isinstance(widget, Rows)}


@runtime_checkable
class HoldsBack(Protocol):
    """An app that knows whether anything may be drawn now."""

    def hold_back(self) -> bool:
        """True where nothing may be drawn; the app draws later what was held."""
        ...


class Stage(Screen[None]):
    """A screen that asks its app before it draws."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = ThriftyCompositor()

    def _compositor_refresh(self) -> None:
        if isinstance(self.app, HoldsBack) and self.app.hold_back():
            return
        super()._compositor_refresh()

    def draw_held(self) -> None:
        """Draw what was held back."""
        self._compositor_refresh()
