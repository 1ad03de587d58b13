"""What stands beside or under the list about the chosen session, and in full about the open one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from . import format as f
from .overview import overview_rows, strip_rows
from .palette import gesture_style
from .spans import BLANK, Row, Span, fit, row, rule, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..session.format.summary import StreamSummary
    from ..session.library.entry import Entry
    from ..session.reading.facts import ClassFacts, SessionFacts, StreamFacts
    from ..session.reading.overview import Overview
    from ..stream.recorded import RecordedQuality
    from .frame import Frame


class Looked(NamedTuple):
    """What has been read of a session so far."""

    facts: SessionFacts | None = None
    overview: Overview | None = None
    quality: Mapping[str, tuple[RecordedQuality, ...]] = {}
    """By stream; read for the open session only."""
    problem: str = ""


_PLOT = (11, 34)
"""Rows that the plot beneath the details takes, at least and at most; below that a strip stands for it."""
_CLASS_CELLS = 20


def session_details(one: Entry, looked: Looked, frame: Frame, width: int, height: int) -> list[Row]:
    """Streams and classes, the overview with labels and gaps, notes and bad marks, in ``height`` rows."""
    if height < 2:
        return []
    tail = _tail(one, looked, width)
    middle = height - 1 - len(tail)
    strips = strip_rows(looked.overview, looked.facts, width, frame.key_of)
    table = _table(one, looked, frame, width)
    room = middle - len(table)
    if looked.overview is not None and room > _PLOT[0]:
        strips = [BLANK, *overview_rows(looked.overview, width, min(room - 1, _PLOT[1]), frame.key_of, looked.facts)]
    elif room < len(strips):
        table = _cut(table, max(middle - len(strips), 2))
    rows = [rule(f"{one.title}   {verified_words(one)}", width), *table, *strips[: max(middle - len(table), 0)], *tail]
    return rows[:height]


def details_height(one: Entry, looked: Looked, frame: Frame, width: int) -> int:
    """Rows that the details fill without a plot."""
    strips = strip_rows(looked.overview, looked.facts, width, frame.key_of)
    return 1 + len(_table(one, looked, frame, width)) + len(strips) + len(_tail(one, looked, width))


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


def _table(one: Entry, looked: Looked, frame: Frame, width: int) -> list[Row]:
    """Streams at the left, classes at the right."""
    facts = {} if looked.facts is None else {stream.name: stream for stream in looked.facts.streams}
    streams = [stream_row(name, stream, facts.get(name)) for name, stream in one.summary.streams.items()]
    classes = _classes(one, looked)
    rows = []
    for i in range(max(len(streams), len(classes))):
        left = streams[i] if i < len(streams) else BLANK
        right = class_row(classes[i], frame) if i < len(classes) else BLANK
        rows.append(spread(left, (*right, Span(" " * (_CLASS_CELLS - width_of(right)))), width))
    return rows or [row((f" {one.problem or 'no stream in it'}"[:width], "warn" if one.problem else "dim"))]


def _cut(rows: list[Row], height: int) -> list[Row]:
    """The first rows, and how many more there are."""
    if len(rows) <= height:
        return rows
    return [*rows[: height - 1], row((f" … and {len(rows) - height + 1} more: ⏎ shows all", "dim"))]


def stream_row(name: str, stream: StreamSummary, facts: StreamFacts | None) -> Row:
    """One stream: layout, measured rate, samples, gaps with their seconds."""
    lost = sum(gap[1] for gap in facts.gaps) if facts is not None else 0.0
    gaps = "0 gaps" if not stream.gaps else f"{stream.gaps} gap{'s' if stream.gaps > 1 else ''}"
    gaps += f" {lost:.1f} s" if lost else ""
    rate = f"{f.rate(stream.measured_fs or stream.fs)} Hz" if stream.fs else "irregular"
    samples = f"{stream.n_samples:,}".replace(",", " ")
    return row(
        f" {fit(name, 11)} {stream.n_channels:>3} ch {f.dtype(stream.dtype):<3} {rate:>10} {samples:>10}",
        (f"  {gaps}", "warn" if stream.gaps else "dim"),
    )


def _classes(one: Entry, looked: Looked) -> Sequence[ClassFacts]:
    """Classes with seconds once those are read, with what the summary counts until then."""
    if looked.facts is not None:
        return looked.facts.classes
    from ..session.reading.facts import ClassFacts

    return [ClassFacts(i, name, n, 0.0, 0) for i, (name, n) in enumerate(one.summary.labels.items())]


def class_row(one: ClassFacts, frame: Frame, name_cells: int = 5) -> Row:
    """``2 Fist    6   30.0 s``."""
    seconds = f"{one.seconds:>5.1f} s" if one.seconds < 999.5 else f"{f.minutes(one.seconds):>7}"
    key = row((f" {frame.key_of(one.class_index)} ", gesture_style(one.class_index, filled=True)))
    return (*key, Span(f" {fit(one.name, name_cells)}{one.trials:>3} {seconds}"))


def _tail(one: Entry, looked: Looked, width: int) -> list[Row]:
    """Notes, bad marks, what was found, where copies are."""
    rows: list[Row] = []
    facts = looked.facts
    if facts is not None:
        note = f" notes  {facts.notes[-1][0]} {facts.notes[-1][1]}" if facts.notes else ""
        more = f"   +{len(facts.notes) - 1}" if len(facts.notes) > 1 else ""
        bad = _bad_words(facts)
        if note or bad:
            rows.append(spread(row((note, ""), (more, "dim")), row((bad and f"  {bad} ", "warn")), width))
    if one.summary.link:
        rows.append(row((fit(f" {one.summary.link}", width), "dim")))
    rows += finding_rows(one, width)[:2]
    if one.problem and (one.summary.streams or one.summary.labels):
        rows.append(row((fit(f" ✗ {one.problem}; f saves the rest", width), "bad")))
    if looked.problem and one.state != "damaged":
        rows.append(row((f" {looked.problem}"[:width], "warn")))
    return rows


def _bad_words(facts: SessionFacts) -> str:
    channels = "; ".join(
        (f"{stream} " if len(facts.bad_channels) > 1 else "") + ", ".join(map(str, bad))
        for stream, bad in facts.bad_channels
    )
    trials = ", ".join(map(str, facts.bad_trials))
    return "    ".join(
        words for words in (channels and f"bad channels {channels}", trials and f"bad trials {trials}") if words
    )


def finding_rows(one: Entry, width: int) -> list[Row]:
    """What a verification found, damage first."""
    found = one.summary.verified.findings if one.summary.verified else []
    damage = [row((fit(f" ✗ {finding.text}", width), "bad")) for finding in found if finding.kind == "damage"]
    return damage + [row((fit(f" · {finding.text}", width), "dim")) for finding in found if finding.kind != "damage"]
