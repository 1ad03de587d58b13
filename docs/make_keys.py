"""Writes the tables of keys, in keys.md and the README, anew from the program's own: ``python docs/make_keys.py``."""

from __future__ import annotations

import re
from pathlib import Path

from myogestic_tui.tui.keys import COMMANDS, SYMBOLS, KeyCommand

PAGE = Path(__file__).with_name("keys.md")
GROUPS = {
    "Everywhere": "",
    "Live and Record": "live record",
    "Streams": "streams",
    "Live": "live",
    "Record": "record",
    "Sessions": "sessions",
}
MARK = "<!-- tables: made by make_keys.py -->"
README = Path(__file__).parents[1] / "README.md"
BRIEF = {
    "everywhere": {
        "screen.streams screen.live screen.record screen.sessions": "screens",
        "help": "help",
        "palette": "palette",
        "stop": "stop",
        "quit": "leave",
    },
    "Live, Record": {"start": "start", "end_label": "end the label", "undo": "undo", "note": "note"},
    "Streams": {
        "streams.details": "details",
        "streams.connect": "connect",
        "streams.all": "all",
        "streams.tick": "in or out of the recording",
        "streams.forget": "forget",
        "streams.doctor": "doctor",
        "streams.generator": "generator",
    },
    "Live": {
        "live.shorter live.longer": "time",
        "live.gain_down live.gain_up": "gain",
        "live.autoscale": "autoscale",
        "live.offset": "offset",
        "live.filter": "filter",
        "live.mvc": "percent of MVC",
        "live.stream": "next stream",
        "live.worst": "worst channel",
        "live.zoom": "zoom",
        "live.bad": "mark bad",
        "live.pause": "pause",
    },
    "Record": {
        "record.protocol": "protocol",
        "record.skip": "skip cue",
        "record.take": "take sheet",
        "record.bad": "mark bad",
        "record.pause": "pause",
    },
    "Sessions": {
        "sessions.open": "open",
        "sessions.find": "find",
        "sessions.order": "order",
        "sessions.verify": "verify",
        "sessions.mend": "mend",
        "sessions.copy": "copy",
        "sessions.export": "export",
        "sessions.replay": "replay",
        "sessions.edit": "edit",
        "sessions.trash": "trash",
        "sessions.restore": "restore",
    },
}
"""What the README names, in a word: ids of one word share it."""


def shown(keys: str) -> str:
    """Keys as they look on a page."""
    return " ".join(f"`{SYMBOLS.get(key, key)}`" for key in keys.split())


def row(command: KeyCommand) -> str:
    """One command as a row."""
    return f"| {shown(command.keys)} | {command.help} | `{command.id}` |"


def brief() -> str:
    """The README's table: the first key of each command."""
    keys = {command.id: command.keys.split()[0] for command in COMMANDS if command.keys}
    rows = ["| where | keys |", "|---|---|"]
    for where, words in BRIEF.items():
        cells = [f"{shown(' '.join(keys[id] for id in ids.split()))} {word}" for ids, word in words.items()]
        label = ["`1`–`9` `0` `A`–`Z` label"] if where == "everywhere" else []
        rows.append(f"| {where} | {' · '.join([*cells, *label])} |")
    return "\n".join(rows)


def tables() -> str:
    """A table for each screen."""
    parts = []
    for title, where in GROUPS.items():
        rows = [row(command) for command in COMMANDS if command.where == where]
        parts.append("\n".join([f"## {title}", "", "| key | does | id |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def renewed(text: str, made: str) -> str:
    """A page's text with what stands between its marks replaced."""
    between = re.compile(f"{re.escape(MARK)}.*{re.escape(MARK)}", re.DOTALL)
    return between.sub(lambda _: f"{MARK}\n\n{made}\n\n{MARK}", text)


def pages() -> dict[Path, str]:
    """The pages that have tables of keys, as they should be."""
    made = {PAGE: tables(), README: brief()}
    return {path: renewed(path.read_text("utf-8"), text) for path, text in made.items()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
