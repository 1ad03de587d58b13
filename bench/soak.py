"""A recorder process that records for as long as told, while its outlets die and return.

Four outlets in processes of their own send a counter in their first channel that continues from life to life. Time and
again one of them is stopped cleanly, killed, or frozen for a few seconds. Afterwards the session is opened, and every
counter value that an outlet pushed is looked for. What a kill took from the outlet's own queue ("in flight") is told
apart: no recorder can have it. The recorder's resident memory, open files and threads are sampled all along.

Run it for 20 minutes or more: ``python bench/soak.py --minutes 20``.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from myogestic_tui.app.interface import Shutdown, Start, Stop
from myogestic_tui.control.spawn import attach
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import open_session_store
from myogestic_tui.sources import Outlet

PATIENCE = 120.0
LAYOUTS = {
    "emg": {"n_channels": 32, "fs": 2048.0, "dtype": "int32", "type": "EMG"},
    "imu": {"n_channels": 6, "fs": 100.0, "dtype": "float64", "type": "IMU"},
    "hand": {"n_channels": 9, "fs": 60.0, "dtype": "float32", "type": "Kinematics"},
    "markers": {"n_channels": 1, "fs": 0.0, "dtype": "string", "type": "Markers"},
}
MARKERS_PER_S = 5.0
IN_FLIGHT_S = 0.5
"""What an outlet pushed so shortly before it was killed may never have left it."""


# ---------------------------------------------------------------- an outlet, in its own process


def play(options: dict) -> None:
    """Send the counter from ``first`` on, in real time, once somebody listens; keep the count in a shared file."""
    name, first, path = options.pop("name"), options.pop("first"), options.pop("count_file")
    outlet = Outlet(name, StreamInfo(**options))
    rate = outlet.info.fs or MARKERS_PER_S
    end = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), end.set()), daemon=True).start()
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        print("ready", flush=True)
        while not outlet.has_consumers and not end.wait(0.01):
            pass
        start, sent = time.monotonic(), 0
        while not end.wait(0.015):
            due = int((time.monotonic() - start) * rate)
            if due > sent:
                push(outlet, np.arange(first + sent, first + due), start + np.arange(sent, due) / rate)
                sent = due
                shared[:] = struct.pack("<q", first + sent)
    time.sleep(0.5)  # what was pushed is on its way
    outlet.close()


def push(outlet: Outlet, counts: np.ndarray, stamps: np.ndarray) -> None:
    if outlet.info.is_string:
        outlet.push_text([[str(count)] for count in counts], stamps.tolist())
        return
    data = np.zeros((len(counts), outlet.info.n_channels), outlet.info.dtype)
    data[:] = counts[:, None]
    outlet.push(data, stamps)


@dataclass
class Player:
    """The lives of one outlet."""

    name: str
    stem: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    kills: list[int] = field(default_factory=list)
    """The count at each kill."""
    faults: dict[str, int] = field(default_factory=lambda: {"stopped": 0, "killed": 0, "frozen": 0})

    def __post_init__(self) -> None:
        self.count_file = self.folder / f"{self.stem}.count"
        self.count_file.write_bytes(struct.pack("<q", 0))

    @property
    def count(self) -> int:
        return int(struct.unpack("<q", self.count_file.read_bytes())[0])

    def start(self) -> None:
        options = {"name": self.name, "source_id": self.name, "first": self.count, "count_file": str(self.count_file)}
        command = [sys.executable, __file__, "--outlet", json.dumps(options | LAYOUTS[self.stem])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def end(self) -> None:
        assert self.process is not None
        self.process.communicate(timeout=PATIENCE)

    def suffer(self, fault: str, seconds: float) -> None:
        """One fault, then back to life."""
        assert self.process is not None
        self.faults[fault] += 1
        if fault == "frozen":
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            self.process.send_signal(signal.SIGCONT)
            return
        if fault == "killed":
            self.process.kill()
        self.end()
        if fault == "killed":
            self.kills.append(self.count)
        time.sleep(seconds)
        self.start()


# ---------------------------------------------------------------- the soak


def sample(pid: int, began: float) -> dict[str, float]:
    process = psutil.Process(pid)
    return {
        "at_s": round(time.monotonic() - began, 1),
        "rss_mb": round(process.memory_info().rss / 1e6, 1),
        "open_files": process.num_fds(),
        "threads": process.num_threads(),
    }


def torment(players: list[Player], pid: int, seconds: float, every: float, dice: random.Random) -> list[dict]:
    """Let outlets die and return; what the recorder's process took, about ten times a minute."""
    began, samples, faults = time.monotonic(), [], []
    next_fault = began + every
    while (now := time.monotonic()) < began + seconds:
        samples.append(sample(pid, began))
        faults = [fault for fault in faults if fault.is_alive()]
        if now >= next_fault and not faults and now < began + seconds - 30.0:
            player, kind = dice.choice(players), dice.choice(["stopped", "killed", "frozen"])
            fault = threading.Thread(target=player.suffer, args=(kind, dice.uniform(0.0, 12.0)))
            fault.start()
            faults.append(fault)
            next_fault = now + every
        time.sleep(min(6.0, max(0.1, began + seconds - now)))
    for fault in faults:
        fault.join()
    return samples


