"""The key rule, remapping, bursts, what a link glues together, and the pacer."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from scripted import ScriptedRecorder
from textual import events
from textual.binding import Binding
from textual.dom import DOMNode

import myogestic_tui
from myogestic_tui.config import GESTURE_KEYS
from myogestic_tui.errors import ConfigError
from myogestic_tui.tui import ViewerOptions
from myogestic_tui.tui.frame_pacing import Pacer
from myogestic_tui.tui.keys import LAYOUTS, canonical, is_gesture_key, keymap_of, looks_pasted, unglued
from myogestic_tui.tui.modals.forms import Form
from myogestic_tui.tui.modals.text import TextScreen
from myogestic_tui.tui.themes import choose_theme
from myogestic_tui.tui.viewer import Viewer, all_bindings

PACKAGE = Path(myogestic_tui.__file__).parent
OURS = [*PACKAGE.glob("tui/**/*.py"), *PACKAGE.glob("widgets/*.py")]
MODALS = [one for kind in (Form, TextScreen) for one in kind.BINDINGS]


def every_binding() -> list[Binding]:
    """All bindings of ours, each once."""
    found = {id(one): one for group in all_bindings().values() for one in group}
    return [*found.values(), *MODALS]


def test_no_private_name_of_textual_or_rich_is_imported():
    for path in OURS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("textual", "rich"):
                parts = [*(node.module or "").split("."), *(name.name for name in node.names)]
                assert not any(part.startswith("_") for part in parts), f"{path.name}: {parts}"
            if isinstance(node, ast.Import):
                assert not any(
                    part.startswith("_") for one in node.names for part in one.name.split(".")
                    if one.name.split(".")[0] in ("textual", "rich")
                )  # fmt: skip


def _own_names() -> set[str]:
    """Private names that our own classes, functions and modules define."""
    names: set[str] = set()
    for path in OURS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return names


PUBLIC_PRIVATE = {"_replace", "_asdict"}
"""Of named tuples: private by their look alone."""


def test_no_private_attribute_is_used_that_is_not_our_own():
    own = _own_names()
    for path in OURS:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                assert node.attr in own | PUBLIC_PRIVATE | {"_exit"}, f"{path.name}:{node.lineno} {node.attr}"


def _subclasses(kind: type) -> list[type]:
    return [one for direct in kind.__subclasses__() for one in (direct, *_subclasses(direct))]


def test_no_private_attribute_of_ours_hides_one_of_textual():
    """Set on instances or defined in classes: whatever a class of ours names so, no class of Textual above it has."""
    from myogestic_tui.tui import cue_app  # noqa: F401 (its class is looked at)
    from myogestic_tui.tui.screens.screen_registry import SCREENS, screen_class
    from myogestic_tui.widgets import SessionBrowser, session_plot  # noqa: F401

    for name in SCREENS:
        screen_class(name)
    trees = {path: ast.parse(path.read_text()) for path in OURS}
    for kind in _subclasses(DOMNode):
        if not kind.__module__.startswith("myogestic_tui"):
            continue
        tree = trees[PACKAGE.parent / (kind.__module__.replace(".", "/") + ".py")]
        body = next(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == kind.__name__)
        ours = {
            n.attr for n in ast.walk(body)
            if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name)
            and n.value.id == "self"
        } | {n.name for n in body.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}  # fmt: skip
        theirs = [base for base in kind.__mro__ if base.__module__.startswith("textual")]
        source = "".join(Path(__import__(b.__module__, fromlist=["x"]).__file__).read_text() for b in theirs)
        for name in ours:
            if name.startswith("_") and not name.startswith("__"):
                assert f"self.{name} " not in source, f"{kind.__name__}.{name}"
                assert f"self.{name}:" not in source, f"{kind.__name__}.{name}"
                assert f"def {name}(" not in source, f"{kind.__name__}.{name}"


def test_every_binding_has_priority_and_an_id_of_its_own():
    ids = [one.id for one in every_binding()]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    assert all(one.priority for one in every_binding())


def test_gesture_keys_are_in_no_binding_but_their_own():
    for one in every_binding():
        for key in one.key.split(","):
            assert is_gesture_key(key) == one.action.startswith("gesture("), one
    assert sum(one.action.startswith("gesture(") for one in every_binding()) == len(GESTURE_KEYS)


def test_no_command_needs_ctrl_alt_or_function_keys():
    for one in every_binding():
        for key in one.key.split(","):
            assert not key.startswith(("ctrl+", "alt+")), one
            assert key not in [f"f{n}" for n in range(1, 13)], one


def test_no_two_commands_of_a_screen_share_a_key():
    groups = all_bindings()
    for screen, group in groups.items():
        keys = [key for one in [*(groups[""] if screen else ()), *group] for key in one.key.split(",")]
        assert len(set(keys)) == len(keys), (screen, sorted(key for key in keys if keys.count(key) > 1))


def test_keys_are_remapped_by_id_with_several_at_once():
    assert keymap_of({"stop": "z", "live.up": "up ;"}, all_bindings()) == {"stop": "z", "live.up": "up,semicolon"}


@pytest.mark.parametrize(
    ("remapped", "words"),
    [
        ({"stop": "X"}, "gesture key"),
        ({"stop": "3"}, "gesture key"),
        ({"stpo": "z"}, "did you mean 'stop'"),
        ({"stop": "s"}, "is the key of"),
        ({"gesture.1": "z"}, "no such command"),
    ],
)
def test_a_keymap_that_breaks_the_rule_is_refused_by_name(remapped, words):
    with pytest.raises(ConfigError, match=words):
        keymap_of(remapped, all_bindings())


@pytest.mark.parametrize("wrong", [{"screen": "stream"}, {"keyboard": "dvorak"}, {"theme": "drak"}])
def test_options_that_are_not_known_are_refused_by_name_with_what_is_allowed(wrong):
    (value,) = wrong.values()
    with pytest.raises(ConfigError, match=rf"'{value}'.* allowed: \w"):
        Viewer(ScriptedRecorder(), ViewerOptions(**wrong))


def test_on_azerty_the_unshifted_top_row_counts_as_digits():
    azerty = LAYOUTS["azerty"]
    assert [canonical(events.Key("x", key), azerty).character for key in "&é\"'(-è_çà"] == list("1234567890")
    assert canonical(events.Key("x", "x"), azerty).character == "x"


@pytest.mark.parametrize(
    ("key", "character", "names"),
    [
        ("alt+2", None, ["escape", "2"]),
        ("inverted_exclamation_mark", "¡", ["escape", "1"]),
        ("alt+x", None, ["escape", "x"]),
        ("alt+shift+a", None, ["escape", "A"]),
        ("ctrl+left", None, ["escape", "b"]),
        ("ctrl+right", None, ["escape", "f"]),
        ("alt+left", None, ["alt+left"]),
        ("x", "x", ["x"]),
    ],
)
def test_what_a_link_glued_to_escape_is_two_keys_of_the_same_time(key, character, names):
    event = events.Key(key, character)
    parts = unglued(event)
    assert [part.key for part in parts] == names
    assert {part.time for part in parts} == {event.time}


@pytest.mark.parametrize(
    ("text", "pasted"),
    [("sudo reboot", True), ("12 34x", True), ("121212", False), ("3", False), ("----", False), ("x1", False)],
)
def test_what_looks_pasted(text, pasted):
    assert looks_pasted([events.Key(character, character) for character in text]) is pasted


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
        ("dark", {"TERM": "xterm-256color"}, "myogestic-dark"),
        ("light", {"TERM": "xterm", "COLORTERM": "truecolor"}, "myogestic-light"),
        ("dark", {"TERM": "xterm"}, "ansi-dark"),
        ("light", {"TERM": "linux"}, "ansi-light"),
        ("dark", {"TERM": "xterm-256color", "NO_COLOR": "1"}, "ansi-dark"),
        ("ansi", {"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "ansi-light"),
        ("nord", {"TERM": "xterm-256color"}, "nord"),
    ],
)
def test_sixteen_colours_or_none_get_the_terminals_own(wanted, environ, theme):
    assert choose_theme(wanted, environ) == theme
