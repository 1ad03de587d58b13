"""The main job by keys alone, in a real terminal, on a real stream: see it, record it, label it, find it."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import numpy as np

from myogestic_tui.session import open_session_store, verify_session
from tests.sending import RampOutlet, ramp
from tests.tui.terminal import Terminal

BRAILLE = re.compile("[\u2801-\u28ff]+")


def select(terminal: Terminal, name: str) -> None:
    """Move the cursor of the Streams screen to a stream, among whatever else is on the network."""
    deadline = time.monotonic() + 120.0
    listed = re.compile(rf"^ \[[ x]\] .*{re.escape(name)}", re.MULTILINE)
    while not re.search(rf"^── {re.escape(name)} ", terminal.text, re.MULTILINE):  # the details are the cursor's
        assert time.monotonic() < deadline, terminal.text
        if listed.search(terminal.text):
            terminal.press("down")
        time.sleep(0.2)


def trace(text: str) -> str:
    """The braille cells on a screen."""
    return "".join(BRAILLE.findall(text))


def test_see_record_label_stop_and_find(folder: Path, unique: str) -> None:
    with (
        RampOutlet(unique, 8, 500.0, chunk=10) as outlet,
        Terminal([sys.executable, "-m", "myogestic_tui"], cwd=folder) as terminal,
    ):
        terminal.wait_for(unique)
        select(terminal, unique)
        terminal.press("c")
        terminal.wait_for(lambda text: any(unique in row and "● live" in row for row in text.splitlines()))

        terminal.press("l")
        first = trace(terminal.wait_for(lambda text: len(trace(text)) > 50))
        terminal.wait_for(lambda text: trace(text) != first)

        terminal.press("r")
        terminal.wait_for("READY")
        terminal.press("space")
        terminal.wait_for("● REC")
        pressed = []
        for key, name, until in (("1", "Rest", 2), ("2", "Fist", 4), ("3", "Pinch", 6)):
            at = time.monotonic()
            terminal.press(key)
            terminal.wait_for(lambda text, now=f"{key} {name}": now in text.splitlines()[1])
            pressed.append((at, time.monotonic()))
            terminal.wait_for(lambda text, until=until: _elapsed(text) >= until)
        terminal.press("x")
        terminal.wait_for("⏎ save")
        terminal.press("enter")
        terminal.wait_for("○ IDLE")
        stopped = time.monotonic()

        terminal.press("b")
        terminal.wait_for("◇ packed")
        terminal.press("enter")
        terminal.wait_for(lambda text: unique in text and "500.0 Hz" in text)
        terminal.press("escape", "q")
        assert terminal.wait_exit() == 0
        assert terminal.is_restored()

    check(next((folder / "sessions").glob("*.session.zip")), outlet, pressed, stopped)


def _elapsed(text: str) -> int:
    found = re.search(r"REC +(\d\d):(\d\d):(\d\d)", text)
    return -1 if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def check(archive: Path, outlet: RampOutlet, pressed: list[tuple[float, float]], stopped: float) -> None:
    """Samples, time stamps and labels are what was sent and pressed."""
    assert verify_session(archive, "full").ok
    with open_session_store(archive) as session:
        data, stamps = session.stores[outlet.name][:], session.ts_stores[outlet.name][:]
        labels, names = session.label_track, session.class_names
    sent = outlet.all_stamps
    first = int(np.searchsorted(sent, stamps[0]))
    np.testing.assert_array_equal(stamps, sent[first : first + len(stamps)])
    np.testing.assert_array_equal(data, ramp(first, len(data), outlet.n_channels))
    assert pressed[0][0] >= stamps[0]
    assert 5.0 <= stamps[-1] - stamps[0] <= stopped - stamps[0]
    assert [names[label.class_index] for label in labels] == ["Rest", "Fist", "Pinch"]
    assert {label.source for label in labels} == {"key"}
    for label, (at, shown) in zip(labels, pressed, strict=True):
        assert at <= label.timestamp <= shown, "a label carries the time of its key"
