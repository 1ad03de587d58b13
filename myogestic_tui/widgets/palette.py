"""Style names and what they are in the present theme.

The colours themselves are theme variables (`tui.theme`); here stands only which of them a name takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color, ColorSystem
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Mapping

N_GESTURE_COLOURS = 10
"""Gestures from the 11th on use the colours again; their key tells them apart."""

STYLES: dict[str, str] = {
    "": "$ink on $paper",
    "dim": "$ink-2 on $paper",
    "faint": "$ink-3 on $paper",
    "strong": "bold $ink on $paper",
    "accent": "$accent-ink on $paper",
    "key": "bold $accent-ink on $paper",
    "tab": "bold $paper on $accent-ink",
    "rec": "bold $rec-ink on $rec",
    "ok": "$ok on $paper",
    "warn": "$warn on $paper",
    "bad": "bold $bad on $paper",
    "trace": "$trace on $paper",
    "trace-odd": "$trace-odd on $paper",
    "trace-dim": "$ink-3 on $paper",
    "select": "bold $ink on $shade",
    "select-dim": "$ink-2 on $shade",
    "field": "$ink on $shade",
    "caret": "reverse $ink on $shade",
    **{f"g{i}": f"$gesture-{i} on $paper" for i in range(N_GESTURE_COLOURS)},
    **{f"G{i}": f"bold $gesture-ink on $gesture-{i}" for i in range(N_GESTURE_COLOURS)},
}
"""``[bold] [reverse] FOREGROUND on BACKGROUND`` by name; ``g0`` … write in a gesture's colour, ``G0`` … fill."""


def gesture_style(class_index: int, *, filled: bool = False) -> str:
    """The style name of a gesture; ``dim`` for no label."""
    if class_index < 0:
        return "dim"
    return f"{'G' if filled else 'g'}{class_index % N_GESTURE_COLOURS}"


class Palette(dict[str, Style]):
    """Rich styles by style name."""

    @classmethod
    def of(cls, variables: Mapping[str, str], *, no_colour: bool = False, reverse_select: bool = False) -> Palette:
        """Resolve all styles against theme variables.

        Parameters
        ----------
        variables
            Colours by name, as `tui.theme` has them.
        no_colour
            Bold, underline and reverse video only: what is a filled colour elsewhere is reverse there.
        reverse_select
            For terminals with 16 colours, which have no shade to select with: bold, and fields underlined.
        """
        palette = cls({name: _style(text, variables) for name, text in STYLES.items()})
        if no_colour:
            palette = cls({name: Style(bold=style.bold) for name, style in palette.items()})
        plain = palette[""]
        if no_colour:
            for name in ("rec", "tab", *(f"G{i}" for i in range(N_GESTURE_COLOURS))):
                palette[name] = plain + Style(reverse=True, bold=True)
        if no_colour or reverse_select:
            palette["select"] = plain + Style(bold=True, underline=True)
            palette["field"] = plain + Style(underline=True)
            palette["caret"] = plain + Style(reverse=True)
            palette["tab"] = plain + Style(reverse=True, bold=True)
        return palette

    def codes(self, system: str | None) -> dict[str, str]:
        """The escape sequence that switches a terminal to each style, by style name.

        Parameters
        ----------
        system
            What the terminal can show, as `rich` names it: ``standard``, ``256``, ``truecolor``; None is no colour.
        """
        codes = {}
        for name, style in self.items():
            attributes = style.render("?", color_system=_SYSTEMS.get(system or "")).partition("?")[0]
            codes[name] = "\x1b[0;" + attributes.removeprefix("\x1b[") if attributes else "\x1b[0m"
        return codes


_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}


def _style(text: str, variables: Mapping[str, str]) -> Style:
    front, back = text.split(" on ")
    *attributes, ink = front.split()
    colours = [Color.parse(variables.get(name[1:], "default").removeprefix("ansi_")) for name in (ink, back)]
    return Style(
        color=colours[0], bgcolor=colours[1], bold="bold" in attributes or None, reverse="reverse" in attributes or None
    )
