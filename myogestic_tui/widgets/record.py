"""Parts of the Record screen: what is now and next, the timeline, the counters, the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import format as f
from .gestures import gesture_table
from .now import SMALL, now_rows
from .palette import gesture_style
from .rows import Rows
from .spans import BLANK, Row, Span, fit, row, rule, spread
from .streams import MARKS
from .timeline import label_strip, time_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app.recorder import LabelStatus, Problem
    from .frame import Frame

TIMELINE_SECONDS = 60.0
_LEAD = 11
_LETTERS, _BESIDE_LETTERS = (8, 4), 4
"""Rows of block letters that what holds now may have, and rows to spare that are left beside them."""
_GRAVE = ("error", "warning")
_MOST_PROBLEMS = 2


def record_rows(
    frame: Frame, width: int, height: int, *, problems: bool = False, ascii_only: bool = False
) -> list[Row]:
    """The whole body, from most to least important: what does not fit is left out from the bottom.

    ``problems``: what needs the operator has no other place on this screen.
    """
    session = frame.status.session if frame.recording else None
    strip = timeline_rows(frame, width) if session is not None or frame.status.session else []
    n_gestures = len(frame.status.gestures)
    spare = height - (SMALL + n_gestures + 2 + 2 + 1)
    letters = next((rows for rows in _LETTERS if spare >= rows + _BESIDE_LETTERS), 0)
    now = now_rows(frame, width, letters=letters, ascii_only=ascii_only)
    needs = problem_rows(frame.status.problems, width) if problems else []
    gap = [BLANK] if spare - len(needs) >= 4 else []
    room = height - len(now) - len(strip) - 1 - len(needs) - 4 * len(gap)
    table = gesture_table(frame, width, max(room, 3))
    rows = [*gap, *now, *gap, *table, *gap, *strip, *(gap if strip else []), counter_row(frame, width), *needs]
    return [*rows, *note_rows(frame, width, height - len(rows))][:height]


def problem_rows(problems: Sequence[Problem], width: int) -> list[Row]:
    """The gravest problems of what is recorded, one row each; Streams has all of them at full length."""
    here = (p for p in problems if p.severity in _GRAVE and p.subject != "sessions")
    grave = sorted(here, key=lambda p: _GRAVE.index(p.severity))
    rows = []
    for problem in grave[:_MOST_PROBLEMS]:
        mark, style = MARKS[problem.severity]
        text = " ".join(f"{problem.subject}: {problem.text}".split())  # some have lines
        rows.append(row((f" {mark} {fit(text, width - 4)}", style)))
    return rows


# ---------------------------------------------------------------- timeline, counters, notes


def timeline_rows(frame: Frame, width: int) -> list[Row]:
    """Axis and label strip of the last minute."""
    session = frame.status.session
    cells = max(width - _LEAD - 1, 10)
    axis = row((" " * _LEAD + time_axis(TIMELINE_SECONDS, cells), "dim"))
    if session is None:
        return [axis, BLANK]
    now = session.started_at + session.elapsed_s
    strip = label_strip(
        session.labels, now - TIMELINE_SECONDS, TIMELINE_SECONDS, cells, frame.key_of, began=session.started_at
    )
    return [axis, (Span(fit(" labels", _LEAD), "dim"), *strip)]


def counter_row(frame: Frame, width: int) -> Row:
    """Samples per stream in fixed fields; size, lost samples and gaps at the right."""
    session = frame.status.session
    streams = [s for s in frame.status.streams if s.recording] if frame.recording else []
    right: Row = ()
    if session is not None:
        lost_style = "bad" if session.lost_samples else "dim"
        right = row(
            (f"{f.size(session.bytes):>8}", ""),
            (f"  {f.count(session.lost_samples):>6} lost", lost_style),
            (f"  {session.gaps:>3} gaps ", "warn" if session.gaps else "dim"),
        )
        if session.backlog_s > 15:
            right = (*row((f"disk {session.backlog_s:.0f} s behind  ", "warn")), *right)
    if not frame.recording and session is not None:
        last = fit(f" last: {session.path.rstrip('/').rpartition('/')[2]}", max(width - 31, 10))
        return spread(row((last, "dim")), right, width)
    left: list[Span] = []
    room = width - 32
    for i, stream in enumerate(streams):
        cell = f" {fit(stream.name, min(len(stream.name), 12))} {f.count(stream.n_samples):>7}  "
        if len(cell) > room - 4 and i < len(streams):
            left.append(Span(f" +{len(streams) - i}", "dim"))
            break
        left.append(Span(cell, "bad" if stream.state == "lost" else ""))
        room -= len(cell)
    return spread(tuple(left), right, width)


def note_rows(frame: Frame, width: int, height: int) -> list[Row]:
    """The newest notes, newest first."""
    session = frame.status.session
    if session is None or height < 1:
        return []
    return [
        row((f" {f.clock(note.timestamp, frame.at)} ", "dim"), ("note  ", "dim"), fit(note.text, width - 17))
        for note in reversed(session.notes[-height:])
    ]


def trial_rows(frame: Frame, width: int, height: int) -> list[Row]:
    """The newest trials, newest first: when, what, how long, and what is to be said of it."""
    session = frame.status.session
    if session is None or height < 2:
        return []
    ends = [label.timestamp for label in session.labels[1:]] + [session.started_at + session.elapsed_s]
    pairs = zip(session.labels, ends, strict=False)  # before the first label there is one end, and no beginning
    trials = [(label, end) for label, end in pairs if label.class_index >= 0]
    rows = [rule(f"trials   {len(trials)}", width)]
    return [*rows, *(_trial(label, end - label.timestamp, frame, width) for label, end in reversed(trials))][:height]


def _trial(label: LabelStatus, seconds: float, frame: Frame, width: int) -> Row:
    words = "bad" if label.bad else f"±{label.uncertainty_s:.1f} s" if label.uncertainty_s else ""
    return row(
        (f" {f.clock(label.timestamp, frame.at)} ", "dim"),
        (f" {frame.key_of(label.class_index)} ", gesture_style(label.class_index, filled=True)),
        (f" {fit(frame.gesture(label.class_index), max(width - 27, 4))}", gesture_style(label.class_index)),
        f"{seconds:>5.1f}",
        (f" {words}", "warn"),
    )


class RecordPanel(Rows):
    """The whole of it as a widget, for `App.ui`."""

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        self.show(record_rows(frame, self.size.width, self.size.height))
