"""Keys in order and with their own times: bursts, escapes that a link glued, pastes; and the keymap's check.

One rule: digits and CAPITALS are gestures; lowercase letters and punctuation are commands. Every command is a Textual
`Binding` with an id, which ``[keymap]`` in ``myogestic.toml`` remaps: ``stop = "x"``, several keys with blanks between.
"""

from __future__ import annotations

import asyncio
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events
from textual.binding import Binding

from ..config import GESTURE_KEYS
from ..errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

command = partial(Binding, priority=True)
"""A binding of ours: all of them have one priority, so that none overtakes another."""

SAME_READ_SECONDS = 0.003
"""Keys whose times are nearer than that came in one read: after a stall, or pasted."""
_BURST_SECONDS = 0.008
"""How long the queue waits to see a whole burst; the keys keep their own times."""
_SETTLE_SECONDS = 0.5
_PASTE_LENGTH = 4
_PASTE_VARIETY = 3

_GLUED = dict(zip("¡™£¢∞§¶•ªº", "1234567890", strict=True))
"""tmux and slow links glue a quick ``esc 2``; Textual reads that as a Mac's alt+2."""
_WORDS = {"ctrl+left": "b", "ctrl+right": "f"}
"""``esc b`` and ``esc f`` are read as the word keys of some keyboards; nothing here has those."""

LAYOUTS: dict[str, dict[str, str]] = {
    "qwerty": {},
    "azerty": dict(zip("&é\"'(-è_çà", "1234567890", strict=True)) | {")": "-", ";": ".", "!": "?"},
}
"""Keyboards whose digits need Shift: the unshifted top row counts as digits, and displaced commands move."""

SYMBOLS = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎", "escape": "esc", "space": "space",
    "pageup": "PgUp", "pagedown": "PgDn", "question_mark": "?", "colon": ":", "plus": "+", "minus": "-",
    "equals_sign": "=", "comma": ",", "full_stop": ".", "slash": "/", "percent_sign": "%",
}  # fmt: skip
"""How named keys are written on the screen and in the configuration."""
_NAMED = {symbol: name for name, symbol in SYMBOLS.items() if len(symbol) == 1 and symbol.isascii()}


def key_name(key: str) -> str:
    """Textual's name of a key that is given as a character: ``?`` is ``question_mark``."""
    if len(key) != 1 or key.isalnum():
        return key
    return _NAMED.get(key) or unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")


def shown(key: str, *, ascii_only: bool = False) -> str:
    """How a key is written on the screen; as its name where its symbol is not ASCII."""
    symbol = SYMBOLS.get(key, key)
    return key if ascii_only and not symbol.isascii() else symbol


def keymap_of(given: Mapping[str, str], bindings: Mapping[str, Sequence[Binding]]) -> dict[str, str]:
    """The configuration's keymap as Textual takes it.

    Parameters
    ----------
    given
        Command id to keys, with a blank between them.
    bindings
        The bindings of each screen, and under ``""`` those of all screens.

    Raises
    ------
    ConfigError
        There is no such id, a key is a gesture's, or two commands of a screen share a key.
    """
    known = {one.id: one for group in bindings.values() for one in group if one.id}
    for name, keys in given.items():
        if name not in known or known[name].action.startswith("gesture("):
            ids = [one for one, binding in known.items() if not binding.action.startswith("gesture(")]
            raise ConfigError(
                f"keymap.{name}: there is no such command{did_you_mean(name, ids)}; allowed: {', '.join(ids)}"
            )
        for key in keys.split():
            if key in GESTURE_KEYS:
                raise ConfigError(f"keymap.{name}: {key!r} is a gesture key; use lowercase or punctuation")
    mapped = {name: ",".join(key_name(key) for key in keys.split()) for name, keys in given.items() if keys.split()}
    for screen, group in bindings.items():
        _refuse_clashes([*bindings[""], *group] if screen else group, mapped)
    return mapped


def own_keys(
    commands: Mapping[str, str], bindings: Mapping[str, Sequence[Binding]], keymap: Mapping[str, str]
) -> dict[str, str]:
    """The command of one's own by key.

    Parameters
    ----------
    commands
        Key by name; an empty one has none.
    bindings, keymap
        The program's own, as for `keymap_of`, and what that returned.

    Raises
    ------
    ConfigError
        A key is a gesture's, or the program's on any screen.
    """
    taken = {
        key_name(key): one.id or one.action
        for group in bindings.values()
        for one in group
        for key in keymap.get(one.id or "", one.key).split(",")
    }
    for name, key in commands.items():
        if key in GESTURE_KEYS and key:
            raise ConfigError(f"commands: {key!r} of {name!r} is a gesture key; use lowercase or punctuation")
        if key_name(key) in taken:
            raise ConfigError(f"commands: {key!r} of {name!r} is the key of {taken[key_name(key)]!r} already")
    return {shown(key): name for name, key in commands.items() if key}


