"""A column of channels on Live: a heat map, traces below it or alone, and under them the labels and the time.

What a sweep has drawn stands there until the next one: with each answer only its newest columns are made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .heat import HEAD as MAP_HEAD
from .heat import heat, heat_heads
from .picture import Block, Picture, written
from .sweep import LINE
from .trace import HEAD, trace_heads, traces
from .view_settings import STRIP_ROWS, Layout, worst_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .heat import Steps
    from .live_data import Answer
    from .strip_widget import Page
    from .styled_lines import Line
    from .sweep import Sweep


class Shown(NamedTuple):
    """All that the lanes of a page show.

    Attributes
    ----------
    steps
        Of the ramp, ``(n_channels, columns)``, oldest column first.
    n_new
        Newest columns that are not as they were shown last; as many as there are where anything else is new.
    time
        Labels and seconds under the cells.
    numbers, cut
        Of each channel, beside its trace.
    """

    layout: Layout
    page: Page
    answer: Answer
    steps: Steps
    sweep: Sweep
    n_new: int
    scale: float
    time: Sequence[Line]
    numbers: Sequence[float] = ()
    cut: Sequence[bool] = ()


class Lane(Picture):
    """One of the columns that the channels of a page stand in."""

    n_head, n_last = MAP_HEAD, STRIP_ROWS

    def __init__(self) -> None:
        super().__init__()
        self._numbers: Sequence[float] = ()

    def lay_out(self, layout: Layout) -> None:
        """Take the height of a layout."""
        self.styles.height = layout.tall + STRIP_ROWS

    def _begin(self, number: int, shown: Shown) -> tuple[range, int, bool]:
        """The channels of the lane ``number``, how many newest columns are new, and whether those are all."""
        n_new = shown.sweep.columns if self.begin() else shown.n_new
        return shown.layout.lane(number), n_new, n_new == shown.sweep.columns

    def show_map(self, number: int, shown: Shown) -> None:
        """The map of the lane ``number``, and below it traces of the chosen and the worst channels."""
        channels, n_new, whole = self._begin(number, shown)
        layout, page, sweep = shown.layout, shown.page, shown.sweep
        rows = layout.tall - layout.below
        if whole:
            self.place(heat_heads(page, channels.start, len(channels), self), 0)
        cells = sweep.places(n_new) + MAP_HEAD
        steps = shown.steps[channels.start - layout.first :][: len(channels), -n_new:]
        self.place(heat(page, channels.start, steps, sweep.each, self.look), 0, cells)
        if layout.below:
            flagged = {channel for channel in channels if page.flag(channel)}
            below = worst_first(channels, page.cursor, flagged, layout.below)
            if whole:
                self.place(trace_heads(page, below, shown.scale, self), rows)
            self._trace(below, shown, rows, cells)
        self._end(shown, MAP_HEAD, layout.tall)

    def show_traces(self, number: int, shown: Shown) -> None:
        """The traces of the lane ``number``, each with its number."""
        channels, n_new, whole = self._begin(number, shown)
        layout = shown.layout
        rows = self.size.height - STRIP_ROWS if layout.mode == "zoom" else layout.rows
        if whole or shown.numbers is not self._numbers:
            self._numbers = shown.numbers
            of = slice(channels.start - layout.first, channels.stop - layout.first)
            numbers, cut = shown.numbers[of], shown.cut[of]
            self.place(trace_heads(shown.page, channels, shown.scale, self, rows, numbers, cut), 0)
        self._trace(channels, shown, 0, shown.sweep.places(n_new) + HEAD, rows)
        self._end(shown, HEAD, rows if layout.mode == "zoom" else layout.tall)

    def _trace(self, channels: Sequence[int], shown: Shown, y: int, cells: Steps, rows: int = 1) -> None:
        """Columns of traces of some channels."""
        at = [channel - shown.layout.first for channel in channels]
        low, high = (part[at, -2 * len(cells) :] for part in (shown.answer.low, shown.answer.high))
        each = shown.sweep.each
        steps = shown.steps[at, -(len(cells) // each) :]
        drawn = traces(shown.page, channels, low, high, steps, shown.scale, each, self.look, self, rows)
        self.place(drawn, y, cells)

    def _end(self, shown: Shown, head: int, rows: int) -> None:
        """Line and gap in the rows above, and labels and time under the cells, which begin after ``head``."""
        sweep = shown.sweep
        if not sweep.held:
            glyphs = np.zeros((rows, sweep.after - sweep.line), np.int64)
            glyphs[:, :1] = ord(LINE)
            self.place(
                Block(glyphs, np.ones_like(glyphs), (self.styled(""), self.ink("text-accent"))), 0, head + sweep.line
            )
        time = [
            [(" " * head, self.styled("")), *((text, self.styled(style)) for text, style in line)]
            for line in shown.time
        ]
        self.place(written(time, self.size.width), rows)
