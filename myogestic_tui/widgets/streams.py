"""Parts of the Streams screen: the table, the details of one stream, and what needs the operator."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from ..app.recorder import Problem, Status, StreamStatus
from . import format as f
from .spans import BLANK, Row, Span, cells, fit, row, rule
from .spark import line_spark

STATES = {
    "live": ("●", "ok"),
    "slow": ("▲", "warn"),
    "lost": ("✗", "bad"),
    "refused": ("✗", "bad"),
    "seen": ("○", "dim"),
    "wanted": ("…", "warn"),
    "connecting": ("…", "accent"),
    "ended": ("○", "dim"),
}
"""Glyph and style of each stream state; the word always stands beside it."""

LOUD = ("lost", "refused")
_TRACE_ROOM = 17
WIDE = 120
"""From this width on the table shows type, jitter, clock and a rate trace per stream."""

Cell = Callable[[StreamStatus], str]

_COLUMNS: tuple[tuple[str, int, str, Cell], ...] = (
    ("STREAM", 14, "<", lambda s: s.name),
    ("HOST", 9, "<", lambda s: s.hostname or "any"),
    ("CH", 4, ">", lambda s: str(s.n_channels) if s.n_channels else f.NOTHING),
    (" TYPE", 6, "<", lambda s: f" {f.dtype(s.dtype) or f.NOTHING}"),
    ("NOM Hz", 9, ">", lambda s: f.rate(s.fs)),
    ("NOW Hz", 9, ">", lambda s: f.rate(s.measured_fs)),
    ("AGE s", 8, ">", lambda s: f.age(s.age_s)),
    ("GAPS", 5, ">", lambda s: str(s.gaps) if s.n_samples or s.gaps else f.NOTHING),
)
_MORE: tuple[tuple[str, int, str, Cell], ...] = (
    ("LOST", 7, ">", lambda s: f.count(s.lost_samples) if s.n_samples else f.NOTHING),
    ("JITTER ms", 11, ">", lambda s: f.NOTHING if s.jitter_s is None else f"{s.jitter_s * 1e3:.1f}"),
    ("OFFSET ms", 11, ">", lambda s: f.signed(s.clock_offset, 1e3)),
    ("ppm", 6, ">", lambda s: f.signed(s.clock_drift_ppm, 1.0, 1)),
)


def stream_table(streams: Sequence[StreamStatus], cursor: int, width: int) -> list[Row]:
    """One heading row and one row per stream."""
    columns = _COLUMNS + (_MORE if width >= WIDE else ())
    heading = "  IN  STATE     " + "".join(fit(title, size, align) for title, size, align, _ in columns)
    if width - cells(heading) >= _TRACE_ROOM:
        heading += "  RATE, LAST 60 s"
    return [
        row((fit(heading, width), "dim")),
        *(_table_row(s, i == cursor, width, columns) for i, s in enumerate(streams)),
    ]


def _table_row(stream: StreamStatus, chosen: bool, width: int, columns: tuple[tuple[str, int, str, Cell], ...]) -> Row:
    glyph, style = STATES[stream.state]
    word = stream.state.upper() if stream.state in LOUD else stream.state
    act = f"stream:{stream.key}"
    text = "select" if chosen else ("dim" if stream.state in ("seen", "ended") else "")
    facts = "".join(
        fit(cell(stream), size - (align == "<"), align) + " " * (align == "<") for _, size, align, cell in columns
    )
    spans = [
        Span("▸" if chosen else " ", "key", act),
        Span("[x]" if stream.record else "[ ]", text, f"tick:{stream.key}"),
        Span("  ", text, act),
        Span(fit(f"{glyph} {word}", 10), style, act),
        Span(facts, text, act),
    ]
    used = 16 + sum(size for _, size, _, _ in columns)
    room = width - used
    if room >= _TRACE_ROOM:
        spans.append(Span("  " + rate_trace(stream, min(room - 4, 30)), "trace", act))
    elif room > 0:
        spans.append(Span(" " * room, text, act))
    return tuple(spans)


def rate_trace(stream: StreamStatus, cells: int, share: float = 0.01) -> str:
    """The rate of the last 60 s around nominal, plus and minus ``share`` from bottom to top."""
    if stream.fs <= 0 or not stream.rate_trace:
        return ""
    return line_spark(stream.rate_trace[-2 * cells :], stream.fs * (1 - share), stream.fs * (1 + share), cells)


def stream_details(stream: StreamStatus, width: int, height: int = 5, *, whole: bool = False) -> list[Row]:
    """What is known about one stream; ``whole`` lists every channel."""
    source = f" · source {stream.source_id}" if stream.source_id else ""
    about = " · ".join(part for part in (stream.type, stream.hostname) if part)
    rows = [rule(f"{stream.name}   {about}{source}", width)]
    rows.append(
        row(
            (" rate     ", "dim"),
            f"{f.rate(stream.measured_fs):>8} Hz  ",
            (fit(rate_trace(stream, 30), 30), "trace"),
            ("  60 s ±1 %" if stream.fs > 0 else "  irregular", "dim"),
        )
    )
    rows.append(_clock_row(stream))
    rows.append(row((" quality  ", "dim"), *quality_summary(stream)))
    if stream.message:
        rows.append(row((" says     ", "dim"), (fit(stream.message, width - 11), "warn")))
    if whole:
        return [*rows, *_channel_list(stream, width)]
    rows.append(row((" units    ", "dim"), fit(_units(stream), 15), (" names ", "dim"), _ends(stream.channel_names)))
    return rows[:height]


def _clock_row(stream: StreamStatus) -> Row:
    jitter = "-" if stream.jitter_s is None else f"p99 {stream.jitter_s * 1e3:.1f} ms"
    fit_text = "" if stream.clock_uncertainty is None else f"   fit ±{stream.clock_uncertainty * 1e3:.2f} ms"
    clock = f"{f.signed(stream.clock_offset, 1e3)} ms   drift {f.signed(stream.clock_drift_ppm, 1.0, 1)} ppm{fit_text}"
    if stream.clock_offset is None:
        clock = "not compared yet"
    by_arrival = stream.time_basis not in ("", "lsl", "uncompared")
    if by_arrival:
        clock = "another one: time by arrival" if stream.time_basis != "none" else "another one"
    return row((" jitter   ", "dim"), fit(jitter, 15), (" clock ", "dim"), (clock, "warn" if by_arrival else ""))


FLAG_WORDS = {"F": "flat", "C": "clipped", "M": "mains", "N": "NaN", "x": "bad"}


def quality_summary(stream: StreamStatus) -> Row:
    """``62 ok   1 flat: 17   1 mains: 42``."""
    if not stream.quality:
        return row(("no samples yet" if stream.dtype != "string" else "text", "dim"))
    spans: list[Span] = [Span(f"{sum(not q.flags for q in stream.quality)} ok", "ok")]
    for flag, word in FLAG_WORDS.items():
        which = [str(i + 1) for i, q in enumerate(stream.quality) if flag in q.flags]
        if which:
            listed = ", ".join(which[:4]) + (" …" if len(which) > 4 else "")
            spans.append(Span(f"   {len(which)} {word}: {listed}", "warn" if flag != "x" else "dim"))
    return tuple(spans)


def _units(stream: StreamStatus) -> str:
    units = sorted(set(stream.units))
    return "-" if not units else units[0] if len(units) == 1 else f"{len(units)} kinds"


def _ends(names: tuple[str, ...]) -> str:
    if not names:
        return "-"
    return f"{names[0]} … {names[-1]}" if len(names) > 3 else ", ".join(names)


def _channel_list(stream: StreamStatus, width: int) -> list[Row]:
    """Number, name at full length, RMS, unit and flags of every channel, in as many columns as there is room for."""
    names = stream.channel_names or tuple(f"ch{i + 1}" for i in range(stream.n_channels))
    room = min(max(9, *(cells(name) for name in names)), max(width - _BESIDE_NAME, 9)) if names else 9
    per_row = max(width // (room + _BESIDE_NAME), 1)
    fields = [_channel(stream, i, name, room) for i, name in enumerate(names)]
    return [(), *(tuple(fields[i : i + per_row]) for i in range(0, len(fields), per_row))]


_BESIDE_NAME = 22


def _channel(stream: StreamStatus, channel: int, name: str, room: int) -> Span:
    quality = stream.quality[channel] if channel < len(stream.quality) else None
    unit = f.unit(stream.units[channel]) if channel < len(stream.units) else ""
    level = f.amplitude(quality.rms) if quality is not None else ""
    flags = quality.flags if quality is not None else ""
    text = f" {channel + 1:>4} {fit(name, room)}{level:>8} {fit(unit, 3)} {flags}"
    return Span(fit(text, room + _BESIDE_NAME), "warn" if flags else "")


def xml_rows(text: str, width: int) -> list[Row]:
    """The XML that a stream describes itself with, as it was sent but for tabs; long lines go on in the next row."""
    if not text:
        return [row(("  it sends no description of itself", "dim"))]
    lines = (line.expandtabs(2).rstrip() for line in text.strip().splitlines())
    room = max(width - 2, 8)
    pieces = (line[at : at + room] for line in lines for at in range(0, max(len(line), 1), room))
    return [rule("as it was sent", width), *(row(f" {piece}") for piece in pieces)]


_BESIDE_SUBJECT = 50
"""From this width on a problem's text stands beside its subject, else under it."""
MARKS = {"error": ("✗", "bad"), "warning": ("▲", "warn"), "info": ("…", "dim")}


