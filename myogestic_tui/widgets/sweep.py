"""Where time stands in a picture that is written over in place, as on a patient monitor.

Columns lie on an absolute grid of time, and each has its place for good: the newest ones are written over the oldest.
A line stands after the newest sample, and a gap after the line; all to the left of it is of this sweep, all to the
right of it of the one before. A view that is held runs from left to right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .label_timeline import label_strip, time_axis
from .styled_lines import DIM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..app.interface import LabelStatus
    from .styled_lines import Line

LINE = "│"
GAP = 2
"""Cells of the line and of what is blank after it."""


class Sweep(NamedTuple):
    """The window of a picture, and the places of its columns.

    Attributes
    ----------
    newest
        Number of the newest column on the grid of time.
    columns, each
        Columns of the window, and cells of each.
    filled
        Cells of the newest column whose time has come.
    seconds
        Of the window.
    held
        From left to right, without a gap.
    """

    newest: int
    columns: int
    each: int
    filled: int
    seconds: float
    held: bool = False

    @property
    def cells(self) -> int:
        """Of a row."""
        return self.columns * self.each

    @property
    def line(self) -> int:
        """The cell of the line, after the newest sample; as many as there are cells where there is none."""
        if self.held:
            return self.cells
        return (self.newest % self.columns * self.each + self.filled) % self.cells

    @property
    def after(self) -> int:
        """The first cell after line and gap; at least the cells whose time has not come yet are left blank."""
        return min(self.line + max(GAP, self.each - self.filled), self.cells)

    def recent(self, before: Sweep | None) -> int:
        """Columns at the end of time that are not as a picture of ``before`` has them."""
        moved = self.newest - before.newest if before is not None else -1
        same = before is not None and before._replace(newest=self.newest, filled=self.filled) == self
        return moved + 1 if same and 0 <= moved < (1 if self.held else self.columns) else self.columns

    def places(self, n_columns: int) -> NDArray[np.int64]:
        """The cells of the newest columns, in the order of time."""
        numbers = np.arange(self.newest - n_columns + 1, self.newest + 1)
        first = self.newest - self.columns + 1 if self.held else 0
        cells: NDArray[np.int64] = ((numbers - first) % self.columns * self.each)[:, None] + np.arange(self.each)
        return cells.ravel()

    def labels(self, labels: Sequence[LabelStatus], start: float, key_of: Callable[[int], str]) -> Line:
        """The labels of a window that begins at ``start``, under its cells."""
        if self.held:
            return label_strip(labels, start, self.seconds, self.cells, key_of)
        cell, line, after = self.seconds / self.cells, self.line, self.after
        began = start + self.seconds - (self.each - self.filled + line) * cell
        left = label_strip(labels, began, line * cell, line, key_of)
        n_right = self.cells - after
        right = label_strip(labels, began + (after - self.cells) * cell, n_right * cell, n_right, key_of)
        return (*left, (LINE, "$text-accent"), (" " * (after - line - 1), ""), *right)

    def axis(self, end: str, behind: float = 0.0) -> Line:
        """Seconds before the present; ``end`` is what the newest sample is, which came ``behind`` seconds ago."""
        text = time_axis(self.seconds, self.cells, end=end, line=self.line, after=self.after, behind=behind)
        if self.held:
            return ((text, DIM),)
        line, word = self.line, len(end)
        first = line - word if line >= word else line
        last = line + 1 + (word if line < word else 0)
        return (text[:first], DIM), (text[first:last], "$text-accent"), (text[last:], DIM)
