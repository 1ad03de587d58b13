"""Pictures of a signal as cells: compared with what the terminal shows already, and sent as the link takes them.

A `Picture` is given whole, some times a second, and a few cells of each row are new. Textual would send a row from its
left edge on, and compose every row to do so. So a `Pen` draws the new cells: a widget of one cell, whose strip has, as
a control segment, what goes to the places of the others. It travels in Textual's own frames; and all else that paints
the screen finds in the picture's strips what the terminal shows.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .blank_box import Blank
from .glyphs import to_ascii
from .strip_widget import Signal
from .styled_lines import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Cells = NDArray[np.int64]

_INK = 21
"""A cell is its glyph, and from this bit on its ink."""
_GLYPH = (1 << _INK) - 1
_BLANK = ord(" ")
_HALF = 1
"""The glyph of a cell that the letter before it takes, too."""
_ROW_BYTES = 24
"""What a run of one ink costs, about, beside its text."""
_MOST_PLACES = 64
"""Lists of styles of which it is remembered which inks they are."""


class Block(NamedTuple):
    """Some rows of a picture: code points, and inks as places in ``styles``, both ``(rows, cells)``; 0 is paper."""

    glyphs: Cells
    inks: Cells
    styles: Sequence[Style]


def written(rows: Sequence[Sequence[tuple[str, Style]]], width: int) -> Block:
    """Rows of styled text; the arrays are shared by all who write the same."""
    return _written(tuple(map(tuple, rows)), width)


@lru_cache(32)
def _written(rows: tuple[tuple[tuple[str, Style], ...], ...], width: int) -> Block:
    places: dict[Style, int] = {}
    glyphs, inks = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.int64)
    for y, row in enumerate(rows):
        letters = [_letters(text) for text, _ in row]
        ink = [1 + places.setdefault(style, len(places)) for _, style in row]
        whole = [*chain(*letters)][:width]
        glyphs[y, : len(whole)] = whole
        inks[y, : len(whole)] = np.repeat(ink, [len(part) for part in letters])[:width]
    return Block(glyphs, inks, [Style(), *places])


def beside(one: Block, other: Block) -> Block:
    """Two blocks of as many rows, one to the left of the other."""
    inks = np.hstack([one.inks, other.inks + len(one.styles)])
    return Block(np.hstack([one.glyphs, other.glyphs]), inks, [*one.styles, *other.styles])


def _letters(text: str) -> list[int]:
    """A code point for each cell."""
    if cells(text) == len(text):
        return [*map(ord, text)]
    return [*chain(*(([ord(letter)], [ord(letter), _HALF])[cells(letter) - 1] for letter in text if cells(letter)))]


class Picture(Signal):
    """Cells of a signal.

    Attributes
    ----------
    n_head, n_last
        Cells at the left of each row, and rows at the bottom, that are sent before all others.
    """

    n_head = n_last = 0

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._wanted: Cells = np.zeros((0, 0), np.int64)
        self._sent: Cells = self._wanted
        self._empty = True
        self._inks: dict[Style, int] = {Style(): 0}
        self._places: dict[int, tuple[Sequence[Style], Cells]] = {}
        self._escapes: dict[int, str] = {}
        self._next = 0

    @property
    def is_blank(self) -> bool:
        """Whether nothing is drawn."""
        return self._empty

    @property
    def is_behind(self) -> bool:
        """Whether rows that were drawn have not been sent."""
        return self._next > 0

    def put(self, *blocks: Block) -> None:
        """Show blocks, one below the other and nothing else, as soon as they are sent."""
        self.begin()
        self._wanted[:] = 0
        y = 0
        for block in blocks:
            self.place(block, y)
            y += len(block.glyphs)

    def begin(self) -> bool:
        """Take the size of the widget; True where nothing is drawn that could stay."""
        width, height = self.size
        if self._sent.shape != (height, width):
            self._sent, self._next, self._empty = np.zeros((height, width), np.int64), 0, True
            self._wanted = self._sent.copy()
            self._strips.clear()
        empty, self._empty = self._empty, False
        return empty

    def place(self, block: Block, y: int, x: int | Cells = 0) -> None:
        """Show a block from row ``y`` on, from cell ``x`` on or in the cells ``x``; what stands elsewhere stays."""
        height, width = self._wanted.shape
        columns = np.arange(x, x + block.glyphs.shape[1]) if isinstance(x, int) else x
        columns = columns[columns < width]
        glyphs, inks = (part[: max(height - y, 0), : len(columns)] for part in (block.glyphs, block.inks))
        drawn = np.where(glyphs == 0, 0, self._places_of(block.styles)[inks] << _INK | glyphs)
        self._wanted[y : y + len(drawn), columns] = drawn

    def _places_of(self, styles: Sequence[Style]) -> Cells:
        """The numbers that styles have as inks of this picture."""
        known = self._places.get(id(styles))
        if known is None or known[0] is not styles:
            if len(self._places) > _MOST_PLACES:
                self._places.clear()
            places = np.array([self._inks.setdefault(style, len(self._inks)) for style in styles], np.int64)
            known = self._places[id(styles)] = styles, places
        return known[1]

    def blank(self) -> None:
        """What was drawn is of something else, or of another time."""
        self._drawn, self._next, self._empty = None, 0, True
        if self._sent.any():
            self.refresh()
        self._wanted, self._sent = np.zeros_like(self._sent), np.zeros_like(self._sent)
        self._strips.clear()

    def forget(self) -> None:
        """Another look."""
        super().forget()
        self.blank()
        self._inks = {Style(): 0}
        self._places.clear()
        self._escapes.clear()

    # ---------------------------------------------------------------- what is new

    def changes(self, n_bytes: float) -> str:
        """What differs from what was sent, for a `Pen`: rows of about so many bytes, those first that waited."""
        region, parts, left = self.region, list[str](), n_bytes
        for ys, xs in self._differing():
            cells = self._wanted[ys, xs]
            inks, glyphs = cells >> _INK, cells & _GLYPH
            text = "".join(map(chr, np.where(glyphs == 0, _BLANK, glyphs).tolist()))
            moved = np.ones(len(xs), np.bool_)
            moved[1:] = (xs[1:] != xs[:-1] + 1) | (ys[1:] != ys[:-1])
            begins = moved.copy()
            begins[1:] |= inks[1:] != inks[:-1]
            starts = np.flatnonzero(begins)
            runs = zip(
                starts.tolist(), [*starts[1:].tolist(), len(xs)], moved[starts].tolist(), inks[starts].tolist(),
                (ys[starts] + region.y + 1).tolist(), (xs[starts] + region.x + 1).tolist(), strict=True,
            )  # fmt: skip
            row, before, taken = 0, -1, len(xs)
            for start, stop, moves, ink, y, x in runs:
                if y != row and left <= 0:
                    self._next, taken = y - region.y - 1, start
                    break
                run = (f"\x1b[{y};{x}H" if moves else "") + (self._escape(ink) if ink != before else "")
                parts.append(run + text[start:stop])
                left -= len(parts[-1])
                row, before = y, ink
            self._took(ys[:taken], xs[:taken])
        written = "".join(parts).replace(chr(_HALF), "")
        return to_ascii(written) if self.look.ascii_only else written

    def refresh_changes(self, n_bytes: float) -> None:
        """Have Textual send what differs, whole rows of it."""
        size, every = 0, np.arange(self.size.width)
        rows = [y for ys, _ in self._differing() for y in ys.tolist()]
        for y in dict.fromkeys(rows):
            if size >= n_bytes:
                self._next = y
                break
            size += _ROW_BYTES * (1 + int(np.count_nonzero(np.diff(self._wanted[y] >> _INK)))) + 3 * self.size.width
            self._took(np.full(len(every), y), every)
            self.refresh(Region(0, y, self.size.width, 1))

    def _differing(self) -> Iterator[tuple[Cells, Cells]]:
        """Cells that differ, row by row: the heads and the time, which tell what a key did, and then the others."""
        differs = self._wanted != self._sent
        first = differs.copy()
        first[: len(first) - self.n_last, self.n_head :] = False
        ys, xs = np.nonzero(differs & ~first)
        if self._next:
            turn = -int(np.searchsorted(ys, self._next))
            ys, xs = np.roll(ys, turn), np.roll(xs, turn)
        self._next = 0
        for rows, columns in (np.nonzero(first), (ys, xs)):
            if len(rows):
                yield rows, columns

    def _took(self, ys: Cells, xs: Cells) -> None:
        self._sent[ys, xs] = self._wanted[ys, xs]
        for y in set(ys.tolist()):
            self._strips.pop(y, None)

    def _escape(self, ink: int) -> str:
        """What switches to an ink."""
        escape = self._escapes.get(ink)
        if escape is None:
            segment = Segment("x", self._on_paper([*self._inks][ink]))
            for one in self.get_line_filters():
                segment = one.apply([segment], self.background_colors[1])[0]
            system = COLOR_SYSTEMS.get(self.app.console.color_system or "", ColorSystem.TRUECOLOR)
            codes = (segment.style or Style()).render("x", color_system=system).partition("x")[0]
            escape = self._escapes[ink] = "\x1b[0m" + codes
        return escape

    # ---------------------------------------------------------------- what stands there

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows as they were sent."""
        for y in crop.line_range:
            if y not in self._strips and y < len(self._sent):
                self._strips[y] = self._strip(self._segments(self._sent[y]), self.size.width)
        return super().render_lines(crop)

    def _segments(self, row: Cells) -> list[Segment]:
        """Runs of one ink."""
        styles, inks = [*self._inks], row >> _INK
        cuts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(row)]
        glyphs = (row & _GLYPH).tolist()
        return [
            Segment(
                "".join(chr(glyph or _BLANK) for glyph in glyphs[start:stop] if glyph != _HALF),
                styles[int(inks[start])] if inks[start] else None,
            )
            for start, stop in pairwise(cuts)
            if start < stop
        ]


class Pen(Blank, Widget):
    """The cell that carries what pictures have new.

    Attributes
    ----------
    free
        Whether what it was given last has been painted.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "Pen { width: 1; height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.free = True
        self._text = ""
        self._valid: Callable[[], bool] = lambda: False
        self._painted = False

    def draw(self, text: str, valid: Callable[[], bool]) -> None:
        """Paint text with its places, as long as those are ``valid``."""
        self._text, self._valid, self._painted, self.free = text, valid, False, False
        self.refresh()
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        if self._painted:
            self.free, self._text = True, ""
        else:
            self.call_after_refresh(self._look)

    def render_lines(self, crop: Region) -> list[Strip]:
        """A blank, and what is new of the pictures."""
        self._painted = True
        rows = super().render_lines(crop)
        if not self._text or not self._valid():
            return rows
        text = Segment(f"\x1b7{self._text}\x1b8", None, [(ControlType.CURSOR_MOVE_TO, 0, 0)])
        return [Strip([text, *row], row.cell_length) for row in rows]
