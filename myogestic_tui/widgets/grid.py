"""Electrodes in their places: a cell for each, coloured by what it measures now; no geometry that was not given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .heat import levels
from .picture import Block, Picture, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..montage import Places
    from .strip_widget import Page

CELL = 3
_MOST = 10, 4
"""Cells and rows that an electrode takes at most."""


class Grid(Picture):
    """The electrodes of one stream.

    ``draw(page, places, values, loudest, what, quality, numbers)``: ``values`` by channel, coloured as `heat` colours
    them below ``loudest``; ``what`` is the heading; with ``quality`` only what is wrong is coloured. Each electrode has
    its number and, where there is room, its value of ``numbers``, which may be of a moment ago.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._steps = np.zeros(0, np.int64)
        self._names: tuple[object, tuple[Block, Block]] = (None, (written([], 0), written([], 0)))

    def draw(
        self, page: Page, places: Places, values: Sequence[float], loudest: float, what: str, *,
        quality: bool = False, numbers: Sequence[float] = (),
    ) -> None:  # fmt: skip
        """Show what is new."""
        width, height = self.size
        levelled = np.asarray(values, np.float32)
        if len(self._steps) != len(values):
            self._steps = np.full(len(values), -1, np.int64)
        self._steps = levels(levelled, loudest, self._steps)
        about = (page.flags, page.cursor, places, what, quality, width, height, page.unit)
        if not self.draws((about, tuple(numbers or values), self._steps.tobytes())):
            return
        wide = max(min((width - 1) // len(places[0]), _MOST[0]), CELL)
        tall = max(min((height - 1) // len(places), _MOST[1], wide // 2), 1)
        heading, names = self._names_of(page, places, numbers or values, what, quality, wide, tall)
        styles = [Style()]
        inks = np.zeros((len(places), len(places[0])), np.int64)
        for y, row in enumerate(places):
            for x, channel in enumerate(row):
                if 0 <= channel < len(values):
                    styles.append(self._style(channel, page, quality))
                    inks[y, x] = len(styles) - 1
        self.put(heading, Block(names.glyphs, inks.repeat(tall, axis=0).repeat(wide, axis=1), styles))

    def _names_of(
        self, page: Page, places: Places, numbers: Sequence[float], what: str, quality: bool, wide: int, tall: int
    ) -> tuple[Block, Block]:
        """The heading, and numbers and values of the electrodes, on whatever colour."""
        steps = self._steps.tobytes() if self.look.plain else b""
        about = (page.flags, page.cursor, places, tuple(numbers), what, quality, self.size, steps)
        if about != self._names[0]:
            top = max(((v, i) for i, v in enumerate(numbers) if v == v and not page.flag(i)), default=None)
            most = f"max {top[0]:.3g} at {top[1] + 1}" if top is not None and not quality else ""
            most = most if len(what) + 1 + len(most) <= self.size.width else ""
            rows = [
                [("".join(self._text(i, page, numbers, at - (tall - 1) // 2, wide) for i in row), Style())]
                for row in places
                for at in range(tall)
            ]
            heading = written([[(f"{what} ", Style()), (most, self.ink("quiet"))]], self.size.width)
            self._names = about, (heading, written(rows, wide * len(places[0])))
        return self._names[1]

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

    def _style(self, channel: int, page: Page, quality: bool) -> Style:
        look, flag, chosen = self.look, page.flag(channel), channel == page.cursor
        bold = bool(flag) or chosen
        if look.plain:
            return Style(reverse=chosen or None, bold=bold or None)
        step = colour_ramp.FAULTS[flag] if flag else -1 if quality else int(self._steps[channel])
        if step < 0:
            return self.ink("quiet", bold=bold, reverse=chosen)
        return colour_ramp.fill(look.dark, look.bits, step, bold=bold, reverse=chosen)
