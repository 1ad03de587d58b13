"""What needs the operator, and the one sentence that says how things stand."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ..plural import count_of
from . import number_format as f
from .strip_widget import FLAG_WORDS, worst_flag
from .styled_lines import BAD, DIM, OK, STRONG, WARN, Line, cut, fit, line, rule, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app.interface import Problem, StreamStatus
    from .frame import Frame

MARKS = {"error": ("✗", BAD), "warning": ("▲", WARN), "info": ("…", DIM)}
REPORT_SECONDS = 6.0
"""How long a reply stands in the message line."""
_ORDER = ("error", "warning", "info")
_BESIDE_SUBJECT = 50
"""From this width on a problem's text stands beside its subject, else under it."""


def needs_you(problems: Sequence[Problem], width: int, height: int) -> list[Line]:
    """The one list of what needs the operator; nothing at all where nothing does."""
    if not problems or height < 2:
        return []
    rows = [rule("needs you", width)]
    beside = width >= _BESIDE_SUBJECT
    for problem in sorted(problems, key=lambda p: _ORDER.index(p.severity)):
        mark, style = MARKS[problem.severity]
        head = line((f" {mark} ", style), (fit(problem.subject, 12), style))
        lines = textwrap.wrap(problem.text, max(width - (17 if beside else 4), 8), break_on_hyphens=False) or [""]
        rows += [line(head, " ", lines.pop(0))] if beside else [head]
        rows += [line(" " * (16 if beside else 3), text) for text in lines]
    if len(rows) > height:
        rows = [*rows[: height - 1], line((f" … and {len(rows) - height + 1} more lines", WARN))]
    return rows


def problem_lines(problems: Sequence[Problem], width: int, height: int, most: int = 0) -> list[Line]:
    """The gravest problems, at most so many, in whole sentences as far as ``height`` rows take them."""
    grave = sorted((p for p in problems if p.severity != "info"), key=lambda p: _ORDER.index(p.severity))
    grave = grave[: min(most or height, height)]
    rows: list[Line] = []
    for n_others, problem in zip(reversed(range(len(grave))), grave, strict=True):
        mark, style = MARKS[problem.severity]
        room, text = max(width - 4, 8), " ".join(f"{problem.subject}: {problem.text}".split())  # some have lines
        lines = textwrap.wrap(text, room, max_lines=height - len(rows) - n_others, placeholder="…")
        rows += [line((f" {sign} {words}", style)) for sign, words in zip_longest(mark, lines, fillvalue=" ")]
    return rows


def quality_line(stream: StreamStatus, most: int = 4) -> Line:
    """``1 flat: 17   1 mains: 42``: only what is wrong; ``all 64 clean`` where nothing is."""
    if not stream.quality:
        lost = "nothing comes: not judged" if stream.state == "lost" else "no samples yet"
        return line((lost if stream.dtype != "string" else "text", DIM))
    parts: list[tuple[str, str]] = []
    for flag, word in FLAG_WORDS.items():
        which = [str(i + 1) for i, q in enumerate(stream.quality) if flag in q.flags]
        if which:
            listed = ", ".join(which[:most]) + (" …" if len(which) > most else "")
            parts.append((f"{'   ' if parts else ''}{len(which)} {word}: {listed}", WARN if flag != "x" else DIM))
    return tuple(parts) or line((f"all {len(stream.quality)} clean", OK))


def quality_lines(streams: Sequence[StreamStatus], width: int, height: int) -> list[Line]:
    """A line for each stream: first those with faults, then those not judged; what has no room is counted."""
    ordered = sorted(streams, key=_cleanness)
    rows = []
    for stream in ordered:
        quality = quality_line(stream, 8)
        name = cut(line((f" {stream.name}", STRONG if stream.record else DIM)), max(width - width_of(quality) - 2, 8))
        rows.append(line(name, "  ", quality))
    if len(rows) > height:
        rest = ordered[height - 1 :]
        clean = _cleanness(rest[0]) == _CLEAN
        words = f" … and {len(rest)} more{' without faults' if clean else ''}"
        rows = [*rows[: height - 1], line((words, DIM if clean else WARN))]
    return rows


_CLEAN = 2


def _cleanness(stream: StreamStatus) -> int:
    if stream.dtype == "string":
        return _CLEAN
    return 0 if any(q.flags for q in stream.quality) else _CLEAN if stream.quality else 1


def status_line(frame: Frame, width: int = 80) -> Line:
    """How things stand, computed from the snapshot alone: ``▲ recording 3 of 4 · glove lost 23 s``."""
    if frame.gone:
        return line((f" ✗ {frame.gone}", BAD))
    if frame.recording:
        return _recording(frame, width)
    if frame.status.stopped is not None:
        return line((f" ■ stopped by the recorder: {frame.status.stopped.text}", BAD))
    if frame.awaited:
        return line((f" … waiting for {', '.join(s.name for s in frame.awaited)}", WARN))
    if not frame.selected:
        return line((" ○ idle · no stream is chosen for recording", DIM))
    return line((f" ○ ready · {count_of(len(frame.selected), 'stream')} live", DIM))


def _recording(frame: Frame, width: int) -> Line:
    live, n = frame.n_recorded
    lost = frame.missing
    head = f"recording {live} of {n}"
    if lost or live < n:
        words = [*(f"{s.name} {_absent(s)}" for s in lost), *(f"{name} not in it" for name in frame.left_out)]
        return line((_listed(f" {'▲' if live else '✗'} {head}", words, width), WARN if live else BAD))
    faults = [
        f"{s.name} {i + 1} {FLAG_WORDS[worst]}"
        for s in frame.recorded
        for i, q in enumerate(s.quality)
        if (worst := worst_flag(q.flags.replace("x", "")))
    ]
    grave = [p for p in frame.status.problems if p.severity == "error"]
    if grave:
        return line((f" ▲ {head} · {grave[0].subject}: {' '.join(grave[0].text.split())}", WARN))
    if faults:
        return line((_listed(f" ▲ {head}", faults, width), WARN))
    return line((" ● ", OK), (head, STRONG), (" · all clean", OK))


def _listed(text: str, words: Sequence[str], width: int) -> str:
    """``text · word · word · 2 more``: as many of the words as have room."""
    for n in range(len(words), 0, -1):
        more = [f"{len(words) - n} more"] if n < len(words) else []
        listed = " · ".join([text, *words[:n], *more])
        if cell_len(listed) <= width or n == 1:
            return listed
    return text


def _absent(stream: StreamStatus) -> str:
    if stream.state == "lost":
        return "lost" if stream.age_s is None else f"lost {f.span(stream.age_s)}"
    return stream.state
