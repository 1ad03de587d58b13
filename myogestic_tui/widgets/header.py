"""The rows on top of every screen: screens, state, rule. Fixed fields; nothing in them ever moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from .frame import take_text
from .number_format import hms, span_left
from .strip_widget import Lines
from .styled_lines import (
    ALERT,
    BAD,
    DIM,
    FAINT,
    OK,
    REC,
    STRONG,
    WARN,
    Line,
    cells,
    cut,
    fit,
    gesture_style,
    line,
    spread,
)

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from .frame import Frame

SCREENS = (("s", "streams", "Streams"), ("l", "live", "Live"), ("r", "record", "Record"), ("b", "sessions", "Sessions"))
NARROW = 72
"""Below this width the header shows state, time and label, and little else."""
_ROOMY = 96
"""From this width on, numbers at the right have their words beside them while recording, too."""
_MARK = 9
"""Columns of ``▼ 10 fps``, which nothing else takes."""


def state_line(frame: Frame, width: int) -> Line:
    """What the recorder does, for how long, on whom, with which label; problems, streams, disk at the right."""
    if frame.gone:
        return cut(line((" ✗ GONE ", BAD), (f"  {frame.gone}", BAD)), width)
    if width < NARROW:
        return _narrow(frame, width)
    return _recording(frame, width) if frame.recording else _idle(frame, width)


def _disk(frame: Frame) -> Line:
    disk = frame.status.disk
    low = (disk.left_s is not None and disk.left_s < 600) or 0 < disk.free_bytes < 2 * disk.reserve_bytes
    return line((fit(span_left(disk.left_s), 4, ">"), WARN if low else DIM))


def faults_line(frame: Frame, width: int = 11) -> Line:
    """``▲ 1F 1C 1M``: electrode problems, counted; blank where there are none."""
    counts = frame.faults
    text = " ".join(f"{n}{letter}" for letter, n in counts.items() if n)
    return line((fit(f"▲ {text}" if text else "", width), WARN))


def _count(frame: Frame, word: str = "") -> Line:
    live, expected = frame.n_recorded
    style = OK if live >= expected > 0 else BAD if frame.recording and not live else WARN
    return line((fit(f"{live}/{expected}{word}", 5 + len(word), ">"), style))


def _idle(frame: Frame, width: int) -> Line:
    first = frame.active
    left = line((" ○ IDLE ", STRONG), f"   next {take_text(frame.status.take)}")
    if frame.status.stopped is not None:
        left = line((" ■ STOPPED ", BAD), f"by the recorder   next {take_text(frame.status.take)}")
    words = line((" streams   disk ", DIM), _disk(frame))
    if first >= 0:
        left = line(left, ("   first ", DIM), (frame.keyed(first), gesture_style(first)))
        words = line("  ", _disk(frame))
    return spread(left, line(" ", faults_line(frame), _count(frame), words, " "), width)


def rec_style(frame: Frame) -> str:
    """Red while all that was recorded at the start is; amber with fewer; loud with none."""
    live, expected = frame.n_recorded
    return REC if live >= expected > 0 else ALERT if live else f"blink {ALERT}"


def _recording(frame: Frame, width: int) -> Line:
    session = frame.status.session
    extra = max(width - (_ROOMY if width >= _ROOMY else 80), 0)
    room = 29 + min(extra // 3, 24) + extra // 4
    take, name_width = _take_and_name(frame, room)
    elapsed = session.elapsed_s if session is not None else 0.0
    seconds = session.label_seconds if session is not None else 0.0
    active = frame.active
    left = line(
        (" ● REC ", rec_style(frame)),
        (f" {hms(elapsed)} ", STRONG),
        " ",
        fit(take, room - name_width),
        "  ",
        (fit(frame.keyed(active), name_width), gesture_style(active)),
        (f"{min(seconds, 9999.9):>6.1f} s ", DIM if active < 0 else ""),
    )
    if width >= _ROOMY:
        right = line(_count(frame), (" streams   disk ", DIM), _disk(frame), " ")
    else:  # one of the two in one field: what is missing matters more than the room that is left
        live, expected = frame.n_recorded
        disk = line((" disk ", DIM), _disk(frame))
        right = line(disk if live >= expected else _count(frame, " live"), " ")
    return spread(left, line(faults_line(frame), right), width)


def _take_and_name(frame: Frame, room: int) -> tuple[str, int]:
    """What is recorded, and the cells of a gesture's name; no name is cut that fits beside the take's number alone."""
    longest = max([8, *(cells(frame.keyed(i)) for i in range(len(frame.status.gestures)))])
    take = frame.take
    texts = [take_text(one) for one in (take, replace(take, subject=""), replace(take, subject="", task=""))]
    text = next((one for one in texts if cells(one) + longest <= room), texts[-1])
    return text, min(longest, room - cells(text))


def _narrow(frame: Frame, width: int) -> Line:
    session = frame.status.session
    if not frame.recording or session is None:
        return cut(spread(line((" ○ IDLE", STRONG), f"  {take_text(frame.status.take)}"), _count(frame), width), width)
    active = frame.active
    head = line((" ● REC ", rec_style(frame)), (f"{hms(session.elapsed_s)} ", STRONG))
    label = fit(frame.keyed(active), max(width - 16 - 8, 3))
    return cut(line(head, (label, gesture_style(active)), f"{session.label_seconds:>7.1f}s"), width)


def _places(width: int) -> tuple[int, int]:
    """Columns of the mark of a slow link, and of the host's name: each has its own place."""
    return (_MARK if width >= 45 else 0), min(20, max(width - 60, 0))


class Header(Vertical):
    """Rows 1 and 2 of every screen, and a rule where the screen has no row of its own there."""

    DEFAULT_CSS = """
    Header { height: 3; dock: top; }
    Header.-no-rule { height: 2; }
    Header Horizontal { height: 1; }
    Header .tabs { width: 1fr; height: 1; link-color: $quiet; link-style: none; }
    Header .clock { width: auto; height: 1; }
    Header Lines { height: 1; }
    Header.-no-rule .rule { display: none; }
    """

    def __init__(self, screen: str, *, ruled: bool = True) -> None:
        super().__init__(id="header", classes="" if ruled else "-no-rule")
        self._screen_name = screen
        self._tabs = Static("", classes="tabs")
        self._clock = Lines(classes="clock")
        self._state = Lines(classes="state")
        self._rule = Lines(classes="rule")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self._tabs
            yield self._clock
        yield self._state
        yield self._rule

    def on_resize(self) -> None:
        short = self.size.width < 60
        parts = []
        for key, name, title in SCREENS:
            text = title[:3] if short else title
            if name == self._screen_name:
                front = "bold reverse" if self.app.no_color else "bold $background on $text-accent"
                parts.append(f"[{front}] {key} {text.upper()} [/]")
            else:
                parts.append(f"[@click=app.mode('{name}')][bold $text-accent] {key} [/][$quiet]{text} [/][/]")
        self._tabs.update("".join(parts), layout=False)
        self._clock.styles.width = sum(_places(self.size.width)) + 8

    def show(self, frame: Frame) -> None:
        width = self.size.width
        mark, room = _places(width)
        slowed = f"▼ {min(round(frame.fps), 99)} fps" if frame.slowed else ""
        host = line((fit(slowed, mark), WARN), (f"{fit(frame.status.host, room, '>')}  ", DIM))
        self._clock.put([line(host, f"{frame.wall:>5} ")])
        self._state.put([state_line(frame, width)])
        self._rule.put([line(("─" * width, FAINT))])
