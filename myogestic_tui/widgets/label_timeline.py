"""Labels along a row of time: each span begins with ``│`` and its gesture's key, in the gesture's colour."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .styled_lines import FAINT, Line, gesture_style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..app.interface import LabelStatus


def label_strip(
    labels: Sequence[LabelStatus],
    start: float,
    seconds: float,
    cells: int,
    key_of: Callable[[int], str],
    *,
    end: float | None = None,
    began: float | None = None,
) -> Line:
    """Draw labels over ``[start, start + seconds)``.

    Parameters
    ----------
    start, seconds, cells
        When the row begins, how long it lasts, and how many characters it has.
    key_of
        The key of a class index.
    labels
        In time order, on the clock of ``start``; the first may begin before it.
    end
        Nothing is labelled from here on (the present); None is the end of the row.
    began
        Before it there was no recording: left blank; None is the beginning of the row.
    """
    if cells <= 0:
        return ()
    edges = [_cell(label.timestamp, start, seconds, cells) for label in labels]
    last = cells if end is None else min(max(_cell(end, start, seconds, cells), 0), cells)
    first = 0 if began is None else min(max(_cell(began, start, seconds, cells), 0), cells)
    parts: list[tuple[str, str]] = [(" " * first, "")] if first else []
    at = first
    for i, label in enumerate(labels):
        stop = min(edges[i + 1], last) if i + 1 < len(labels) else last
        if edges[i] > at:
            parts.append(("·" * (min(edges[i], last) - at), FAINT))
            at = min(edges[i], last)
        if stop <= at:
            continue
        parts.append(_span(label, stop - at, key_of(label.class_index), begins=edges[i] >= 0))
        at = stop
    if at < last:
        parts.append(("·" * (last - at), FAINT))
    if last < cells:
        parts.append((" " * (cells - last), ""))
    return tuple(parts)


def _span(label: LabelStatus, length: int, key: str, *, begins: bool) -> tuple[str, str]:
    if label.class_index < 0:
        return ("│" if begins else "").ljust(length, "·")[:length], FAINT
    head = ("│" if begins and length > 1 else "") + key
    body = "x" if label.bad else "━"
    return head.ljust(length, body)[:length], gesture_style(label.class_index)


def _cell(at: float, start: float, seconds: float, cells: int) -> int:
    return int((at - start) / seconds * cells // 1)


def time_axis(
    seconds: float, cells: int, *, every: int = 8, end: str = "now", line: int | None = None, after: int = 0,
    behind: float = 0.0,
) -> str:  # fmt: skip
    """Seconds before the present along a row: ``-10 s       -8 … now``.

    Parameters
    ----------
    end
        What the newest cell is.
    line
        The cell of a line that ``end`` stands before, or after where there is no room; None is the right edge. What is
        older than the left edge follows right of it, from the cell ``after`` on.
    behind
        Seconds before the present of the newest cell.
    """
    line = cells if line is None else line
    text = [" "] * cells
    if line < cells:
        text[line] = "│"
    _write(text, line - len(end) if line >= len(end) else line + 1, end)
    step = back = _round_step(seconds / max(min(cells // every, 8), 1))
    while back <= seconds + behind + 1e-9:
        label = f"-{back:g}" + (" s" if back + step > seconds - (line < cells) * step else "")
        place = math.floor(line - (back - behind) / seconds * cells)
        place += cells if line < cells and place < 0 and place + cells >= after else 0
        if back > behind:
            write_free(text, place, label)
        back += step
    return "".join(text)


def _round_step(step: float) -> float:
    return next((nice for nice in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0) if nice >= step * 0.79), 60.0)


def write_free(text: list[str], place: int, label: str) -> None:
    """Write a label into a row where it is whole and touches nothing; else leave it out."""
    room = text[max(place - 1, 0) : place + len(label) + 1]
    if 0 <= place <= len(text) - len(label) and not "".join(room).strip():
        _write(text, place, label)


def _write(text: list[str], place: int, label: str) -> None:
    if place >= 0:
        text[place : place + len(label)] = list(label)
