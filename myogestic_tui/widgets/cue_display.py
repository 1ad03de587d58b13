"""What the subject sees: one word as large as the terminal, how long it still holds, and what comes next."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import number_format as f
from .blockletters import block_rows
from .styled_lines import ACCENT, BLANK, DIM, FAINT, KEY, OK, STRONG, WARN, Line, fit, gesture_style, line, spread

if TYPE_CHECKING:
    from ..app.interface import ProtocolStatus
    from .frame import Frame

RELAX = "relax"
_MARGIN = 2
_LOW = 12
"""Below so many rows there is but the word, the bar and what comes next."""


@dataclass(frozen=True)
class Shown:
    """A word, and what is reported about it."""

    word: str
    style: str
    text: str = ""
    """Beneath it, in ordinary letters."""
    protocol: ProtocolStatus | None = None
    """Whose countdown is shown."""
    coming: int | None = None
    """The class that comes next; None is the end."""


def what_to_show(frame: Frame) -> Shown:
    """The word for a snapshot."""
    status, protocol = frame.status, frame.status.protocol
    if frame.gone:
        return Shown("waiting", DIM, f"{frame.gone}; it is shown here as soon as one is started")
    if frame.protocol is not None:
        return _of_protocol(frame, frame.protocol)
    if frame.recording and frame.active >= 0:
        return Shown(frame.gesture(frame.active), gesture_style(frame.active))
    if protocol is not None and protocol.state in ("done", "aborted"):
        return Shown("finished", OK) if protocol.state == "done" else Shown("stopped", STRONG)
    return Shown("waiting", DIM, status.message if not status.app_name else "for the first cue")


def _of_protocol(frame: Frame, protocol: ProtocolStatus) -> Shown:
    coming = protocol.next_class_index
    if protocol.state == "paused":
        held = protocol.class_index if protocol.cue else coming
        return Shown("paused", WARN, protocol=protocol, coming=held)
    if protocol.state == "lead-in":
        return Shown("get ready", ACCENT, protocol=protocol, coming=coming)
    index = protocol.class_index
    if index < 0:
        return Shown(RELAX, STRONG, protocol=protocol, coming=coming)
    return Shown(frame.gesture(index), gesture_style(index), protocol=protocol, coming=coming)


def cue_rows(frame: Frame, width: int, height: int, *, ascii_only: bool = False) -> list[Line]:
    """The whole terminal, ``height`` rows; it changes only where a number, the bar or the word does."""
    shown = what_to_show(frame)
    if height < _LOW:
        return _low(frame, shown, width, height, ascii_only)
    low = 1 if height < 20 else max(height // 6, 4)
    head, foot = _head(shown.protocol, width), _foot(frame, width)
    room = height - low - 7
    word = _centred(_word(shown, width, room, ascii_only), room)
    if shown.protocol is None:
        return [head, BLANK, *word, *[BLANK] * (low + 4), foot]
    bar = line((" " * _MARGIN, ""), (progress(_left_share(shown.protocol), width - 2 * _MARGIN), shown.style))
    beneath = _beneath(frame, shown, shown.protocol, width, low, ascii_only)
    return [head, BLANK, *word, BLANK, bar, BLANK, *_centred(beneath, low), BLANK, foot]


def _low(frame: Frame, shown: Shown, width: int, height: int, ascii_only: bool) -> list[Line]:
    """On a low terminal: word, countdown, next."""
    rows = _letters(shown.word, shown.style, width, height - 3, ascii_only)
    if shown.protocol is not None:
        left = f" {_seconds_left(shown.protocol):>3} s"
        rows.append(line((progress(_left_share(shown.protocol), width - len(left)), shown.style), (left, STRONG)))
        rows.append(line((fit(f"next {_name(frame, shown.coming)}", width, "^"), DIM)))
    else:
        rows.append(line((fit(shown.text, width, "^"), DIM)))
    return _centred(rows, height)[:height]


# ---------------------------------------------------------------- parts


def _word(shown: Shown, width: int, height: int, ascii_only: bool) -> list[Line]:
    text = [line((fit(part, width, "^"), DIM)) for part in textwrap.wrap(shown.text, max(width - 4, 10))]
    return [*_letters(shown.word, shown.style, width, height - len(text) - 1, ascii_only), BLANK, *text]


def _letters(word: str, style: str, width: int, height: int, ascii_only: bool) -> list[Line]:
    """A word in block letters, or in ordinary ones where they do not fit."""
    rows = block_rows(word, width - 2 * _MARGIN, height, ascii_only=ascii_only)
    return [line((fit(text, width, "^"), style)) for text in rows or (word.upper(),)]


def _beneath(
    frame: Frame, shown: Shown, protocol: ProtocolStatus, width: int, height: int, ascii_only: bool
) -> list[Line]:
    """What comes next at the left, the seconds that are left at the right."""
    name, style = _name(frame, shown.coming), gesture_style(-1 if shown.coming is None else shown.coming)
    seconds = f"{_seconds_left(protocol)}"
    number = block_rows(seconds, width // 3, height, ascii_only=ascii_only)
    left = line((" " * _MARGIN, ""), ("next  ", DIM))
    coming = block_rows(name, width - 2 * _MARGIN - 8 - len(number[0] if number else ""), height, ascii_only=ascii_only)
    if not number or not coming:
        ending = line((f"{seconds:>4} s", STRONG), (" " * _MARGIN, ""))
        return [spread(line(left, (name.upper(), style)), ending, width)]
    lead = [left, *[line(" " * (_MARGIN + 6))] * (len(coming) - 1)]
    tall = max(len(number), len(coming))
    lefts = _centred([line(a, (b, style)) for a, b in zip(lead, coming, strict=True)], tall)
    rights = _centred([line((text, STRONG), (" " * _MARGIN, "")) for text in number], tall)
    return [spread(a, b, width) for a, b in zip(lefts, rights, strict=True)]


def _head(protocol: ProtocolStatus | None, width: int) -> Line:
    """Which protocol, and how far it is."""
    if protocol is None:
        return BLANK
    gone = f"{f.minutes(protocol.elapsed_s)} of {f.minutes(protocol.total_s)}"
    share = protocol.elapsed_s / protocol.total_s if protocol.total_s else 0.0
    right = f"cue {protocol.cue:>2} of {protocol.n_cues}   {gone}  "
    room = min(max(width - len(right) - len(protocol.name) - 10, 0), 40)
    return spread(line((f"  {protocol.name}", DIM)), line((progress(share, room), FAINT), (f"   {right}", DIM)), width)


def _foot(frame: Frame, width: int) -> Line:
    right = line(("q", KEY), (" leave  ", DIM))
    return spread(line((f"  {frame.status.host}", FAINT)), right, width)


def _name(frame: Frame, class_index: int | None) -> str:
    if class_index is None:
        return "end"
    return RELAX if class_index < 0 else frame.gesture(class_index)


def _seconds_left(protocol: ProtocolStatus) -> int:
    """Whole seconds, counted down to 1."""
    return max(math.ceil(protocol.cue_seconds - protocol.cue_elapsed_s - 1e-3), 0)


def _left_share(protocol: ProtocolStatus) -> float:
    if protocol.cue_seconds <= 0:
        return 0.0
    return 1.0 - protocol.cue_elapsed_s / protocol.cue_seconds


def progress(share: float, cells: int) -> str:
    """A full and an empty part: ``████░░░░``."""
    done = min(max(int(share * cells), 0), cells)
    return "█" * done + "░" * (cells - done)


def _centred(rows: list[Line], height: int) -> list[Line]:
    """Rows in the middle of ``height``."""
    above = max((height - len(rows)) // 2, 0)
    return [*[BLANK] * above, *rows, *[BLANK] * (height - len(rows) - above)][:height]
