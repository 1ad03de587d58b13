"""What stands about the chosen session beside or under the list, and all of it about the open one."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from ..plural import count_of
from . import number_format as f
from .strip_widget import FLAG_WORDS
from .styled_lines import BAD, BLANK, DIM, WARN, Line, cells, cut, fit, gesture_style, line, rule, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..session.format.summary import StreamSummary
    from ..session.library.catalog_entry import Entry
    from ..session.reading.facts import ClassFacts, SessionFacts, StreamFacts
    from ..session.reading.overview import Overview
    from ..stream.recorded_quality import RecordedQuality
    from .frame import Frame

BESIDE = 120
"""From this width on the channels stand beside the other sections."""
_CHANNEL_CELLS = 34
_MOST_GAPS = 20


class Looked(NamedTuple):
    """What has been read of a session so far."""

    facts: SessionFacts | None = None
    overview: Overview | None = None
    quality: Mapping[str, tuple[RecordedQuality, ...]] = {}
    """By stream; read for the open session only."""
    problem: str = ""


def verified_words(one: Entry) -> str:
    """``full verify ok 14:34   sha256 9f3c 77a1 …``; the state where it was not verified as it is."""
    verified = one.summary.verified
    if not verified:
        return one.state
    words = f"{verified.level} verify {'ok' if verified.ok else 'found damage'} {_when(one.verified_at)}"
    return f"{words}   sha256 {one.digest[:4]} {one.digest[4:8]} …" if one.digest else words


def _when(iso: str) -> str:
    """``14:34`` today, else with the date."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return ""
    today = at.date() == datetime.now(at.tzinfo).date()
    return at.strftime("%H:%M" if today else "%m-%d %H:%M")


def short_details(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Line]:
    """Streams and classes, notes, bad marks, what was found: what stands about the chosen session."""
    head = rule(f"{one.title}   {verified_words(one)}", width)
    return [head, *_table(one, looked, frame, width), *_tail(one, looked, width)]


