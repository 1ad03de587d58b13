"""A real recorder process on live LSL: its CPU and memory, alone and watched, and a load that must not fall behind.

Five parts, each with a generator process on the same machine:

- 64 channels at 2048 Hz, recording, nobody watching: budget 0.8 % of one core, 60 MB; and 256 at 10 kHz: 5 %, 160 MB;
- the same with one viewer at 10 frames/s (42 channels, as a 160x50 terminal shows): budget 5 %;
- 256 channels at 10 kHz for 60 s: no sample lost, resident memory flat;
- 64 channels at 2048 Hz while a gigabyte of archives is verified over and over by the recorder's niced children: no
  sample lost, `append` p99.9 at most 20 ms. The recorder is an `App` in this process, so that `append` can be timed;
- with ``--labrecorder PATH`` (of a LabRecorderCLI): both record the same outlet at the same time, 64 channels at
  2048 Hz and then 256 at 10 kHz; what one takes of the other.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.app.interface import Discard, Shutdown, Start, StartJob, Stop, View
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.spawn import attach
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.sources import LSLSource

PATIENCE = 120.0
WARM_UP_S = 5.0
REST_S = 35.0
"""After which a recorder that nobody watches any more holds less of a fast stream."""


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
        process = psutil.Process(client.pid)
        try:
            yield client
        finally:
            with attach(folder / "sessions", start=False, program="bench") as again:
                again.execute(Shutdown())
            process.wait(10 * PATIENCE)


def burned(pid: int) -> float:
    """CPU seconds of a process and all its children so far."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    children = [child.cpu_times() for child in process.children(recursive=True)]
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(child.user + child.system for child in children)


def wakeups(pid: int) -> int:
    """How often its threads that live now have waited and come back, so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has just ended
            total += int((task / "status").read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return total


def pss_mb(pid: int) -> float:
    """Memory with what is shared with other processes, such as the pages of Python itself, counted by its share."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3, 1)


