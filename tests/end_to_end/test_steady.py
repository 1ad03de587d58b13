"""Nothing on the top rows moves: in each frame that the terminal gets, only digits are other than in the one before.

``STEADY_SECONDS=60 pytest tests/end_to_end/test_steady.py`` looks for a minute at each screen.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.link import PATIENCE, Site, label, record, stop
from tests.sending import RampOutlet, wait_for
from tests.tui.terminal import Terminal

SECONDS = float(os.environ.get("STEADY_SECONDS", "1.5"))
N_FRAMES = 8
DIGIT = re.compile("[0-9 ]")
MARK = re.compile("▼ +[0-9]+ fps|↕ cut")
"""What comes and goes in a place of its own."""


class Watched(Terminal):
    """A terminal whose screen is looked at after every frame: at its end the terminal is asked where its cursor is."""

    look: Callable[[list[str]], Any] = staticmethod(lambda rows: None)

    def _answer(self) -> None:
        super()._answer()
        self.look(list(self.screen.display))


def shape(rows: list[str]) -> tuple[str, ...]:
    """Rows 1 to 3 without their digits, and without marks."""
    return tuple(DIGIT.sub("0", MARK.sub(lambda mark: " " * len(mark[0]), row)) for row in rows[:3])


def watch(terminal: Watched) -> list[tuple[str, ...]]:
    """The shapes of the frames of some seconds, at least of so many."""
    shapes: list[tuple[str, ...]] = []
    began = time.monotonic()
    terminal.look = lambda rows: shapes.append(shape(rows))
    wait_for(lambda: time.monotonic() - began > SECONDS and len(shapes) > N_FRAMES, PATIENCE + SECONDS)
    terminal.look = lambda rows: None
    return shapes


def test_nothing_on_the_top_rows_moves(tmp_path: Path, unique: str) -> None:
    with RampOutlet(unique, 8, 500.0, chunk=10) as outlet:
        site = Site(tmp_path, outlet)
        try:
            with Watched([sys.executable, "-m", "myogestic_tui"], cwd=site.folder) as terminal:
                opening: list[list[str]] = []
                terminal.look = opening.append
                record(terminal)
                terminal.look = lambda rows: None
                whole = next(i for i, rows in enumerate(opening) if "? help" in rows[23])
                broken = [rows for rows in opening[whole:] if "? help" not in rows[23] or " s S" not in rows[0]]
                assert not broken, chr(10).join([*broken[0], f"{len(broken)} of {len(opening)} from {whole}"])
                label(terminal, "2")
                for key, title in (("r", "r RECORD"), ("l", "l LIVE"), ("s", "s STREAMS")):
                    terminal.press(key)
                    terminal.wait_for(lambda text, title=title: title in text.splitlines()[0], PATIENCE)
                    assert len(set(watch(terminal))) == 1
                stop(terminal)
        finally:
            site.end()