def examine(player: Player, counts: np.ndarray, last: int) -> dict[str, object]:
    """What of an outlet's counter the session holds, up to ``last``."""
    missing = np.setdiff1d(np.arange(int(counts[0]), last), counts)
    rate = LAYOUTS[player.stem]["fs"] or MARKERS_PER_S
    in_flight = np.zeros(len(missing), bool)
    for kill in player.kills:
        in_flight |= (missing < kill) & (missing >= kill - max(1, IN_FLIGHT_S * rate))
    return {
        "pushed": player.count,
        "recorded": len(counts),
        "lost_samples": int(np.count_nonzero(~in_flight)),
        "in_flight_at_kill": int(np.count_nonzero(in_flight)),
        "repeated_samples": int(len(counts) - len(np.unique(counts))),
        "out_of_order": int(np.count_nonzero(np.diff(counts) < 0)),
        "faults": player.faults,
        "first_lost": missing[~in_flight][:5].tolist(),
    }


def soak(folder: Path, minutes: float, every: float, seed: int) -> dict[str, object]:
    run = uuid.uuid4().hex[:6]
    players = [Player(f"soak-{stem}-{run}", stem, folder) for stem in LAYOUTS]
    config = folder / "myogestic.toml"
    config.write_text("".join(f"[[streams]]\nname = '{player.name}'\nas = '{player.stem}'\n" for player in players))
    for player in players:
        player.start()
    with attach(folder / "sessions", config_file=config, program="soak") as client:
        live = client.wait_for(lambda now: sum(s.state == "live" for s in now.streams) >= len(players), PATIENCE)
        assert live is not None, client.status().streams
        assert client.execute(Start()).ok
        samples = torment(players, client.pid, 60.0 * minutes, every, random.Random(seed))
        for player in players:
            player.end()
        time.sleep(2.0)
        client.execute(Stop())
        client.wait_for(lambda now: now.session is not None and now.session.path.endswith(".zip"), 10 * PATIENCE)
        path = client.status().session.path  # type: ignore[union-attr]
        client.execute(Shutdown())
    results = {}
    with open_session_store(path) as session:
        for player in players:
            first = np.asarray(session.stores[player.stem][:, 0])
            results[player.stem] = examine(player, first.astype(np.int64), player.count)
            results[player.stem]["gaps"] = len(session.gaps(player.stem)) if player.stem != "markers" else None
    settled = samples[len(samples) // 5 :]
    return {
        "bench": "soak",
        "minutes": minutes,
        "lost_samples": sum(int(result["lost_samples"]) for result in results.values()),
        "rss_mb": {"first": settled[0]["rss_mb"], "last": settled[-1]["rss_mb"], "most": _most(settled, "rss_mb")},
        "open_files": {"first": settled[0]["open_files"], "most": _most(settled, "open_files")},
        "threads": {"first": settled[0]["threads"], "most": _most(settled, "threads")},
        "streams": results,
        "over_time": samples[:: max(1, len(samples) // 40)],
    }


def _most(samples: list[dict], what: str) -> float:
    return max(one[what] for one in samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="how long (%(default)s)")
    parser.add_argument("--every", type=float, default=15.0, help="seconds between faults (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dir", default=None, help="where to record; a temporary folder here where absent")
    parser.add_argument("--outlet", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.outlet:
        play(json.loads(given.outlet))
        return
    with tempfile.TemporaryDirectory(dir=given.dir or os.getcwd(), prefix="bench-soak-") as folder:
        print(json.dumps(soak(Path(folder), given.minutes, given.every, given.seed), indent=2))


if __name__ == "__main__":
    main()
