"""The three rows on top of every screen: screens, state, rule. Fixed fields; nothing in them ever moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .format import hms, span_left
from .palette import gesture_style
from .spans import Row, Span, cut, fit, row, spread

if TYPE_CHECKING:
    from ..app.recorder import TakeStatus
    from .frame import Frame

SCREENS = (("s", "streams", "Streams"), ("l", "live", "Live"), ("r", "record", "Record"), ("b", "sessions", "Sessions"))
NARROW = 72
"""Below this width the header shows state, time and label, and little else."""


def take_text(take: TakeStatus) -> str:
    """``P07 · grasp · take 04``; what is not filled in is left out."""
    parts = [part for part in (take.subject, take.task) if part]
    return " · ".join([*parts, f"take {take.take:02d}"])


def header_rows(frame: Frame, width: int) -> list[Row]:
    """Rows 1 to 3, for any width."""
    return [_screens(frame, width), _state(frame, width), row(("─" * width, "faint"))]


def _screens(frame: Frame, width: int) -> Row:
    left: list[Span] = []
    for key, name, title in SCREENS:
        shown = title if width >= 60 else title[:3]
        if name == frame.screen:
            left.append(Span(f" {key} {shown.upper()} ", "tab", f"screen:{name}"))
        else:
            left += [Span(f" {key} ", "key", f"screen:{name}"), Span(f"{shown} ", "dim", f"screen:{name}")]
    host = fit(frame.status.host, min(20, max(width - 58, 0)), ">")
    return spread(tuple(left), row((f"{host}  ", "dim"), (f"{frame.wall:>5} ", "")), width)


def _state(frame: Frame, width: int) -> Row:
    if frame.gone:
        return cut(row((" ✗ GONE ", "bad"), (f"  {frame.gone}", "bad")), width)
    if width < NARROW:
        return _narrow(frame, width)
    return _recording(frame, width) if frame.recording else _idle(frame, width)


def _disk(frame: Frame) -> Span:
    disk = frame.status.disk
    low = (disk.left_s is not None and disk.left_s < 600) or 0 < disk.free_bytes < 2 * disk.reserve_bytes
    return Span(fit(span_left(disk.left_s), 4, ">"), "warn" if low else "dim")


def _fps(frame: Frame) -> Row:
    return row((" ▼" if frame.slowed else "  ", "warn"), (f"fps {min(round(frame.fps), 99):>2} ", "dim"))


def _count(frame: Frame) -> Row:
    live, expected = frame.n_recorded
    style = "ok" if live >= expected > 0 else "warn"
    return row((fit(f"{live}/{expected}", 5, ">"), "rec" if frame.recording and not live else style))


def _idle(frame: Frame, width: int) -> Row:
    first = frame.active
    left = row((" ○ IDLE ", "strong"), f"   next {take_text(frame.status.take)}")
    if frame.status.stopped is not None:
        left = row((" ■ STOPPED ", "bad"), f"by the recorder   next {take_text(frame.status.take)}")
    words: Row = (*row((" streams   disk ", "dim")), _disk(frame))
    if first >= 0:
        left = (*left, *row(("   starts with ", "dim"), (frame.keyed(first), gesture_style(first))))
        words = (Span("  "), _disk(frame))
    return spread(left, (*_count(frame), *words, *_fps(frame)), width)


def _recording(frame: Frame, width: int) -> Row:
    session = frame.status.session
    extra = width - 80
    take_width, name_width = 22 + min(max(extra, 0) // 3, 24), 9 + min(max(extra, 0) // 4, 20)
    elapsed = session.elapsed_s if session is not None else 0.0
    seconds = session.label_seconds if session is not None else 0.0
    active = frame.active
    label = fit(frame.keyed(active), name_width)
    left = row(
        (" ● REC ", "rec"),
        (f" {hms(elapsed)} ", "strong"),
        " ",
        fit(take_text(frame.take), take_width),
        " ",
        (label, f"{gesture_style(active)}"),
        (f"{min(seconds, 9999.9):>6.1f} s", "dim" if active < 0 else ""),
    )
    return spread(left, (*_count(frame), Span("  "), _disk(frame), *_fps(frame)), width)


def _narrow(frame: Frame, width: int) -> Row:
    session = frame.status.session
    if not frame.recording or session is None:
        return cut(spread(row((" ○ IDLE", "strong"), f"  {take_text(frame.status.take)}"), _count(frame), width), width)
    active = frame.active
    head = row((" ● REC ", "rec"), (f"{hms(session.elapsed_s)} ", "strong"))
    room = max(width - 16 - 8, 3)
    label = fit(frame.keyed(active), room)
    return cut((*head, Span(label, gesture_style(active)), Span(f"{session.label_seconds:>7.1f}s")), width)
