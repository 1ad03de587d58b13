"""Electrodes in their places: a cell for each, coloured by what it measures now; no geometry that was not given."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.segment import Segment
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .heat import levels
from .strip_widget import Page, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..montage import Places

CELL = 3
_MOST = 10, 4
"""Cells and rows that an electrode takes at most."""


class _Electrode(NamedTuple):
    channel: int
    flag: str = ""
    step: int = -1
    number: str = ""
    chosen: bool = False


class Grid(Signal):
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
        flags = "".join(page.flag(i) or "." for i in range(len(values)))
        numbers = np.asarray(values, np.float32)
        if not self.draws((numbers.tobytes(), flags, page.cursor, places, loudest, what, quality, self.size)):
            return
        top = max(((v, i) for i, v in enumerate(values) if v == v and not page.flag(i)), default=None)
        most = f"max {top[0]:.3g} at {top[1] + 1}" if top is not None and not quality else ""
        most = most if len(what) + 1 + len(most) <= self.size.width else ""
        self.show(0, (what, most), lambda: [Segment(f"{what} "), Segment(most, self.ink("quiet"))])
        if len(self._steps) != len(values):
            self._steps = np.full(len(values), -1, np.int64)
        self._steps = levels(numbers, loudest, self._steps)
        wide = max(min((self.size.width - 1) // len(places[0]), _MOST[0]), CELL)
        tall = max(min((self.size.height - 1) // len(places), _MOST[1], wide // 2), 1)
        for y, row in enumerate(places):
            cells = tuple(self._electrode(channel, page, values, quality) for channel in row)
            for at in range(tall):
                key = (cells, at, wide, tall, self.look)
                self.show(1 + y * tall + at, key, partial(self._row, cells, at - (tall - 1) // 2, wide))
        self.finish(1 + tall * len(places))

    def _electrode(self, channel: int, page: Page, values: Sequence[float], quality: bool) -> _Electrode:
        if not 0 <= channel < len(values):
            return _Electrode(-1)
        step = -1 if quality else int(self._steps[channel])
        flag, number = page.flag(channel), f.amplitude(values[channel])
        return _Electrode(channel, flag, step, number, channel == page.cursor)

    def _row(self, cells: Sequence[_Electrode], line: int, wide: int) -> Iterable[Segment]:
        """Line 0 of the electrodes has their numbers, the next one their values."""
        look = self.look
        for one in cells:
            name = f"{one.channel + 1}{one.flag}" if wide > CELL else one.flag or f"{one.channel + 1}"
            if look.plain and not one.flag and one.step >= 0:
                name = colour_ramp.ASCII[one.step]
            text = "" if one.channel < 0 else (name, one.number)[line] if line in (0, 1) else ""
            text = f"[{text}]" if one.chosen and line == 0 and wide > CELL else text
            yield Segment(f"{text:^{wide}}"[:wide], self._style(one))

    def _style(self, one: _Electrode) -> Style:
        look = self.look
        if one.channel < 0:
            return Style()
        bold = bool(one.flag) or one.chosen
        if look.plain:
            return Style(reverse=one.chosen or None, bold=bold or None)
        step = colour_ramp.FAULTS[one.flag] if one.flag else one.step
        if step < 0:
            return self.ink("quiet", bold=bold, reverse=one.chosen)
        return colour_ramp.fill(look.dark, look.bits, step, bold=bold, reverse=one.chosen)
