"""Small drawings in one row: a line of values, two per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)


def line_spark(values: Sequence[float], low: float, high: float, cells: int) -> str:
    """Values as braille dots on four levels between ``low`` and ``high``, newest at the right; NaN is a hole."""
    dots = [0] * cells
    span = (high - low) or 1.0
    for back, value in enumerate(reversed(values)):
        place = 2 * cells - 1 - back
        if place < 0:
            break
        if value == value:
            level = min(max(int((value - low) / span * 4), 0), 3)
            dots[place // 2] |= (_RIGHT if place % 2 else _LEFT)[level]
    return "".join(chr(0x2800 + dot) if dot else " " for dot in dots)


_FILLED_LEFT = (0x00, 0x40, 0x44, 0x46, 0x47)
_FILLED_RIGHT = (0x00, 0x80, 0xA0, 0xB0, 0xB8)


def area_spark(values: Sequence[float], top: float, cells: int) -> str:
    """Values from 0 to ``top`` as filled braille, two a cell, oldest at the left; NaN is a hole."""
    levels = [0 if value != value else min(max(round(value / (top or 1.0) * 4), 1), 4) for value in values]
    levels += [0] * (2 * cells - len(levels))
    pairs = zip(levels[0 : 2 * cells : 2], levels[1 : 2 * cells : 2], strict=True)
    dots = (_FILLED_LEFT[left] | _FILLED_RIGHT[right] for left, right in pairs)
    return "".join(chr(0x2800 + dot) if dot else " " for dot in dots)


def bar(share: float, cells: int) -> str:
    """A bar of heavy line, ``share`` (0 to 1) of the cells long; anything above 0 shows."""
    length = min(round(share * cells), cells) if share > 0 else 0
    return "━" * (max(length, 1) if share > 0 else 0)


def progress(share: float, cells: int) -> str:
    """A full and an empty part: ``████░░░░``."""
    done = min(max(int(share * cells), 0), cells)
    return "█" * done + "░" * (cells - done)
