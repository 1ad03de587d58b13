"""The Live plot: all channels of a page, the labels under them, and a map of every channel, in one line-API widget."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from . import format as f
from .rows import Rows
from .scaling import cut_channels
from .spans import BLANK, Row, Span, fill, fit, row
from .timeline import label_strip, time_axis
from .traces import GlyphSet, decode_envelope, draw_traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..app.recorder import ChannelQuality, Envelope
    from .frame import Frame

PREFIX = 24
"""Cells before the plot: cursor, channel, RMS, quality, edge."""
EDGES = (Span("┊", "faint"), Span("↕", "warn"))
"""What stands before a trace: a plain edge, or the mark of one that the scale cuts."""

QUALITY = {"F": "F flat", "C": "C clip", "M": "M mains", "N": "N nan", "x": "x bad"}
"""What a quality flag reads as; the first letter of `ChannelQuality.flags` that stands here wins, worst first."""
WORST_FIRST = "xNFCM"


@dataclass(frozen=True)
class Page:
    """What the plot shows besides the envelope: a page of a stream's channels and how to draw it."""

    n_channels: int
    """Of the stream."""
    first: int = 0
    cursor: int = 0
    seconds: float = 10.0
    scale: float = 1.0
    rows_per_channel: int = 1
    unit: str = ""
    glyphs: GlyphSet = "braille"
    quality: tuple[ChannelQuality, ...] = ()
    ruled: bool = False
    """Write the scale beside the rows of a channel, as where one is zoomed."""
    stale: bool = False
    """Nothing comes any more: what is drawn is the past."""


PERCENT = "% MVC"
"""The unit of what `in_percent` gives."""


def in_percent(envelope: Envelope, mvc: Sequence[float]) -> Envelope:
    """The envelope in percent of each channel's maximum voluntary contraction; NaN where a channel has none."""
    reference = _references(mvc)[envelope.first_channel :][: envelope.n_channels, None]
    low, high = decode_envelope(envelope.low, envelope.high, envelope.n_channels, envelope.columns)
    return replace(envelope, low=(low / reference).tobytes(), high=(high / reference).tobytes(), unit=PERCENT)


def quality_in_percent(quality: Sequence[ChannelQuality], mvc: Sequence[float]) -> tuple[ChannelQuality, ...]:
    """RMS and peak in percent of each channel's maximum voluntary contraction; NaN where a channel has none."""
    references = _references(mvc).tolist()
    return tuple(
        replace(one, rms=one.rms / of, peak=one.peak / of) for one, of in zip(quality, references, strict=True)
    )


def _references(mvc: Sequence[float]) -> NDArray[np.float32]:
    """One percent of each channel's, ``(n_channels,)``."""
    values = np.asarray(mvc, np.float32) / 100
    return np.where(values > 0, values, np.float32(np.nan))


def plot_cells(width: int) -> int:
    """Cells of the plot itself in a widget so wide."""
    return max(width - PREFIX, 1)


def envelope_rows(envelope: Envelope | None, page: Page, frame: Frame, width: int, height: int) -> list[Row]:
    """Axis, channels, label row and channel map in ``height`` rows."""
    cells = plot_cells(width)
    level = page.unit if page.unit == PERCENT else f"RMS {page.unit}"
    heading = f"  CH {fit(level, 8, '>')} QUALITY"
    rows = [row((fit(heading, PREFIX), "dim"), (time_axis(page.seconds, cells), "dim"))]
    room = max(height - 3, 0)
    rows += fill(channel_rows(envelope, page, cells), room) if envelope is not None else fill([], room)
    if envelope is not None:
        strip = label_strip(envelope.labels, envelope.start, envelope.seconds, cells, frame.key_of)
        rows.append((*row((fit(" label", PREFIX - 1), "dim"), ("┊", "faint")), *strip))
    else:
        rows.append(BLANK)
    return [*rows, channel_map(page, width)][:height]


