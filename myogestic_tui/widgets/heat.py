"""All channels at a glance: two in a row by half blocks, time from left to right, colour by the logarithm of RMS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from rich.style import Style

from . import colour_ramp
from .picture import Block, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from .strip_widget import Look, Page, Signal
    from .sweep import Sweep

    Floats = NDArray[np.float32]
    Steps = NDArray[np.int64]

HEAD = 5
"""Cells before the map: cursor, number, flag."""
QUANTUM_SECONDS = 0.25
"""No column of the map is of less time than that."""


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


class Levels:
    """Steps of the ramp in the columns of a `Sweep`: a complete column keeps what it was given."""

    def __init__(self) -> None:
        self._steps: Steps = np.zeros((0, 0), np.int64)
        self._about: object = None
        self._newest = 0

    def take(self, rms: Floats, loudest: float, sweep: Sweep, about: object = None) -> Steps:
        """Steps ``(n_channels, columns)`` of ``rms``, oldest column first; ``about`` is all else that they are of."""
        n_channels, n_columns = rms.shape
        about, moved = (about, n_channels, n_columns, loudest), sweep.newest - self._newest
        if about != self._about or not 0 <= moved < n_columns:
            self._about, moved = about, n_columns - 1
            self._steps = np.full((n_channels, n_columns), -1, np.int64)
        self._newest = sweep.newest
        steps = self._steps = np.roll(self._steps, -moved, axis=1)
        for column in range(n_columns - moved - 1, n_columns):
            before = steps[:, column - 1] if column else np.full(n_channels, -1, np.int64)
            steps[:, column] = levels(rms[:, column], loudest, before)
        return steps


def heat(page: Page, first: int, steps: Steps, each: int, look: Look) -> Block:
    """Columns of the map of a run of channels, two in a row.

    Parameters
    ----------
    first
        The first of the channels.
    steps
        Of the ramp, ``(n_channels, columns)``.
    each
        Cells of a column.
    """
    flags = _flags(page, first, len(steps))
    painted = np.full((len(flags), steps.shape[1] * each), -1, np.int64)
    painted[: len(steps)] = np.repeat(steps, each, axis=1)
    if not look.plain:
        for i, flag in enumerate(flags):
            if flag:
                painted[i] = colour_ramp.FAULTS[flag]
    return _plain(painted, flags) if look.plain else _blocks(painted, look)


def heat_heads(page: Page, first: int, n_channels: int, heads: Signal) -> Block:
    """Cursor, number and flag of each row of the map; ``heads`` has the styles."""
    flags = _flags(page, first, n_channels)
    return written(
        [[*_head(page, first + 2 * y, flags[2 * y : 2 * y + 2], heads)] for y in range(len(flags) // 2)], HEAD
    )


def _flags(page: Page, first: int, n_channels: int) -> list[str]:
    """One of each channel, and of one that makes their number even."""
    return [page.flag(first + i) for i in range(n_channels)] + [""] * (n_channels % 2)


def _head(page: Page, first: int, flags: Sequence[str], heads: Signal) -> Iterable[tuple[str, Style]]:
    """The chosen channel of the two, or the one with a fault; the first with both letters where each has one."""
    chosen = page.cursor in (first, first + 1)
    if all(flags) and not chosen:
        ((number, style), upper), (_, lower) = (heads.name_of(first + i, flags[i], chosen=False) for i in (0, 1))
        return (number[1:], style), upper, lower
    at = page.cursor - first if chosen else int(bool(flags[1] and not flags[0]))
    return heads.name_of(first + at, flags[at], chosen=chosen)


_PLAIN = [Style(), Style(), Style(bold=True)]


def _plain(painted: Steps, flags: Sequence[str]) -> Block:
    """Glyphs for the louder of two channels, bold where one has a fault."""
    loud = np.maximum(painted[0::2], painted[1::2])
    letters = np.array([0, *map(ord, colour_ramp.ASCII)], np.int64)
    faulty = np.array([1 + bool(a or b) for a, b in zip(flags[0::2], flags[1::2], strict=True)])
    return Block(letters[loud + 1], np.repeat(faulty[:, None], loud.shape[1], axis=1), _PLAIN)


def _blocks(painted: Steps, look: Look) -> Block:
    """Half blocks: the upper channel is the ink, the lower one the paper; of one that is not known nothing is seen."""
    upper, lower = painted[0::2], painted[1::2]
    glyphs = np.where(upper >= 0, ord("▀"), np.where(lower >= 0, ord("▄"), 0))
    n_paints, styles = colour_ramp.pairs(look.dark, look.bits)
    one, other = np.where(upper >= 0, upper, lower), np.where(upper >= 0, lower, -1)
    return Block(glyphs, 1 + (one * (n_paints + 1) + other + 1), styles)
