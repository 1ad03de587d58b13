"""Parts of the Record screen: trials, timeline, counters, notes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from ..plural import count_of
from . import number_format as f
from .label_timeline import label_strip, time_axis
from .stable_table import Column
from .styled_lines import BAD, BLANK, DIM, WARN, Line, fit, gesture_style, line, spread, width_of

if TYPE_CHECKING:
    from ..app.interface import LabelStatus
    from .frame import Frame

TIMELINE_SECONDS = 60.0
_LEAD = 11


class Trial(NamedTuple):
    """One label of the session."""

    place: int
    """Place among all labels of the session."""
    label: LabelStatus
    seconds: float
    running: bool


def trials_of(frame: Frame) -> list[Trial]:
    """The trials that the snapshot knows, oldest first; what has no label is none."""
    session = frame.status.session
    if session is None:
        return []
    first = max(session.n_labels - len(session.labels), 0)
    ends = [label.timestamp for label in session.labels[1:]] + [session.started_at + session.elapsed_s]
    pairs = zip(session.labels, ends, strict=False)  # before the first label there is one end, and no beginning
    last = len(session.labels) - 1
    return [
        Trial(first + i, label, max(end - label.timestamp, 0.0), i == last and frame.recording)
        for i, (label, end) in enumerate(pairs)
        if label.class_index >= 0
    ]


def trial_columns(frame: Frame, width: int) -> tuple[Column[Trial], ...]:
    """For a table so wide."""

    def key(trial: Trial) -> Line:
        index = trial.label.class_index
        return line((f" {frame.key_of(index)} ", gesture_style(index, filled=True)), " ")

    def gesture(trial: Trial) -> Line:
        index = trial.label.class_index
        return line((frame.gesture(index), gesture_style(index)))

    return (
        Column("at", "TRIAL AT", 9, lambda trial: line((frame.clock(trial.label.timestamp), DIM))),
        Column("key", " ", 4, key),
        Column("gesture", "GESTURE", max(width - 28, 6), gesture),
        Column("seconds", "SEC", 7, lambda trial: line("" if trial.running else f"{trial.seconds:.1f}"), right=True),
        Column("mark", "", 7, _mark),
    )


def _mark(trial: Trial) -> Line:
    label = trial.label
    if label.bad:
        return line(("bad", WARN))
    if label.uncertainty_s:
        return line((f"±{label.uncertainty_s:.1f} s", WARN))
    return line(("now" if trial.running else "", DIM))


def timeline_rows(frame: Frame, width: int) -> list[Line]:
    """Axis and label strip of the last minute."""
    session = frame.status.session
    cells = max(width - _LEAD - 1, 10)
    axis = line((" " * _LEAD + time_axis(TIMELINE_SECONDS, cells), DIM))
    if session is None or not frame.recording:
        return [axis, BLANK]
    now = session.started_at + session.elapsed_s
    strip = label_strip(
        session.labels, now - TIMELINE_SECONDS, TIMELINE_SECONDS, cells, frame.key_of, began=session.started_at
    )
    return [axis, line((fit(" labels", _LEAD), DIM), strip)]


def counter_line(frame: Frame, width: int) -> Line:
    """Samples per stream in fixed fields; size, lost samples and gaps at the right."""
    session = frame.status.session
    right: Line = ()
    if session is not None:
        right = line(
            f"{f.size(session.bytes):>8}",
            (f"  {f.count(session.lost_samples):>6} lost", BAD if session.lost_samples else DIM),
            (f"  {count_of(session.gaps, 'gap'):>8} ", WARN if session.gaps else DIM),
        )
        if session.backlog_s > 15:
            right = line((f"disk {session.backlog_s:.0f} s behind  ", WARN), right)
    if not frame.recording and session is not None:
        verdict = _verdict(frame)
        right = line(verdict, right)
        last = fit(f" last: {session.path.rstrip('/').rpartition('/')[2]}", max(width - width_of(right) - 2, 10))
        return spread(line((last, DIM)), right, width)
    return spread(_samples(frame, width - width_of(right)), right, width)


def _verdict(frame: Frame) -> tuple[str, str]:
    """What the report of the last session found; blank before it."""
    assert frame.status.session is not None, "asked for beside the last session"
    path = frame.status.session.path
    done = [job for job in frame.status.jobs if (job.kind, job.path, job.state) == ("report", path, "done")]
    found = json.loads(done[-1].result)["verdict"] if done else ""
    return (f"{found} ", DIM if found == "ok" else WARN) if found else ("", "")


def _samples(frame: Frame, room: int) -> Line:
    parts: list[tuple[str, str]] = []
    streams = frame.recorded if frame.recording else ()
    for i, stream in enumerate(streams):
        text = f" {fit(stream.name, min(len(stream.name), 12))} {f.count(stream.n_samples):>7}  "
        if len(text) > room - 4:
            parts.append((f" +{len(streams) - i}", DIM))
            break
        parts.append((text, BAD if stream.state == "lost" else ""))
        room -= len(text)
    return tuple(parts)


def note_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """The newest notes, newest first."""
    session = frame.status.session
    if session is None or height < 1 or not session.notes:
        return []
    from ..session.format.time_remarks import note_words

    return [
        line(
            (f" {frame.clock(note.timestamp)} ", DIM),
            ("note  ", DIM),
            fit(note_words(note.text, note.uncertainty_s), max(width - 17, 4)),
        )
        for note in reversed(session.notes[-height:])
    ]
