"""All channels at a glance: two in a row by half blocks, time from left to right, colour by the logarithm of RMS."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from rich.segment import Segment
from rich.style import Style

from . import colour_ramp
from .strip_widget import Page, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Steps = NDArray[np.int64]

HEAD = 5
"""Cells before the map: cursor, number, flag."""
QUANTUM_SECONDS = 0.25
"""The map moves by no less time than that."""


def levels(rms: Floats, loudest: float, before: Steps) -> Steps:
    """Steps of the logarithmic ramp below ``loudest``, with hysteresis; -1 where nothing is known.

    Parameters
    ----------
    rms
        Of each channel, ``(n_channels,)``.
    before
        The steps of the column before, ``(n_channels,)``.
    """
    known = np.isfinite(rms)
    exact = np.log10(np.maximum(np.where(known, rms, 0), 1e-12) / loudest)
    exact = (exact / colour_ramp.DECADES + 1) * colour_ramp.STEPS
    stays = (exact > before - colour_ramp.SLACK) & (exact < before + 1 + colour_ramp.SLACK) & (before >= 0)
    new = np.clip(exact, 0, colour_ramp.STEPS - 1).astype(np.int64)
    return np.where(known, np.where(stays, before, new), -1)


def columns_of(cells: int, seconds: float) -> tuple[int, int]:
    """Columns of time for so many cells, and cells of each: none is shorter than `QUANTUM_SECONDS`."""
    cells_each = max(math.ceil(QUANTUM_SECONDS * cells / seconds - 1e-9), 1)
    return max(cells // cells_each, 1), cells_each


class Heat(Signal):
    """The map of a run of channels.

    ``draw(page, rms, loudest, each)`` takes ``rms`` ``(n_channels, columns)`` of complete columns that lie on a fixed
    grid of ``page.seconds / columns``, each ``each`` cells wide; drawn columns are kept.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._levels: Steps = np.zeros((0, 0), np.int64)
        self._about: tuple[object, ...] = ()
        self._column = 0

    def draw(self, page: Page, rms: Floats, loudest: float, each: int = 1) -> None:
        """Show what is new, or another page of channels."""
        n_channels, n_columns = rms.shape
        newest = round(page.start / (page.seconds / max(n_columns, 1))) + n_columns
        about = (page.first, n_channels, n_columns, page.seconds, loudest)
        moved = newest - self._column
        if about != self._about or not 0 <= moved < n_columns:
            self._about, moved = about, n_columns
            self._levels = np.full((n_channels, n_columns), -1, np.int64)
        self._column = newest
        if moved:
            self._levels = np.roll(self._levels, -moved, axis=1)
            before = self._levels[:, n_columns - moved - 1]
            for column in range(n_columns - moved, n_columns):
                before = self._levels[:, column] = levels(rms[:, column], loudest, before)
        flags = [page.flag(page.first + i) for i in range(n_channels)] + [""] * (n_channels % 2)
        if self.draws((self._about, newest, flags, page.cursor, each, self.size)):
            self._draw_rows(page, flags, each)

    def _draw_rows(self, page: Page, flags: Sequence[str], each: int) -> None:
        n_channels, n_columns = self._levels.shape
        painted = np.full((n_channels + n_channels % 2, n_columns), -1, np.int64)
        painted[:n_channels] = self._levels
        look = self.look
        for i, flag in enumerate(flags):
            if flag:
                painted[i] = -1 if look.plain else colour_ramp.FAULTS[flag]
        for y, (upper, lower) in enumerate(zip(painted[0::2], painted[1::2], strict=True)):
            channel = page.first + 2 * y
            two = flags[2 * y], flags[2 * y + 1]
            chosen = page.cursor - channel if page.cursor in (channel, channel + 1) else -1
            key = (upper.tobytes(), lower.tobytes(), channel, two, chosen, look, each)
            self.show(y, key, partial(self._row, upper, lower, channel, two, chosen, each))
        self.finish(len(painted) // 2)

    def _row(
        self, upper: Steps, lower: Steps, channel: int, flags: tuple[str, str], chosen: int, each: int
    ) -> Iterable[Segment]:
        look = self.look
        named = chosen if chosen >= 0 else int(bool(flags[1] and not flags[0]))
        yield from self.head(channel + named, flags[named], chosen=chosen >= 0)
        if look.plain:
            loud = np.maximum(upper, lower).tolist()
            text = "".join(
                (colour_ramp.ASCII[step] if step >= 0 else "!" if any(flags) else "?") * each for step in loud
            )
            yield Segment(text, Style(bold=any(flags)))
            return
        styles = colour_ramp.pairs(look.dark, look.bits)
        cuts = [0, *(np.flatnonzero(np.diff(upper) | np.diff(lower)) + 1).tolist(), len(upper)]
        for start, stop in pairwise(cuts):
            above, below = int(upper[start]), int(lower[start])
            text = ("▀" if above >= 0 or below >= 0 else " ") * (each * (stop - start))
            yield Segment(text, styles[max(above, 0)][max(below, 0)] if text[0] != " " else None)
