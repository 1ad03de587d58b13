"""A sessions folder with a known stream on the network, and viewers in terminals that may go away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from myogestic_tui.session import LabelEvent, open_session_store, verify_session
from tests.processes import has_ended
from tests.sending import RampOutlet, ramp, wait_for
from tests.tui.terminal import Terminal

PATIENCE = 120.0
NAMES = ("Rest", "Fist", "Pinch", "Open")
CONFIG = """
gestures = [{{ name = "Rest" }}, {{ name = "Fist" }}, {{ name = "Pinch" }}, {{ name = "Open" }}]
[[streams]]
name = "{stream}"
as = "emg"
"""


class Site:
    """A folder where an operator works: its configuration names the outlet's stream."""

    def __init__(self, folder: Path, outlet: RampOutlet) -> None:
        self.folder, self.outlet = folder, outlet
        self.sessions = folder / "sessions"
        (folder / "myogestic.toml").write_text(CONFIG.format(stream=outlet.name))

    def viewer(self, **more: Any) -> Terminal:
        """``myogestic-tui`` in a terminal."""
        return Terminal([sys.executable, "-m", "myogestic_tui"], cwd=self.folder, **more)

    def ctl(self, *arguments: str) -> dict[str, Any]:
        """What ``ctl … --json`` prints."""
        command = [sys.executable, "-m", "myogestic_tui", "ctl", *arguments, "--json"]
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=PATIENCE
        )
        return json.loads(done.stdout)

    def pid(self) -> int:
        """The recorder's, as the folder's lock names it."""
        return int(json.loads((self.sessions / ".myogestic/recorder.lock").read_bytes())["pid"])

    def archive(self) -> Path:
        """The one archive, once it is there."""
        wait_for(lambda: list(self.sessions.glob("*.session.zip")), PATIENCE)
        (path,) = self.sessions.glob("*.session.zip")
        return path

    def end(self) -> None:
        """End the recorder, if one is left."""
        with suppress(OSError, ValueError):
            pid = self.pid()
            os.kill(pid, signal.SIGTERM)
            wait_for(lambda: has_ended(pid), PATIENCE)


def elapsed(text: str) -> int:
    """Seconds of recording that a screen shows; -1 where it shows none."""
    found = re.search(r"REC +(\d\d):(\d\d):(\d\d)", text)
    return -1 if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


def at_least(seconds: int) -> Any:
    """Says of a screen that so much is recorded."""
    return lambda text: elapsed(text) >= seconds


def record(terminal: Terminal) -> None:
    """Wait until the stream is live, and start recording from the Record screen."""
    terminal.wait_for("● live", PATIENCE)
    terminal.press("r")
    terminal.wait_for("records take", PATIENCE)
    terminal.press("space")
    terminal.wait_for("● REC", PATIENCE)


def label(terminal: Terminal, key: str) -> float:
    """Press a gesture key, wait until it shows; when it was pressed."""
    at = time.monotonic()
    terminal.press(key)
    terminal.wait_for(lambda text: f"{key} {NAMES[int(key) - 1]}" in text.splitlines()[1], PATIENCE)
    return at


def stop(terminal: Terminal) -> None:
    """Stop and save by keys."""
    terminal.press("x")
    terminal.wait_for("⏎ save", PATIENCE)
    terminal.press("enter")
    terminal.wait_for("○ IDLE", PATIENCE)


def check(path: Path, outlet: RampOutlet, classes: list[int], stream: str = "emg") -> tuple[float, list[LabelEvent]]:
    """Every sample from the first to the last is what was sent, none is missing; seconds recorded, and the labels."""
    assert verify_session(path, "full").ok
    with open_session_store(path) as session:
        data, stamps = session.stores[stream][:], session.ts_stores[stream][:]
        labels = session.label_track
        gaps = session.gaps(stream)
    sent = outlet.all_stamps
    first = int(np.searchsorted(sent, stamps[0]))
    np.testing.assert_array_equal(stamps, sent[first : first + len(stamps)])
    np.testing.assert_array_equal(data, ramp(first, len(data), outlet.n_channels))
    assert not gaps
    assert [one.class_index for one in labels] == classes
    return float(stamps[-1] - stamps[0]), list(labels)
