"""Electrodes in their places: a cell for each, coloured by what it measures now; no geometry that was not given."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .heat import levels
from .picture import Block, Picture, written
from .strip_widget import FLAG_WORDS, WORST_FIRST
from .styled_lines import cells, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .electrodes import Electrodes
    from .strip_widget import Page

_MOST = 10, 4
"""Cells and rows that an electrode takes at most."""
_ABOVE = 2
"""Rows of the heading: what is shown, and the chosen electrode."""


class Grid(Picture):
    """The electrodes of one stream.

    ``draw(page, electrodes, values, loudest, what, quality, numbers)``: ``values`` by channel, coloured as `heat`
    colours them below ``loudest``; ``what`` is the heading; with ``quality`` only what is wrong is coloured. Each
    electrode has its number and, where there is room, its value of ``numbers``, which may be of a moment ago, and its
    name. Of more than one grid each has its label above it.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._steps = np.zeros(0, np.int64)
        self._names: tuple[object, tuple[Block, Block]] = (None, (written([], 0), written([], 0)))

    def draw(
        self, page: Page, electrodes: Electrodes, values: Sequence[float], loudest: float, what: str, *,
        quality: bool = False, numbers: Sequence[float] = (),
    ) -> None:  # fmt: skip
        """Show what is new."""
        width, height = self.size
        levelled = np.asarray(values, np.float32)
        if len(self._steps) != len(values):
            self._steps = np.full(len(values), -1, np.int64)
        self._steps = levels(levelled, loudest, self._steps)
        about = (page.flags, page.cursor, electrodes, what, quality, width, height, page.unit)
        if not self.draws((about, tuple(numbers or values), self._steps.tobytes())):
            return
        above = _ABOVE + (len(electrodes.labels) > 1)
        least = electrodes.least_width(values=False)
        seen, rest = electrodes.around(page.cursor, max(height - above, 1), max((width - 1) // least, 1))
        places = seen.places
        wide = max(min((width - 1) // len(places[0]), _MOST[0]), least)
        tall = max(min((height - above) // len(places), _MOST[1], wide // 2), 1)
        heading, names = self._names_of(page, electrodes, seen, numbers or values, what + rest, quality, wide, tall)
        styles = [Style()]
        inks = np.zeros((len(places), len(places[0])), np.int64)
        for y, row in enumerate(places):
            for x, channel in enumerate(row):
                if 0 <= channel < len(values):
                    styles.append(self._style(channel, page, quality))
                    inks[y, x] = len(styles) - 1
        self.put(heading, Block(names.glyphs, inks.repeat(tall, axis=0).repeat(wide, axis=1), styles))

    def _names_of(
        self, page: Page, all_of_them: Electrodes, seen: Electrodes, numbers: Sequence[float], what: str,
        quality: bool, wide: int, tall: int,
    ) -> tuple[Block, Block]:  # fmt: skip
        """The heading, and numbers and values of the electrodes, on whatever colour."""
        steps = self._steps.tobytes() if self.look.plain else b""
        about = (page.flags, page.cursor, all_of_them, tuple(numbers), what, quality, self.size, steps)
        if about != self._names[0]:
            lines = [
                "".join(self._text(i, page, seen.names, numbers, at - (tall - 1) // 2, wide) for i in row)
                for row in seen.places
                for at in range(tall)
            ]
            heading = [*self._heading(page, all_of_them, numbers, what, quality)]
            if len(seen.labels) > 1:
                first = max(y for _, y, _ in seen.labels if y <= 0)
                heading.append([(_label_line(seen, first, wide), self.ink("quiet"))])
                for y in {y for _, y, _ in seen.labels if 0 < y < len(seen.places)}:
                    lines[y * tall - 1] = _label_line(seen, y, wide)
            cells = written([[(line, Style())] for line in lines], wide * len(seen.places[0]))
            self._names = about, (written(heading, self.size.width), cells)
        return self._names[1]

    def _heading(
        self, page: Page, electrodes: Electrodes, numbers: Sequence[float], what: str, quality: bool
    ) -> Iterable[list[tuple[str, Style]]]:
        """What is shown with its greatest value; number, name, value, faults and place of the chosen electrode."""
        width, chosen = self.size.width, page.cursor
        placed = [i for i in chain(*electrodes.places) if 0 <= i < len(numbers) and not page.flag(i)]
        top = max(((numbers[i], i) for i in placed if numbers[i] == numbers[i]), default=None)
        most = f"max {top[0]:.3g} at {top[1] + 1}" if top is not None and not quality else ""
        most = most if len(what) + 1 + len(most) <= width else ""
        yield [(f"{what} ", Style()), (most, self.ink("quiet"))]
        flags = page.quality[chosen].flags if chosen < len(page.quality) else ""
        words = ", ".join(FLAG_WORDS[letter] for letter in WORST_FIRST if letter in flags)
        name = electrodes.names[chosen] if chosen < len(electrodes.names) else ""
        value = numbers[chosen] if chosen < len(numbers) else float("nan")
        amplitude = f"{f.amplitude(value)} {page.unit}" if value == value else ""
        text, style = f"▸{chosen + 1}{page.flag(chosen)}", self.ink("text-accent", bold=True)
        for part in (name, amplitude, words, electrodes.words(chosen)):
            text += f"  {part}" if part and cells(text) + 2 + cells(part) <= width else ""
        yield [(text, style)]

    def _text(
        self, channel: int, page: Page, names: Sequence[str], values: Sequence[float], line: int, wide: int
    ) -> str:
        """Line 0 of an electrode has its number, the next one its value, the one above its name."""
        if not 0 <= channel < len(values) or line not in (-1, 0, 1):
            return " " * wide
        if line == -1:
            name = names[channel] if channel < len(names) else ""
            says_more = name != name.rstrip("0123456789") + f"{channel + 1}"
            return fit(name if says_more else "", wide - 1, "^") + " "
        flag, step, chosen = page.flag(channel), int(self._steps[channel]), channel == page.cursor
        name = f"{channel + 1}{flag}"
        if self.look.plain and not flag and step >= 0:
            both = f"{name} {colour_ramp.ASCII[step]}"
            name = both if len(both) <= wide else colour_ramp.ASCII[step]
        text = f.amplitude(values[channel]) if line else name
        text = f"[{text}]" if chosen and line == 0 and len(text) + 2 <= wide else text
        return f"{text:^{wide}}" if len(text) <= wide else f"{flag:^{wide}}"

    def _style(self, channel: int, page: Page, quality: bool) -> Style:
        look, flag, chosen = self.look, page.flag(channel), channel == page.cursor
        bold = bool(flag) or chosen
        if look.plain:
            return Style(reverse=chosen or None, bold=bold or None)
        step = colour_ramp.FAULTS[flag] if flag else -1 if quality else int(self._steps[channel])
        if step < 0:
            return self.ink("quiet", bold=bold, reverse=chosen)
        return colour_ramp.fill(look.dark, look.bits, step, bold=bold, reverse=chosen)


def _label_line(seen: Electrodes, row: int, wide: int) -> str:
    """Labels of the grids whose corners are in a row, each above what is seen of its own."""
    n_columns = len(seen.places[0])
    corners = sorted((x, label) for label, y, x in seen.labels if y == row and x < n_columns)
    labels = {max(x, 0): label for x, label in corners}
    starts = [*labels, n_columns]
    words = (fit(label, (end - x) * wide - 1) for (x, label), end in zip(labels.items(), starts[1:], strict=True))
    return " " * (starts[0] * wide) + " ".join(words)
