"""From a key, or `execute(AddLabel)` in another process, to the label on disk: budget p99 <= 20 ms on an idle disk.

A real recorder process records `--channels` of synthetic EMG over LSL. ``execute``: a client in this process, as the
screens have one; it returns once the label is in the journal. ``key``: the real screens in a pty; a key is written
to the terminal, and the journal of events is watched until it has grown. Time error: the stored time stamp of the
label against the instant at which the key was written.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pty
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from myogestic_tui.app.interface import AddLabel, Shutdown, Start, Status, Stop
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.spawn import attach
from myogestic_tui.session import open_session_store

PATIENCE = 60.0
CONFIG = """
gestures = [{{ name = "Rest" }}, {{ name = "Fist" }}]
[[streams]]
name = "{name}"
as = "emg"
"""


@contextlib.contextmanager
def generator(name: str, channels: int, rate: float) -> Iterator[None]:
    command = [sys.executable, "-m", "myogestic_tui.sources.generator", "--until-eof", "--name", name]
    command += ["--channels", str(channels), "--rate", str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


@contextlib.contextmanager
def screens(folder: Path) -> Iterator[int]:
    """The real screens on a terminal of 160x50; yields the end that a keyboard has."""
    keyboard, terminal = pty.openpty()
    os.set_blocking(keyboard, True)
    command = [sys.executable, "-m", "myogestic_tui", "--sessions", "sessions", "--config", "myogestic.toml"]
    size = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "50"}
    viewer = subprocess.Popen(
        command, cwd=folder, env=size, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    threading.Thread(target=_swallow, args=(keyboard,), daemon=True).start()
    try:
        yield keyboard
    finally:
        viewer.terminate()
        viewer.wait(PATIENCE)
        os.close(keyboard)


def _swallow(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(descriptor, 1 << 16):
            pass


def by_execute(client: RecorderClient, at: float, class_index: int, _: Path) -> None:
    assert client.execute(AddLabel(class_index=class_index, timestamp=at)).ok


def by_key(keyboard: int, class_index: int, journal: Path) -> None:
    before = journal.stat().st_size
    os.write(keyboard, b"12"[class_index : class_index + 1])
    until = time.monotonic() + PATIENCE
    while journal.stat().st_size == before:
        assert time.monotonic() < until, "the key never became a label"
        time.sleep(0.0002)


def measure(folder: Path, press: str, n_labels: int, pause_s: float) -> dict[str, float]:
    took, pressed = [], []
    dice = random.Random(1)
    with contextlib.ExitStack() as stack:
        config = folder / "myogestic.toml"
        client = stack.enter_context(attach(folder / "sessions", config_file=config, program="bench"))
        client.wait_for(lambda now: any(s.name == "emg" and s.state == "live" for s in now.streams), PATIENCE)
        assert client.execute(Start()).ok
        keyboard = stack.enter_context(screens(folder)) if press == "key" else -1
        client.wait_for(lambda now: now.viewers == (2 if press == "key" else 1), PATIENCE)
        time.sleep(3.0)
        path = Path(_session(client.status()))
        journal = path / "journal" / "@events.journal"
        for number in range(n_labels):
            time.sleep(pause_s * (0.5 + dice.random()))
            at = time.monotonic()
            if press == "key":
                by_key(keyboard, number % 2, journal)
            else:
                by_execute(client, at, number % 2, journal)
            took.append(1e3 * (time.monotonic() - at))
            pressed.append(at)
        client.execute(Stop())
        ready = client.wait_for(lambda now: _session(now).endswith(".zip"), PATIENCE)
        assert ready is not None
        client.execute(Shutdown())
    with open_session_store(_session(ready)) as session:
        stamps = np.array([label.timestamp for label in session.label_track])
    error = 1e3 * (stamps - np.array(pressed))
    return {
        "p50_ms": round(float(np.percentile(took, 50)), 3),
        "p99_ms": round(float(np.percentile(took, 99)), 3),
        "max_ms": round(max(took), 3),
        "time_error_p50_ms": round(float(np.percentile(error, 50)), 3),
        "time_error_max_ms": round(float(error.max()), 3),
    }


def _session(status: Status) -> str:
    return status.session.path if status.session is not None else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--pause", type=float, default=0.05, help="mean seconds between labels")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2048.0)
    given = parser.parse_args()
    result: dict[str, object] = {"bench": "labels", **vars(given), "budget_p99_ms": 20.0}
    for press in ("execute", "key"):
        name = f"bench-{uuid.uuid4().hex[:8]}"
        with generator(name, given.channels, given.rate), tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            (Path(folder) / "myogestic.toml").write_text(CONFIG.format(name=name))
            result[press] = measure(Path(folder), press, given.labels, given.pause)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
