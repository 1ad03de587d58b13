"""A whole session as a plot: the envelope or RMS by plotext, label spans and gaps beneath it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..app.recorder import LabelStatus
from .format import unit as short_unit
from .spans import Row, fit, row
from .spark import area_spark
from .timeline import label_strip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..session.reading.facts import SessionFacts
    from ..session.reading.overview import Overview

    _Floats = NDArray[np.float64]
    _Columns = tuple[_Floats, _Floats, _Floats]

_ESCAPES = re.compile("\x1b\\[[0-9;]*m")
_LEAST = (24, 6)
_MARGIN = 8
"""Cells before a strip, for its title."""
_MOST_PIECES = 40


def overview_rows(
    overview: Overview, width: int, height: int, key_of: Callable[[int], str], facts: SessionFacts | None = None
) -> list[Row]:
    """Heading, plot, labels and gaps in ``height`` rows.

    Parameters
    ----------
    overview
        What is drawn.
    width, height
        Cells there are.
    key_of
        The key of a class index, for the label spans.
    facts
        Where known: gaps of all streams are marked, not only those of the one that is drawn.
    """
    if width < _LEAST[0] or height < _LEAST[1]:
        return []
    gaps = _gaps_by_stream(overview, facts)[: max(height - _LEAST[1], 1)]
    lines = plot_lines(overview, width, height - 2 - len(gaps))
    left, cells = _inner(lines)
    rows = [_heading(overview)]
    rows += [row((line, "trace")) for line in lines]
    rows.append((*row((" label".ljust(left)[:left], "dim")), *_labels(overview, cells, key_of)))
    for name, places in gaps:
        rows.append(row((fit(f" {name}", left), "dim"), (_gap_line(overview, places, cells), "warn")))
    return rows


def _gaps_by_stream(overview: Overview, facts: SessionFacts | None) -> list[tuple[str, Sequence[tuple[float, float]]]]:
    """Gaps of the streams that have any."""
    found = [(one.name, [gap[:2] for gap in one.gaps]) for one in facts.streams if one.gaps] if facts else []
    return [("gaps", overview.gaps), *((name, gaps) for name, gaps in found if name != overview.stream)]


def strip_rows(
    overview: Overview | None, facts: SessionFacts | None, width: int, key_of: Callable[[int], str]
) -> list[Row]:
    """The RMS of a whole session in one row, its labels in a second, and one for each stream that has gaps."""
    cells = width - _MARGIN
    if overview is None or cells < _LEAST[0]:
        return []
    values = _evenly(overview, 2 * cells)[2]
    spark = area_spark(values.tolist(), float(np.nanmax(values, initial=0.0)), cells)
    rows = [
        row((" RMS".ljust(_MARGIN), "dim"), (spark, "trace")),
        (*row((" label".ljust(_MARGIN), "dim")), *_labels(overview, cells, key_of)),
    ]
    for stream in facts.streams if facts is not None else ():
        if stream.gaps:
            line = _gap_line(overview, [gap[:2] for gap in stream.gaps], cells)
            rows.append(row((f" {fit(stream.name, _MARGIN - 2)} ", "dim"), (line, "warn")))
    return rows


def _evenly(overview: Overview, columns: int) -> _Columns:
    """Left edge, least and greatest value of equal stretches of time, ``(columns,)`` each; NaN where nothing is."""
    edges = np.linspace(overview.first_s, overview.last_s, columns, endpoint=False)
    blank = np.full(columns, np.nan)
    if not len(overview.times):
        return edges, blank, blank
    places = np.searchsorted(overview.times, edges, side="right") - 1
    starts = np.maximum(places, 0)
    there = (places >= 0) & (edges <= overview.end_s)
    for when, seconds in overview.gaps:
        first, last = np.searchsorted(edges, [when, when + seconds])
        there[first + 1 : last - 1] = False
    low, high = np.fmin.reduceat(overview.low, starts), np.fmax.reduceat(overview.high, starts)
    return edges, np.where(there, low, np.nan), np.where(there, high, np.nan)


def _labels(overview: Overview, cells: int, key_of: Callable[[int], str]) -> Row:
    labels = [LabelStatus(timestamp=one.timestamp, class_index=one.class_index, bad=one.bad) for one in overview.labels]
    return label_strip(
        labels, overview.first_s, overview.last_s - overview.first_s or 1.0, cells, key_of, end=overview.seconds
    )


def _heading(overview: Overview) -> Row:
    what = "RMS of all channels" if overview.channel is None else f"channel {overview.channel + 1}"
    source = "samples" if overview.raw else "overview"
    unit = f" {short_unit(overview.unit)}" if overview.unit else ""
    seconds = overview.last_s - overview.first_s
    span = f"{clock(overview.first_s, seconds)} to {clock(overview.last_s, seconds)} of {clock(overview.seconds)}"
    return row((f" {overview.stream}  {what}{unit}", "strong"), (f"   {span}   {source}", "dim"))


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
        times, low, high = _evenly(overview, columns)
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


def clock(seconds: float, span: float = 60.0) -> str:
    """``3:11`` or ``1:03:11``; below a minute with a tenth, and with more in a ``span`` of few seconds."""
    digits = 3 if span < 2 else 2 if span < 20 else 1 if seconds < 60 else 0
    if seconds < 60:
        return f"{seconds:.{max(digits, 1)}f}"
    whole = int(round(seconds, digits) // 60)
    rest = round(seconds, digits) - whole * 60
    ending = f"{rest:0{3 + digits if digits else 2}.{digits}f}"
    return f"{whole}:{ending}" if whole < 60 else f"{whole // 60}:{whole % 60:02d}:{ending}"
