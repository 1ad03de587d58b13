"""Our dark and light theme beside all of Textual's, and which of them a terminal can show."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

DARK = Theme(
    name="myogestic-dark", dark=True,
    primary="#8AB8F5", accent="#8AB8F5", secondary="#A3CBDB", foreground="#D9DEE4", background="#0F1317",
    surface="#0F1317", panel="#222B35", success="#7CC894", warning="#F0B64A", error="#FF7A76",
    variables={
        "text-success": "#7CC894", "text-warning": "#F0B64A", "text-error": "#FF7A76", "text-accent": "#8AB8F5",
        "text-primary": "#8AB8F5", "quiet": "#98A3B0", "faint": "#5B6672", "rec": "#C9102F", "rec-ink": "#FFFFFF",
    },
)  # fmt: skip
LIGHT = Theme(
    name="myogestic-light", dark=False,
    primary="#0A55A8", accent="#0A55A8", secondary="#2A5B78", foreground="#1B2026", background="#FBFBF9",
    surface="#FBFBF9", panel="#E3E8ED", success="#1B6B38", warning="#8A5200", error="#B3131F",
    variables={
        "text-success": "#1B6B38", "text-warning": "#8A5200", "text-error": "#B3131F", "text-accent": "#0A55A8",
        "text-primary": "#0A55A8", "quiet": "#56606A", "faint": "#8B949C", "rec": "#C4122B", "rec-ink": "#FFFFFF",
    },
)  # fmt: skip
OURS = {"dark": DARK.name, "light": LIGHT.name, "ansi": "ansi-dark"}
"""What ``[screen] theme`` may name besides the themes that Textual has."""


def choose_theme(wanted: str, environ: Mapping[str, str] = os.environ) -> str:
    """The theme that the terminal can show: Textual's ansi themes where there are but 16 colours, or none."""
    if wanted == "ansi" or "NO_COLOR" in environ or colour_bits(environ) == 4:
        paper = environ.get("COLORFGBG", "").rpartition(";")[2]
        return "ansi-light" if wanted == "light" or paper in ("7", "15") else "ansi-dark"
    return OURS.get(wanted, wanted)


def colour_bits(environ: Mapping[str, str] = os.environ) -> int:
    """How many colours the terminal shows: 24, 8 or 4 bits."""
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return 24
    term = environ.get("TERM", "").strip().lower()
    if any(word in term for word in ("direct", "kitty", "alacritty", "ghostty", "wezterm", "foot")):
        return 24
    return 8 if "256color" in term else 4