def channel_rows(envelope: Envelope, page: Page, cells: int) -> list[Row]:
    """``rows_per_channel`` rows for each channel of the envelope."""
    low, high = decode_envelope(envelope.low, envelope.high, envelope.n_channels, envelope.columns)
    even = envelope.columns - envelope.columns % 2
    traces = draw_traces(low[:, :even], high[:, :even], page.scale, page.rows_per_channel, page.glyphs)
    cut = cut_channels(low, high, page.scale)
    rows: list[Row] = []
    for i, lines in enumerate(traces):
        rows += _channel(envelope.first_channel + i, [line[:cells] for line in lines], page, EDGES[cut[i]])
    return rows


def _channel(channel: int, lines: list[str], page: Page, edge: Span) -> list[Row]:
    quality = page.quality[channel] if channel < len(page.quality) else None
    flag = worst_flag(quality.flags) if quality is not None else None
    level = f.NOTHING if quality is None else f.amplitude(quality.rms)
    head = (*_head(channel, level, flag, channel == page.cursor), edge)
    style = "trace-dim" if page.stale else _TRACE_STYLES.get(flag or "", "warn")
    if style == "trace" and channel % 2 and len(lines) == 1:
        style = "trace-odd"  # neighbours that touch stay apart
    act = f"channel:{channel}"
    heads = [head, *([(*_UNDER_HEAD, edge)] * (len(lines) - 1))]
    if page.ruled and len(lines) > 4:
        for place, value in ((1, page.scale), (len(lines) // 2, 0.0), (len(lines) - 1, -page.scale)):
            heads[place] = row((f"{f'{value:+g} {page.unit}' if value else '0':>{PREFIX - 2}} ", "dim"), edge)
    return [(*start, Span(line, style, act)) for start, line in zip(heads, lines, strict=True)]


_TRACE_STYLES = {"": "trace", "x": "trace-dim", "F": "trace-dim"}
_UNDER_HEAD = row(" " * (PREFIX - 1))


@lru_cache(1024)
def _head(channel: int, level: str, flag: str | None, chosen: bool) -> Row:
    """Cursor, number, level and quality; ``flag`` None: nothing is known yet."""
    act = f"channel:{channel}"
    words = "" if flag is None else QUALITY.get(flag, "ok")
    return row(
        ("▸" if chosen else " ", "key", act),
        (f"{channel + 1:>3} {level:>8} ", "select" if chosen else "", act),
        (fit(words, 9), "warn" if flag else "ok", act),
    )


def worst_flag(flags: str) -> str:
    """The flag that matters most of a channel's flags; empty where all is well."""
    return next((flag for flag in WORST_FIRST if flag in flags), "")


_HEIGHTS = "▁▂▃▄▅▆▇"


def channel_map(page: Page, width: int) -> Row:
    """One character for every channel, also those off the page: its level, or its worst flag."""
    head = fit(f" 1-{page.n_channels}", 8)
    if not page.quality:
        return row((head, "dim"))
    letters = _map_letters(page.quality, page.scale)
    per_letter = 1
    while -(-len(letters) // per_letter) * 17 // 16 + 1 > width - 8:
        per_letter += 1
    spans: list[Span] = [Span(head, "dim")]
    for i in range(0, len(letters), per_letter):
        if i and (i // per_letter) % 16 == 0:
            spans.append(Span("│", "faint"))
        group = letters[i : i + per_letter]
        letter, style = max(group, key=lambda item: (item[1] == "warn", item[0]))
        here = page.cursor // per_letter == i // per_letter
        spans.append(Span(letter, "tab" if here else style, f"channel:{i}"))
    return tuple(spans)


@lru_cache(16)
def _map_letters(quality: tuple[ChannelQuality, ...], scale: float) -> list[tuple[str, str]]:
    return [_map_letter(one, scale) for one in quality]


def _map_letter(quality: ChannelQuality, scale: float) -> tuple[str, str]:
    flag = worst_flag(quality.flags)
    if flag:
        return flag, "warn"
    share = min(max(quality.rms / scale, 0.0), 0.999) if scale > 0 and quality.rms == quality.rms else 0.0
    return _HEIGHTS[int(share**0.5 * len(_HEIGHTS))], "trace"


class EnvelopePlot(Rows):
    """The plot as a widget; `draw` it with each new envelope."""

    def draw(self, envelope: Envelope | None, page: Page, frame: Frame) -> None:
        """Show an envelope."""
        self.show(envelope_rows(envelope, page, frame, self.size.width, self.size.height))
