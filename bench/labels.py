"""From `execute(AddLabel)` in a viewer's process to the label on disk: budget p99 <= 20 ms on an idle disk.

A real recorder process on a sessions folder of its own, `--channels` of synthetic EMG over LSL being recorded, and a
client in this process, as the screens have one. `execute` returns once the label's frame is in the journal and synced.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np

from myogestic_tui.app.recorder import AddLabel, Shutdown, Start, Stop
from myogestic_tui.control.spawn import attach
from myogestic_tui.session import open_session_store

PATIENCE = 60.0


def generator(name: str, channels: int, rate: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "myogestic_tui.sources.generator", "--until-eof", "--name", name]
    command += ["--channels", str(channels), "--rate", str(rate)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def measure(folder: Path, name: str, n_labels: int, pause_s: float) -> dict[str, object]:
    config = folder / "myogestic.toml"
    classes = "gestures = [{name = 'Rest'}, {name = 'Fist'}]"
    config.write_text(f"{classes}\n[[streams]]\nname = '{name}'\nas = 'emg'\n")
    dice, took, pressed = random.Random(1), [], []
    with attach(folder / "sessions", config_file=config, program="bench") as client:
        client.wait_for(lambda now: any(s.name == "emg" and s.state == "live" for s in now.streams), PATIENCE)
        assert client.execute(Start()).ok
        time.sleep(2.0)
        for number in range(n_labels):
            time.sleep(dice.random() * 2.0 * pause_s)
            at = time.monotonic()
            assert client.execute(AddLabel(class_index=number % 2, timestamp=at)).ok
            took.append(1e3 * (time.monotonic() - at))
            pressed.append(at)
        client.execute(Stop())
        client.wait_for(lambda now: now.session is not None and now.session.path.endswith(".zip"), PATIENCE)
        path = client.status().session.path  # type: ignore[union-attr]
        client.execute(Shutdown())
    with open_session_store(path) as session:
        error = np.abs(np.array([label.timestamp for label in session.label_track]) - pressed)
    return {
        "labels": n_labels,
        "p50_ms": round(float(np.percentile(took, 50)), 3),
        "p99_ms": round(float(np.percentile(took, 99)), 3),
        "max_ms": round(max(took), 3),
        "time_error_max_ms": round(1e3 * float(error.max()), 6),
        "budget_p99_ms": 20.0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=500)
    parser.add_argument("--pause", type=float, default=0.02, help="mean seconds between labels")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2048.0)
    given = parser.parse_args()
    name = f"bench-{uuid.uuid4().hex[:8]}"
    outlet = generator(name, given.channels, given.rate)
    try:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            result = measure(Path(folder), name, given.labels, given.pause)
    finally:
        assert outlet.stdin is not None
        outlet.stdin.close()
        outlet.wait(PATIENCE)
    print(json.dumps({"bench": "labels", "channels": given.channels, "rate": given.rate, **result}, indent=2))


if __name__ == "__main__":
    main()
