"""From least and greatest values per column to characters: braille dots, blocks, or ASCII.

Two columns of an envelope make one cell. Every column that holds a sample leaves a mark, which reaches
from its least to its greatest value, so that a single-sample spike shows at any time scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GlyphSet = Literal["braille", "block", "ascii"]

DOTS = 4
"""Dots of a braille cell from bottom to top."""
_LEFT = np.array([0x40, 0x04, 0x02, 0x01])
_RIGHT = np.array([0x80, 0x20, 0x10, 0x08])
_RAMP = " .:-=+*#%@"
_BLOCKS = " ▁▂▃▄▅▆▇█"


def _span_table(bits: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Bits of a column of dots by (lowest + 1, highest + 1) lit dot, clipped to 0 … 5; 0 and 5 lie outside the cell."""
    table = np.zeros((DOTS + 2, DOTS + 2), np.uint16)
    for low in range(DOTS + 2):
        for high in range(low, DOTS + 2):
            table[low, high] = sum(int(bits[i]) for i in range(DOTS) if low <= i + 1 <= high)
    return table


_LEFT_SPANS = _span_table(_LEFT)
_RIGHT_SPANS = _span_table(_RIGHT)


def draw_traces(
    low: NDArray[np.float32], high: NDArray[np.float32], scale: float, n_rows: int = 1, glyphs: GlyphSet = "braille"
) -> NDArray[np.uint16]:
    """Draw envelopes.

    Parameters
    ----------
    low, high
        ``(n_channels, columns)``, an even number of columns; NaN where there is no sample.
    scale
        Half the height: values of ``-scale`` and ``+scale`` touch the lower and upper edge. Beyond it they are cut.
    n_rows
        Screen rows per channel.
    glyphs
        Which characters to draw with.

    Returns
    -------
    NDArray
        Code points, ``(n_channels, n_rows, columns // 2)``, rows from top to bottom.
    """
    if glyphs == "braille":
        return _braille_codes(low, high, scale, n_rows)
    return _bar_codes(low, high, scale, n_rows, glyphs)


def dot_levels(values: NDArray[np.float32], scale: float, n_levels: int) -> NDArray[np.int32]:
    """Which of ``n_levels`` from bottom to top each value lights; NaN gives no sensible level.

    Zero lies a quarter of a dot below the middle: in a row of four dots a signal around zero then has one, two, three
    or four of them, as it grows; with zero between two dots it would have but two or four.
    """
    with np.errstate(invalid="ignore"):
        level = np.floor((values * (0.5 / scale) + 0.5) * n_levels - 0.25)
        levels: NDArray[np.int32] = np.clip(np.where(np.isnan(level), 0, level), 0, n_levels - 1).astype(np.int32)
        return levels


def _braille_codes(
    low: NDArray[np.float32], high: NDArray[np.float32], scale: float, n_rows: int
) -> NDArray[np.uint16]:
    first = dot_levels(low, scale, DOTS * n_rows)
    last = dot_levels(high, scale, DOTS * n_rows)
    first[np.isnan(low)] = DOTS * n_rows + 1
    base = DOTS * np.arange(n_rows - 1, -1, -1, dtype=np.int32)[:, None]
    first, last = first[:, None] - base, last[:, None] - base
    bottom = np.clip(first + 1, 0, DOTS + 1)
    top = np.maximum(np.clip(last + 1, 0, DOTS + 1), bottom)
    outside = (last < 0) | (first >= DOTS)
    bottom[outside] = top[outside] = 0
    bits = _LEFT_SPANS[bottom[..., 0::2], top[..., 0::2]] | _RIGHT_SPANS[bottom[..., 1::2], top[..., 1::2]]
    codes: NDArray[np.uint16] = np.where(bits == 0, np.uint16(ord(" ")), np.uint16(0x2800) + bits)
    return codes


def _bar_codes(
    low: NDArray[np.float32], high: NDArray[np.float32], scale: float, n_rows: int, glyphs: GlyphSet
) -> NDArray[np.uint16]:
    """Bars from the bottom, as high as the peak-to-peak value of the two columns of a cell."""
    n_channels, columns = low.shape
    with np.errstate(invalid="ignore"):
        tall = np.fmax(high[:, 0::2], high[:, 1::2]) - np.fmin(low[:, 0::2], low[:, 1::2])
    ramp = _BLOCKS if glyphs == "block" else _RAMP
    steps = len(ramp) - 1
    there = ~np.isnan(tall)
    height = np.ceil(np.nan_to_num(tall) / (2 * scale) * steps * n_rows).astype(np.int64)
    height = np.where(there, np.clip(height, 1, steps * n_rows), 0)
    letters = np.array([ord(letter) for letter in ramp], np.uint16)
    codes = np.empty((n_channels, n_rows, columns // 2), np.uint16)
    for at in range(n_rows):
        codes[:, at] = letters[np.clip(height - steps * (n_rows - 1 - at), 0, steps)]
    return codes
