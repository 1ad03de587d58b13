"""Every key passes here, in order and at one level, so that none overtakes another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .keys import is_gesture_key, shown
from .keytimes import doubt_of
from .prompt import Ask, TypeLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from .app import Viewer

_PASTE_LENGTH = 4
_PASTE_VARIETY = 3


class Dispatcher:
    """Decides what a key does: typing, an open question, a gesture, or a command of the screen."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def take(self, keys: Sequence[events.Key]) -> None:
        """Handle the keys of one read."""
        if not isinstance(self._viewer.prompt, TypeLine) and _looks_pasted(keys):
            self._viewer.say(f"{len(keys)} keys at once look like pasted text: ignored", bad=True)
            return
        self._one_by_one(keys)

    def paste(self, text: str) -> None:
        """Pasted text goes into an open line, and nowhere else."""
        if isinstance(self._viewer.prompt, TypeLine):
            self._viewer.prompt.insert(text)
            self._viewer.redraw()
        else:
            self._viewer.say("pasted text is ignored: keys are commands here", bad=True)

    def _one_by_one(self, keys: Sequence[events.Key]) -> None:
        """What follows the key of a screen waits until that screen is there: it means something else on this one."""
        for place, key in enumerate(keys):
            self._take(key)
            if self._viewer.opening and (rest := keys[place + 1 :]):
                self._viewer.call_next(self._one_by_one, rest)
                return

    def _take(self, event: events.Key) -> None:
        name, doubt = _name(event), doubt_of(event)
        alone = _without_alt(name)
        if alone is not None:
            self._press("escape", None, event.time, doubt)
            self._press(alone, alone, event.time, doubt)
        else:
            self._press(name, event.character, event.time, doubt)

    def _press(self, name: str, character: str | None, at: float, doubt: float) -> None:
        viewer = self._viewer
        prompt = viewer.prompt
        if isinstance(prompt, TypeLine):
            self._type(prompt, name, character)
            return
        name = viewer.keymap.canonical(name)
        if is_gesture_key(name):
            self._gesture(name, at, doubt)
        elif prompt is not None:
            self._answer(prompt, name)
        elif not viewer.overlay_key(name):
            self._command(name, at, doubt)

    def _type(self, line: TypeLine, name: str, character: str | None) -> None:
        viewer = self._viewer
        if name == "escape":
            viewer.close_prompt()
            if line.cancelled is not None:
                line.cancelled()
        elif line.press(name, " " if name == "space" else character):
            viewer.close_prompt()
            line.done([entry.text.strip() for entry in line.entries])
        viewer.redraw()

    def _answer(self, ask: Ask, name: str) -> None:
        viewer = self._viewer
        if name == "escape":
            viewer.close_prompt()
        elif name in ask.answers:
            viewer.close_prompt()
            ask.answers[name][1]()
        viewer.redraw()

    def _gesture(self, name: str, at: float, doubt: float) -> None:
        viewer = self._viewer
        index = viewer.labeller.class_of(name, viewer.frame)
        if index is None:
            viewer.say(viewer.labeller.unassigned(name, viewer.frame), bad=True)
        else:
            viewer.labeller.press(index, at, viewer.frame, doubt=doubt)

    def _command(self, name: str, at: float, doubt: float) -> None:
        viewer = self._viewer
        command = viewer.keymap.command(viewer.screen_name, name)
        if command is not None:
            viewer.run_command(command.id, at, doubt)
        elif elsewhere := viewer.keymap.elsewhere(name):
            screens = " and ".join(screen.title() for screen in elsewhere.where.split())
            viewer.say(f"{shown(name)} is a key of {screens}: {elsewhere.help}")


def _name(event: events.Key) -> str:
    """A printable key is its character; others have Textual's names."""
    if event.key == "space" or event.character == " ":
        return "space"
    if event.character and event.character.isprintable() and not event.key.startswith(("alt+", "ctrl+")):
        return event.character
    return event.key


def _without_alt(name: str) -> str | None:
    """The character of an alt+character: tmux and slow links glue ``esc`` and a key that follows it into one."""
    if not name.startswith("alt+"):
        return None
    rest = name[4:]
    if rest.startswith("shift+") and len(rest) == 7:
        return rest[6:].upper()
    return rest if len(rest) == 1 else None


def _looks_pasted(keys: Sequence[events.Key]) -> bool:
    """Many different printable keys in one read, commands among them: nobody's fingers do that."""
    typed = [name for name in map(_name, keys) if len(name) == 1 or name == "space"]
    commands = [name for name in typed if not is_gesture_key(name)]
    return len(typed) >= _PASTE_LENGTH and len(set(typed)) >= _PASTE_VARIETY and bool(commands)