def _table(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Line]:
    """Streams at the left, classes at the right or beneath: whichever takes fewer rows, and cuts nothing."""
    facts = {} if looked.facts is None else {stream.name: stream for stream in looked.facts.streams}
    streams = [stream_row(name, stream, facts.get(name)) for name, stream in one.summary.streams.items()]
    classes = _classes(one, looked)
    longest = max((width_of(row) for row in streams), default=0)
    name_cells = min(max((cells(one.name) for one in classes), default=5), 20)
    lines = [class_row(one, frame, name_cells) for one in classes]
    widest = max((width_of(row) for row in lines), default=0) + 1
    per_row = max(width // (widest + 2), 1)
    beneath = len(streams) + -(-len(lines) // per_row)
    if longest + 2 + widest > width or beneath < max(len(streams), len(lines)):
        padded = [line(" ", row, " " * (widest + 1 - width_of(row))) for row in lines]
        rows = [*streams, *(line(*padded[i : i + per_row]) for i in range(0, len(padded), per_row))]
    else:
        pairs = zip_longest(streams, lines, fillvalue=BLANK)
        rows = [spread(left, line(right, " " * (widest - width_of(right))), width) for left, right in pairs]
    return rows or [line((f" {one.problem or 'no stream in it'}"[:width], WARN if one.problem else DIM))]


def cut_rows(rows: list[Line], height: int) -> list[Line]:
    """The first rows, and how many more there are."""
    if len(rows) <= height:
        return rows
    return [*rows[: height - 1], line((f" … and {len(rows) - height + 1} more: ⏎ shows all", DIM))]


def stream_row(name: str, stream: StreamSummary, facts: StreamFacts | None) -> Line:
    """One stream: layout, measured rate, samples, gaps with their seconds."""
    lost = sum(gap[1] for gap in facts.gaps) if facts is not None else 0.0
    gaps = count_of(stream.gaps, "gap") if stream.gaps is not None else "gaps unknown"
    missing = f" {lost:.1f} s" if lost and stream.gaps else f"  {lost:.1f} s missing" if lost else ""
    rate = f"{f.rate(stream.measured_fs or stream.fs)} Hz" if stream.fs else "irregular"
    samples = f"{stream.n_samples:,}".replace(",", " ")
    return line(
        f" {fit(name, 11)} {stream.n_channels:>3} ch {f.dtype(stream.dtype):<3} {rate:>10} {samples:>10}",
        (f"  {gaps}", WARN if stream.gaps else DIM),
        (missing, WARN),
    )


def _classes(one: Entry, looked: Looked) -> Sequence[ClassFacts]:
    """Classes with seconds once those are read, with what the summary counts until then (NaN seconds)."""
    if looked.facts is not None:
        return looked.facts.classes
    from ..session.reading.facts import ClassFacts

    return [ClassFacts(i, name, n, math.nan, 0) for i, (name, n) in enumerate(one.summary.labels.items())]


def class_row(one: ClassFacts, frame: Frame, name_cells: int = 5) -> Line:
    """``2 Fist    6   30.0 s``; ``-`` while nobody has read how long they were."""
    seconds = f"{f.NOTHING:>5}  " if math.isnan(one.seconds) else f"{one.seconds:>5.1f} s"
    seconds = f"{f.minutes(one.seconds):>7}" if one.seconds >= 999.5 else seconds
    key = line((f" {frame.key_of(one.class_index)} ", gesture_style(one.class_index, filled=True)))
    return line(key, f" {fit(one.name, name_cells)}{one.trials:>3} {seconds}")


def _tail(one: Entry, looked: Looked, width: int) -> list[Line]:
    """Notes, bad marks, what was found, where copies are."""
    rows: list[Line] = []
    facts = looked.facts
    if facts is not None:
        note = f" notes  {facts.notes[-1][0]} {facts.notes[-1][1]}" if facts.notes else ""
        more = f"   +{len(facts.notes) - 1}" if len(facts.notes) > 1 else ""
        bad = _bad_words(facts)
        if note or bad:
            rows.append(spread(line((note, ""), (more, DIM)), line((bad and f"  {bad} ", WARN)), width))
    if one.quality:
        rows.append(line((fit(f" report  {one.quality}", width), DIM if one.quality == "ok" else WARN)))
    if one.summary.labels_edited:
        rows.append(line((fit(f" {one.summary.labels_edited}", width), DIM)))
    if one.summary.link:
        rows.append(line((fit(f" {one.summary.link}", width), DIM)))
    rows += finding_rows(one, width)[:2]
    if one.problem and (one.summary.streams or one.summary.labels):
        rows.append(line((fit(f" ✗ {one.problem}; f saves the rest", width), BAD)))
    if looked.problem and one.state != "damaged":
        rows.append(line((f" {looked.problem}"[:width], WARN)))
    return rows


def _bad_words(facts: SessionFacts) -> str:
    several = len(facts.bad_channels) > 1
    channels = [_numbers("channel", bad, stream if several else "") for stream, bad in facts.bad_channels]
    trials = [_numbers("trial", facts.bad_trials)] if facts.bad_trials else []
    return "    ".join(f"bad {words}" for words in (*channels, *trials))


def _numbers(noun: str, numbers: Sequence[int], of: str = "") -> str:
    """``trial 2``, ``trials 2, 5``: which ones, not how many."""
    words = f"{noun}{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
    return f"{of} {words}" if of else words


def finding_rows(one: Entry, width: int) -> list[Line]:
    """What a verification found, damage first."""
    found = one.summary.verified.findings if one.summary.verified else []
    damage = [line((fit(f" ✗ {finding.text}", width), BAD)) for finding in found if finding.kind == "damage"]
    return damage + [line((fit(f" · {finding.text}", width), DIM)) for finding in found if finding.kind != "damage"]


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int = 2) -> list[Line]:
    """Two columns: ``width`` cells of the left one and ``gap`` blanks before each row of the right one."""
    rows = []
    for i in range(max(len(left), len(right))):
        start = cut(left[i], width) if i < len(left) else BLANK
        pad = " " * (width + gap - width_of(start))
        rows.append(line(start, pad, right[i] if i < len(right) else BLANK))
    return rows


def open_rows(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Line]:
    """All sections, as long as they are."""
    if width < BESIDE:
        return [*_sections(one, looked, frame, width), BLANK, *_channels(looked, width)]
    left_width = width // 2
    left, right = _sections(one, looked, frame, left_width), _channels(looked, width - left_width - 2)
    return beside(left, right, left_width)


def _sections(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Line]:
    rows = [rule(f"{one.title}   {verified_words(one)}", width)]
    rows += finding_rows(one, width)
    rows += [line((fit(f" {text}", width), WARN)) for text in (one.problem, looked.problem) if text]
    facts = looked.facts
    known = {stream.name: stream for stream in facts.streams} if facts is not None else {}
    for name, summary in one.summary.streams.items():
        rows += [stream_row(name, summary, known.get(name)), *_stream(known.get(name))]
    if facts is None:
        return rows
    rows += [BLANK, rule("classes", width)]
    rows += [_class(class_row(label, frame, 20), label.bad) for label in facts.classes] or [line((" no label", DIM))]
    rows += [BLANK, rule("notes", width)]
    rows += [line((f" {time} ", DIM), text) for time, text in facts.notes] or [line((" no note", DIM))]
    rows += [BLANK, rule("session", width), *_fields(one, facts)]
    return rows


def _stream(facts: StreamFacts | None) -> list[Line]:
    """Where a stream came from, how its clock ran, and where it has gaps."""
    if facts is None:
        return []
    origin = " · ".join(filter(None, (facts.type, facts.hostname)))
    offset = "" if facts.offset_s is None else f"   clock {f.signed(facts.offset_s, 1e3)} ms"
    drift = "" if facts.drift_ppm is None else f"   drift {f.signed(facts.drift_ppm, 1.0, 1)} ppm"
    joined = "" if facts.joined_at is None else f"   joined at {f.minutes(facts.joined_at)}"
    rows = [line((f"   {about}", DIM))] if (about := f"{origin}{offset}{drift}{joined}".strip()) else []
    for when, seconds, reason in facts.gaps[:_MOST_GAPS]:
        rows.append(line((f"   ▲ {seconds:.3f} s missing at {f.minutes(when)}   {reason}".rstrip(), WARN)))
    if len(facts.gaps) > _MOST_GAPS:
        rows.append(line((f"   … and {count_of(len(facts.gaps) - _MOST_GAPS, 'more gap')}", WARN)))
    return rows


def _class(head: Line, bad: int) -> Line:
    return line(" ", head, (f"   {bad} bad", WARN)) if bad else line(" ", head)


def _fields(one: Entry, facts: SessionFacts) -> list[Line]:
    pairs = [*facts.fields, ("length", f.duration(one.summary.duration_s)), ("size", f.size(one.summary.bytes))]
    pairs += [("bad", _numbers("channel", channels, stream)) for stream, channels in facts.bad_channels]
    if facts.bad_trials:
        pairs.append(("bad", _numbers("trial", facts.bad_trials)))
    pairs += [("copied to", f"{copy.where}   {copy.at[:16].replace('T', ' ')}") for copy in one.copies]
    if one.digest:
        pairs.append(("sha256", one.digest))
    pairs.append(("path", one.summary.path))
    return [line((f" {name:<13}", DIM), value) for name, value in pairs]


def _channels(looked: Looked, width: int) -> list[Line]:
    """RMS, peak, mains and what is wrong, in as many columns as fit; of the stream that is plotted."""
    stream = looked.overview.stream if looked.overview is not None else ""
    channels = looked.quality.get(stream, ())
    unit = f.unit(looked.overview.unit) if looked.overview is not None else ""
    rows = [rule(f"channels of {stream or 'the stream'}   {unit}".rstrip(), width)]
    if not channels:
        told = "reading …" if stream not in looked.quality and not looked.problem else "too slow or too short to judge"
        return [*rows, line((f" {told}", DIM))]
    n_columns = max(width // _CHANNEL_CELLS, 1)
    depth = -(-len(channels) // n_columns)
    heading = "  CH      RMS     PEAK MAINS      "
    rows.append(line((heading * min(n_columns, len(channels)), DIM)))
    for i in range(depth):
        numbers = range(i, len(channels), depth)
        rows.append(tuple(span for number in numbers for span in _channel(number, channels, looked)))
    return rows


def _channel(number: int, channels: Sequence[RecordedQuality], looked: Looked) -> Line:
    one = channels[number]
    overview, facts = looked.overview, looked.facts
    bad = dict(facts.bad_channels).get(overview.stream, ()) if facts is not None and overview is not None else ()
    flags = one.flags + ("x" if number + 1 in bad else "")
    words = FLAG_WORDS.get(flags, flags)
    text = f"{number + 1:>4} {f.amplitude(one.rms):>8} {f.amplitude(one.peak):>8} {100 * one.mains:>4.0f}% "
    chosen = overview is not None and overview.channel == number
    return line((text, "select" if chosen else ""), (f"{words:<7}", WARN if flags else DIM))
