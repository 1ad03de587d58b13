"""Parts of the Record screen: what is now and next, the timeline, the counters, the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import format as f
from .gestures import gesture_table
from .palette import gesture_style
from .rows import Rows
from .spans import BLANK, Row, Span, fit, row, rule, spread
from .spark import progress
from .timeline import label_strip, time_axis

if TYPE_CHECKING:
    from ..app.recorder import LabelStatus, ProtocolStatus, SessionStatus
    from .frame import Frame

TIMELINE_SECONDS = 60.0
_INDENT = "   "
_LEAD = 11


def record_rows(frame: Frame, width: int, height: int) -> list[Row]:
    """The whole body, from most to least important: what does not fit is left out from the bottom."""
    session = frame.status.session if frame.recording else None
    now = now_rows(frame, width)
    strip = timeline_rows(frame, width) if session is not None or frame.status.session else []
    counters = [counter_row(frame, width)]
    n_gestures = len(frame.status.gestures)
    spare = height - (len(now) + n_gestures + 2 + len(strip) + len(counters))
    gap = [BLANK] if spare >= 4 else []
    room = height - len(now) - len(strip) - len(counters) - 4 * len(gap)
    table = gesture_table(frame, width, max(room, 3))
    rows = [*gap, *now, *gap, *table, *gap, *strip, *(gap if strip else []), *counters]
    return [*rows, *note_rows(frame, width, height - len(rows))][:height]


# ---------------------------------------------------------------- now and next


def now_rows(frame: Frame, width: int) -> list[Row]:
    """Three rows: the active gesture (or READY), its bar, and where the protocol is."""
    protocol = frame.status.protocol
    if frame.protocol is not None:
        return _cue_rows(frame, frame.protocol, width)
    if not frame.recording:
        return _ready_rows(frame, width)
    session = frame.status.session
    active = frame.active
    hint = "press a gesture key" if active < 0 else "until the next gesture, or e"
    done = protocol is not None and protocol.state in ("done", "aborted")
    said = (
        f"protocol {protocol.name} {protocol.state}" if done and protocol is not None else "no protocol; c starts one"
    )
    return [
        row(
            (f"{_INDENT}NOW   ", "dim"),
            (_shout(frame, active), gesture_style(active, filled=active >= 0)),
            (f"   {hint}", "dim"),
        ),
        row(" " * 9, (f"{session.label_seconds if session else 0.0:>8.1f} s", "strong")),
        row(" " * 9, (said, "dim")),
    ]


def _shout(frame: Frame, class_index: int) -> str:
    if class_index < 0:
        return "no label"
    return f" {frame.key_of(class_index)} {frame.gesture(class_index).upper()} "


def _cue_rows(frame: Frame, protocol: ProtocolStatus, width: int) -> list[Row]:
    left = max(protocol.cue_seconds - protocol.cue_elapsed_s, 0.0)
    current = protocol.class_index if protocol.state != "lead-in" else -1
    now = "get ready" if protocol.state == "lead-in" else _shout(frame, current)
    if protocol.next_class_index is None:
        coming: Row = row(("NEXT  ", "dim"), ("end", "dim"))
    else:
        upcoming = protocol.next_class_index
        coming = row(
            ("NEXT  ", "dim"), (f"{frame.key_of(upcoming)} {frame.gesture(upcoming)}", gesture_style(upcoming))
        )
    coming = (*coming, *row((f"   in {left:>5.1f} s   ", "strong")))
    cells = max(min(width - 30, 60), 8)
    share = protocol.cue_elapsed_s / protocol.cue_seconds if protocol.cue_seconds else 0.0
    head = row(
        (f"{_INDENT}NOW   ", "dim"), (now, gesture_style(current, filled=current >= 0) if current >= 0 else "accent")
    )
    if protocol.state == "paused":
        head = (*head, Span("   PAUSED, p goes on", "warn"))
    gone = f.minutes(protocol.elapsed_s)
    where = f"cue {protocol.cue:>2} of {protocol.n_cues}" if protocol.cue else f"before the {protocol.n_cues} cues"
    seed = f"   seed {protocol.seed}" if protocol.seed is not None else ""
    return [
        spread(head, coming, width),
        row(
            " " * 9,
            (progress(share, cells), gesture_style(current)),
            (f"{protocol.cue_elapsed_s:>6.1f} / {protocol.cue_seconds:.1f} s", "strong"),
        ),
        spread(
            row(f"{'':9}{where}    {gone} of {f.minutes(protocol.total_s)}"),
            row((f"protocol {protocol.name}{seed}   ", "dim")),
            width,
        ),
    ]


def _ready_rows(frame: Frame, width: int) -> list[Row]:
    take = frame.status.take
    missing = [s for s in frame.ticked if s.state not in ("live", "slow")]
    first = frame.active
    if not frame.ticked:
        state, style = "no stream is ticked for recording: s, then c connects one", "warn"
    elif missing:
        names = ", ".join(s.name for s in missing)
        state, style = (
            f"{len(frame.ticked) - len(missing)} of {len(frame.ticked)} streams are live; missing: {names}",
            "warn",
        )
    else:
        state, style = f"{len(frame.ticked)} stream{'s' if len(frame.ticked) > 1 else ''} live", "ok"
    chosen: Row = row(("starts without a label; a gesture key chooses one", "dim"))
    if first >= 0:
        chosen = row(
            ("starts with ", "dim"),
            (f" {frame.key_of(first)} {frame.gesture(first)} ", gesture_style(first, filled=True)),
            ("   e: without", "dim"),
        )
    return [
        row(
            (f"{_INDENT}NOW   ", "dim"),
            ("READY", "strong"),
            ("  space", "key", "key:space"),
            f" records take {take.take:02d}",
            (_named(frame), "dim"),
        ),
        row(" " * 9, (fit(state, width - 10), style)),
        (Span(" " * 9), *chosen),
    ]


def _named(frame: Frame) -> str:
    take = frame.status.take
    parts = [part for part in (take.subject, take.task, take.name) if part]
    return f"  of {' · '.join(parts)}" if parts else "   (t fills in subject and task)"


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


def last_session(session: SessionStatus | None) -> str:
    """The folder or archive name of the running or last session."""
    return session.path.rstrip("/").rpartition("/")[2] if session is not None else ""


class RecordPanel(Rows):
    """The whole of it as a widget, for `App.ui`."""

    def draw(self, frame: Frame) -> None:
        """Show a snapshot."""
        self.show(record_rows(frame, self.size.width, self.size.height))
