"""Latency of `append` without programs of ``[on]``, and beside ones that hang, fork, flood and die; JSON, in ms.

    python bench/hooks_latency.py --seconds 30

Blocks of each kind take turns in one process, so that what else runs on the machine counts for all of them alike. On a
busy machine a p99.9 of some thousand calls says little: `rounds_worse` counts in how many rounds the slowest hundredth
of a block was slower than that of the block without programs just before it; half of them is no difference.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from myogestic_tui import StreamInfo
from myogestic_tui.app.command_runner import CommandRunner
from myogestic_tui.session import Session

PROGRAMS = {
    "none": "",
    "hangs": "import time; time.sleep(600)",
    "forks": "import os\nfor _ in range(5): os.fork()\nwhile True: pass",
    "floods": "while True: print('x' * 100000)",
    "dies": "import os; os.kill(os.getpid(), 11)",
}
BLOCK_SECONDS = 1.0
LIMIT_SECONDS = 0.9


def one_block(session: Session, runner: CommandRunner, program: str) -> list[float]:
    """Latencies of a block's appends, 64 ch × 2048 Hz in chunks of 32."""
    data, stamps = np.random.default_rng(0).normal(size=(32, 64)).astype("float32"), np.arange(32.0)
    if program:
        for number in range(4):
            runner.run(str(number), [sys.executable, "-c", program], LIMIT_SECONDS)
    took, until = [], time.perf_counter() + BLOCK_SECONDS
    while (began := time.perf_counter()) < until:
        session.append("emg", data, stamps)
        took.append(time.perf_counter() - began)
        time.sleep(32 / 2048)
    time.sleep(0.5 if program else 0.0)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each kind")
    seconds = parser.parse_args().seconds
    took: dict[str, list[list[float]]] = {name: [] for name in PROGRAMS}
    runner = CommandRunner(lambda *_: None)
    runner.start()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        session = Session(folder)
        session.init_stream("emg", StreamInfo(64, 2048.0))
        for _ in range(round(seconds / BLOCK_SECONDS)):
            for name, program in PROGRAMS.items():
                took[name].append(one_block(session, runner, program))
        session.finish()
    runner.stop()
    print(json.dumps({name: figures(blocks, took["none"]) for name, blocks in took.items()}, indent=2))


def figures(blocks: list[list[float]], alone: list[list[float]]) -> dict[str, float]:
    """Quantiles of all calls, how many took longer than 1 and 10 ms, and the comparison round by round."""
    times = np.concatenate(blocks)
    quantiles = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
    found: dict[str, float] = {key: round(float(np.percentile(times, q)) * 1e3, 3) for key, q in quantiles.items()}
    pairs = zip(blocks, alone, strict=True)
    worse = sum(bool(np.percentile(block, 99) > np.percentile(before, 99)) for block, before in pairs)
    over = {f"over_{ms}_ms": int((times > ms * 1e-3).sum()) for ms in (1, 10)}
    return found | over | {"n": len(times), "rounds": len(blocks), "rounds_worse": worse}


if __name__ == "__main__":
    main()
