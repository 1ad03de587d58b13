"""What holds now and what comes next: the first rows of the Record screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from . import format as f
from .blockletters import block_rows
from .format import clock
from .palette import gesture_style
from .spans import BLANK, Row, Span, fit, row, spread, width_of

if TYPE_CHECKING:
    from ..app.recorder import ProtocolStatus, StopStatus
    from .frame import Frame

SMALL = 3
"""Rows that it takes where it is not in block letters."""
_AT = 9
"""Column of the word."""


def now_rows(frame: Frame, width: int, *, letters: int = 0, ascii_only: bool = False) -> list[Row]:
    """The active gesture, the cue, or READY, in `SMALL` rows; or in block letters of ``letters`` rows, and two more."""
    now = _now(frame, width)
    return _tall(now, width, letters, ascii_only) if letters else _small(now, width)


class Now(NamedTuple):
    """What holds now: a word, what is said beside it, what comes next, and two rows beneath."""

    word: str
    style: str
    hint: Row
    coming: Row = ()
    second: Row = ()
    third: Row = ()
    class_index: int = -1


def _small(now: Now, width: int) -> list[Row]:
    """Three rows."""
    filled = now.class_index >= 0
    word = Span(
        f" {now.word} " if filled else now.word, gesture_style(now.class_index, filled=True) if filled else now.style
    )
    head = (*row(("   NOW   ", "dim")), word, *now.hint)
    return [spread(head, now.coming, width), now.second, now.third]


def _tall(now: Now, width: int, height: int, ascii_only: bool) -> list[Row]:
    """The word in block letters, where it fits beside what is said about it."""
    name = now.word.partition(" ")[2] if now.class_index >= 0 else now.word
    beside = max(width_of(now.hint), width_of(now.coming)) + 2
    letters = block_rows(name, width - _AT - beside, height, ascii_only=ascii_only)
    if not letters:
        return [*_small(now, width), *[BLANK] * (height + 2 - SMALL)]
    lead = row(" " * _AT)
    rows = [(*lead, Span(text, now.style)) for text in letters]
    rows[0] = spread((*row(("   NOW   ", "dim")), *rows[0][1:]), now.coming, width)
    rows[1] = (*rows[1], *now.hint)
    return [*rows, *[BLANK] * (height - len(rows)), now.second, now.third]


def _now(frame: Frame, width: int) -> Now:
    """The active gesture, the cue, or READY."""
    if frame.protocol is not None:
        return _cue(frame, frame.protocol, width)
    if not frame.recording:
        stopped = frame.status.stopped
        return _ready(frame, width) if stopped is None else _stopped(frame, stopped, width)
    if not frame.n_recorded[0]:
        return _nothing()
    protocol, session, active = frame.status.protocol, frame.status.session, frame.active
    hint = "press a gesture key" if active < 0 else "until the next gesture, or e"
    said = "no protocol; c starts one" if protocol is None else f"protocol {protocol.name} {protocol.state}"
    return Now(
        *_shout(frame, active),
        hint=row((f"   {hint}", "dim")),
        second=row(" " * _AT, (f"{session.label_seconds if session else 0.0:>8.1f} s", "strong")),
        third=row(" " * _AT, (said, "dim")),
        class_index=active,
    )


def _shout(frame: Frame, class_index: int) -> tuple[str, str]:
    if class_index < 0:
        return "no label", "dim"
    return f"{frame.key_of(class_index)} {frame.gesture(class_index).upper()}", gesture_style(class_index)


def _cue(frame: Frame, protocol: ProtocolStatus, width: int) -> Now:
    current = protocol.class_index if protocol.state == "running" else -1
    word, style = _shout(frame, current)
    hint: Row = ()
    if protocol.state == "lead-in":
        word, style = "get ready", "accent"
    elif protocol.state == "paused":
        word, style = "PAUSED", "warn"
        hint = row(("   p", "key", "key:p"), (f" goes on with {frame.keyed(protocol.class_index)}", "dim"))
    cells = max(min(width - 30, 60), 8)
    share = protocol.cue_elapsed_s / protocol.cue_seconds if protocol.cue_seconds else 0.0
    elapsed = f"{protocol.cue_elapsed_s:>6.1f} / {protocol.cue_seconds:.1f} s"
    where = f"cue {protocol.cue:>2} of {protocol.n_cues}" if protocol.cue else f"before the {protocol.n_cues} cues"
    seed = f"   seed {protocol.seed}" if protocol.seed is not None else ""
    return Now(
        word,
        style,
        hint,
        _coming(frame, protocol),
        row(" " * _AT, *thin_progress(share, cells, style), (elapsed, "strong")),
        spread(
            row(f"{'':{_AT}}{where}    {f.minutes(protocol.elapsed_s)} of {f.minutes(protocol.total_s)}"),
            row((f"protocol {protocol.name}{seed}   ", "dim")),
            width,
        ),
        current,
    )


def _coming(frame: Frame, protocol: ProtocolStatus) -> Row:
    left = max(protocol.cue_seconds - protocol.cue_elapsed_s, 0.0)
    upcoming = protocol.next_class_index
    name, style = ("end", "dim") if upcoming is None else (frame.keyed(upcoming), gesture_style(upcoming))
    return row(("NEXT  ", "dim"), (name, style), (f"   in {left:>5.1f} s   ", "strong"))


def thin_progress(share: float, cells: int, style: str) -> Row:
    """A heavy line that grows over a thin one."""
    done = min(max(int(share * cells), 0), cells)
    return row(("━" * done, style), ("─" * (cells - done), "faint"))


def _nothing() -> Now:
    """No stream gets to the disk: whatever the labels say, nothing is being recorded."""
    return Now(
        "NOTHING IS RECORDED",
        "bad",
        row(("   no live stream is in the recording", "bad")),
        second=row(" " * _AT, ("s shows the streams", "warn")),
        class_index=-1,
    )


def _stopped(frame: Frame, stopped: StopStatus, width: int) -> Now:
    """The recorder ended the last recording; that stands until somebody has seen it."""
    take = "the take" if stopped.take is None else f"take {stopped.take:02d}"
    return Now(
        f"STOPPED {clock(stopped.at, frame.at)}",
        "bad",
        row(("   by the recorder", "bad")),
        second=row(" " * _AT, (fit(stopped.text, width - _AT - 1), "bad")),
        third=row(" " * _AT, f"{take} is saved", ("   ⏎", "key", "key:enter"), (" understood", "dim")),
    )


def _ready(frame: Frame, width: int) -> Now:
    take = frame.status.take
    missing = [s for s in frame.ticked if s.state not in ("live", "slow")]
    first = frame.active
    if not frame.ticked:
        state, style = "no stream is ticked for recording: s, then c connects one", "warn"
    elif missing:
        names = ", ".join(s.name for s in missing)
        state = f"{len(frame.ticked) - len(missing)} of {len(frame.ticked)} streams are live; missing: {names}"
        style = "warn"
    else:
        state, style = f"{len(frame.ticked)} stream{'s' if len(frame.ticked) > 1 else ''} live", "ok"
    chosen: Row = row(("starts without a label; a gesture key chooses one", "dim"))
    if first >= 0:
        chosen = row(
            ("starts with ", "dim"),
            (f" {frame.keyed(first)} ", gesture_style(first, filled=True)),
            ("   e: without", "dim"),
        )
    return Now(
        "READY",
        "strong" if style == "ok" else "warn",
        row(("  space", "key", "key:space"), f" records take {take.take:02d}", (_named(frame), "dim")),
        second=row(" " * _AT, (fit(state, width - _AT - 1), style)),
        third=(Span(" " * _AT), *chosen),
    )


def _named(frame: Frame) -> str:
    take = frame.status.take
    parts = [part for part in (take.subject, take.task, take.name) if part]
    return f"  of {' · '.join(parts)}" if parts else "   (t fills in subject and task)"
