"""Envelopes of channels, one row (or more) each: braille from least to greatest value, ink by amplitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .braille import GlyphSet, draw_traces
from .heat import HEAD as BELOW
from .picture import Block, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .strip_widget import Look, Page, Signal

    Floats = NDArray[np.float32]
    Steps = NDArray[np.int64]

HEAD = 15
"""Cells before a trace: cursor, number, flag, level, edge."""
RUN = 2
"""Cells of one ink."""
_TINT = 2
"""Inks are told apart by so many steps of the ramp."""
_FIRST, _FAINT, _PLAIN = 1, colour_ramp.STEPS + 1, colour_ramp.STEPS + 2


def traces(
    page: Page, channels: Sequence[int], low: Floats, high: Floats, steps: Steps, scale: float, each: int, look: Look,
    heads: Signal, rows: int = 1,
) -> Block:  # fmt: skip
    """Columns of the traces of some channels.

    Parameters
    ----------
    low, high
        Least and greatest values, two for each cell, ``(len(channels), 2 * each * columns)``.
    steps
        Of the ramp, as `heat` has them, ``(len(channels), columns)``.
    scale
        Half the height of a channel, which takes ``rows`` rows.
    each
        Cells of a column.
    heads
        Who has the styles.
    """
    letters: GlyphSet = "ascii" if look.ascii_only else "block" if look.block else "braille"
    glyphs = draw_traces(low, high, scale, rows, letters)
    inks = _inks_of(steps, [page.flag(channel) for channel in channels], page, look)
    styles = [Style(), *colour_ramp.inks(look.dark, look.bits), heads.ink("faint"), Style()]
    return Block(
        glyphs.reshape(len(channels) * rows, -1).astype(np.int64),
        np.repeat(np.repeat(inks, each, axis=1), rows, axis=0),
        styles,
    )


def trace_heads(
    page: Page, channels: Sequence[int], scale: float, heads: Signal, rows: int = 1,
    numbers: Sequence[float] = (), cut: Sequence[bool] = (),
) -> Block:  # fmt: skip
    """What stands before traces: with ``numbers`` the RMS of what is drawn, and whether the scale has ``cut`` it."""
    names = []
    for i, channel in enumerate(channels):
        chosen = channel == page.cursor
        name = [*heads.name_of(channel, page.flag(channel), chosen=chosen)]
        if numbers:
            name.append((f"{f.amplitude(numbers[i]):>8} ", heads.ink("foreground", bold=chosen)))
        beyond = i < len(cut) and cut[i]
        edge = [("↕", heads.ink("text-warning")) if beyond else ("┊", heads.ink("faint"))] if numbers else []
        names.append(name + edge)
        names += [[(_scale_mark(at, rows, scale, page.unit), heads.ink("quiet")), *edge] for at in range(1, rows)]
    return written(names, HEAD if numbers else BELOW)


def _inks_of(steps: Steps, flags: Sequence[str], page: Page, look: Look) -> Steps:
    """The ink of each column: as loud as on the map, whatever the scale of the traces."""
    inks = _FIRST + np.maximum(steps, 0) // _TINT * _TINT
    if look.plain:
        inks[:] = _PLAIN
    inks[[page.stale or flag in ("F", "x") for flag in flags]] = _FAINT
    return inks


def _scale_mark(at: int, rows: int, scale: float, unit: str) -> str:
    marks = {1: f"{scale:+g} {unit}", rows // 2: "0", rows - 1: f"{-scale:+g} {unit}"} if rows > 4 else {}
    return f"{marks.get(at, ''):>{HEAD - 2}} "
