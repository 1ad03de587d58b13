"""A terminal screen as a picture: letters from a monospaced font, braille and blocks drawn, every cell on the grid."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from html import unescape
from itertools import chain
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from textual.app import App

WIDTH, HEIGHT, SIZE = 8.0, 17.0, 8.0 / 0.60205
BASELINE = 12.6
MARGIN = 10.0

XTERM = TerminalTheme(
    (12, 12, 12),
    (204, 204, 204),
    [
        (12, 12, 12),
        (197, 15, 31),
        (19, 161, 14),
        (193, 156, 0),
        (59, 120, 255),
        (136, 23, 152),
        (58, 150, 221),
        (204, 204, 204),
    ],
    [
        (118, 118, 118),
        (231, 72, 86),
        (22, 198, 12),
        (249, 241, 165),
        (110, 160, 255),
        (180, 0, 158),
        (97, 214, 214),
        (242, 242, 242),
    ],
)
"""The sixteen colours of a common terminal, for the pictures of the ANSI theme."""


_CLASS = re.compile(r"\.[\w-]+-(r\d+) \{ fill: (#[0-9a-fA-F]{6})([^}]*)\}")
_RECT = re.compile(r'<rect fill="(#[0-9a-fA-F]{6})" x="([0-9.]+)" y="([0-9.]+)" width="([0-9.]+)" height="24.65"')
_TEXT = re.compile(r'<text class="[\w-]+-(r\d+)" x="([0-9.]+)" y="[0-9.]+"[^>]*-line-(\d+)\)"[^>]*>(.*?)</text>', re.S)
_CELL, _LINE = 12.2, 24.4


def strips_of(app: App[object]) -> list[Strip]:
    """The rows of the screen, read from the picture that Textual makes of it."""
    svg, (columns, lines) = app.export_screenshot(), app.size
    paper = app.current_theme.background or "#000000"
    paper = XTERM.background_color.hex if paper.startswith("ansi") else paper
    looks = {name: (fill, "bold" in more) for name, fill, more in _CLASS.findall(svg)}
    letters = [[" "] * columns for _ in range(lines)]
    inks = [[("#cccccc", False)] * columns for _ in range(lines)]
    fills = [[paper] * columns for _ in range(lines)]
    for fill, x, y, width in _RECT.findall(svg):
        first, row = round(float(x) / _CELL), round((float(y) - 1.5) / _LINE)
        for column in range(first, min(first + round(float(width) / _CELL), columns)):
            fills[row][column] = fill
    for name, x, row, text in _TEXT.findall(svg):
        column = round(float(x) / _CELL)
        for letter in unescape(text).replace("\xa0", " "):
            if int(row) < lines and column < columns:
                letters[int(row)][column], inks[int(row)][column] = letter, looks[name]
            column += cell_len(letter)
    return [Strip(Segment.simplify(_segments(*row))) for row in zip(letters, inks, fills, strict=True)]


def _segments(letters: Sequence[str], inks: Sequence[tuple[str, bool]], fills: Sequence[str]) -> Iterable[Segment]:
    for letter, (ink, bold), fill in zip(letters, inks, fills, strict=True):
        yield Segment(letter, Style(color=ink, bgcolor=fill, bold=bold))


def save_png(strips: Sequence[Strip], path: Path) -> None:
    """Draw the rows of a screen into a PNG file (with ``rsvg-convert``)."""
    subprocess.run(["rsvg-convert", "-o", str(path)], input=svg_of(strips).encode(), check=True)


def svg_of(strips: Sequence[Strip]) -> str:
    """The screen as SVG."""
    columns = max(strip.cell_length for strip in strips)
    width, height = columns * WIDTH + 2 * MARGIN, len(strips) * HEIGHT + 2 * MARGIN
    fills: Counter[str] = Counter()
    for segment in chain(*strips):
        fills[_colour(_style(segment), "bgcolor")] += segment.cell_length
    paper = fills.most_common(1)[0][0]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}">',
        f'<rect width="100%" height="100%" fill="{paper}"/>',
        f'<g transform="translate({MARGIN},{MARGIN})" font-family="DejaVu Sans Mono" font-size="{SIZE}">',
    ]
    for y, strip in enumerate(strips):
        parts += _row(strip, y * HEIGHT, paper)
    return "\n".join([*parts, "</g></svg>"])


def _row(segments: Iterable[Segment], y: float, paper: str) -> list[str]:
    parts, x = [], 0.0
    for segment in segments:
        style = _style(segment)
        ink, fill = _colour(style, "color"), _colour(style, "bgcolor")
        if style.reverse:
            ink, fill = fill, ink
        width = segment.cell_length * WIDTH
        if fill != paper:
            parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HEIGHT:g}" fill="{fill}"/>')
        if style.underline:
            parts.append(f'<rect x="{x:g}" y="{y + HEIGHT - 2:g}" width="{width:g}" height="1" fill="{ink}"/>')
        parts += _glyphs(segment.text, x, y, ink, bold=bool(style.bold))
        x += width
    return parts


def _style(segment: Segment) -> Style:
    return segment.style or Style()


def _colour(style: Style, which: str) -> str:
    colour: Color = getattr(style, which) or Color.default()
    return str(colour.get_truecolor(XTERM, foreground=which == "color").hex)


def _glyphs(text: str, x: float, y: float, ink: str, *, bold: bool) -> list[str]:
    weight = ' font-weight="bold"' if bold else ""
    shapes = [_shape(letter, x + i * WIDTH, y) for i, letter in enumerate(text)]
    parts = [f'<path d="{"".join(shapes)}" fill="{ink}"/>'] if any(shapes) else []
    drawn = "".join(" " if shape else letter for letter, shape in zip(text, shapes, strict=True))
    for word in _WORDS.finditer(drawn):
        at = f'x="{x + word.start() * WIDTH:g}" y="{y + BASELINE:g}"'
        parts.append(f'<text {at} fill="{ink}"{weight}>{escape(word[0])}</text>')
    return parts


_WORDS = re.compile("[!-~\u00a1-\u02ff]+|[^ -~\u00a1-\u02ff\u2800-\u28ff]")
"""Words of the font's own width, and single signs that may come from another font; what is drawn is left out."""


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


def _shape(letter: str, x: float, y: float) -> str:
    """Braille, blocks and lines as shapes; empty for a letter of the font."""
    code = ord(letter)
    if 0x2800 <= code <= 0x28FF:
        bits = code - 0x2800
        lit = (place for bit, place in enumerate(_DOTS) if bits >> bit & 1)
        return "".join(_box(x + 1.2 + 3.6 * column, y + 1.2 + 4.1 * row, 2.2, 2.6) for column, row in lit)
    if 0x2581 <= code <= 0x2588:
        tall = HEIGHT * (code - 0x2580) / 8
        return _box(x, y + HEIGHT - tall, WIDTH, tall)
    if letter == "▀":
        return _box(x, y, WIDTH, HEIGHT / 2)
    middle = y + HEIGHT / 2
    if letter == "─":
        return _box(x, middle - 0.5, WIDTH, 1)
    if letter == "━":
        return _box(x, middle - 1.5, WIDTH, 3)
    if letter == "│":
        return _box(x + 3.5, y, 1.2, HEIGHT)
    if letter == "┊":
        return "".join(_box(x + 3.5, y + 1.5 + i * 4.2, 1, 2.2) for i in range(4))
    if letter == "░":
        return "".join(_box(x + 1 + 4 * (i % 2), y + 2 + 4 * (i // 2), 1.2, 1.2) for i in range(8))
    return ""
