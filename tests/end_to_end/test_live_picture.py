"""Live on a real outlet, recorder and terminal: pictures that are written over in place, cell by cell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.link import PATIENCE, Site
from tests.sending import RampOutlet, wait_for
from tests.tui.terminal import Terminal

COLUMNS, LINES = 160, 50
SEEN = 90
"""Cells of the pictures; beside them stand seconds that count."""


@pytest.fixture
def site(tmp_path: Path, unique: str) -> Iterator[Site]:
    with RampOutlet(unique, 24, 500.0, chunk=10) as outlet:
        site = Site(tmp_path, outlet)
        yield site
        site.end()


def cells(terminal: Terminal) -> list[list[tuple[object, ...]]]:
    """Letters and colours below the caption and above the age of what is seen."""
    with terminal._changed:
        buffer = terminal.screen.buffer
        rows = [[buffer[y][x] for x in range(SEEN)] for y in range(3, LINES - 3)]
        return [[(cell.data, cell.fg, cell.bg, cell.bold) for cell in row] for row in rows]


def settled(terminal: Terminal) -> list[list[tuple[object, ...]]]:
    """The cells, once none changes for a while: what is lost has no flags, and a whole picture goes in parts."""
    before, n_alike = cells(terminal), 0
    deadline = time.monotonic() + PATIENCE
    while n_alike < 30:  # looks, not seconds: a machine that stands still draws nothing
        assert time.monotonic() < deadline, "it never rests"
        time.sleep(0.1)
        now = cells(terminal)
        before, n_alike = now, n_alike + 1 if now == before else 0
    return before


@pytest.mark.parametrize("view", ["", "i", "enter"])
def test_what_was_drawn_cell_by_cell_is_what_a_whole_repaint_shows(site: Site, view: str) -> None:
    with site.viewer(columns=COLUMNS, lines=LINES, environ={"XDG_STATE_HOME": str(site.folder)}) as terminal:
        terminal.wait_for("● live", PATIENCE)
        for key, seen in (("l", "now│"), (",", "  5 s "), (",", "  2 s "), (view, "now│"), ("a", "manual")):
            terminal.press(*[key] * bool(key))
            terminal.wait_for(seen, PATIENCE)
        sent = site.outlet.sent
        wait_for(lambda: site.outlet.sent > sent + 2500, PATIENCE)  # two windows and a half
        site.outlet.stop()
        terminal.wait_for(lambda text: "lost" in text and "now" not in text, PATIENCE)
        drawn = settled(terminal)
        terminal.press(":")
        terminal.wait_for("Search for commands", PATIENCE)
        terminal.press("escape")
        terminal.wait_gone("Search for commands", PATIENCE)
        again = settled(terminal)
        differ = [(y, x) for y, row in enumerate(drawn) for x, cell in enumerate(row) if cell != again[y][x]]
        assert not differ, [(y, x, drawn[y][x], again[y][x]) for y, x in differ[:8]]
        assert sum("\u2800" < str(cell[0]) <= "\u28ff" or cell[0] == "▀" for row in drawn for cell in row) > 50


def test_of_a_picture_that_moves_a_few_cells_are_sent(site: Site) -> None:
    """And each frame of it: the line after the newest sample is never at the same place in the next second."""
    with site.viewer(columns=COLUMNS, lines=LINES, environ={"XDG_STATE_HOME": str(site.folder)}) as terminal:
        terminal.wait_for("● live", PATIENCE)
        terminal.press("l")
        terminal.wait_for("now│", PATIENCE)
        wait_for(lambda: terminal.n_answers > 20, PATIENCE)
        before, n_answers = terminal.n_bytes, terminal.n_answers
        place = terminal.wait_for("now│", PATIENCE).index("now│")
        wait_for(lambda: terminal.n_answers > n_answers + 20, PATIENCE)
        wait_for(lambda: terminal.text.find("now│") not in (-1, place), PATIENCE)
        assert (terminal.n_bytes - before) / (terminal.n_answers - n_answers) < 15_000
