"""Parts of the Sessions screen: the list, and the details of one session. Sessions are `session.summary.Summary`."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from . import format as f
from .palette import gesture_style
from .spans import BLANK, Row, Span, fit, row, rule, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.recorder import JobStatus
    from .frame import Frame


class Order(NamedTuple):
    """One way to order the list."""

    words: str
    key: Callable[[Any], Any]
    reverse: bool = False


ORDERS = (
    Order("newest first", lambda s: s.created, True),
    Order("oldest first", lambda s: s.created),
    Order("by subject", lambda s: (getattr(s, "subject", ""), getattr(s, "task", ""), s.created)),
    Order("largest first", lambda s: s.bytes, True),
    Order("by state", lambda s: (s.state, s.created)),
)

STATES = {
    "verified": ("◆", "ok"),
    "packed": ("◇", ""),
    "packing": ("▷", "accent"),
    "recording": ("●", "accent"),
    "finished": ("▷", "warn"),
    "recovered": ("▷", "warn"),
    "salvaged": ("▷", "warn"),
    "unfinished": ("!", "warn"),
    "damaged": ("✗", "bad"),
}
"""Glyph and style by the first word of a state; the word always stands beside it."""


def find(sessions: Sequence[Any], words: str) -> list[Any]:
    """Sessions that hold every word in their path, name, subject, task, state, streams or classes."""
    wanted = words.casefold().split()
    return [session for session in sessions if all(word in _text(session) for word in wanted)]


def _text(session: Any) -> str:
    fields = [str(getattr(session, name, "")) for name in ("path", "name", "subject", "task", "state", "created")]
    return " ".join([*fields, *session.streams, *session.labels]).casefold()


def ordered(sessions: Sequence[Any], order: Order) -> list[Any]:
    """The sessions in an order; equal ones stay as they are."""
    return sorted(sessions, key=order.key, reverse=order.reverse)


def job_of(path: str, jobs: Sequence[JobStatus]) -> JobStatus | None:
    """The job that runs, or waits, on a session."""
    return next((job for job in jobs if job.path == path and job.state in ("running", "waiting")), None)


def session_rows(
    sessions: Sequence[Any],
    frame: Frame,
    *,
    at: int,
    marked: set[str],
    width: int,
    height: int,
    words: str,
    order: Order,
    n_known: int,
    listing: bool,
) -> list[Row]:
    """What is found, a heading, and the part of the list around row ``at``."""
    total = sum(session.bytes for session in sessions)
    left = row((" find: ", "dim"), words) if words else row((f" {frame.status.sessions_dir}", "dim"))
    right = row((f"{len(sessions)} of {n_known}   {f.size(total)}   {order.words} ", "dim"))
    rows = [spread(left, right, width)]
    if not sessions:
        return [*rows, *_empty(words, listing)]
    name = "NAME" if width >= _NAME_AT + 12 else ""
    heading = f"  STATE         SUBJECT  TASK     TAKE  START         LENGTH    SIZE LABELS {name}"
    rows.append(row((fit(heading, width), "dim")))
    room = max(height - len(rows), 1)
    start = min(max(at - room // 2, 0), max(len(sessions) - room, 0))
    for i, session in enumerate(sessions[start : start + room], start):
        rows.append(_session(session, frame, chosen=i == at, marked=session.path in marked, width=width))
    return rows


def _empty(words: str, listing: bool) -> list[Row]:
    if listing:
        return [BLANK, row(("   looking through the folder …", "dim"))]
    if words:
        return [
            BLANK,
            row(("   no session has these words", "strong")),
            BLANK,
            row(("   esc", "key"), "  shows all again"),
        ]
    return [
        BLANK,
        row(("   No session here yet.", "strong")),
        BLANK,
        row(("   r", "key"), "  Record: there space starts the first one"),
    ]


_NAME_AT = 78
"""Cells before the name; it is shown where there is room for some of it."""


def _session(session: Any, frame: Frame, *, chosen: bool, marked: bool, width: int) -> Row:
    act = f"session:{session.path}"
    job = job_of(session.path, frame.status.jobs)
    state, (glyph, style) = session.state, STATES.get(session.state.split()[0], ("·", ""))
    if job is not None:
        state, glyph, style = f"{job.kind.removeprefix('quick-')[:7]} {100 * job.fraction:.0f}%", "▷", "accent"
    if state == "damaged":
        state = "DAMAGED"
    text = "select" if chosen else ""
    start = session.created[5:16].replace("T", " ")
    subject, task, take = (str(getattr(session, field, "") or f.NOTHING) for field in ("subject", "task", "take"))
    rest = (
        f" {fit(subject, 8)} {fit(task, 8)} {take:>4}  {start:<11} {f.hms(session.duration_s):>9}"
        f" {f.size(session.bytes):>7} {sum(session.labels.values()):>6} "
    )
    name = session.name or PurePath(session.path).name.removesuffix(".session.zip")
    return row(
        ("▸" if chosen else " ", "key", act),
        ("x" if marked else " ", "key", act),
        (f"{glyph} ", style, act),
        (fit(state, 11), style, act),
        (rest, text, act),
        (fit(name, width - _NAME_AT) if width >= _NAME_AT + 12 else "", text or "dim", act),
    )


def session_details(session: Any, frame: Frame, width: int, height: int) -> list[Row]:
    """Streams at the left, labels by class at the right, findings beneath."""
    if session is None or height < 2:
        return []
    name = session.name or PurePath(session.path).name
    rows = [rule(f"{name}   {_verified(session)}", width)]
    streams = [_stream(stream_name, stream) for stream_name, stream in session.streams.items()]
    labels = [_class(i, class_name, count, frame) for i, (class_name, count) in enumerate(session.labels.items())]
    for i in range(max(len(streams), len(labels))):
        left = streams[i] if i < len(streams) else BLANK
        right = labels[i] if i < len(labels) else BLANK
        rows.append(spread(left, (*right, Span(" " * (20 - width_of(right)))), width))
    if not session.streams:
        rows.append(row((" no stream in it", "dim")))
    findings = getattr(getattr(session, "verified", None), "findings", None) or []
    rows += [row((f" {finding.message}"[:width], "warn")) for finding in findings if hasattr(finding, "message")]
    rows.append(row((" path  ", "dim"), session.path))
    return rows[:height]


def _verified(session: Any) -> str:
    verified = getattr(session, "verified", None)
    level = getattr(verified, "level", None)
    if level is None:
        return session.state  # type: ignore[no-any-return]
    return f"{level} verify {'ok' if verified.ok else 'found damage'}"  # type: ignore[union-attr]


def _stream(name: str, stream: Any) -> Row:
    gaps = "0 gaps" if not stream.gaps else f"{stream.gaps} gap{'s' if stream.gaps > 1 else ''}"
    rate = f.rate(stream.measured_fs or stream.fs)
    samples = f"{stream.n_samples:>11,}".replace(",", " ")
    return row(
        f" {fit(name, 12)} {stream.n_channels:>3} ch {f.dtype(stream.dtype):<4} {rate:>8} Hz {samples}",
        (f"  {gaps:<6}", "warn" if stream.gaps else "dim"),
    )


def _class(index: int, name: str, count: int, frame: Frame) -> Row:
    names = [gesture.name for gesture in frame.status.gestures]
    place = names.index(name) if name in names else index
    return row((f" {frame.key_of(place)} ", gesture_style(place, filled=True)), f" {fit(name, 9)}{count:>5}  ")
