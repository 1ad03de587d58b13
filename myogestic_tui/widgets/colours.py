"""The colours that the widgets use beyond Textual's theme variables, for any theme.

The gesture colours stay apart for protan, deutan, tritan and normal vision (least CIEDE2000 between any two 12.7 dark,
13.3 light) with a contrast of at least 4.5. The tenth is red and comes last, because REC owns red.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.color import Color

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import App
    from textual.theme import Theme

_DARK = "#B8BCC2 #FCA428 #7A73EE #3EBE87 #F6ECA1 #F02299 #3AE7FF #2B8999 #EAF4F3 #FD1325"
_LIGHT = "#6B7280 #C03E03 #0F6DEB #11554F #822783 #2B844F #14181B #021AEF #2F1845 #85231B"
_ANSI_DARK = (
    "white yellow bright_blue bright_green bright_yellow bright_magenta bright_cyan cyan bright_white bright_red"
)
_ANSI_LIGHT = "bright_black yellow bright_blue cyan magenta green black blue bright_magenta red"


def variable_defaults(theme: Theme) -> dict[str, str]:
    """The variables that our stylesheets use beyond Textual's, for any theme."""
    if theme.ansi:
        names = (_ANSI_DARK if theme.dark else _ANSI_LIGHT).split()
        colours = [f"ansi_{name}" for name in names]
        ink = "ansi_black" if theme.dark else "ansi_bright_white"
        rest = {
            "quiet": "ansi_default",
            "faint": "ansi_bright_black",
            "rec": "ansi_red",
            "rec-ink": "ansi_bright_white",
        }
    else:
        colours = (_DARK if theme.dark else _LIGHT).split()
        ink = "#000000" if theme.dark else "#FFFFFF"
        rest = {"quiet": "$foreground 70%", "faint": "$foreground 45%", "rec": "#C9102F", "rec-ink": "#FFFFFF"}
        paper, front = theme.background, theme.foreground
        if paper and front:
            rest |= {"quiet": _mix(front, paper, 0.68), "faint": _mix(front, paper, 0.4)}
        else:
            rest |= {"quiet": "#98A3B0" if theme.dark else "#56606A", "faint": "#5B6672" if theme.dark else "#8B949C"}
    return {"gesture-ink": ink, **{f"gesture-{i}": colour for i, colour in enumerate(colours)}, **rest}


def _mix(front: str, back: str, share: float) -> str:
    """A colour between two, ``share`` of the way from ``back`` to ``front``."""
    return Color.parse(back).blend(Color.parse(front), share).hex6


def readable(theme: Theme, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a theme, its inks as far towards white or black as they need to be read on its papers.

    Texts stand on the background and on the panel of the chosen row, which comes nearer to the background where even
    the foreground could hardly be read on it.
    """
    made = dict(variables)
    if theme.ansi:
        return made
    paper, front = (Color.parse(made[name]) for name in ("background", "foreground"))
    panel = Color.parse(made["panel"])
    if _contrast(front, panel) < 1.5 * _LEAST:
        panel = paper.blend(front, 0.1)
        made["panel"] = panel.hex6
    for name in (*_INKS, *(f"gesture-{i}" for i in range(len(_DARK.split())))):
        papers = (paper,) if name.startswith("gesture") else (paper, panel)
        made[name] = _legible(paper + Color.parse(made[name]), papers, _INKS.get(name, _LEAST))
    return made


_LEAST = 4.4
_INKS = {
    **dict.fromkeys(("foreground", "quiet", "text-success", "text-warning", "text-error", "text-accent"), _LEAST),
    "secondary": 3.0,
    "faint": 2.0,
}
"""The least contrast of what is written, of what is drawn, and of rules."""


def _legible(ink: Color, papers: Iterable[Color], least: float) -> str:
    papers = tuple(papers)
    end = max(Color(0, 0, 0), Color(255, 255, 255), key=lambda one: _contrast(one, papers[0]))
    shades = (ink.blend(end, step / 20) for step in range(21))
    return next((one.hex6 for one in shades if min(_contrast(one, paper) for paper in papers) >= least), end.hex6)


def _contrast(one: Color, other: Color) -> float:
    """As WCAG 2 has it, 1 to 21."""
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def variables_of(app: App[object]) -> dict[str, str]:
    """All theme variables of an app, with ours where it has none."""
    known = app.theme_variables
    if app.no_color:
        return {**known, "no-colour": "1"}
    return known if "gesture-0" in known else {**variable_defaults(app.current_theme), **known}
