"""What the screens need to open: every theme on every screen, and neither numpy nor LSL before the first frame."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from scripted import ScriptedRecorder, recording
from terminal import Terminal
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.theme import BUILTIN_THEMES

from myogestic_tui.config import Theme
from myogestic_tui.tui.themes import DARK, LIGHT
from myogestic_tui.widgets.colours import readable, variable_defaults

OPEN = """
import sys, time
sys.modules["numpy"] = sys.modules["mne_lsl"] = None  # to import them is an error from here on

from myogestic_tui.app import interface as r
from myogestic_tui.tui import ViewerOptions, run_viewer

class Recorder:
    def status(self):
        emg = r.StreamStatus(key="emg", name="emg", state="live", record=True, n_channels=64, dtype="float32", fs=2e3)
        return r.Status(at=time.monotonic(), host="here", streams=(emg,))

    def envelope(self, view):
        return None

    def execute(self, command):
        return r.Reply(ok=True)

    def close(self):
        pass

raise SystemExit(run_viewer(Recorder(), options=ViewerOptions(screen=sys.argv[1])))
"""


@pytest.mark.parametrize("screen", ["streams", "record"])
def test_the_first_frame_needs_neither_numpy_nor_lsl(screen):
    terminal = Terminal.python("-c", OPEN, screen)
    try:
        terminal.wait_for(screen.upper())
        terminal.wait_for("help")
    finally:
        terminal.close()


SOME = ("myogestic-dark", "myogestic-light", "ansi-dark", "textual-light")


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["some", "every"])
async def test_every_theme_is_shown_by_every_screen(stage, every):
    async with stage(ScriptedRecorder(recording())) as it:
        papers = set()
        for theme in it.viewer.available_themes if every else SOME:
            it.viewer.theme = theme
            for screen in ("streams", "live", "record", "sessions"):
                await it.viewer.action_mode(screen)
                await it.pilot.pause()
                assert it.viewer.is_running
                assert it.viewer.front.name_of == screen
                papers.add(it.viewer.screen.styles.background.hex)
        assert len(papers) >= (10 if every else 3)
        assert "b SESSIONS" in it.rows()[0]


async def test_styles_are_parsed_anew_for_another_theme_and_not_for_another_screen(stage, monkeypatch):
    screens, parsed = ("streams", "live", "record", "sessions"), []
    async with stage(ScriptedRecorder(recording())) as it:
        reparse = Stylesheet.reparse
        monkeypatch.setattr(Stylesheet, "reparse", lambda sheet: (parsed.append(1), reparse(sheet))[1])
        for screen in screens:
            await it.viewer.action_mode(screen)
            await it.pilot.pause()
        assert not parsed
        for theme in ("textual-light", "myogestic-dark"):
            it.viewer.theme = theme
            await it.pilot.pause()
            assert parsed
            for screen in screens:  # those that were open before the change, too
                await it.viewer.action_mode(screen)
                await it.pilot.pause()
                wanted = Color.parse(it.viewer.theme_variables["background"])
                assert it.viewer.screen.styles.background == wanted
                assert (
                    it.viewer.screen.query_one("#message").rich_style.bgcolor.get_truecolor()
                    == wanted.rich_color.triplet
                )
            parsed.clear()
        await it.viewer.action_mode("live")
        it.viewer.action_help()  # a panel with styles of its own
        await it.pilot.pause()
        assert it.viewer.screen.query_one("HelpPanel").styles.width.value
        assert not parsed


def test_every_theme_of_textual_can_be_configured():
    assert {"dark", "light", "ansi", *BUILTIN_THEMES} == set(get_args(Theme))


@pytest.mark.parametrize("theme", [one for one in (DARK, LIGHT, *BUILTIN_THEMES.values()) if not one.ansi])
def test_all_that_is_written_can_be_read_in_every_theme(theme):
    known = {**variable_defaults(theme), **theme.to_color_system().generate(), **theme.variables}
    colours = readable(theme, known)
    ink = [name for name in colours if re.fullmatch("quiet|text-(success|warning|error|accent)", name)]
    for paper in ("background", "panel"):
        for name in ("foreground", *ink):
            assert contrast(colours[name], colours[paper]) >= 4.3, (name, paper)
    for i in range(10):
        assert contrast(colours[f"gesture-{i}"], colours["background"]) >= 4.3
        assert contrast(colours[f"gesture-{i}"], colours["gesture-ink"]) >= 4.3
    if theme in (DARK, LIGHT):  # which are what they were chosen to be
        assert {name: Color.parse(value) for name, value in colours.items() if value != known[name]} == {}


def contrast(one: str, other: str) -> float:
    """Of two colours, by WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    dark, light = sorted((luminance(one), luminance(other)))
    return light / dark
