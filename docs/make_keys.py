"""Writes the tables of keys, in keys.md and the README, anew from the program's own: ``python docs/make_keys.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from myogestic_tui.tui.keys import shown as symbol
from myogestic_tui.tui.viewer import all_bindings

if TYPE_CHECKING:
    from textual.binding import Binding

PAGE = Path(__file__).with_name("keys.md")
GROUPS = {
    "Everywhere": "",
    "Streams": "streams",
    "Live": "live",
    "Record": "record",
    "Sessions": "sessions",
    "An open session": "opened",
    "A script's own screen": "script",
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
        "streams.tick": "include or exclude",
        "streams.forget": "forget",
        "streams.doctor": "doctor",
        "streams.generator": "generator",
    },
    "Live": {
        "live.view": "heat map, traces, grid",
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
        "record.up": "go back to a trial",
        "record.pause": "pause",
    },
    "Sessions": {
        "sessions.open": "open",
        "sessions.find": "find",
        "sessions.order": "order",
        "sessions.verify": "verify",
        "sessions.repair": "repair",
        "sessions.copy": "copy",
        "sessions.export": "export",
        "sessions.replay": "replay",
        "sessions.edit": "edit",
        "sessions.trash": "trash",
        "sessions.restore": "restore",
    },
}
"""What the README names, in a word: ids of one word share it."""


def bindings() -> dict[str, list[Binding]]:
    """By screen, without the gestures; what every screen has stands under ``""`` alone."""
    found = all_bindings()
    shared = [one for one in found["streams"] if one.id in ("stop", "help")]
    ids = {one.id for one in shared}
    everywhere = [*shared, *(one for one in found[""] if not one.action.startswith("gesture("))]
    return {name: [one for one in group if one.id not in ids] for name, group in found.items()} | {"": everywhere}


def shown(keys: str) -> str:
    """Keys as they look on a page."""
    return " ".join(f"`{symbol(key)}`" for key in keys.split(","))


def row(one: Binding) -> str:
    """One command as a row."""
    words = f"**{one.description}** {one.tooltip}".rstrip()
    return f"| {shown(one.key)} | {words} | `{one.id}` |"


PALETTE = "| `:` | command palette: find a command by its words; themes | |"


def brief() -> str:
    """The README's table: the first key of each command."""
    keys = {one.id: one.key.split(",")[0] for group in bindings().values() for one in group}
    keys["palette"] = "colon"
    rows = ["| where | keys |", "|---|---|"]
    for where, words in BRIEF.items():
        cells = [f"{shown(','.join(keys[id] for id in ids.split()))} {word}" for ids, word in words.items()]
        label = ["`1`–`9` `0` `A`–`Z` label"] if where == "everywhere" else []
        rows.append(f"| {where} | {' · '.join([*cells, *label])} |")
    return "\n".join(rows)


def tables() -> str:
    """A table for each screen."""
    parts = []
    for title, where in GROUPS.items():
        rows = [row(one) for one in bindings()[where]] + ([PALETTE] if not where else [])
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
