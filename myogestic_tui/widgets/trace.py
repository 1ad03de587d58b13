"""Envelopes of channels, one row (or more) each: braille from least to greatest value, ink by amplitude."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.style import Style

from . import colour_ramp
from . import number_format as f
from .amplitude_scale import cut_channels
from .braille import GlyphSet, draw_traces
from .heat import HEAD as BELOW
from .picture import Block, beside, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .strip_widget import Look, Page, Signal
    from .sweep import Sweep

    Floats = NDArray[np.float32]
    Steps = NDArray[np.int64]

HEAD = 15
"""Cells before a trace: cursor, number, flag, level, edge."""
RUN = 2
"""Cells of one ink."""
_TINT = 2
"""Inks are told apart by so many steps of the ramp."""
_FIRST, _FAINT, _PLAIN, _LINE = 1, colour_ramp.STEPS + 1, colour_ramp.STEPS + 2, colour_ramp.STEPS + 3


def traces(
    page: Page, channels: Sequence[int], low: Floats, high: Floats, steps: Steps, scale: float, sweep: Sweep,
    look: Look, heads: Signal, rows: int = 1, numbers: Sequence[float] = (),
) -> Block:  # fmt: skip
    """Traces of some channels, behind their heads.

    Parameters
    ----------
    low, high
        Least and greatest values, ``(len(channels), 2 * sweep.cells)``, oldest first.
    steps
        Of the ramp, as `heat` has them, ``(len(channels), sweep.columns)``.
    scale
        Half the height of a channel, which takes ``rows`` rows.
    heads
        Who has the styles.
    numbers
        RMS of what is drawn, beside the traces; without them the traces begin where the map does.
    """
    flags = [page.flag(channel) for channel in channels]
    letters: GlyphSet = "ascii" if look.ascii_only else "block" if look.block else "braille"
    glyphs = sweep.placed(draw_traces(low, high, scale, rows, letters)).reshape(-1, sweep.cells).astype(np.int64)
    inks = sweep.placed(np.repeat(_inks_of(steps, flags, page, look), sweep.each, axis=1)).repeat(rows, axis=0)
    sweep.cut(glyphs, inks, _LINE)
    styles = [Style(), *colour_ramp.inks(look.dark, look.bits), heads.ink("faint"), Style(), heads.ink("text-accent")]
    cut = cut_channels(low, high, scale)
    names = []
    for i, channel in enumerate(channels):
        chosen = channel == page.cursor
        name = [*heads.name_of(channel, flags[i], chosen=chosen)]
        if numbers:
            name.append((f"{f.amplitude(numbers[i]):>8} ", heads.ink("foreground", bold=chosen)))
        edge = [("↕", heads.ink("text-warning")) if cut[i] else ("┊", heads.ink("faint"))] if numbers else []
        names.append(name + edge)
        names += [[(_scale_mark(at, rows, scale, page.unit), heads.ink("quiet")), *edge] for at in range(1, rows)]
    width = HEAD if numbers else BELOW
    return beside(written(names, width), Block(glyphs, inks, styles))


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
