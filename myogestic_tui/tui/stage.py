"""The one screen of the viewer: writes changed cells only, and only while the terminal has taken all that came before.

Textual's own way from a changed row to the terminal (messages, chops, strips) cost 13 ms of CPU per frame of 64
channels, where this one costs 5, and wrote whole rows. Textual still draws what is no change of rows: the first
paint, another layout, another size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual._compositor import CompositorUpdate
from textual.screen import Screen

from ..widgets.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from ..widgets.rows import Rows


class Painted(CompositorUpdate):
    """Text with its escape sequences, as it goes to the terminal."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render_segments(self, _: Console) -> str:
        """The text."""
        return self._text

    def __rich__(self) -> str:
        return self._text


@runtime_checkable
class HoldsBack(Protocol):
    """An app that knows whether anything may be drawn now."""

    def hold_back(self) -> bool:
        """True where nothing may be drawn; the app draws later what was held."""
        ...


class Stage(Screen[None]):
    """A screen of `Rows`, which hand it what changed."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._changed: dict[Rows, dict[int, tuple[int, int]]] = {}
        self._codes: dict[str, str] = {}
        self._filled = False

    def take(self, rows: Rows, changed: Iterable[tuple[int, int, int]]) -> None:
        """Note rows ``(y, first, last)`` of a widget that changed, to be painted with the others."""
        self._filled = True
        lines = self._changed.setdefault(rows, {})
        for y, first, last in changed:
            before = lines.get(y, (first, last))
            lines[y] = min(first, before[0]), max(last, before[1])

    def paint(self) -> None:
        """Write what changed, unless something holds it back; then it stays for the next time."""
        app = self.app
        if not self._changed or app._batch_count or (isinstance(app, HoldsBack) and app.hold_back()):
            return
        changed, self._changed = self._changed, {}
        text = "".join(self._sequences(changed))
        if text and self.is_current:
            app._display(self, Painted(text))

    def _sequences(self, changed: dict[Rows, dict[int, tuple[int, int]]]) -> Iterable[str]:
        codes = self._style_codes()
        places = self._compositor.visible_widgets
        for rows, lines in changed.items():
            if rows not in places:
                continue  # hidden: it is drawn whole when it is shown
            region = places[rows][0]
            for y, (first, last) in sorted(lines.items()):
                if y < region.height:
                    yield f"\x1b[{region.y + y + 1};{region.x + first + 1}H"
                    yield rows.encode(y, first, min(last, region.width), codes)

    def _style_codes(self) -> dict[str, str]:
        """The escape sequence that switches to each style, by its name."""
        palette = getattr(self.app, "palette", None)
        if not self._codes and isinstance(palette, Palette):
            self._codes = palette.codes(self.app.console.color_system)
        return self._codes

    def _compositor_refresh(self) -> None:
        if not self._filled:
            return  # what the curtain shows stays until there are rows to put in its place
        if isinstance(self.app, HoldsBack) and self.app.hold_back():
            return
        super()._compositor_refresh()

    def draw_held(self) -> None:
        """Draw what was held back."""
        self._compositor_refresh()
        self.paint()
