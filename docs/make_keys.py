"""Writes the tables of keys.md anew from the program's own list: ``python docs/make_keys.py``."""

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


def row(command: KeyCommand) -> str:
    """One command as a row."""
    keys = " ".join(f"`{SYMBOLS.get(key, key)}`" for key in command.keys.split())
    return f"| {keys} | {command.help} | `{command.id}` |"


def tables() -> str:
    """A table for each screen."""
    parts = []
    for title, where in GROUPS.items():
        rows = [row(command) for command in COMMANDS if command.where == where]
        parts.append("\n".join([f"## {title}", "", "| key | does | id |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def page(text: str) -> str:
    """The page's text with its tables replaced."""
    between = re.compile(f"{re.escape(MARK)}.*{re.escape(MARK)}", re.DOTALL)
    return between.sub(lambda _: f"{MARK}\n\n{tables()}\n\n{MARK}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
