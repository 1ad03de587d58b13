"""The open session: everything that is known about it, in sections beneath its plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import format as f
from .session_details import class_row, finding_rows, stream_row, verified_words
from .spans import BLANK, Row, Span, beside, fit, row, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..session.library.entry import Entry
    from ..session.reading.facts import SessionFacts, StreamFacts
    from ..stream.recorded import RecordedQuality
    from .frame import Frame
    from .session_details import Looked

BESIDE = 120
"""From this width on the channels stand beside the other sections."""
_CHANNEL_CELLS = 34
_MOST_GAPS = 20


def open_rows(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Row]:
    """All sections, as long as they are."""
    if width < BESIDE:
        return [*_sections(one, looked, frame, width), BLANK, *_channels(looked, width)]
    left_width = width // 2
    left, right = _sections(one, looked, frame, left_width), _channels(looked, width - left_width - 2)
    return beside(left, right, left_width)


def _sections(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Row]:
    rows = [rule(f"{one.title}   {verified_words(one)}", width)]
    rows += finding_rows(one, width)
    rows += [row((fit(f" {text}", width), "warn")) for text in (one.problem, looked.problem) if text]
    facts = looked.facts
    known = {stream.name: stream for stream in facts.streams} if facts is not None else {}
    for name, summary in one.summary.streams.items():
        rows += [stream_row(name, summary, known.get(name)), *_stream(known.get(name))]
    if facts is None:
        return rows
    rows += [BLANK, rule("classes", width)]
    rows += [_class(class_row(label, frame, 20), label.bad) for label in facts.classes] or [row((" no label", "dim"))]
    rows += [BLANK, rule("notes", width)]
    rows += [row((f" {time} ", "dim"), text) for time, text in facts.notes] or [row((" no note", "dim"))]
    rows += [BLANK, rule("session", width), *_fields(one, facts)]
    return rows


def _stream(facts: StreamFacts | None) -> list[Row]:
    """Where a stream came from, how its clock ran, and where it has gaps."""
    if facts is None:
        return []
    origin = " · ".join(filter(None, (facts.type, facts.hostname)))
    offset = "" if facts.offset_s is None else f"   clock {f.signed(facts.offset_s, 1e3)} ms"
    drift = "" if facts.drift_ppm is None else f"   drift {f.signed(facts.drift_ppm, 1.0, 1)} ppm"
    joined = "" if facts.joined_at is None else f"   joined at {f.minutes(facts.joined_at)}"
    rows = [row((f"   {about}", "dim"))] if (about := f"{origin}{offset}{drift}{joined}".strip()) else []
    for when, seconds, reason in facts.gaps[:_MOST_GAPS]:
        rows.append(row((f"   ▲ {seconds:.3f} s missing at {f.minutes(when)}   {reason}".rstrip(), "warn")))
    if len(facts.gaps) > _MOST_GAPS:
        rows.append(row((f"   … and {len(facts.gaps) - _MOST_GAPS} more gaps", "warn")))
    return rows


def _class(head: Row, bad: int) -> Row:
    return (Span(" "), *head, Span(f"   {bad} bad", "warn")) if bad else (Span(" "), *head)


def _fields(one: Entry, facts: SessionFacts) -> list[Row]:
    pairs = [*facts.fields, ("length", f.hms(one.summary.duration_s)), ("size", f.size(one.summary.bytes))]
    pairs += [("bad channels", f"{stream} {', '.join(map(str, channels))}") for stream, channels in facts.bad_channels]
    if facts.bad_trials:
        pairs.append(("bad trials", ", ".join(map(str, facts.bad_trials))))
    pairs += [("copied to", f"{copy.where}   {copy.at[:16].replace('T', ' ')}") for copy in one.copies]
    if one.digest:
        pairs.append(("sha256", one.digest))
    pairs.append(("path", one.summary.path))
    return [row((f" {name:<13}", "dim"), value) for name, value in pairs]


def _channels(looked: Looked, width: int) -> list[Row]:
    """RMS, peak, mains and what is wrong, in as many columns as fit; of the stream that is plotted."""
    stream = looked.overview.stream if looked.overview is not None else ""
    channels = looked.quality.get(stream, ())
    unit = f.unit(looked.overview.unit) if looked.overview is not None else ""
    rows = [rule(f"channels of {stream or 'the stream'}   {unit}".rstrip(), width)]
    if not channels:
        told = "reading …" if stream not in looked.quality and not looked.problem else "too slow or too short to judge"
        return [*rows, row((f" {told}", "dim"))]
    n_columns = max(width // _CHANNEL_CELLS, 1)
    depth = -(-len(channels) // n_columns)
    heading = "  CH      RMS     PEAK MAINS      "
    rows.append(row((heading * min(n_columns, len(channels)), "dim")))
    for i in range(depth):
        numbers = range(i, len(channels), depth)
        rows.append(tuple(span for number in numbers for span in _channel(number, channels, looked)))
    return rows


def _channel(number: int, channels: Sequence[RecordedQuality], looked: Looked) -> Row:
    one = channels[number]
    overview, facts = looked.overview, looked.facts
    bad = dict(facts.bad_channels).get(overview.stream, ()) if facts is not None and overview is not None else ()
    flags = one.flags + ("x" if number + 1 in bad else "")
    words = {"": "ok", "F": "flat", "C": "clip", "M": "mains", "N": "NaN", "x": "bad"}.get(flags, flags)
    text = f"{number + 1:>4} {f.amplitude(one.rms):>8} {f.amplitude(one.peak):>8} {100 * one.mains:>4.0f}% "
    chosen = overview is not None and overview.channel == number
    return row((text, "select" if chosen else ""), (f"{words:<6} ", "warn" if flags else "dim"))
