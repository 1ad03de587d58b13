"""Electrodes in their places: a cell for each, coloured by what it measures now; no geometry that was not given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .heat import levels
from .picture import Picture, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..montage import Places
    from .strip_widget import Page

CELL = 3
_MOST = 10, 4
"""Cells and rows that an electrode takes at most."""


class Grid(Picture):
    """The electrodes of one stream.

    ``draw(page, places, values, loudest, what, quality)``: ``values`` by channel, coloured as `heat` colours them below
    ``loudest``; ``what`` is the heading; with ``quality`` only what is wrong is coloured. Each electrode has its number
    and, where there is room, its value.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._steps = np.zeros(0, np.int64)

    def draw(
        self, page: Page, places: Places, values: Sequence[float], loudest: float, what: str, *, quality: bool = False
    ) -> None:
        """Show what is new."""
        flags = "".join(page.flag(i) or "." for i in range(len(values)))
        numbers = np.asarray(values, np.float32)
        if not self.draws((numbers.tobytes(), flags, page.cursor, places, loudest, what, quality, self.size)):
            return
        width = self.size.width
        top = max(((v, i) for i, v in enumerate(values) if v == v and not page.flag(i)), default=None)
        most = f"max {top[0]:.3g} at {top[1] + 1}" if top is not None and not quality else ""
        most = most if len(what) + 1 + len(most) <= width else ""
        if len(self._steps) != len(values):
            self._steps = np.full(len(values), -1, np.int64)
        self._steps = levels(numbers, loudest, self._steps)
        wide = max(min((width - 1) // len(places[0]), _MOST[0]), CELL)
        tall = max(min((self.size.height - 1) // len(places), _MOST[1], wide // 2), 1)
        rows = [[(f"{what} ", Style()), (most, self.ink("quiet"))]]
        for row in places:
            styles = [self._style(channel, page, values, quality) for channel in row]
            for at in range(tall):
                line = at - (tall - 1) // 2
                texts = [self._text(channel, page, values, line, wide) for channel in row]
                rows.append(list(zip(texts, styles, strict=True)))
        self.put(written(rows, width))

    def _text(self, channel: int, page: Page, values: Sequence[float], line: int, wide: int) -> str:
        """Line 0 of an electrode has its number, the next one its value."""
        if not 0 <= channel < len(values) or line not in (0, 1):
            return " " * wide
        flag, step = page.flag(channel), int(self._steps[channel])
        name = f"{channel + 1}{flag}" if wide > CELL else flag or f"{channel + 1}"
        if self.look.plain and not flag and step >= 0:
            name = colour_ramp.ASCII[step]
        text = f.amplitude(values[channel]) if line else name
        text = f"[{text}]" if channel == page.cursor and line == 0 and wide > CELL else text
        return f"{text:^{wide}}"[:wide]

    def _style(self, channel: int, page: Page, values: Sequence[float], quality: bool) -> Style:
        if not 0 <= channel < len(values):
            return Style()
        look, flag, chosen = self.look, page.flag(channel), channel == page.cursor
        bold = bool(flag) or chosen
        if look.plain:
            return Style(reverse=chosen or None, bold=bold or None)
        step = colour_ramp.FAULTS[flag] if flag else -1 if quality else int(self._steps[channel])
        if step < 0:
            return self.ink("quiet", bold=bold, reverse=chosen)
        return colour_ramp.fill(look.dark, look.bits, step, bold=bold, reverse=chosen)
