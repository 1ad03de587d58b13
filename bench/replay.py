"""Replay over a minute: whether its rate is right within 0.1 %, by the stamps and by the arrival of the samples.

    python bench/replay.py [--seconds 60] [--channels 64] [--rate 2048]

``myogestic-tui replay`` sends a session in a process of its own; this one takes it from the network and compares every
sample with the recorded one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session
from myogestic_tui.sources import LSLSource

PATIENCE_S = 60.0


def recorded(folder: Path, name: str, n_channels: int, fs: float, n: int) -> tuple[Path, np.ndarray]:
    session = Session(folder, reserve_bytes=0)
    session.init_stream(name, StreamInfo(n_channels, fs))
    data = np.random.default_rng(0).standard_normal((n, n_channels), dtype="float32")
    session.append(name, data, 500.0 + np.arange(n) / fs)
    return session.pack_to_zip(), data


def received(source: LSLSource, data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Stamps of all samples; when how many had arrived; and how many samples differ."""
    stamps, arrivals, differing, got = [], [], 0, 0
    deadline = time.monotonic() + PATIENCE_S
    while got < len(data) and time.monotonic() < deadline:
        block, times = source.read()
        if len(times):
            deadline = time.monotonic() + PATIENCE_S
            differing += int(np.any(block != data[got : got + len(block)], axis=1).sum())
            got += len(times)
            stamps.append(times)
            arrivals.append((local_clock(), got))
        time.sleep(0.02)
    when, count = np.array(arrivals).T
    return np.concatenate(stamps), when, count, differing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2048.0)
    given = parser.parse_args()
    name, n = f"bench-{uuid.uuid4().hex[:8]}", int(given.seconds * given.rate)
    with tempfile.TemporaryDirectory() as folder:
        path, data = recorded(Path(folder), name, given.channels, given.rate, n)
        command = [sys.executable, "-m", "myogestic_tui", "replay", str(path), "--wait", str(PATIENCE_S)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sender:
            source = LSLSource(f"{name}-replay", timeout=PATIENCE_S)
            source.connect()
            stamps, when, count, differing = received(source, data)
            sender.wait(PATIENCE_S)
            source.disconnect()
    by_stamps = (len(stamps) - 1) / (stamps[-1] - stamps[0])
    by_arrival = np.polyfit(when - when[0], count, 1)[0]
    result = {
        "bench": "replay",
        "seconds": given.seconds,
        "samples": len(stamps),
        "missing": n - len(stamps),
        "differing": differing,
        "off_by_stamps_percent": round(100 * abs(by_stamps / given.rate - 1), 6),
        "off_by_arrival_percent": round(100 * abs(float(by_arrival) / given.rate - 1), 4),
        "budget_percent": 0.1,
        "load": os.getloadavg(),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
