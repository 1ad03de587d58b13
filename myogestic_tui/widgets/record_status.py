"""What holds now and what comes next: the first rows of the Record screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

from ..plural import count_of
from . import number_format as f
from .styled_lines import ALERT, BAD, BLANK, DIM, KEY, OK, STRONG, WARN, Line, gesture_style, line, spread

if TYPE_CHECKING:
    from ..app.interface import ProtocolStatus, StopStatus
    from .frame import Frame

_AT = 9
"""Column of the word."""


class Now(NamedTuple):
    """Three or four rows, a number in large digits, and how far a cue is (0 to 1; None where there is no cue)."""

    rows: tuple[Line, ...]
    digits: str = ""
    share: float | None = None
    class_index: int = -1


def now_of(frame: Frame, width: int) -> Now:
    """The active gesture, the cue, READY, WAITING, DONE, or what stopped the recording."""
    if frame.protocol is not None:
        return _cue(frame, frame.protocol, width)
    if not frame.recording:
        return _idle(frame, width)
    if not frame.n_recorded[0]:
        told = line(
            (" NOTHING IS RECORDED ", "bold reverse $text-error"), ("  no live stream is in the recording", BAD)
        )
        return Now(_rows(told, line(("s shows the streams", WARN))))
    protocol, session, active = frame.status.protocol, frame.status.session, frame.active
    take = frame.take.take
    if protocol is not None and protocol.state == "done":
        done = line((" DONE ", f"bold reverse {OK}"), ("  x ⏎", KEY), f" saves take {take:02d}")
        return Now(_rows(done, line((f"protocol {protocol.name}: all {protocol.n_cues} cues", DIM))))
    hint = "press a gesture key" if active < 0 else "until the next gesture, or e"
    said = "no protocol; c starts one" if protocol is None else f"protocol {protocol.name} {protocol.state}"
    if session is not None and session.segment:
        said += f"   segment {session.segment}"
    if session is not None and session.before_s:
        said += f"   began {session.before_s:.1f} s before the key"
    seconds = f"{session.label_seconds:.1f}" if session is not None else ""
    return Now(_rows(line(_word(frame, active), (f"   {hint}", DIM)), line((said, DIM))), seconds, None, active)


def _rows(head: Line, *others: Line) -> tuple[Line, ...]:
    lead = " " * _AT
    return line(("   NOW   ", DIM), head), *(
        line(lead, other) for other in (*others, BLANK, BLANK)[: max(len(others), 2)]
    )


def _word(frame: Frame, class_index: int) -> Line:
    if class_index < 0:
        return line(("no label", DIM))
    text = f" {frame.key_of(class_index)} {frame.gesture(class_index).upper()} "
    return line((text, gesture_style(class_index, filled=True)))


def _cue(frame: Frame, protocol: ProtocolStatus, width: int) -> Now:
    current = protocol.class_index if protocol.state == "running" else -1
    head = _word(frame, current)
    if protocol.state == "lead-in":
        head = line(("get ready", "bold $text-accent"))
    elif protocol.state == "paused":
        head = line((" PAUSED ", ALERT), ("   p", KEY), (f" continues with {frame.keyed(protocol.class_index)}", DIM))
    left = max(protocol.cue_seconds - protocol.cue_elapsed_s, 0.0)
    upcoming = protocol.next_class_index
    name, style = ("end", DIM) if upcoming is None else (frame.keyed(upcoming), gesture_style(upcoming))
    countdown = f"   in {left:>5.1f} s" if protocol.state != "paused" else ""
    coming = line(("NEXT  ", DIM), (name, style), (f"{countdown}  ", STRONG))
    where = f"cue {protocol.cue:>2} of {protocol.n_cues}" if protocol.cue else f"before the {protocol.n_cues} cues"
    seed = f"   seed {protocol.seed}" if protocol.seed is not None else ""
    second = line(f"{where}    {f.minutes(protocol.elapsed_s)} of {f.minutes(protocol.total_s)}")
    _, second, third = _rows(BLANK, second, line((f"protocol {protocol.name}{seed}", DIM)))
    share = protocol.cue_elapsed_s / protocol.cue_seconds if protocol.cue_seconds else 0.0
    first = spread(line(("   NOW   ", DIM), head), coming, width)
    return Now((first, second, third), f"{left:.1f}", min(share, 1.0), current)


def _idle(frame: Frame, width: int) -> Now:
    if frame.status.stopped is not None:
        return _stopped(frame, frame.status.stopped, width)
    take = frame.status.take
    missing = frame.awaited
    required = [s.name for s in missing if s.required]
    if required:
        head = line((" WAITING ", ALERT), (f"  for {', '.join(required)}", WARN))
    elif not frame.selected:
        head = line((" NO STREAM ", ALERT))
    else:
        head = line((" READY ", ALERT if missing else f"bold reverse {OK}"))
    head = line(head, ("   space", KEY), f" records take {take.take:02d}", (_named(frame), DIM))
    return Now(_rows(head, _streams(frame, [s.name for s in missing]), _first(frame)))


def _stopped(frame: Frame, stopped: StopStatus, width: int) -> Now:
    """The recorder ended the last recording; that stands until somebody has seen it."""
    take = "the take" if stopped.take is None else f"take {stopped.take:02d}"
    head = line((f" STOPPED {frame.clock(stopped.at)} ", "bold reverse $text-error"), ("   by the recorder", BAD))
    why = textwrap.wrap(stopped.text, max(width - _AT - 1, 8), max_lines=2, placeholder="…")
    saved = line(f"{take} is saved", ("   ⏎", KEY), (" understood", DIM))
    return Now(_rows(head, *(line((text, BAD)) for text in why), saved))


def _streams(frame: Frame, missing: list[str]) -> Line:
    n = len(frame.selected)
    if missing:
        live = sum(s.state in ("live", "slow") for s in frame.selected)
        return line((f"{live} of {count_of(n, 'stream')} live; missing: {', '.join(missing)}", WARN))
    if not n:
        return line(("no stream is chosen for recording: s, then c connects one", WARN))
    return line((f"{count_of(n, 'stream')} live", OK))


def _first(frame: Frame) -> Line:
    if frame.active < 0:
        return line(("starts without a label; a gesture key chooses one", DIM))
    filled = gesture_style(frame.active, filled=True)
    return line(("starts with ", DIM), (f" {frame.keyed(frame.active)} ", filled), ("   e: without", DIM))


def _named(frame: Frame) -> str:
    take = frame.status.take
    parts = [part for part in (take.subject, take.task, take.name) if part]
    return f"  of {' · '.join(parts)}" if parts else "   (t fills in subject and task)"
