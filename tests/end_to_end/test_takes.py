"""Take after take by three keys each, in a real terminal: who and what stick, the number counts, all are kept."""

from __future__ import annotations

import sys
from pathlib import Path

from myogestic_tui.session import open_session_store
from tests.end_to_end.conftest import end_recorder
from tests.sending import RampOutlet
from tests.tui.terminal import Terminal

TAKES = 20
FIRST = 4


def test_twenty_takes_in_a_row_cost_three_keys_each(folder: Path, unique: str) -> None:
    (folder / "myogestic.toml").write_text(
        f'streams = [{{ name = "{unique}", required = true }}]\n'
        f'take = {{ subject = "P07", task = "grasp", take = {FIRST}, fields = {{ hand = "left" }} }}\n'
    )
    keys = 0

    def press(*names: str) -> None:
        nonlocal keys
        keys += len(names)
        terminal.press(*names)

    with (
        RampOutlet(unique, 4, 500.0),
        Terminal([sys.executable, "-m", "myogestic_tui"], cwd=folder) as terminal,
    ):
        terminal.wait_for("1/1 streams")
        terminal.press("r")
        for take in range(FIRST, FIRST + TAKES):
            terminal.wait_for(f"next P07 · grasp · take {take:02d}")
            press("space")
            terminal.wait_for("● REC")
            press("x")
            terminal.wait_for("⏎ save")
            press("enter")
        terminal.wait_for(f"next P07 · grasp · take {FIRST + TAKES:02d}")
        assert keys == 3 * TAKES
        sessions = folder / "sessions"
        terminal.press("q")
        assert terminal.wait_exit() == 0
        end_recorder(folder)
    found: dict[int | None, Path] = {}
    for path in sessions.glob("2*"):
        with open_session_store(path) as session:
            meta = session.meta
            assert (meta.subject, meta.task, meta.extra["hand"]) == ("P07", "grasp", "left")
            assert meta.name == f"P07_grasp_{meta.take:02d}"
            assert session.stores[unique].shape[1] == 4
        found[meta.take] = path
    assert sorted(found) == list(range(FIRST, FIRST + TAKES))
    for take, path in found.items():
        assert path.is_dir() or path.name.endswith(f"_P07_grasp_{take:02d}.session.zip")
