"""A whole session as a plot: the envelope or RMS by plotext, label spans and gaps beneath it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ..app.recorder import LabelStatus
from .format import unit as short_unit
from .spans import Row, row
from .timeline import label_strip

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.overview import Overview

_ESCAPES = re.compile("\x1b\\[[0-9;]*m")
_LEAST = (24, 6)


def overview_rows(overview: Overview, width: int, height: int, key_of: Callable[[int], str]) -> list[Row]:
    """Heading, plot, labels and gaps in ``height`` rows.

    Parameters
    ----------
    overview
        What is drawn.
    width, height
        Cells there are.
    key_of
        The key of a class index, for the label spans.
    """
    if width < _LEAST[0] or height < _LEAST[1]:
        return []
    lines = plot_lines(overview, width, height - 3)
    left, cells = _inner(lines)
    seconds = overview.last_s - overview.first_s
    labels = [LabelStatus(timestamp=one.timestamp, class_index=one.class_index, bad=one.bad) for one in overview.labels]
    strip = label_strip(
        labels,
        overview.first_s,
        seconds,
        cells,
        key_of,
        end=overview.seconds,
    )
    rows = [_heading(overview)]
    rows += [row((line, "trace")) for line in lines]
    rows.append((*row((" label".ljust(left)[:left], "dim")), *strip))
    rows.append(row((" gaps".ljust(left)[:left], "dim"), (_gap_line(overview, cells), "warn")))
    return rows


def _heading(overview: Overview) -> Row:
    what = "RMS of all channels" if overview.channel is None else f"channel {overview.channel + 1}"
    source = "samples" if overview.raw else "overview"
    unit = f" {short_unit(overview.unit)}" if overview.unit else ""
    span = f"{clock(overview.first_s)} to {clock(overview.last_s)} of {clock(overview.seconds)}"
    return row((f" {overview.stream}  {what}{unit}", "strong"), (f"   {span}   {source}", "dim"))


def plot_lines(overview: Overview, width: int, height: int) -> list[str]:
    """The plot as plain lines; at most two points a column, whatever the session's length."""
    import plotext

    figure = plotext.figure
    plotext.terminal.limit(False, False)
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    times, values = _zigzag(overview)
    if len(times):
        figure.draw(figure.signal(times, values, marker="braille").lines(True))
    figure.ruler("x").lim(overview.first_s, max(overview.last_s, overview.first_s + 1e-3))
    levels = _levels(values)
    if levels:
        figure.ruler("y").ticks(levels, [f"{level:.4g}" for level in levels])
    ticks = np.linspace(overview.first_s, overview.last_s, max(2, min(7, width // 16)))
    figure.ruler("x").ticks(ticks.tolist(), [clock(tick) for tick in ticks])
    text: str = figure.build().string()
    return [_ESCAPES.sub("", line).ljust(width)[:width] for line in text.splitlines() if line.strip()]


def _levels(values: list[float]) -> list[float]:
    """Where the scale is marked: its ends and middle."""
    if not values or not max(values) > min(values):
        return []
    low, high = min(values), max(values)
    return [low, (low + high) / 2, high]


def _zigzag(overview: Overview) -> tuple[list[float], list[float]]:
    good = np.isfinite(overview.low) & np.isfinite(overview.high)
    if overview.channel is None:
        return overview.times[good].tolist(), overview.high[good].tolist()
    times = np.repeat(overview.times[good], 2)
    values = np.empty(len(times))
    values[0::2], values[1::2] = overview.low[good], overview.high[good]
    return times.tolist(), values.tolist()


def _inner(lines: list[str]) -> tuple[int, int]:
    """Where the plot's inside begins, and how many cells it has."""
    top = lines[0]
    left = top.find("┌") + 1
    right = top.find("┐")
    return left, max(right - left, 1)


def _gap_line(overview: Overview, cells: int) -> str:
    """A mark where each gap is; the longest of those that are seen says where and how long."""
    seconds = overview.last_s - overview.first_s
    text = [" "] * cells
    seen = [gap for gap in overview.gaps if overview.first_s <= gap[0] < overview.last_s]
    for when, length in sorted(seen, key=lambda gap: gap[1]):
        place = min(int((when - overview.first_s) / seconds * cells), cells - 1)
        text[place] = "▲"
        note = f" gap {length:.1f} s at {clock(when)}"
        if length == max(gap[1] for gap in seen) and place + len(note) < cells:
            text[place + 1 : place + 1 + len(note)] = list(note)
    return "".join(text) if seen else "none"


def clock(seconds: float) -> str:
    """``3:11`` or ``1:03:11``; below a minute with a tenth."""
    if seconds < 60:
        return f"{seconds:.1f}"
    whole = round(seconds)
    minutes = f"{whole // 60 % 60}:{whole % 60:02d}"
    return minutes if whole < 3600 else f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