def usage(pid: int, seconds: float) -> dict[str, object]:
    """CPU share and memory over a while."""
    time.sleep(WARM_UP_S)
    before, woken, began = burned(pid), wakeups(pid), time.monotonic()
    memory = []
    while (left := began + seconds - time.monotonic()) > 0:
        memory.append(psutil.Process(pid).memory_info().rss)
        time.sleep(min(1.0, left))
    passed = time.monotonic() - began
    cpu = (burned(pid) - before) / passed
    return {
        "cpu_percent": round(100 * cpu, 2),
        "wakeups_per_s": round((wakeups(pid) - woken) / passed, 1),
        "pss_mb": pss_mb(pid),
        "rss_mb": round(memory[-1] / 1e6, 1),
        "rss_growth_mb": round((max(memory[len(memory) // 2 :]) - max(memory[: len(memory) // 2])) / 1e6, 1),
        "seconds": round(seconds, 1),
        "threads": psutil.Process(pid).num_threads(),
    }


def alone(
    folder: Path, seconds: float, channels: int = 64, fs: float = 2048.0, cpu: float = 0.8, rss: float = 60.0
) -> dict[str, object]:
    """Nobody attached; ``cpu`` and ``rss`` are the budgets, in % of a core and MB."""
    with generator(channels, fs) as name, recorder(folder, name) as client:
        pid = client.pid
        client.close()
        time.sleep(REST_S)
        result = usage(pid, seconds)
    of_budget = {"cpu": _share(result["cpu_percent"], cpu), "rss": _share(result["rss_mb"], rss)}
    return {**result, "budget_cpu_percent": cpu, "budget_rss_mb": rss, "of_budget": of_budget}


def _share(found: object, budget: float) -> float:
    assert isinstance(found, float)
    return round(found / budget, 2)


def beside_labrecorder(folder: Path, seconds: float, labrecorder: str) -> dict[str, object]:
    """Both on one outlet."""
    return {
        f"{channels}x{fs:g}": _both(folder / f"{channels}", channels, fs, seconds, labrecorder)
        for channels, fs in ((64, 2048.0), (256, 10_000.0))
    }


def _both(folder: Path, channels: int, fs: float, seconds: float, labrecorder: str) -> dict[str, object]:
    folder.mkdir()
    with generator(channels, fs) as name, recorder(folder, name) as client:
        pid = client.pid
        client.close()
        time.sleep(REST_S)
        command = [labrecorder, str(folder / "peer.xdf"), f"name='{name}'"]
        peer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            with ThreadPoolExecutor(2) as pool:
                ours, theirs = pool.map(lambda one: usage(one, seconds), (pid, peer.pid))
        finally:
            peer.communicate(b"\n", timeout=PATIENCE)
    keys = ("cpu_percent", "rss_mb", "pss_mb", "wakeups_per_s")
    ratios = {f"{key}_ratio": round(float(ours[key]) / max(float(theirs[key]), 0.01), 2) for key in keys}  # type: ignore[arg-type]
    return {"ours": ours, "labrecorder": theirs, **ratios}


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
    return {**result, **losses(path, fs), "backlog_at_end": backlog}


def losses(path: str | Path, fs: float) -> dict[str, object]:
    """What is missing in a session, by its stamps."""
    with open_session_store(path) as session:
        stamps = session.timestamps("emg", clock="raw")
        gaps = session.gaps("emg")
    steps = np.diff(stamps) * fs
    return {
        "samples": len(stamps),
        "recorded_s": round(float(stamps[-1] - stamps[0]) + 1 / fs, 3),
        "lost_samples": int(np.rint(steps - 1).clip(0).sum()),
        "repeated_samples": int(np.count_nonzero(steps < 0.5)),
        "gaps": len(gaps),
        "budget_lost_samples": 0,
    }


def archives(folder: Path, count: int = 9, seconds: int = 450) -> list[Path]:
    """Sessions of 64 channels and 110 MB each."""
    session, fs = Session(folder / "one", reserve_bytes=0), 2048
    session.init_stream("emg", StreamInfo(64, fs))
    signal = np.round(np.random.default_rng(0).standard_normal((fs, 64)) * 200).astype(np.float32) / 4
    for second in range(seconds):
        session.append("emg", np.roll(signal, second, axis=1), second + np.arange(fs) / fs)
    first = session.pack_to_zip()
    return [first, *(Path(shutil.copy(first, folder / f"{number}{first.name}")) for number in range(1, count))]


def verifying(folder: Path, seconds: float) -> dict[str, object]:
    """64 channels at 2048 Hz beside verifications of a gigabyte."""
    paths = archives(folder)
    took: list[float] = []
    append = Session.append

    def timed(session: Session, *arguments: object) -> None:
        start = time.perf_counter()
        append(session, *arguments)
        took.append(time.perf_counter() - start)

    Session.append = timed  # type: ignore[method-assign]
    with generator(64, 2048.0) as name:
        app = App("bench", sessions_dir=folder / "sessions")
        app.streams(Stream("emg", source=LSLSource(name)))
        app.open()
        await_(lambda: any(stream.state == "live" for stream in app.status().streams))
        assert app.start_recording()
        session, began, verified = app.ctx.session, time.monotonic(), 0
        assert session is not None
        while time.monotonic() < began + seconds:
            app.execute(StartJob(kind="verify", paths=tuple(map(str, paths))))
            verified += len(paths)
            await_(lambda: not app.parts.jobs.busy or time.monotonic() > began + seconds)
        left = [job for job in app.parts.jobs.statuses() if job.state in ("running", "waiting")]
        for job in left:
            app.parts.jobs.cancel(job.id)
        app.stop_recording()
        app.shut()
    milliseconds = np.sort(took) * 1e3
    return {
        **losses(session.path, 2048.0),
        "archives_mb": round(sum(path.stat().st_size for path in paths) / 1e6),
        "verified": verified - len(left),
        "append_ms": {f"p{p}": round(float(np.percentile(milliseconds, p)), 2) for p in (50, 99, 99.9, 100)},
        "appends": len(took),
        "budget_append_p99.9_ms": 20.0,
    }


def await_(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


Part = Callable[[Path, float], dict[str, object]]
PARTS: dict[str, Part] = {
    "alone": alone,
    "alone_fast": partial(alone, channels=256, fs=10_000.0, cpu=5.0, rss=160.0),
    "watched": watched,
    "loaded": loaded,
    "verifying": verifying,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each part (%(default)s)")
    parser.add_argument("--parts", default=",".join(PARTS), help="which (%(default)s)")
    parser.add_argument("--labrecorder", default=None, help="a LabRecorderCLI to compare with")
    parser.add_argument("--dir", default=None, help="where to record; a temporary folder here where absent")
    given = parser.parse_args()
    results: dict[str, object] = {"bench": "live"}
    if given.labrecorder:
        PARTS["beside_labrecorder"] = partial(beside_labrecorder, labrecorder=given.labrecorder)
        given.parts += ",beside_labrecorder" if given.parts else "beside_labrecorder"
    for part in given.parts.split(","):
        with tempfile.TemporaryDirectory(dir=given.dir or Path.cwd(), prefix="bench-live-") as folder:
            results[part] = PARTS[part](Path(folder), given.seconds)
    print(json.dumps({**results, "load": os.getloadavg()}, indent=2))


if __name__ == "__main__":
    main()
