"""A whole session, or a stretch of it, as our own plot: bars of RMS or of a channel's reach, gestures behind them.

Gesture bands colour the bars of their time; gaps and time without samples are spans of their own;
ticks are round; a cursor says what is where. ``draw(overview, key_of, facts, cursor)`` is all that it is told.
"""

from __future__ import annotations

import math
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from textual.color import Color

from ..app.interface import LabelStatus
from . import number_format as f
from .colours import variables_of
from .label_timeline import label_strip, write_free
from .strip_widget import Lines
from .styled_lines import DIM, FAINT, STRONG, Line, fit, gesture_style, line, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from ..session.reading.facts import SessionFacts
    from ..session.reading.overview import Overview

    Floats = NDArray[np.float64]

MARGIN = 9
"""Cells before the plot, for the scale."""
LEAST = (24, 4)
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_TICK_CELLS = 14
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_BAND_SHARE = 0.22
"""Of a gesture's colour in the band behind its time."""


def evenly(overview: Overview, columns: int) -> tuple[Floats, Floats, Floats]:
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


def round_ticks(first: float, last: float, cells: int) -> list[float]:
    """Round instants between two, as many as have room."""
    span = max(last - first, 1e-6)
    wanted = span / max(cells // _TICK_CELLS, 1)
    power = 10.0 ** math.floor(math.log10(wanted))
    sizes = [m * power for m in (1, 2, 5, 10)] if wanted < 1 else _STEPS
    step = next((size for size in sizes if size >= wanted * 0.999), sizes[-1])
    start = math.ceil(first / step - 1e-9) * step
    return [start + i * step for i in range(int((last - start) / step + 1e-9) + 1)]


def clock(seconds: float, span: float = 60.0) -> str:
    """``3:11`` or ``1:03:11``; with as many decimals as a ``span`` of few seconds needs."""
    digits = 3 if span < 2 else 2 if span < 20 else 1 if span < 60 else 0
    if span < 60:
        return f"{seconds:.{digits}f}"
    whole = round(seconds)
    return f.minutes(whole).lstrip("0") if whole >= 600 else f"{whole // 60}:{whole % 60:02d}"


def heading(overview: Overview, width: int, cursor: float | None = None) -> Line:
    """What is drawn, and where; with the cursor's time and value."""
    what = "RMS of all channels" if overview.channel is None else f"channel {overview.channel + 1}"
    unit = f" {f.unit(overview.unit)}" if overview.unit else ""
    seconds = overview.last_s - overview.first_s
    first, last = clock(overview.first_s, seconds), clock(overview.last_s, seconds)
    span = f"{first} to {last} of {clock(overview.seconds, overview.seconds)} {'s' if overview.seconds < 60 else ''}"
    left = line(
        (f" {overview.stream}  {what}{unit}", STRONG), (f"   {span}   {'samples' if overview.raw else ''}", DIM)
    )
    return left if cursor is None else spread(left, line((cursor_words(overview, cursor), "bold $text-accent")), width)


def cursor_words(overview: Overview, cursor: float) -> str:
    """Time and value under the cursor (0 to 1 of the width)."""
    at = overview.first_s + cursor * (overview.last_s - overview.first_s)
    value = value_at(overview, at)
    words = "no sample" if value is None else f"{f.amplitude(value)} {f.unit(overview.unit)}"
    return f"▏{clock(at, min(overview.last_s - overview.first_s, 59))} s  {words} "


def value_at(overview: Overview, at: float) -> float | None:
    """The greatest value at an instant; None where there is no sample."""
    if any(when <= at < when + seconds for when, seconds in overview.gaps) or at > overview.end_s:
        return None
    place = int(np.searchsorted(overview.times, at, side="right")) - 1
    if place < 0 or not np.isfinite(overview.high[place]):
        return None
    return float(overview.high[place])


def labels_of(overview: Overview, cells: int, key_of: Callable[[int], str]) -> Line:
    """The labels of the stretch, as `label_timeline.label_strip` draws them."""
    labels = [LabelStatus(timestamp=one.timestamp, class_index=one.class_index, bad=one.bad) for one in overview.labels]
    seconds = overview.last_s - overview.first_s or 1.0
    return label_strip(labels, overview.first_s, seconds, cells, key_of, end=overview.seconds)


def coverage(overview: Overview, gaps: Iterable[tuple[float, float]], end_s: float, cells: int) -> str:
    """Where a stream has samples: ``━``, and where not, blanks; a gap too short to be seen is ``▲``."""
    seconds = overview.last_s - overview.first_s or 1.0

    def place(at: float) -> int:
        return min(max(int((at - overview.first_s) / seconds * cells), 0), cells)

    text = ["━"] * place(end_s) + [" "] * (cells - place(end_s))
    for when, length in gaps:
        if overview.first_s <= when < overview.last_s:
            first, last = place(when), max(place(when + length), place(when) + 1)
            text[first:last] = ["▲"] if last - first == 1 else [" "] * (last - first)
    return "".join(text[:cells])


class OverviewPlot(Lines):
    """The plot, its axis, the labels, and a row of coverage for each stream that has gaps."""

    DEFAULT_CSS = "OverviewPlot { height: 1fr; }"

    def draw(
        self, overview: Overview, key_of: Callable[[int], str], facts: SessionFacts | None = None,
        cursor: float | None = None,
    ) -> None:  # fmt: skip
        """Show a stretch; ``cursor`` is a share of the width."""
        width, height = self.size
        if width < LEAST[0] or height < LEAST[1]:
            return
        cells = width - MARGIN - 1
        gaps = [(s.name, [gap[:2] for gap in s.gaps]) for s in facts.streams if s.gaps] if facts is not None else []
        if not gaps and overview.gaps:
            gaps = [(overview.stream, list(overview.gaps))]
        gaps = gaps[: max(height - 6, 0)]
        rows = self._bars(overview, cells, height - 2 - len(gaps), cursor)
        rows.append(line((" " * MARGIN + _axis(overview, cells), DIM)))
        rows.append(line(("   label ", DIM), labels_of(overview, cells, key_of)))
        for name, places in gaps:
            text = coverage(overview, places, overview.end_s, cells)
            rows.append(line((fit(f" {name}", MARGIN - 1) + " ", DIM), (text, "$text-warning")))
        self.put(rows)

    def _bars(self, overview: Overview, cells: int, tall: int, cursor: float | None) -> list[Line]:
        _, low, high = evenly(overview, cells)
        bottom, top = scale_of(low, high, from_zero=overview.channel is None)
        known = np.isfinite(high)
        eighths = [np.nan_to_num((part - bottom) / (top - bottom) * tall * 8).astype(int) for part in (low, high)]
        upper, lower = eighths[1], eighths[0] if overview.channel is not None else np.zeros(cells, int)
        lower = np.minimum(lower, np.maximum(upper - 1, 0))
        inks = _gesture_inks(overview, cells)
        styles = {ink: self._style(ink) for ink in set(inks)}
        columns = [styles[ink] if there else FAINT for ink, there in zip(inks, known.tolist(), strict=True)]
        at = None if cursor is None else min(int(cursor * cells), cells - 1)
        if at is not None:
            columns[at] = f"reverse {columns[at]}"
        rows = []
        for y in range(tall):
            base = 8 * (tall - 1 - y)
            fill = np.clip(upper - base, 0, 8)
            fill = np.where(lower >= base + 8, 0, np.where(lower > base, 8, fill))
            text = [_EIGHTHS[n] if there else "░" for n, there in zip(fill.tolist(), known.tolist(), strict=True)]
            if at is not None and text[at] == " ":
                text[at] = "▏"
            rows.append(line((_mark(y, tall, bottom, top), DIM), ("┊", FAINT), _runs(text, columns)))
        return rows

    def _style(self, class_index: int) -> str:
        """Bars in the gesture's colour, and behind them a band in a tint of it."""
        if class_index < 0:
            return "$secondary"
        ink, variables = gesture_style(class_index), variables_of(self.app)
        names = variables.get("background", ""), variables.get(ink.removeprefix("$"), "")
        if self.look.plain or not all(name.startswith("#") for name in names):
            return ink
        paper, colour = (Color.parse(name) for name in names)
        return f"{ink} on {paper.blend(colour, _BAND_SHARE).hex6}"


def _mark(y: int, tall: int, bottom: float, top: float) -> str:
    """The scale beside row ``y``."""
    if y == 0:
        return f"{f.amplitude(top):>7} "
    if y == tall - 1:
        return f"{f.amplitude(bottom) if bottom else '0':>7} "
    return f"{f.amplitude((top + bottom) / 2):>7} " if y == tall // 2 and tall > 6 else " " * 8


def _runs(letters: Sequence[str], styles: Sequence[str]) -> Line:
    """A letter in each style, those of one style together."""
    cells = zip(styles, letters, strict=True)
    return tuple(("".join(text for _, text in run), style) for style, run in groupby(cells, itemgetter(0)))


def scale_of(low: Floats, high: Floats, *, from_zero: bool) -> tuple[float, float]:
    """The ends of the scale, rounded up to two figures: from zero, or as far below it as above."""
    reach = np.abs(np.concatenate([high] if from_zero else [low, high]))
    top = _rounded(float(reach[np.isfinite(reach)].max(initial=0.0))) or 1.0
    return (0.0 if from_zero else -top), top


def _rounded(value: float) -> float:
    if value == 0 or not math.isfinite(value):
        return 0.0
    power = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return math.copysign(math.ceil(abs(value) / power - 1e-9) * power, value)


def _gesture_inks(overview: Overview, cells: int) -> list[int]:
    """The class in force at each cell; -1 for none."""
    edges = np.linspace(overview.first_s, overview.last_s, cells, endpoint=False)
    inks = [-1] * cells
    for i, label in enumerate(overview.labels):
        end = overview.labels[i + 1].timestamp if i + 1 < len(overview.labels) else overview.seconds
        first, last = np.searchsorted(edges, [label.timestamp, end])
        inks[first:last] = [label.class_index] * int(last - first)
    return inks


def _axis(overview: Overview, cells: int) -> str:
    text = [" "] * cells
    span = overview.last_s - overview.first_s
    for tick in round_ticks(overview.first_s, overview.last_s, cells):
        place = int((tick - overview.first_s) / (span or 1.0) * cells)
        word = "╷" + (f"{round(tick, 6):g}" if span < 60 else clock(tick, span))
        write_free(text, place, word)
    return "".join(text)