def _refuse_clashes(group: Iterable[Binding], mapped: Mapping[str, str]) -> None:
    taken: dict[str, Binding] = {}
    for one in group:
        for key in mapped.get(one.id or "", one.key).split(","):
            other = taken.setdefault(key_name(key), one)
            if other is not one and other.action != one.action and {one.id, other.id} & mapped.keys():
                first, second = (one, other) if one.id in mapped else (other, one)
                raise ConfigError(f"keymap.{first.id}: {shown(key)!r} is the key of {second.id!r} already")


def is_gesture_key(key: str) -> bool:
    """Digits and capitals are gestures."""
    return len(key) == 1 and key in GESTURE_KEYS


def character_of(event: events.Key) -> str:
    """A printable key is its character; others have Textual's names."""
    if event.key == "space" or event.character == " ":
        return "space"
    if event.character and event.character.isprintable() and not event.key.startswith(("alt+", "ctrl+")):
        return event.character
    return event.key


def unglued(key: events.Key) -> list[events.Key]:
    """Escape and the key after it, where a link made one of them; else the key itself."""
    rest = _GLUED.get(key.character or "") or _WORDS.get(key.key, "")
    if key.key.startswith("alt+"):
        rest = key.key[4:]
        if rest.startswith("shift+") and len(rest) == 7:
            rest = rest[6:].upper()
    if len(rest) != 1:
        return [key]
    return [_at(key.time, "escape", "\x1b"), _at(key.time, key_name(rest), rest)]


def canonical(key: events.Key, layout: Mapping[str, str]) -> events.Key:
    """The key that a character stands for on this keyboard."""
    meant = layout.get(key.character or "")
    return key if meant is None else _at(key.time, key_name(meant), meant)


def _at(time: float, name: str, character: str) -> events.Key:
    key = events.Key(name, character)
    key.time = time
    return key


def looks_pasted(keys: Sequence[events.Key]) -> bool:
    """Many different printable keys in one read, commands among them: nobody's fingers do that."""
    typed = [name for name in map(character_of, keys) if len(name) == 1 or name == "space"]
    commands = [name for name in typed if not is_gesture_key(name)]
    return len(typed) >= _PASTE_LENGTH and len(set(typed)) >= _PASTE_VARIETY and bool(commands)


class KeyQueue:
    """Hands on one key after the other, each only when all that the one before set off is done.

    Parameters
    ----------
    hand_on
        Takes a key or a paste, and the doubt (s) about its time; returns once it is dealt with.
    refuse
        Told how many keys looked like pasted text, which are dropped.
    typing
        Whether a line is open for typing: there, all keys are taken as they are.
    doubt
        The doubt (s) about the keys of one read: when it was, and how many keys came.
    answered
        Told when an answer of the terminal was read, in order with the keys.
    """

    def __init__(
        self,
        hand_on: Callable[[events.Event, float], Awaitable[None]],
        refuse: Callable[[int], None],
        typing: Callable[[], bool],
        doubt: Callable[[float, int], float],
        answered: Callable[[float], None],
    ) -> None:
        self._hand_on, self._refuse, self._typing = hand_on, refuse, typing
        self._doubt, self._answered = doubt, answered
        self._queue: asyncio.Queue[events.Event] = asyncio.Queue()
        self._handling = False

    def put(self, event: events.Event) -> None:
        """A key, a paste or an answer of the terminal came."""
        self._queue.put_nowait(event)

    @property
    def idle(self) -> bool:
        """Whether all keys that came have been dealt with."""
        return self._queue.empty() and not self._handling

    async def run(self) -> None:
        """For as long as the screens are up."""
        while True:
            self._handling = False
            burst = [await self._queue.get()]
            self._handling = True
            await asyncio.sleep(_BURST_SECONDS)
            while not self._queue.empty():
                burst.append(self._queue.get_nowait())
            for read in _reads(burst):
                await self._one_read(read)

    async def _one_read(self, read: Sequence[events.Event]) -> None:
        keys = [event for event in read if isinstance(event, events.Key)]
        doubt = self._doubt(keys[-1].time, len(keys)) if keys else 0.0
        refused = not self._typing() and looks_pasted(keys)
        if refused:
            self._refuse(len(keys))
        for event in read:
            if isinstance(event, events.CursorPosition):
                self._answered(event.time)
            elif not (refused and isinstance(event, events.Key)):
                for part in unglued(event) if isinstance(event, events.Key) else [event]:
                    await self._hand_on(part, doubt)


def _reads(burst: Sequence[events.Event]) -> list[list[events.Event]]:
    """What came in one read of the terminal, by the stamps."""
    reads: list[list[events.Event]] = []
    for event in burst:
        if reads and event.time - reads[-1][-1].time < SAME_READ_SECONDS:
            reads[-1].append(event)
        else:
            reads.append([event])
    return reads


async def settled(nodes: Iterable[Any]) -> None:
    """Wait until widgets (the focused one, its ancestors, the app) have handled what they have."""
    for node in nodes:
        done = asyncio.Event()
        if node.call_later(done.set):
            try:
                async with asyncio.timeout(_SETTLE_SECONDS):
                    await done.wait()
            except TimeoutError:
                return