def needs_you(problems: Sequence[Problem], width: int, height: int) -> list[Row]:
    """The one list of what needs the operator; nothing at all where nothing does."""
    if not problems or height < 2:
        return []
    rows = [rule("needs you", width)]
    beside = width >= _BESIDE_SUBJECT
    for problem in sorted(problems, key=lambda p: ("error", "warning", "info").index(p.severity)):
        mark, style = MARKS[problem.severity]
        head = row((f" {mark} ", style), (fit(problem.subject, 12), style))
        lines = textwrap.wrap(problem.text, max(width - (17 if beside else 4), 8), break_on_hyphens=False) or [""]
        rows += [(*head, *row(" ", lines.pop(0)))] if beside else [head]
        rows += [row(" " * (16 if beside else 3), line) for line in lines]
    if len(rows) > height:
        rows = [*rows[: height - 1], row((f" … and {len(rows) - height + 1} more lines", "warn"))]
    return rows


def streams_page(status: Status, at: int, width: int, height: int) -> list[Row]:
    """Table with the cursor on row ``at``, details under it, problems last; details give way before problems do."""
    streams = status.streams
    if not streams:
        return [*nothing_seen(status), BLANK, *needs_you(status.problems, width, height - 8)]
    problems = needs_you(status.problems, width, 6 if height < 30 else 12)
    room = height - len(problems) - (1 if problems else 0)
    table = _around(stream_table(streams, at, width), at, max(room - 6, 4))
    details = _fitting_details(streams[at], width, room - len(table) - 1)
    gap = [BLANK] if len(table) + 1 + len(details) <= room else []
    rows = [*table, *gap, *(details if len(table) + len(gap) + len(details) <= room else [])]
    for other in (*streams[at + 1 :], *streams[:at]):
        more = [BLANK, *stream_details(other, width, 6)]
        if other.state not in ("seen", "wanted") and len(rows) + len(more) <= room:
            rows += more
    return [*rows, *([BLANK] if problems and len(rows) < room + 1 else []), *problems]


def _fitting_details(stream: StreamStatus, width: int, room: int) -> list[Row]:
    """With every channel where all fit."""
    whole = stream_details(stream, width, room, whole=True)
    return whole if len(whole) <= room else stream_details(stream, width, 6)


def _around(table: list[Row], at: int, room: int) -> list[Row]:
    """The heading and as many rows around the cursor as fit."""
    heading, rows = table[0], table[1:]
    if len(rows) <= room - 1:
        return table
    start = min(max(at - room // 2, 0), len(rows) - room + 2)
    kept = rows[start : start + room - 2]
    return [heading, *kept, row((f"  {len(rows) - len(kept)} more: ↑↓", "dim"))]


def nothing_seen(status: Status) -> list[Row]:
    """The empty state: what to do where no stream is on the network."""
    starting = "   it is starting …" if status.generator else ""
    return [
        (),
        row(("   No stream on the network yet.", "strong"), "  Looking all the time: a new one soon shows."),
        (),
        row(("   g", "key"), "  start a synthetic EMG outlet, to try things out", (starting, "accent")),
        row(("   d", "key"), "  doctor: what keeps streams from being seen"),
        row(("   ?", "key"), "  all keys"),
    ]
