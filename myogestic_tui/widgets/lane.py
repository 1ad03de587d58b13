"""A column of channels on Live: a heat map, traces below it or alone, and under them the labels and the time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .heat import HEAD as MAP_HEAD
from .heat import heat
from .picture import Block, Picture, written
from .trace import HEAD, traces
from .view_settings import STRIP_ROWS, Layout, worst_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .heat import Steps
    from .live_data import Answer
    from .strip_widget import Page
    from .styled_lines import Line
    from .sweep import Sweep


class Lane(Picture):
    """One of the columns that the channels of a page stand in."""

    n_head, n_last = MAP_HEAD, STRIP_ROWS

    def lay_out(self, layout: Layout) -> None:
        """Take the height of a layout."""
        self.styles.height = layout.tall + STRIP_ROWS

    def show_map(
        self, number: int, layout: Layout, page: Page, answer: Answer, steps: Steps, sweep: Sweep, scale: float,
        time: Sequence[Line],
    ) -> None:  # fmt: skip
        """The map of the lane ``number``, and below it traces of the chosen and the worst channels."""
        first, n_channels = layout.lane(number)
        part = slice(first - layout.first, first - layout.first + n_channels)
        blocks = [heat(replace(page, first=first, n_channels=n_channels), steps[part], sweep, self.look, self)]
        if layout.below:
            flagged = {i for i in range(len(page.quality)) if page.flag(i)}
            channels = worst_first(range(first, first + n_channels), page.cursor, flagged, layout.below)
            at = [channel - layout.first for channel in channels]
            values = answer.low[at], answer.high[at], steps[at]
            blocks.append(traces(page, channels, *values, scale, sweep, self.look, self))
        self.put(*blocks, self._time(MAP_HEAD, time))

    def show_traces(
        self, number: int, layout: Layout, page: Page, answer: Answer, steps: Steps, sweep: Sweep, scale: float,
        time: Sequence[Line], numbers: Sequence[float],
    ) -> None:  # fmt: skip
        """The traces of the lane ``number``, each with its number."""
        first, n_channels = layout.lane(number)
        part = slice(first - layout.first, first - layout.first + n_channels)
        rows = self.size.height - STRIP_ROWS if layout.mode == "zoom" else layout.rows
        channels = range(first, first + n_channels)
        values = answer.low[part], answer.high[part], steps[part]
        drawn = traces(page, channels, *values, scale, sweep, self.look, self, rows, numbers[part])
        self.put(drawn, self._time(HEAD, time))

    def _time(self, head: int, lines: Sequence[Line]) -> Block:
        """Labels and time under the cells, which begin after ``head``."""
        rows = [
            [(" " * head, self.styled("")), *((text, self.styled(style)) for text, style in line)] for line in lines
        ]
        return written(rows, self.size.width)
