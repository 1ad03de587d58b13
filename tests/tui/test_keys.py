"""The key rule, remapping, the bottom line, and the pacer."""

from __future__ import annotations

import pytest
from textual import events

from myogestic_tui.errors import ConfigError
from myogestic_tui.tui.dispatch import _looks_pasted, _without_alt
from myogestic_tui.tui.footer import footer_row
from myogestic_tui.tui.keys import COMMANDS, SCREEN_NAMES, Keymap, is_gesture_key
from myogestic_tui.tui.pacer import Pacer
from myogestic_tui.tui.prompt import Entry, TypeLine
from myogestic_tui.tui.theme import choose_theme
from myogestic_tui.widgets.spans import width_of


def test_no_command_has_a_digit_or_a_capital():
    keys = [key for command in COMMANDS for key in command.keys.split()]
    assert not any(is_gesture_key(key) for key in keys)
    assert all(key in ("space",) or not key.startswith(("ctrl+", "alt+", "f1")) for key in keys)


def test_every_screen_has_its_keys_and_none_twice():
    keymap = Keymap()
    for screen in SCREEN_NAMES:
        for key in "slrb?:qx":
            assert keymap.command(screen, key) is not None
    assert keymap.command("live", "m").id == "live.bad"
    assert keymap.command("record", "m").id == "record.bad"


def test_keys_are_remapped_by_id_with_several_at_once():
    keymap = Keymap({"stop": "z", "live.up": "up i"})
    assert keymap.command("live", "z").id == "stop"
    assert keymap.command("live", "x") is None
    assert keymap.command("live", "i").id == "live.up"


@pytest.mark.parametrize(
    ("remapped", "words"),
    [
        ({"stop": "X"}, "gesture key"),
        ({"stop": "3"}, "gesture key"),
        ({"stpo": "z"}, "did you mean 'stop'"),
        ({"stop": "s"}, "is the key of"),
    ],
)
def test_a_keymap_that_breaks_the_rule_is_refused_by_name(remapped, words):
    with pytest.raises(ConfigError, match=words):
        Keymap(remapped)


def test_on_azerty_the_unshifted_top_row_counts_as_digits():
    keymap = Keymap(layout="azerty")
    assert [keymap.canonical(key) for key in "&é\"'(-è_çà"] == list("1234567890")
    with pytest.raises(ConfigError, match="allowed"):
        Keymap(layout="dvorak")


@pytest.mark.parametrize("screen", SCREEN_NAMES)
@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("width", [20, 40, 80, 160])
def test_the_footer_fits_and_ends_with_help(screen, recording, width):
    footer = footer_row(Keymap(), screen, recording, width)
    assert width_of(footer) == width
    assert "".join(span.text for span in footer).endswith("? help ")
    if recording and width >= 40:
        assert "x stop" in "".join(span.text for span in footer)


def test_while_a_protocol_runs_the_footer_has_its_keys_at_80_columns():
    text = "".join(span.text for span in footer_row(Keymap(), "record", True, 80, cued=True))
    assert text.startswith(" x stop  p pause  k skip ")
    assert "k skip" not in "".join(span.text for span in footer_row(Keymap(), "record", True, 160))


def test_alt_is_escape_and_the_key():
    assert _without_alt("alt+2") == "2"
    assert _without_alt("alt+shift+a") == "A"
    assert _without_alt("alt+x") == "x"
    assert _without_alt("alt+left") is None
    assert _without_alt("x") is None


def keys(text):
    return [events.Key(character, character) for character in text]


@pytest.mark.parametrize(
    ("text", "pasted"),
    [("sudo reboot", True), ("12 34x", True), ("121212", False), ("3", False), ("----", False), ("x1", False)],
)
def test_what_looks_pasted(text, pasted):
    assert _looks_pasted(keys(text)) is pasted


def test_a_line_is_edited_with_the_usual_keys():
    done = []
    line = TypeLine([Entry("note", "ab")], done.append)
    for key in ("left", "backspace", "X", "end", "Y", "home", "delete"):
        line.press(key, key if len(key) == 1 else None)
    assert line.entry.text == "bY"
    line.insert("c\nd")
    assert line.entry.text == "c dbY"
    assert line.press("enter", "\r")


def test_a_line_with_fields_saves_on_the_last_enter():
    line = TypeLine([Entry("subject", "P07"), Entry("task")], lambda texts: None)
    assert not line.press("enter", "\r")
    line.press("g", "g")
    assert [entry.text for entry in line.entries] == ["P07", "g"]
    assert line.press("enter", "\r")


def test_the_caret_stays_in_view_and_the_line_keeps_its_width():
    line = TypeLine([Entry("note", "x" * 300)], lambda texts: None)
    assert width_of(line.rows(80)) == 80
    line.press("home", None)
    assert width_of(line.rows(80)) == 80


def test_the_rate_falls_when_frames_come_late_and_recovers():
    pacer = Pacer(10)
    for _ in range(9):
        pacer.woke(0.2, busy=False)
    assert pacer.slowed
    assert pacer.fps < 5
    for _ in range(200):
        pacer.woke(0.0, busy=False)
    assert pacer.fps == 10
    for _ in range(60):
        pacer.woke(0.0, busy=True)
    assert pacer.fps == 1


@pytest.mark.parametrize(
    ("wanted", "environ", "theme"),
    [
        ("dark", {"TERM": "xterm-256color"}, "dark"),
        ("light", {"TERM": "xterm", "COLORTERM": "truecolor"}, "light"),
        ("dark", {"TERM": "xterm"}, "ansi"),
        ("light", {"TERM": "linux"}, "ansi-light"),
        ("dark", {"TERM": "xterm-256color", "NO_COLOR": "1"}, "ansi"),
        ("ansi", {"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "ansi-light"),
    ],
)
def test_sixteen_colours_or_none_get_the_terminals_own(wanted, environ, theme):
    assert choose_theme(wanted, environ) == theme
