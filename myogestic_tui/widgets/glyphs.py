"""Which characters a terminal can show, and plain ones for those that cannot."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.color import Color

_BRAILLE_ROWS = (0x09, 0x12, 0x24, 0xC0)


def _braille(bits: int) -> str:
    """What a braille cell is most like: a dot high or low, a dash, a stroke, or a filled cell."""
    rows = [bool(bits & row) for row in _BRAILLE_ROWS]
    match sum(rows):
        case 1:
            return "`" if rows[0] else "." if rows[3] else "-"
        case 2:
            return ":" if bits == 0xE4 else "-"
        case _:
            return "#" if bits == 0xFF else "|"


ASCII = {
    **{chr(0x2800 + bits): _braille(bits) for bits in range(1, 256)},
    "●": "*", "○": "o", "▲": "^", "✗": "X", "…": "~", "◆": "#", "◇": "+", "▷": ">", "▶": ">", "▸": ">", "▼": "v",
    "▾": "v", "▴": "^",
    "─": "-", "━": "=", "│": "|", "┊": ":", "├": "|", "┤": "|", "█": "#", "░": ".", "▒": ":", "▏": "|",
    "▁": "_", "▂": ".", "▃": "-", "▄": "-", "▅": "=", "▆": "+", "▇": "*",
    "·": "-", "±": "+", "µ": "u", "μ": "u", "×": "x", "≥": ">", "≤": "<", "°": "o", "–": "-", "—": "-",
    "↑": "^", "↓": "v", "←": "<", "→": ">", "⏎": "<", "␣": "_", "✓": "v", "“": '"', "”": '"', "’": "'", "‘": "'",
    "⠤": "-", "⠒": "-", "Ω": "O", "↕": "!", "•": ".", "■": "#", "▀": "'",
    **dict(zip("┌┐└┘╭╮╰╯┏┓┗┛╶╴╵╷╺╸╹╻┃┼╋┴┻┬┳┣┫", "..''..''..''--'|--'||++++++++", strict=True)),
}  # fmt: skip
"""One character for one, so that columns stay where they are."""

_TABLE = str.maketrans(ASCII)
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "?")


def to_ascii(text: str) -> str:
    """The text in ASCII, as many characters as before; what has no likeness becomes ``?``."""
    return text if text.isascii() else text.translate(_TABLE).encode("ascii", "replace").decode("ascii")


def wants_ascii(glyphs: str) -> bool:
    """Whether to write ASCII alone: ``ascii`` says so, ``auto`` asks the terminal, anything else is UTF-8.

    A Linux console takes UTF-8, but its fonts have neither braille nor arrows.
    """
    console = os.environ.get("TERM") == "linux" and "TEXTUAL_DRIVER" not in os.environ
    return glyphs == "ascii" or (glyphs == "auto" and (console or not terminal_is_utf8()))


def terminal_is_utf8(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal's locale says UTF-8; an empty environment counts as UTF-8.

    Python itself sets ``LC_CTYPE=C.UTF-8`` where the locale is C (PEP 538), so that value is not believed when LANG
    says otherwise.
    """
    if environ.get("TERM") in ("linux", "vt100", "vt220") and "LC_ALL" not in environ and "LANG" not in environ:
        return False
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environ.get(name, "")
        if not value or (name == "LC_CTYPE" and value == "C.UTF-8"):
            continue
        return "utf" in value.lower()
    return True


class PrintableFilter(LineFilter):
    """Replaces characters that move the cursor or change the terminal: names come from whoever is on the network."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """As wide as before."""
        if all(segment.text.isprintable() or segment.control for segment in segments):
            return segments
        return [one if one.control else Segment(one.text.translate(_CONTROLS), one.style) for one in segments]


class AsciiFilter(PrintableFilter):
    """Replaces every character beyond ASCII by one that is like it, too."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """As wide as before: the enter key is named, which takes the blanks at the end of the row."""
        segments = super().apply(segments, background)
        made = [Segment(to_ascii(text.replace("⏎", "enter")), style, control) for text, style, control in segments]
        named = any("⏎" in segment.text for segment in segments)
        return list(Strip(made).crop(0, Strip(segments).cell_length)) if named else made
