"""Lines of styled text as plain values that can be compared, and the `Static` that shows them.

Styles are Textual's own, with theme variables: the names here are all that the screens use.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.style import Style as RichStyle
from rich.text import Text as RichText
from textual.color import Color, ColorParseError
from textual.content import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DIM = "$quiet"
FAINT = "$faint"
STRONG = "bold"
OK = "$text-success"
WARN = "$text-warning"
BAD = "bold $text-error"
KEY = "bold $text-accent"
ACCENT = "$text-accent"
REC = "bold $rec-ink on $rec"
ALERT = "bold reverse $text-warning"

N_GESTURE_COLOURS = 10
"""Gestures from the 11th on use the colours again; their key tells them apart."""

Part = tuple[str, str]
"""A text and its style."""
Line = tuple[Part, ...]
"""One line, left to right."""
BLANK: Line = ()

_NARROW = re.compile("[ -\u02ff\u0370-\u0482\u2010-\u2027\u2190-\u21ff\u2500-\u25fc\u2800-\u28ff]*").fullmatch
"""Text of which every character takes one cell: asked before `cell_len`, which is slow on text it has not seen."""


def gesture_style(class_index: int, *, filled: bool = False) -> str:
    """The style of a gesture; of no label where it is negative."""
    if class_index < 0:
        return DIM
    colour = f"$gesture-{class_index % N_GESTURE_COLOURS}"
    return f"bold $gesture-ink on {colour}" if filled else colour


def line(*parts: str | Part | Line) -> Line:
    """Build a line from plain strings, ``(text, style)`` and other lines."""
    built: list[Part] = []
    for part in parts:
        if isinstance(part, str):
            built.append((part, ""))
        elif part and isinstance(part[0], str):
            built.append(part)
        else:
            built += part
    return tuple(built)


def cells(text: str) -> int:
    """Cells that a text takes on the screen."""
    return len(text) if text.isascii() or _NARROW(text) else cell_len(text)


def width_of(parts: Iterable[Part]) -> int:
    """Cells that a line takes."""
    return sum(cells(text) for text, _ in parts)


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


def cut(parts: Line, width: int) -> Line:
    """The first ``width`` cells of a line; blanks at its end are nothing that is missed."""
    if width_of(parts) <= width:
        return parts
    while parts and width_of(parts) > width and not parts[-1][0].strip():
        parts = parts[:-1]
    if parts and (shorter := parts[-1][0].rstrip()):
        parts = (*parts[:-1], (shorter, parts[-1][1]))
    kept: list[Part] = []
    for text, style in parts:
        length = cells(text)
        if length > width:
            kept.append((fit(text, width), style))
            break
        kept.append((text, style))
        width -= length
    return tuple(kept)


def spread(left: Line, right: Line, width: int) -> Line:
    """``left`` at the left edge, ``right`` at the right one; the left is cut where both do not fit."""
    room = width - width_of(right)
    gap = room - width_of(left)
    if gap >= 0:
        return (*left, (" " * gap, ""), *right)
    return cut((*cut(left, max(room, 0)), *right), width)


def rule(title: str, width: int) -> Line:
    """A heading that fills its line: ``── title ─────``."""
    if not title:
        return line(("─" * width, FAINT))
    head = f" {fit(title, min(cells(title), max(width - 6, 1)))} "
    return line(("──", FAINT), (head, STRONG), ("─" * max(width - 2 - cells(head), 0), FAINT))


def bar(share: float, width: int) -> str:
    """A bar of heavy line, ``share`` (0 to 1) of the cells long; anything above 0 shows."""
    if width <= 0:
        return ""
    length = min(round(share * width), width) if share > 0 else 0
    return "━" * (max(length, 1) if share > 0 else 0)


def plain(parts: Line) -> str:
    """The text alone."""
    return "".join(text for text, _ in parts)


def content(lines: Sequence[Line]) -> Content:
    """Lines as Textual shows them."""
    return Content("\n").join(Content.assemble(*one) for one in lines)


def rich_style(style: str, variables: Mapping[str, str]) -> RichStyle:
    """A style as `rich` has it, its theme variables looked up; for cells of a `DataTable`."""
    front, _, back = f" {style}".partition(" on ")
    words = front.split()
    ink = next((word for word in words if word.startswith("$")), "")
    return RichStyle(
        color=_colour(ink, variables),
        bgcolor=_colour(back, variables),
        bold="bold" in words or None,
        blink="blink" in words or None,
        reverse="reverse" in words or (bool(back) and "no-colour" in variables) or None,
    )


def _colour(name: str, variables: Mapping[str, str]) -> str | None:
    value = variables.get(name[1:], "") if name.startswith("$") else name
    if not value:
        return None
    if value.startswith("ansi_"):
        return value.removeprefix("ansi_")
    try:
        colour = Color.parse(value)
    except ColorParseError:
        return None
    return None if colour.auto else colour.rgb and colour.hex6


def rich_text(parts: Line, variables: Mapping[str, str]) -> RichText:
    """A line as `rich` has it."""
    return RichText.assemble(*((text, rich_style(style, variables)) for text, style in parts), no_wrap=True, end="")
