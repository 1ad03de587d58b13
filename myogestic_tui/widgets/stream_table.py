"""Streams as rows and in detail: what is there, how fast, how clean, and what became of each of the last 60 seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from . import number_format as f
from .problem_list import quality_line
from .stable_table import Column
from .styled_lines import ACCENT, BAD, BLANK, DIM, KEY, OK, STRONG, WARN, Line, cells, fit, line, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.interface import Status, StreamStatus

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


class StreamRow(NamedTuple):
    """What a row shows: a stream, and what it did in each of the last seconds."""

    stream: StreamStatus
    trend: Sequence[float] = ()


def columns(width: int) -> tuple[Column[StreamRow], ...]:
    """The columns for a table so wide; what is left goes to the names and the sparkline."""
    left_out = {"type", "host", "nominal"} if width < 80 else set()
    left_out |= _WIDE if width < 140 else set()
    found = [one for one in _COLUMNS if one.key not in left_out]
    if width >= 140:
        found[3] = replace(found[3], width=16)
    left = width - sum(one.width for one in found)
    if width >= 118 and left > 12:
        cells = min(left - 1, 62)
        found.append(Column("trend", "LAST 60 s", cells, lambda row: sparkline(row.trend, cells - 1)))
        found[2] = replace(found[2], width=15 + max(min(left - 63, 20), 0))
    return tuple(found)


def _text(read: Callable[[StreamStatus], str], style: str = "") -> Callable[[StreamRow], Line]:
    """A cell that is dim where the stream brings nothing."""

    def cell(row: StreamRow) -> Line:
        return line((read(row.stream), DIM if row.stream.state in ("seen", "ended", "wanted") else style))

    return cell


def _ticked(row: StreamRow) -> Line:
    return line((" [x]", "") if row.stream.record else (" [ ]", DIM))


def _state(row: StreamRow) -> Line:
    state = row.stream.state
    glyph, style = STATES[state]
    return line((f"{glyph} {WORDS.get(state, state)}", style))


_COLUMNS: tuple[Column[StreamRow], ...] = (
    Column("rec", " REC", 5, _ticked),
    Column("state", "STATE", 10, _state),
    Column("stream", "STREAM", 15, _text(lambda s: s.name, STRONG)),
    Column("host", "HOST", 11, _text(lambda s: s.hostname or "any")),
    Column("ch", "CH", 5, _text(lambda s: str(s.n_channels or f.NOTHING)), right=True),
    Column("type", "TYPE", 5, _text(lambda s: f.dtype(s.dtype) or f.NOTHING)),
    Column("nominal", "NOM Hz", 8, _text(lambda s: f.rate(s.fs)), right=True),
    Column("now", "NOW Hz", 8, _text(lambda s: f.rate(None if s.state == "lost" else s.measured_fs)), right=True),
    Column("age", "LAST s", 8, _text(lambda s: f.age(s.age_s)), right=True),
    Column("gaps", "GAPS", 5, _text(lambda s: str(s.gaps) if s.n_samples or s.gaps else f.NOTHING), right=True),
    Column("lost", "LOST", 8, _text(lambda s: f.count(s.lost_samples) if s.n_samples else f.NOTHING), right=True),
    Column("jitter", "JITTER ms", 11, _text(lambda s: f.milliseconds(s.jitter_s)), right=True),
    Column("offset", "OFFSET ms", 11, _text(lambda s: f.signed(s.clock_offset, 1e3)), right=True),
    Column("drift", "ppm", 7, _text(lambda s: f.signed(s.clock_drift_ppm, 1.0, 1)), right=True),
)
_WIDE = {"lost", "jitter", "offset", "drift"}


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
    """What is known about one stream; ``whole`` lists every grid and every channel."""
    source = f" · source {stream.source_id}" if stream.source_id else ""
    about = " · ".join(part for part in (stream.type, stream.hostname) if part)
    rows = [rule(f"{stream.name}   {about}{source}", width), _rate_line(stream, width)]
    rows.append(_clock_line(stream))
    rows.append(line((" quality  ", DIM), quality_line(stream)))
    marks = {"error": BAD, "warning": WARN}
    rows += [line((" time     ", DIM), (fit(r.text, width - 11), marks.get(r.severity, DIM))) for r in stream.remarks]
    for i, said in enumerate(stream.message.splitlines()):
        rows.append(line((" note     " if i == 0 else " " * 10, DIM), (fit(said, width - 11), WARN)))
    rows.append(line((" units    ", DIM), fit(_units(stream), 15), (" names ", DIM), _ends(stream.channel_names)))
    if trend and width < 118:
        rows.append(line((" 60 s     ", DIM), sparkline(trend, min(width - 12, 60))))
    grids = [line((" grid     ", DIM), fit(words, width - 11)) for words in stream.montage]
    return [*rows, *grids, BLANK, *_channel_list(stream, width)] if whole else rows


def _rate_line(stream: StreamStatus, width: int) -> Line:
    head = line((" rate     ", DIM), f"{f.rate(stream.measured_fs):>8} Hz")
    if stream.fs <= 0:
        return line(head, ("   irregular" if stream.n_channels else "", DIM))
    off = (stream.measured_fs or stream.fs) / stream.fs - 1
    if abs(off) <= _OFF_SHARE or not stream.rate_trace:
        return line(head, (f"   nominal {f.rate(stream.fs)}", DIM))
    shares = [rate / stream.fs if rate == rate else float("nan") for rate in stream.rate_trace]
    return line(head, (f"   {100 * off:+.1f} % of nominal   ", WARN), sparkline(shares, min(width - 50, 60)))


def _clock_line(stream: StreamStatus) -> Line:
    jitter = "-" if stream.jitter_s is None else f"p99 {f.milliseconds(stream.jitter_s)} ms"
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
