"""Streams as rows and in detail: what is there, how fast, how clean, and what became of each of the last 60 seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import number_format as f
from .problem_list import quality_line
from .stable_table import Column, cell
from .styled_lines import ACCENT, BAD, BLANK, DIM, KEY, OK, STRONG, WARN, Line, cells, fit, line, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.interface import Status, StreamStatus

    Trend = Callable[[str], Sequence[float]]

STATES = {
    "live": ("●", OK),
    "slow": ("▲", WARN),
    "lost": ("✗", BAD),
    "refused": ("✗", BAD),
    "seen": ("○", DIM),
    "wanted": ("…", WARN),
    "connecting": ("…", ACCENT),
    "ended": ("○", DIM),
}
"""Glyph and style of each stream state; the word always stands beside it."""
WORDS = {"seen": "avail.", "wanted": "expect", "connecting": "opening", "lost": "LOST", "refused": "REFUSED"}
_BARS = "▁▂▃▄▅▆▇█"
_OFF_SHARE = 0.01
"""A rate that is off by more than that has its trace shown."""
_BESIDE_NAME = 22


def columns(width: int) -> tuple[Column, ...]:
    """The columns for a table so wide; what is left goes to the names and the sparkline."""
    found = [
        Column("rec", " REC", 5),
        Column("state", "STATE", 10),
        Column("stream", "STREAM", 15),
        Column("host", "HOST", 11),
        Column("ch", "CH", 5, ">"),
        Column("type", "TYPE", 5),
        Column("nominal", "NOM Hz", 8, ">"),
        Column("now", "NOW Hz", 8, ">"),
        Column("age", "LAST s", 8, ">"),
        Column("gaps", "GAPS", 5, ">"),
    ]
    if width < 80:
        found = [one for one in found if one.key not in ("type", "host", "nominal")]
    if width >= 140:
        found[3] = Column("host", "HOST", 16)
        found += [
            Column("lost", "LOST", 8, ">"), Column("jitter", "JITTER ms", 11, ">"),
            Column("offset", "OFFSET ms", 11, ">"), Column("drift", "ppm", 7, ">"),
        ]  # fmt: skip
    left = width - sum(one.width for one in found)
    if width >= 118 and left > 12:
        found.append(Column("trend", "LAST 60 s", min(left - 1, 62)))
        found[2] = Column("stream", "STREAM", 15 + max(min(left - 63, 20), 0))
    return tuple(found)


def stream_row(stream: StreamStatus, shown: Sequence[Column], trend: Sequence[float]) -> tuple[Line, ...]:
    """The cells of one stream."""
    glyph, style = STATES[stream.state]
    quiet = DIM if stream.state in ("seen", "ended", "wanted") else ""
    texts = {
        "stream": stream.name,
        "host": stream.hostname or "any",
        "ch": str(stream.n_channels) if stream.n_channels else f.NOTHING,
        "type": f.dtype(stream.dtype) or f.NOTHING,
        "nominal": f.rate(stream.fs),
        "now": f.rate(stream.measured_fs) if stream.state != "lost" else f.NOTHING,
        "age": f.age(stream.age_s),
        "gaps": str(stream.gaps) if stream.n_samples or stream.gaps else f.NOTHING,
        "lost": f.count(stream.lost_samples) if stream.n_samples else f.NOTHING,
        "jitter": f.NOTHING if stream.jitter_s is None else f"{stream.jitter_s * 1e3:.1f}",
        "offset": f.signed(stream.clock_offset, 1e3),
        "drift": f.signed(stream.clock_drift_ppm, 1.0, 1),
    }
    row: list[Line] = []
    for column in shown:
        if column.key == "rec":
            row.append(line((f" [{'x' if stream.record else ' '}]", "" if stream.record else DIM)))
        elif column.key == "state":
            row.append(cell(f"{glyph} {WORDS.get(stream.state, stream.state)}", column, style))
        elif column.key == "trend":
            row.append(sparkline(trend, column.width - 1))
        else:
            row.append(cell(texts[column.key], column, STRONG if column.key == "stream" and not quiet else quiet))
    return tuple(row)


def sparkline(values: Sequence[float], width: int) -> Line:
    """Values of the last seconds, newest at the right, from 0 to the greatest; red where nothing came."""
    shown = list(values)[-width:]
    top = max((value for value in shown if value == value), default=0.0) or 1.0
    parts: list[tuple[str, str]] = [(" " * (width - len(shown)), "")]
    for value in shown:
        missing = value != value
        glyph = "▁" if missing else _BARS[min(int(value / top * 7.99), 7)]
        style = BAD if missing else "$secondary"
        if parts[-1][1] == style:
            parts[-1] = (parts[-1][0] + glyph, style)
        else:
            parts.append((glyph, style))
    return tuple(parts)


def details(stream: StreamStatus, width: int, trend: Sequence[float] = (), *, whole: bool = False) -> list[Line]:
    """What is known about one stream; ``whole`` lists every channel."""
    source = f" · source {stream.source_id}" if stream.source_id else ""
    about = " · ".join(part for part in (stream.type, stream.hostname) if part)
    rows = [rule(f"{stream.name}   {about}{source}", width), _rate_line(stream, width)]
    rows.append(_clock_line(stream))
    rows.append(line((" quality  ", DIM), quality_line(stream)))
    marks = {"error": BAD, "warning": WARN}
    rows += [line((" time     ", DIM), (fit(r.text, width - 11), marks.get(r.severity, DIM))) for r in stream.remarks]
    if stream.message:
        rows.append(line((" note     ", DIM), (fit(stream.message, width - 11), WARN)))
    rows.append(line((" units    ", DIM), fit(_units(stream), 15), (" names ", DIM), _ends(stream.channel_names)))
    if trend and width < 118:
        rows.append(line((" 60 s     ", DIM), sparkline(trend, min(width - 12, 60))))
    return [*rows, BLANK, *_channel_list(stream, width)] if whole else rows


def _rate_line(stream: StreamStatus, width: int) -> Line:
    head = line((" rate     ", DIM), f"{f.rate(stream.measured_fs):>8} Hz")
    if stream.fs <= 0:
        return line(head, ("   irregular", DIM))
    off = (stream.measured_fs or stream.fs) / stream.fs - 1
    if abs(off) <= _OFF_SHARE or not stream.rate_trace:
        return line(head, (f"   nominal {f.rate(stream.fs)}", DIM))
    shares = [rate / stream.fs if rate == rate else float("nan") for rate in stream.rate_trace]
    return line(head, (f"   {100 * off:+.1f} % of nominal   ", WARN), sparkline(shares, min(width - 50, 60)))


def _clock_line(stream: StreamStatus) -> Line:
    jitter = "-" if stream.jitter_s is None else f"p99 {stream.jitter_s * 1e3:.1f} ms"
    fitted = "" if stream.clock_uncertainty is None else f"   fit ±{stream.clock_uncertainty * 1e3:.2f} ms"
    clock = f"{f.signed(stream.clock_offset, 1e3)} ms   drift {f.signed(stream.clock_drift_ppm, 1.0, 1)} ppm{fitted}"
    if stream.clock_offset is None:
        clock = "not compared yet"
    by_arrival = stream.time_basis not in ("", "lsl", "uncompared")
    if by_arrival:
        which = "not compared" if stream.clock_offset is None else "another one"
        clock = f"{which}: time by arrival" if stream.time_basis != "none" else which
    return line((" jitter   ", DIM), fit(jitter, 15), (" clock ", DIM), (clock, WARN if by_arrival else ""))


def _units(stream: StreamStatus) -> str:
    units = sorted(set(stream.units))
    return "-" if not units else units[0] if len(units) == 1 else f"{len(units)} kinds"


def _ends(names: tuple[str, ...]) -> str:
    if not names:
        return "-"
    return f"{names[0]} … {names[-1]}" if len(names) > 3 else ", ".join(names)


def _channel_list(stream: StreamStatus, width: int) -> list[Line]:
    """Number, name at full length, RMS, unit and flags of every channel, in as many columns as there is room for."""
    names = stream.channel_names or tuple(f"ch{i + 1}" for i in range(stream.n_channels))
    room = min(max(9, *(cells(name) for name in names)), max(width - _BESIDE_NAME, 9)) if names else 9
    per_row = max(width // (room + _BESIDE_NAME), 1)
    parts = [_channel(stream, i, name, room) for i, name in enumerate(names)]
    return [line(*parts[i : i + per_row]) for i in range(0, len(parts), per_row)]


def _channel(stream: StreamStatus, channel: int, name: str, room: int) -> Line:
    quality = stream.quality[channel] if channel < len(stream.quality) else None
    unit = f.unit(stream.units[channel]) if channel < len(stream.units) else ""
    level = f.amplitude(quality.rms) if quality is not None else ""
    flags = quality.flags if quality is not None else ""
    text = f" {channel + 1:>4} {fit(name, room)}{level:>8} {fit(unit, 3)} {flags}"
    return line((fit(text, room + _BESIDE_NAME), WARN if flags else ""))


def xml_lines(text: str, width: int) -> list[Line]:
    """The XML that a stream describes itself with, as it was sent but for tabs; long lines continue in the next row."""
    if not text:
        return [line(("  it sends no description of itself", DIM))]
    rows = (one.expandtabs(2).rstrip() for one in text.strip().splitlines())
    room = max(width - 2, 8)
    pieces = (one[at : at + room] for one in rows for at in range(0, max(len(one), 1), room))
    return [rule("as it was sent", width), *(line(f" {piece}") for piece in pieces)]


def nothing_seen(status: Status) -> list[Line]:
    """The empty state: what to do where no stream is on the network."""
    starting = "   it is starting …" if status.generator else ""
    return [
        BLANK,
        line(("   No stream on the network yet.", STRONG), "  Looking all the time: a new one soon shows."),
        BLANK,
        line(
            ("   g", KEY),
            "  start a synthetic EMG outlet, to try things out",
            (starting, ACCENT),
        ),
        line(("   d", KEY), "  doctor: what keeps streams from being seen"),
        line(("   ?", KEY), "  all keys"),
    ]
