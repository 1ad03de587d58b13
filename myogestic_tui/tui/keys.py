"""Every key of the screens, as data.

One rule: digits and CAPITALS are gestures; lowercase letters and punctuation are commands. The ids are what
``[keymap]`` in ``myogestic.toml`` remaps: ``stop = "x"``, or several keys with a blank between them.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from ..config import GESTURE_KEYS
from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class KeyCommand(NamedTuple):
    """One thing a key does."""

    id: str
    keys: str
    """Separated by blanks; named keys as Textual calls them (``space``, ``enter``, ``pageup``)."""
    where: str
    """Screens that have it, separated by blanks; empty: everywhere."""
    help: str
    footer: str = ""
    """Words in the footer; empty: not there."""
    when: str = ""
    """``idle``, ``recording``, or ``protocol`` (one runs): only then in the footer."""


_ALL = "streams live record sessions"
COMMANDS = (
    KeyCommand("screen.streams", "s", "", "Streams"),
    KeyCommand("screen.live", "l", "", "Live"),
    KeyCommand("screen.record", "r", "", "Record"),
    KeyCommand("screen.sessions", "b", "", "Sessions"),
    KeyCommand("help", "?", "", "this help", "help"),
    KeyCommand("palette", ":", "", "command palette: find a command by its words"),
    KeyCommand("history", "h", "", "messages so far, at full length"),
    KeyCommand("quit", "q", "", "leave; while recording it asks"),
    KeyCommand("stop", "x", "", "stop: then ⏎ saves, d discards, esc goes on"),
    # Streams
    KeyCommand("streams.up", "up k", "streams", "row up", "row"),
    KeyCommand("streams.down", "down j", "streams", "row down", "row"),
    KeyCommand("streams.page_up", "pageup", "streams", "page up"),
    KeyCommand("streams.page_down", "pagedown", "streams", "page down"),
    KeyCommand("streams.details", "enter", "streams", "every channel with name and unit, and the XML", "details"),
    KeyCommand("streams.tick", "t", "streams", "take the stream in or out of the recording", "take in/out"),
    KeyCommand("streams.connect", "c", "streams", "connect the stream and tick it", "connect"),
    KeyCommand("streams.all", "a", "streams", "connect and tick all streams", "all"),
    KeyCommand("streams.forget", "f", "streams", "disconnect and forget the stream", "forget"),
    KeyCommand("streams.doctor", "d", "streams", "what is wrong, and how to mend it", "doctor"),
    KeyCommand("streams.generator", "g", "streams", "start or stop the synthetic generator", "generator"),
    # Live and Record
    KeyCommand("start", "space", "live record", "start recording", "start", "idle"),
    KeyCommand("live.up", "up k", "live", "channel up", "ch"),
    KeyCommand("live.down", "down j", "live", "channel down", "ch"),
    KeyCommand("live.page_up", "pageup", "live", "page up"),
    KeyCommand("live.page_down", "pagedown", "live", "page down", "page"),
    KeyCommand("live.left", "left", "live", "scroll back (pauses)"),
    KeyCommand("live.right", "right", "live", "scroll on"),
    KeyCommand("live.zoom", "enter", "live", "one channel, full height; again: back", "zoom"),
    KeyCommand("live.shorter", ",", "live", "shorter window", "time"),
    KeyCommand("live.longer", ".", "live", "longer window", "time"),
    KeyCommand("live.gain_down", "-", "live", "less gain", "gain"),
    KeyCommand("live.gain_up", "+ =", "live", "more gain", "gain"),
    KeyCommand("live.autoscale", "a", "live", "autoscale on or off", "auto"),
    KeyCommand("live.offset", "o", "live", "offset removal on or off (view only)"),
    KeyCommand("live.filter", "f", "live", "view filters: none, high-pass, high-pass and notch"),
    KeyCommand("live.mvc", "%", "live", "amplitudes in % MVC, or in the stream's unit"),
    KeyCommand("live.stream", "v", "live", "next stream", "stream"),
    KeyCommand("live.worst", "w", "live", "next worst channel", "worst"),
    KeyCommand("live.bad", "m", "live", "mark the channel bad or good", "bad"),
    KeyCommand("live.pause", "p", "live", "pause the view", "pause"),
    KeyCommand("undo", "u", "live record", "undo the last label", "undo label", "recording"),
    KeyCommand("end_label", "e", "live record", "end the label", "end label", "recording"),
    KeyCommand("record.bad", "m", "record", "mark the running trial bad or good", "bad trial", "recording"),
    KeyCommand("record.acknowledge", "enter", "record", "understood: the recorder ended the last recording"),
    KeyCommand("note", "n", "live record", "note, with the time of this key", "note", "recording"),
    KeyCommand("record.protocol", "c", "record", "start a cued protocol, or end the one that runs", "protocol"),
    KeyCommand("record.pause", "p", "record", "pause or resume the protocol", "pause", "protocol"),
    KeyCommand("record.skip", "k", "record", "skip to the next cue", "skip", "protocol"),
    KeyCommand("record.take", "t", "record", "take sheet: subject, task, take, name", "take"),
    # Sessions
    KeyCommand("sessions.up", "up k", "sessions", "row up"),
    KeyCommand("sessions.down", "down j", "sessions", "row down"),
    KeyCommand("sessions.page_up", "pageup", "sessions", "page up; open session: of what is beneath the plot"),
    KeyCommand("sessions.page_down", "pagedown", "sessions", "page down; open session: of what is beneath the plot"),
    KeyCommand("sessions.open", "enter", "sessions", "open the session; again: back", "open"),
    KeyCommand("sessions.left", "left", "sessions", "open session: back in time"),
    KeyCommand("sessions.right", "right", "sessions", "open session: on in time"),
    KeyCommand("sessions.zoom_in", "+ =", "sessions", "open session: closer, down to the samples"),
    KeyCommand("sessions.zoom_out", "-", "sessions", "open session: all of it again, step by step"),
    KeyCommand("sessions.stream", ".", "sessions", "open session: next stream"),
    KeyCommand("sessions.find", "/", "sessions", "find by name, date, state, subject, task, stream, class", "find"),
    KeyCommand("sessions.order", "o", "sessions", "order by any column: ← → choose it, o turns it round", "order"),
    KeyCommand("sessions.mark", "m", "sessions", "mark or unmark; jobs then take all that are marked", "mark"),
    KeyCommand("sessions.verify", "v", "sessions", "verify: every byte, quickly, or all new ones", "verify"),
    KeyCommand("sessions.mend", "f", "sessions", "mend: pack, recover or salvage, as the state needs", "mend"),
    KeyCommand("sessions.copy", "c", "sessions", "copy to a folder or URL, and check the copy", "copy"),
    KeyCommand("sessions.export", "w", "sessions", "export to other tools"),
    KeyCommand("sessions.replay", "y", "sessions", "replay as live LSL outlets; again: end it"),
    KeyCommand("sessions.edit", "t", "sessions", "edit subject, task, take, name"),
    KeyCommand("sessions.note", "n", "sessions", "add a note"),
    KeyCommand("sessions.trash", "d", "sessions", "move to the trash", "trash"),
    KeyCommand("sessions.restore", "u", "sessions", "restore what was trashed last"),
    KeyCommand("sessions.empty_trash", "", "sessions", "from the palette: empty the trash for good; it asks first"),
    KeyCommand("sessions.cancel", "escape", "sessions", "back; show all; unmark all; cancel a job"),
)  # fmt: skip
"""All commands, in the order in which help and footer show them."""

SCREEN_NAMES = tuple(_ALL.split())

LAYOUTS: dict[str, dict[str, str]] = {
    "qwerty": {},
    "azerty": dict(zip("&é\"'(-è_çà", "1234567890", strict=True)) | {")": "-", ";": ".", "!": "?"},
}
"""Keyboards whose digits need Shift: the unshifted top row counts as digits, and displaced commands move."""

SYMBOLS = {
    "up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎", "escape": "esc",
    "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip


class Keymap:
    """Which command a key means on which screen.

    Parameters
    ----------
    remapped
        Command id to keys, from the configuration.
    layout
        A name of `LAYOUTS`.

    Raises
    ------
    ConfigError
        There is no such id or layout, a key is a gesture's, or two commands of a screen share a key.
    """

    def __init__(self, remapped: Mapping[str, str] | None = None, layout: str = "qwerty") -> None:
        if layout not in LAYOUTS:
            raise ConfigError(f"keyboard {layout!r}: allowed: {', '.join(LAYOUTS)}")
        self._canonical = LAYOUTS[layout]
        remapped = dict(remapped or {})
        _check_ids(remapped)
        self.commands = tuple(c._replace(keys=remapped.get(c.id, c.keys)) for c in COMMANDS)
        self._by_key: dict[str, dict[str, KeyCommand]] = {name: {} for name in SCREEN_NAMES}
        for command in self.commands:
            self._bind(command)

    def _bind(self, command: KeyCommand) -> None:
        for key in command.keys.split():
            if key in GESTURE_KEYS:
                raise ConfigError(f"keymap.{command.id}: {key!r} is a gesture key; use lowercase or punctuation")
            for screen in command.where.split() or SCREEN_NAMES:
                taken = self._by_key[screen].setdefault(key, command)
                if taken is not command:
                    raise ConfigError(f"keymap.{command.id}: {key!r} is the key of {taken.id!r} already")

    def canonical(self, key: str) -> str:
        """The key that a character stands for on this keyboard."""
        return self._canonical.get(key, key)

    def command(self, screen: str, key: str) -> KeyCommand | None:
        """What a key does on a screen."""
        return self._by_key[screen].get(key)

    def elsewhere(self, key: str) -> KeyCommand | None:
        """What a key does on some other screen: the first command that has it."""
        return next((command for command in self.commands if command.where and key in command.keys.split()), None)

    def on_screen(self, screen: str) -> tuple[KeyCommand, ...]:
        """Commands that belong to a screen, without those that are everywhere."""
        return tuple(c for c in self.commands if screen in c.where.split())

    def everywhere(self) -> tuple[KeyCommand, ...]:
        """Commands that every screen has."""
        return tuple(c for c in self.commands if not c.where)


def _check_ids(ids: Iterable[str]) -> None:
    known = [command.id for command in COMMANDS]
    for name in ids:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"keymap.{name}: there is no such command{meant}; allowed: {', '.join(known)}")


def shown(key: str) -> str:
    """How a key is written on the screen."""
    return SYMBOLS.get(key, key)


def shown_keys(command: KeyCommand) -> str:
    """The keys of a command as they are written on the screen."""
    return " ".join(shown(key) for key in command.keys.split())


def is_gesture_key(key: str) -> bool:
    """Digits and capitals are gestures."""
    return len(key) == 1 and key in GESTURE_KEYS
