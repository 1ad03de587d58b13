"""Envelopes of channels, one row (or more) each: braille from least to greatest value, ink by amplitude."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.segment import Segment
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .amplitude_scale import cut_channels
from .braille import draw_traces
from .heat import levels as steps_of
from .strip_widget import Page, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

HEAD = 15
"""Cells before the trace: cursor, number, flag, level, edge."""
RUN = 2
"""Cells of one ink, and by which the traces move."""
_TINT = 2
"""Inks are told apart by so many steps of the ramp."""


class Head(NamedTuple):
    """What stands before a trace."""

    channel: int
    flag: str
    level: str
    """Empty: neither level nor scale; the trace begins at once, under a heat map."""
    chosen: bool
    cut: bool


class Trace(Signal):
    """Traces of some channels.

    ``draw(page, channels, low, high, rms, scale, loudest, rows, numbers)`` takes least and greatest values,
    ``(len(channels), columns)``, two columns to a cell; ``scale`` is half the height of a channel, which takes ``rows``
    rows. Ink is by ``rms``, of the same time in fewer columns, in the steps of `Heat` below ``loudest``. ``numbers``
    stand beside the traces, and are of what is drawn; without them the traces begin where those of `Heat` do.
    """

    def draw(
        self, page: Page, channels: Sequence[int], low: Floats, high: Floats, rms: Floats, scale: float,
        loudest: float, rows: int = 1, numbers: Sequence[float] = (),
    ) -> None:  # fmt: skip
        look = self.look
        flags = [page.flag(channel) for channel in channels]
        levels = [f.amplitude(number) for number in numbers]
        about = (low.tobytes(), high.tobytes(), scale, loudest, rows, page.cursor, page.stale, page.unit, self.size)
        if not self.draws((about, tuple(channels), flags, levels)):
            return
        n_columns = low.shape[1] // (2 * RUN) * 2 * RUN
        indent = (low.shape[1] - n_columns) // 2
        low, high = low[:, -n_columns:], high[:, -n_columns:]
        texts = draw_traces(
            low, high, scale, rows, "ascii" if look.ascii_only else "block" if look.block else "braille"
        )
        cut, inks = cut_channels(low, high, scale), inks_of(rms, low.shape[1] // 2, loudest)
        for i, channel in enumerate(channels):
            head = Head(channel, flags[i], levels[i] if levels else "", channel == page.cursor, cut[i])
            for at, text in enumerate(texts[i]):
                key = (text, inks[i].tobytes(), head, at, look, page.stale, indent, scale if rows > 4 else 0)
                row = partial(self._row, text, inks[i], head, at, page, scale, rows, indent)
                self.show(i * rows + at, key, row)
        self.finish(len(texts) * rows)

    def _row(
        self, text: str, inks: NDArray[np.int64], head: Head, at: int, page: Page, scale: float, rows: int, indent: int
    ) -> Iterable[Segment]:
        if at == 0:
            yield from self.head(head.channel, head.flag, chosen=head.chosen)
        if head.level:
            if at == 0:
                yield Segment(f"{head.level:>8} ", self.ink("foreground", bold=head.chosen))
            else:
                yield Segment(_scale_mark(at, rows, scale, page.unit), self.ink("quiet"))
            edge, variable = ("↕", "text-warning") if head.cut else ("┊", "faint")
            yield Segment(edge, self.ink(variable))
        yield Segment(" " * indent)
        yield from self._inked(text, inks, faint=page.stale or head.flag in ("F", "x"))

    def _inked(self, text: str, inks: NDArray[np.int64], *, faint: bool) -> Iterable[Segment]:
        look = self.look
        if faint or look.plain:
            yield Segment(text, self.ink("faint") if faint else Style())
            return
        styles = colour_ramp.inks(look.dark, look.bits)
        cuts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist(), len(inks)]
        for start, stop in pairwise(cuts):
            yield Segment(text[start * RUN : stop * RUN], styles[int(inks[start])])


def inks_of(rms: Floats, cells: int, loudest: float) -> NDArray[np.int64]:
    """Steps of the ramp by run of the last ``cells``, ``(n_channels, runs)``: the same colour is as loud on the map."""
    by_cell = np.repeat(np.square(np.where(np.isfinite(rms), rms, 0)), -(-cells // rms.shape[1]), axis=1)[:, -cells:]
    runs = np.sqrt(by_cell.reshape(len(rms), cells // RUN, RUN).mean(axis=2))
    return np.maximum(steps_of(runs, loudest, np.full(runs.shape, -1, np.int64)), 0) // _TINT * _TINT


def _scale_mark(at: int, rows: int, scale: float, unit: str) -> str:
    marks = {1: f"{scale:+g} {unit}", rows // 2: "0", rows - 1: f"{-scale:+g} {unit}"} if rows > 4 else {}
    return f"{marks.get(at, ''):>{HEAD - 2}} "
