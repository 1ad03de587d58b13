"""A real recorder process on live LSL: its CPU and memory, alone and watched, and a load that must not fall behind.

Three parts, each with a generator process on the same machine:

- 64 channels at 2048 Hz, recording, nobody watching: budget 3 % of one core;
- the same with one viewer at 10 frames/s (42 channels, as a 160x50 terminal shows): budget 5 %;
- 256 channels at 10 kHz for 60 s: no sample lost, resident memory flat.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

from myogestic_tui.app.recorder import Discard, Shutdown, Start, Stop, View
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.spawn import attach
from myogestic_tui.session import open_session_store

PATIENCE = 120.0
WARM_UP_S = 5.0


@contextmanager
def generator(channels: int, rate: float) -> Iterator[str]:
    """An EMG outlet in its own process; gives its name."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    command = [sys.executable, "-m", "myogestic_tui.sources.generator", "--until-eof", "--no-hand", "--no-listen"]
    command += ["--name", name, "--channels", str(channels), "--rate", str(rate)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    try:
        yield name
    finally:
        process.stdin.close()
        process.wait(PATIENCE)


@contextmanager
def recorder(folder: Path, stream: str) -> Iterator[RecorderClient]:
    """A recorder process that is connected to the stream and records it."""
    config = folder / "myogestic.toml"
    config.write_text(f"[[streams]]\nname = '{stream}'\nas = 'emg'\n")
    with attach(folder / "sessions", config_file=config, program="bench") as client:
        client.wait_for(lambda now: any(s.name == "emg" and s.state == "live" for s in now.streams), PATIENCE)
        reply = client.execute(Start())
        assert reply.ok, reply.message
        try:
            yield client
        finally:
            with attach(folder / "sessions", start=False, program="bench") as again:
                again.execute(Shutdown())


def burned(pid: int) -> float:
    """CPU seconds of a process and all its children so far."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    children = [child.cpu_times() for child in process.children(recursive=True)]
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(child.user + child.system for child in children)


def usage(pid: int, seconds: float) -> dict[str, object]:
    """CPU share and memory over a while."""
    time.sleep(WARM_UP_S)
    before, began = burned(pid), time.monotonic()
    memory = []
    while (left := began + seconds - time.monotonic()) > 0:
        memory.append(psutil.Process(pid).memory_info().rss)
        time.sleep(min(1.0, left))
    cpu = (burned(pid) - before) / (time.monotonic() - began)
    return {
        "cpu_percent": round(100 * cpu, 2),
        "rss_mb": round(memory[-1] / 1e6, 1),
        "rss_growth_mb": round((max(memory[len(memory) // 2 :]) - max(memory[: len(memory) // 2])) / 1e6, 1),
        "seconds": round(seconds, 1),
        "threads": psutil.Process(pid).num_threads(),
    }


def alone(folder: Path, seconds: float) -> dict[str, object]:
    """64 channels at 2048 Hz, nobody attached."""
    with generator(64, 2048.0) as name, recorder(folder, name) as client:
        pid = client.pid
        client.close()
        result = usage(pid, seconds)
    return {**result, "budget_cpu_percent": 3.0}


def watched(folder: Path, seconds: float) -> dict[str, object]:
    """64 channels at 2048 Hz, with a viewer at 10 frames/s."""
    with generator(64, 2048.0) as name, recorder(folder, name) as client:
        client.fps = 10.0
        view = View(stream="emg", seconds=10.0, columns=220, n_channels=42)
        end, envelopes = threading.Event(), []

        def look() -> None:
            while not end.wait(0.1):
                envelope = client.envelope(view)
                if envelope is not None and envelope not in envelopes[-1:]:
                    envelopes.append(envelope)

        viewer = threading.Thread(target=look)
        viewer.start()
        try:
            result = usage(client.pid, seconds)
        finally:
            end.set()
            viewer.join()
        client.execute(Discard())
    return {**result, "envelopes_per_s": round(len(envelopes) / (seconds + WARM_UP_S), 1), "budget_cpu_percent": 5.0}


def loaded(folder: Path, seconds: float) -> dict[str, object]:
    """256 channels at 10 kHz: every sample from start to stop."""
    fs = 10_000.0
    with generator(256, fs) as name, recorder(folder, name) as client:
        result = usage(client.pid, max(1.0, seconds - WARM_UP_S))
        status = client.status()
        backlog = max((one.backlog for one in status.streams), default=0)
        client.execute(Stop())
        done = client.wait_for(lambda now: now.session is not None and now.session.path.endswith(".zip"), 10 * PATIENCE)
        assert done is not None
        assert done.session is not None
        path = done.session.path
    with open_session_store(path) as session:
        stamps = session.timestamps("emg", clock="raw")
        shape = session.stores["emg"].shape
        gaps = session.gaps("emg")
    steps = np.diff(stamps) * fs
    return {
        **result,
        "samples": int(shape[0]),
        "recorded_s": round(float(stamps[-1] - stamps[0]) + 1 / fs, 3),
        "lost_samples": int(np.rint(steps - 1).clip(0).sum()),
        "repeated_samples": int(np.count_nonzero(steps < 0.5)),
        "gaps": len(gaps),
        "backlog_at_end": backlog,
        "budget_lost_samples": 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part (%(default)s)")
    parser.add_argument("--parts", default="alone,watched,loaded", help="which (%(default)s)")
    parser.add_argument("--dir", default=None, help="where to record; a temporary folder here where absent")
    given = parser.parse_args()
    results: dict[str, object] = {"bench": "live"}
    for part in given.parts.split(","):
        with tempfile.TemporaryDirectory(dir=given.dir or Path.cwd(), prefix="bench-live-") as folder:
            results[part] = {"alone": alone, "watched": watched, "loaded": loaded}[part](Path(folder), given.seconds)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
