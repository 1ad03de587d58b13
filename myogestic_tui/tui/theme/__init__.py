"""Dark, light and the terminal's own colours: the variables that `viewer.tcss` and the palette use.

The gesture colours stay apart for protan, deutan, tritan and normal vision (least CIEDE2000 between any two 12.7 dark,
13.3 light) with a contrast of at least 4.5. The tenth is red and comes last, because REC owns red.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...widgets.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.theme import Theme

STYLESHEET = Path(__file__).with_name("viewer.tcss")

_DARK_GESTURES = "#B8BCC2 #FCA428 #7A73EE #3EBE87 #F6ECA1 #F02299 #3AE7FF #2B8999 #EAF4F3 #FD1325"
_LIGHT_GESTURES = "#6B7280 #C03E03 #0F6DEB #11554F #822783 #2B844F #14181B #021AEF #2F1845 #85231B"
_DARK_ANSI = (
    "white yellow bright_blue bright_green bright_yellow bright_magenta bright_cyan cyan bright_white bright_red"
)
_LIGHT_ANSI = "bright_black yellow bright_blue cyan magenta green black blue bright_magenta red"


def _gestures(colours: str, prefix: str = "") -> dict[str, str]:
    return {f"gesture-{i}": prefix + colour for i, colour in enumerate(colours.split())}


_DARK = {
    "paper": "#0F1317", "shade": "#222B35", "ink": "#D9DEE4", "ink-2": "#98A3B0", "ink-3": "#4B5560",
    "accent-ink": "#8AB8F5", "rec": "#C9102F", "rec-ink": "#FFFFFF", "ok": "#7CC894", "warn": "#F0B64A",
    "bad": "#FF7A76", "trace": "#A3CBDB", "trace-odd": "#7FA3BF", "gesture-ink": "#000000",
    **_gestures(_DARK_GESTURES),
}  # fmt: skip
_LIGHT = {
    "paper": "#FBFBF9", "shade": "#E3E8ED", "ink": "#1B2026", "ink-2": "#56606A", "ink-3": "#AFB7BF",
    "accent-ink": "#0A55A8", "rec": "#C4122B", "rec-ink": "#FFFFFF", "ok": "#1B6B38", "warn": "#8A5200",
    "bad": "#B3131F", "trace": "#2A5B78", "trace-odd": "#5B7F9B", "gesture-ink": "#FFFFFF",
    **_gestures(_LIGHT_GESTURES),
}  # fmt: skip
_ANSI = {
    "paper": "ansi_default", "shade": "ansi_default", "ink": "ansi_default", "ink-2": "ansi_default",
    "ink-3": "ansi_bright_black", "accent-ink": "ansi_bright_blue", "rec": "ansi_red", "rec-ink": "ansi_bright_white",
    "ok": "ansi_green", "warn": "ansi_yellow", "bad": "ansi_bright_red", "trace": "ansi_default",
    "trace-odd": "ansi_default", "gesture-ink": "ansi_black",
    "ansi-background": "ansi_black", "ansi-foreground": "ansi_white",
    **_gestures(_DARK_ANSI, "ansi_"),
}  # fmt: skip
_ANSI_LIGHT = {
    **_ANSI, "accent-ink": "ansi_blue", "bad": "ansi_red", "gesture-ink": "ansi_bright_white",
    **_gestures(_LIGHT_ANSI, "ansi_"),
}  # fmt: skip


class Look(NamedTuple):
    """The colours of a theme, by the names of the variables."""

    variables: dict[str, str]
    dark: bool
    ansi: bool = False


THEMES = {
    "dark": Look(_DARK, dark=True),
    "light": Look(_LIGHT, dark=False),
    "ansi": Look(_ANSI, dark=True, ansi=True),
    "ansi-light": Look(_ANSI_LIGHT, dark=False, ansi=True),
}


def textual_themes() -> Iterator[Theme]:
    """All themes as Textual has them; imported here, since the first paint does not wait for Textual."""
    from textual.theme import Theme

    for name, look in THEMES.items():
        variables = look.variables
        yield Theme(
            name=name,
            primary=variables["accent-ink"],
            foreground=variables["ink"],
            background=variables["paper"],
            surface=variables["paper"],
            panel=variables["shade"],
            dark=look.dark,
            ansi=look.ansi,
            variables=variables,
        )


def palette_of(theme: str) -> Palette:
    """The styles of a theme, as this terminal can show them."""
    variables = THEMES[theme].variables
    return Palette.of(variables, no_colour="NO_COLOR" in os.environ, reverse_select=THEMES[theme].ansi)


def choose_theme(wanted: str, environ: Mapping[str, str] = os.environ) -> str:
    """The theme that the terminal can show: ``ansi`` replaces any other where there are but 16 colours, or none."""
    if wanted == "ansi" or "NO_COLOR" in environ or _has_16_colours(environ):
        paper = environ.get("COLORFGBG", "").rpartition(";")[2]
        return "ansi-light" if wanted == "light" or paper in ("7", "15") else "ansi"
    return wanted


def _has_16_colours(environ: Mapping[str, str]) -> bool:
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return False
    term = environ.get("TERM", "")
    return not any(word in term for word in ("256color", "direct", "kitty", "alacritty", "ghostty", "wezterm", "foot"))


def colour_system(environ: Mapping[str, str] = os.environ) -> str:
    """How many colours the terminal shows, as `rich` names it and finds out."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if environ.get("TERM", "").strip().lower().endswith(("-256color", "-kitty")) else "standard"
