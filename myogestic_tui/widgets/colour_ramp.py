"""A perceptual ramp for amplitude: sixteen steps of evenly rising lightness, for any colour vision and any background.

The colours are OKLCH with strictly linear lightness (dark themes 0.245 to 0.96, navy over teal and green to straw;
light themes 0.955 to 0.24) and an arched chroma, cut to what sRGB has. In 256 colours each step is the nearest in OKLab
such that no two are alike and lightness stays monotone.
"""

from __future__ import annotations

import math
from functools import lru_cache

from rich.color import Color
from rich.style import Style

STEPS = 16
DECADES = math.log10(64)
"""It spans a factor of 64 (36 dB) below the loudest step."""
SLACK = 0.35
"""A channel keeps its step until it is beyond it by so much of a step: no flicker."""
ASCII = ".',:;-~=+*oxX%#@"
"""One glyph per step, where there is no colour to tell them by; a blank is no sample."""
_DARK = (
    "#162036", "#0e2d4e", "#003c5f", "#004b66", "#005b6e", "#076b75", "#067c7c", "#008d80",
    "#079f7f", "#18b176", "#64bc74", "#91c57b", "#b5ce8c", "#d2d8a5", "#e8e4c2", "#fdf1d0",
)  # fmt: skip
_LIGHT = (
    "#f9f1cf", "#e3e5af", "#c4dc96", "#9cd489", "#68cb87", "#11c090", "#00ad99", "#0d9a9a",
    "#0d8898", "#007695", "#036491", "#16518d", "#2d4074", "#313259", "#2d263f", "#26192f",
)  # fmt: skip
_DARK_256 = (234, 236, 237, 238, 23, 24, 29, 30, 36, 71, 107, 114, 150, 187, 223, 230)
_LIGHT_256 = (230, 187, 150, 114, 78, 72, 36, 66, 31, 30, 25, 24, 238, 237, 235, 234)
FAULTS = {"F": STEPS, "C": STEPS + 1, "M": STEPS + 2, "N": STEPS + 3, "x": STEPS + 4}
"""What the channels of a flag are painted with, in place of a step: brown where flat, orange where clipped, violet
where the mains are loud, magenta where values are missing, grey where marked by hand."""
_PAINTS: dict[tuple[bool, int], tuple[str | int, ...]] = {
    (True, 24): ("#4a2f18", "#e07a10", "#7a5cff", "#e0409a", "#5b6672"), (True, 8): (94, 208, 99, 205, 240),
    (False, 24): ("#b58a60", "#d05a00", "#5b3fd6", "#c2187a", "#9aa3ad"), (False, 8): (137, 166, 62, 162, 247),
}  # fmt: skip
_SIXTEEN = ("blue", "cyan", "green", "bright_green", "yellow", "bright_yellow", "bright_white", "bright_white")
_SIXTEEN_LIGHT = ("bright_black", "cyan", "blue", "blue", "magenta", "red", "black", "black")
_INK_DARK, _INK_LIGHT = 7, 9
"""The quietest step that can be read as ink (contrast 4.5 on our dark, 5.0 on our light paper)."""


@lru_cache
def colours(dark: bool, bits: int) -> tuple[Color, ...]:
    """The ramp, quiet to loud, in 24, 8 or 4 bits."""
    if bits == 24:
        return tuple(Color.parse(one) for one in (_DARK if dark else _LIGHT))
    if bits == 8:
        return tuple(Color.from_ansi(number) for number in (_DARK_256 if dark else _LIGHT_256))
    names = _SIXTEEN if dark else _SIXTEEN_LIGHT
    return tuple(Color.parse(names[i * len(names) // STEPS]) for i in range(STEPS))


@lru_cache
def pairs(dark: bool, bits: int) -> tuple[int, list[Style]]:
    """How many steps and paints there are, and the styles of half blocks; after the steps come the paints of `FAULTS`.

    Style ``1 + ink * (n + 1) + paper + 1`` has that ink on that paper; paper -1 is the theme's own. Style 0 is none.
    """
    ramp = _painted(dark, bits)
    return len(ramp), [Style(), *(Style.from_color(ink, paper) for ink in ramp for paper in (None, *ramp))]


def _painted(dark: bool, bits: int) -> list[Color]:
    return [*colours(dark, bits), *(_colour(one) for one in _PAINTS.get((dark, bits), ()))]


def _colour(one: str | int) -> Color:
    return Color.from_ansi(one) if isinstance(one, int) else Color.parse(one)


@lru_cache
def inks(dark: bool, bits: int) -> list[Style]:
    """Styles of text on the theme's paper; quiet steps are raised until they can be read."""
    ramp, least = colours(dark, bits), _INK_DARK if dark else _INK_LIGHT
    return [Style.from_color(ramp[max(i, least)]) for i in range(STEPS)]


@lru_cache(1024)
def fill(dark: bool, bits: int, step: int, *, bold: bool = False, reverse: bool = False) -> Style:
    """The style of text in a cell of a step or of a paint: black or white, whichever contrasts more."""
    paint = _painted(dark, bits)[step]
    ink = Color.parse("#000000" if _luminance(paint) > 0.18 else "#ffffff")
    return Style(color=ink, bgcolor=paint, bold=bold or None, reverse=reverse or None)


def _luminance(colour: Color) -> float:
    red, green, blue = colour.get_truecolor()
    return float(0.2126 * (red / 255) ** 2.2 + 0.7152 * (green / 255) ** 2.2 + 0.0722 * (blue / 255) ** 2.2)
