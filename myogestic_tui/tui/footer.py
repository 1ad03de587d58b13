"""The last row: what the keys do here and now."""

from __future__ import annotations

from itertools import groupby

from ..widgets.spans import Row, Span, cut, row, spread, width_of
from .keys import KeyCommand, Keymap, shown


def footer_row(keymap: Keymap, screen: str, recording: bool, width: int, *, cued: bool = False) -> Row:
    """As many of the screen's keys as fit, the most needed first (``cued``: a protocol's); help at the right edge."""
    right = _key_span(keymap, "help", "help")
    room = width - width_of(right) - 1
    spans: list[Span] = [Span(" ")]
    for keys, word in _entries(keymap, screen, recording, cued):
        entry = row((keys, "key"), (f" {word}  ", "dim"))
        if width_of(spans) + width_of(entry) - 2 > room:
            break
        spans += entry
    return spread(tuple(spans), right, width)


def typing_footer(width: int) -> Row:
    """What the keys do while a line is typed."""
    entries = (("⏎", "next field, or save"), ("esc", "cancel"), ("tab ↑↓", "field"), ("←→", "caret"))
    return cut(row(" ", *(part for keys, word in entries for part in ((keys, "key"), (f" {word}  ", "dim")))), width)


def _entries(keymap: Keymap, screen: str, recording: bool, cued: bool) -> list[tuple[str, str]]:
    states = ["", "recording" if recording else "idle", *(["protocol"] if cued else [])]
    here = [c for c in keymap.on_screen(screen) if c.footer and c.when in states]
    here.sort(key=lambda command: command.when != "protocol")
    entries = [("".join(_keys(list(group))), word) for word, group in groupby(here, key=lambda c: c.footer)]
    if recording:
        stop = next(c for c in keymap.commands if c.id == "stop")
        entries.insert(0, (shown(stop.keys.split()[0]), "stop"))
    return entries


def _keys(commands: list[KeyCommand]) -> list[str]:
    """The first key of each command; arrows close together, others with a blank between."""
    keys = [shown(command.keys.split()[0]) for command in commands if command.keys]
    close = all(key in "↑↓←→" for key in keys)
    return keys if close else [" ".join(keys)]


def _key_span(keymap: Keymap, command_id: str, word: str) -> Row:
    command = next(c for c in keymap.commands if c.id == command_id)
    return row((shown(command.keys.split()[0]), "key", "key:?"), (f" {word} ", "dim", "key:?"))
