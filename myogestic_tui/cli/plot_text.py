"""A whole session as lines of plain text: the envelope or RMS by plotext, labels and gaps beneath it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..widgets.session_plot import clock, evenly, heading, labels_of
from ..widgets.styled_lines import fit, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..session.reading.overview import Overview

    _Floats = NDArray[np.float64]

_ESCAPES = re.compile("\x1b\\[[0-9;]*m")
LEAST = (24, 6)
_MARGIN = 8
_MOST_PIECES = 40


def plot_text(overview: Overview, width: int, height: int, key_of: Callable[[int], str]) -> list[str]:
    """Heading, plot, labels and gaps in ``height`` lines; nothing where there is no room for them."""
    if width < LEAST[0] or height < LEAST[1]:
        return []
    lines = plot_lines(overview, width, height - 3)
    left, cells = _inner(lines)
    labels = " label".ljust(left)[:left] + plain(labels_of(overview, cells, key_of))
    gaps = fit(" gaps", left) + _gap_line(overview, overview.gaps, cells)
    return [plain(heading(overview, width)), *lines, labels, gaps]


@lru_cache(maxsize=4)
def plot_lines(overview: Overview, width: int, height: int) -> tuple[str, ...]:
    """The plot as plain lines; at most two points a column, whatever the session's length. Kept until it changes."""
    import plotext

    figure = plotext.figure
    plotext.terminal.limit(False, False)
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    values: list[float] = []
    for times, part in _pieces(overview, 2 * (width - _MARGIN)):
        values += part
        figure.draw(figure.signal(times, part, marker="braille").lines(True))
    figure.ruler("x").lim(overview.first_s, max(overview.last_s, overview.first_s + 1e-3))
    levels = _levels([*values, 0.0] if overview.channel is None else values)
    if levels:
        figure.ruler("y").lim(levels[0], levels[-1])
        figure.ruler("y").ticks(levels, [f"{level:>7.4g}" for level in levels])
    ticks = np.linspace(overview.first_s, overview.last_s, max(2, min(7, width // 16)))
    figure.ruler("x").ticks(ticks.tolist(), [clock(tick, overview.last_s - overview.first_s) for tick in ticks])
    text: str = figure.build().string()
    return tuple(_ESCAPES.sub("", line).ljust(width)[:width] for line in text.splitlines() if line.strip())


def _levels(values: list[float]) -> list[float]:
    """Where the scale is marked: its ends and middle."""
    if not values or not max(values) > min(values):
        return []
    low, high = min(values), max(values)
    return [low, (low + high) / 2, high]


def _pieces(overview: Overview, columns: int) -> list[tuple[list[float], list[float]]]:
    """Points of the curve, in pieces: where nothing was recorded, nothing is drawn."""
    times, low, high = overview.times, overview.low, overview.high
    stroke = overview.channel is not None and not np.array_equal(low, high)
    if stroke:
        times, low, high = evenly(overview, columns)
        cuts = np.flatnonzero(~np.isfinite(high))
    else:
        ends = [when for when, _ in overview.gaps if overview.first_s < when < overview.last_s]
        cuts = np.unique(np.searchsorted(times, ends[:_MOST_PIECES], side="right"))
    pieces = [part[np.isfinite(high[part])] for part in np.split(np.arange(len(times)), cuts)]
    return [_points(times[part], low[part] if stroke else high[part], high[part]) for part in pieces if len(part)]


def _points(times: _Floats, low: _Floats, high: _Floats) -> tuple[list[float], list[float]]:
    """The curve itself, or a stroke between least and greatest in each column: up in one, down in the next."""
    if np.array_equal(low, high):
        return times.tolist(), high.tolist()
    strokes = np.stack([low, high], axis=1)
    strokes[1::2] = strokes[1::2, ::-1]
    return np.repeat(times, 2).tolist(), strokes.ravel().tolist()


def _inner(lines: Sequence[str]) -> tuple[int, int]:
    """Where the plot's inside begins, and how many cells it has."""
    top = lines[0]
    left = top.find("┌") + 1
    right = top.find("┐")
    return left, max(right - left, 1)


def _gap_line(overview: Overview, gaps: Sequence[tuple[float, float]], cells: int) -> str:
    """A mark where each gap is; the longest of those that are seen says where and how long."""
    seconds = overview.last_s - overview.first_s or 1.0
    text = [" "] * cells
    seen = sorted((gap for gap in gaps if overview.first_s <= gap[0] < overview.last_s), key=lambda gap: gap[1])
    for when, _ in seen:
        text[min(int((when - overview.first_s) / seconds * cells), cells - 1)] = "▲"
    if seen:
        when, length = seen[-1]
        place = min(int((when - overview.first_s) / seconds * cells), cells - 1)
        note = f" gap {length:.{3 if length < 1 else 1}f} s at {clock(when)} "
        at = place + 1 if place + 1 + len(note) <= cells else place - len(note)
        if at >= 0:
            text[at : at + len(note)] = list(note)
    return "".join(text) if seen else "none"
