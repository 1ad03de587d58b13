"""Styled text in rows: plain values that parts of screens are built of, and compared by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from .glyphs import to_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NARROW = re.compile("[ -\u02ff\u0370-\u0482\u2010-\u2027\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff]*").fullmatch
"""Text of which every character takes one cell: asked before `cell_len`, which is slow on text it has not seen."""


class Span(NamedTuple):
    """A run of text in one style; ``action`` makes it clickable."""

    text: str
    style: str = ""
    action: str = ""


Row = tuple[Span, ...]
"""One screen row, left to right."""

BLANK: Row = ()


def row(*parts: str | tuple[str, str] | tuple[str, str, str] | Span) -> Row:
    """Build a row from plain strings, ``(text, style)`` and ``(text, style, action)``."""
    return tuple(Span(part) if isinstance(part, str) else Span(*part) for part in parts if part)


def cells(text: str) -> int:
    """Cells that a text takes on the screen."""
    return len(text) if text.isascii() or _NARROW(text) else cell_len(text)


def slice_cells(text: str, first: int, last: int) -> str:
    """Cells ``first`` to ``last`` of a text; half of a wide character becomes a blank."""
    if text.isascii() or _NARROW(text):
        return text[first:last]
    taken, x = [], 0
    for letter in text:
        width = cell_len(letter)
        inside = min(x + width, last) - max(x, first)
        taken.append(letter if inside == width else " " * max(inside, 0))
        x += width
    return "".join(taken)


def fit(text: str, width: int, align: str = "<") -> str:
    """Text in exactly ``width`` cells: cut with ``…`` or padded; ``align`` is ``<``, ``>`` or ``^``."""
    if width <= 0:
        return ""
    length = cells(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    pad = width - length
    if align == ">":
        return " " * pad + text
    if align == "^":
        return " " * (pad // 2) + text + " " * (pad - pad // 2)
    return text + " " * pad


def width_of(spans: Iterable[Span]) -> int:
    """Cells that spans take."""
    return sum(cells(span.text) for span in spans)


def spread(left: Row, right: Row, width: int) -> Row:
    """``left`` at the left edge, ``right`` at the right one; the left is cut where both do not fit."""
    room = width - width_of(right)
    gap = room - width_of(left)
    if gap >= 0:
        return (*left, Span(" " * gap), *right)
    return (*cut(left, max(room, 0)), *right)


def cut(spans: Row, width: int) -> Row:
    """The first ``width`` cells of a row."""
    kept: list[Span] = []
    for span in spans:
        length = cells(span.text)
        if length > width:
            kept.append(span._replace(text=set_cell_size(span.text, width)))
            break
        kept.append(span)
        width -= length
    return tuple(kept)


def rule(title: str, width: int) -> Row:
    """A heading that fills its row: ``── title ─────``."""
    if not title:
        return row(("─" * width, "faint"))
    head = f" {fit(title, min(cells(title), width - 6))} "
    return row(("──", "faint"), (head, "strong"), ("─" * max(width - 2 - cells(head), 0), "faint"))


def fill(rows: Sequence[Row], height: int) -> list[Row]:
    """Exactly ``height`` rows: cut or padded with blank ones."""
    return [*rows[:height], *([BLANK] * (height - len(rows)))]


def changed_cells(old: Row, new: Row, width: int) -> tuple[int, int] | None:
    """First and last (exclusive) column in which two rows of a screen so wide differ; None where they do not."""
    if old == new:
        return None
    start = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            if before.style == after.style:
                start += cells(after.text[: _n_equal(before.text, after.text)])
            break
        start += cells(after.text)
    stop = width
    if old and new and old[-1] == new[-1] and width_of(old) == width_of(new):
        stop = width_of(new)
        for before, after in zip(reversed(old), reversed(new), strict=False):
            if before != after:
                break
            stop -= cells(after.text)
    return (start, min(stop, width)) if start < min(stop, width) else None


def _n_equal(one: str, other: str) -> int:
    """Characters that two texts begin with alike."""
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return i
    return min(len(one), len(other))


def beside(left: Sequence[Row], right: Sequence[Row], width: int, gap: int = 2) -> list[Row]:
    """Two columns: ``width`` cells of the left one and ``gap`` blanks before each row of the right one."""
    rows = []
    for i in range(max(len(left), len(right))):
        start = cut(left[i], width) if i < len(left) else BLANK
        pad = Span(" " * (width + gap - width_of(start)))
        rows.append((*start, pad, *(right[i] if i < len(right) else BLANK)))
    return rows


def encode(spans: Row, first: int, last: int, codes: Mapping[str, str], *, ascii_only: bool = False) -> str:
    """Columns ``first`` to ``last`` of a row as text for the terminal; ``codes`` switch to a style, by its name."""
    parts: list[str] = []
    x, style = 0, None
    for text, name, _ in spans:
        width = cells(text)
        if x < last and x + width > first:
            if x < first or x + width > last:
                text = slice_cells(text, max(first - x, 0), last - x)
            if name != style:
                parts.append(codes[name])
                style = name
            parts.append(to_ascii(text) if ascii_only else text)
        x += width
    if x < last:
        parts += (codes[""], " " * (last - max(x, first)))
    parts.append("\x1b[0m")
    return "".join(parts)
