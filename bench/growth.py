"""How the recorder's CPU and memory grow with channels, rate and hours. Prints JSON, or a table and a plot.

    python bench/growth.py                      # the grid, some minutes, and eight hours at speed
    python bench/growth.py --markdown           # as bench/README.md has them

grid
    A recorder process records one live outlet of so many channels at such a rate, nobody watching; the generator runs
    on the same machine. Memory should be linear in the bytes per second, CPU at most.
hours
    `Session.append` of hours of samples, unpaced, a fifth of a second each: memory over time, and what a second of
    signal costs, should be flat.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from live import generator, losses, recorder, usage

from myogestic_tui import StreamInfo
from myogestic_tui.app.interface import Stop
from myogestic_tui.session import Session

CHANNELS = (8, 64, 256, 512)
RATES = (100.0, 2048.0, 10_000.0, 20_000.0)
MOST_BYTES_PER_S = 256 * 20_000 * 4
"""Beyond that a generator and a recorder need more than two cores."""
PATIENCE = 600.0

Row = dict[str, Any]


def cell(folder: Path, channels: int, fs: float, seconds: float) -> Row:
    """One outlet, recorded."""
    folder.mkdir()
    with generator(channels, fs) as name, recorder(folder, name) as client:
        used = usage(client.pid, seconds)
        client.execute(Stop())
        done = client.wait_for(lambda now: now.session is not None and now.session.path.endswith(".zip"), PATIENCE)
        assert done is not None
        assert done.session is not None
        lost = losses(done.session.path, fs)["lost_samples"]
    return {"channels": channels, "fs": fs, "mb_per_s": channels * fs * 4 / 1e6, "lost_samples": lost, **used}


def grid(base: Path, seconds: float) -> list[Row]:
    """Every combination that two cores can make."""
    rows = []
    for channels in CHANNELS:
        for fs in RATES:
            if channels * fs * 4 <= MOST_BYTES_PER_S:
                with tempfile.TemporaryDirectory(dir=base) as folder:
                    rows.append(cell(Path(folder) / "one", channels, fs, seconds))
    return rows


def hours(base: Path, n_hours: float, channels: int = 8, fs: float = 250.0, step: float = 0.2) -> list[Row]:
    """Resident memory and CPU of this process for each half hour of signal."""
    session, n = Session(base, reserve_bytes=0), round(step * fs)
    session.init_stream("emg", StreamInfo(channels, fs))
    block = (np.random.default_rng(0).standard_normal((n, channels)) * 50).astype(np.float32)
    rows, process, cpu = [], psutil.Process(), cpu_s()
    for number in range(round(n_hours * 3600 / step)):
        session.append("emg", block, number * step + np.arange(n) / fs)
        if (number + 1) % round(1800 / step) == 0:
            session.flush()
            now = cpu_s()
            rows.append(
                {
                    "hours": (number + 1) * step / 3600,
                    "rss_mb": round(process.memory_info().rss / 1e6, 1),
                    "cpu_ms_per_s": round(1e3 * (now - cpu) / 1800, 3),
                }
            )
            cpu = now
    session.finish()
    return rows


def cpu_s() -> float:
    """Of all threads of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def markdown(result: dict[str, list[Row]]) -> str:
    """Tables, and a plot for each."""
    lines = ["| channels | Hz | MB/s | CPU, % of a core | resident MB | PSS MB | wake-ups/s | lost |", "|---" * 8 + "|"]
    keys = ("channels", "fs", "mb_per_s", "cpu_percent", "rss_mb", "pss_mb", "wakeups_per_s", "lost_samples")
    lines += [f"| {' | '.join(f'{row[key]:,.6g}' for key in keys)} |" for row in result.get("grid", [])]
    ordered = sorted(result.get("grid", []), key=lambda row: row["mb_per_s"])
    lines += ["", *_plot("Recorder over MB/s: CPU (%) and memory (MB)", ordered, "mb_per_s", ("cpu_percent", "rss_mb"))]
    over_time = result.get("hours", [])
    lines += ["", *_plot("Memory (MB) over hours", over_time, "hours", ("rss_mb",))]
    return "\n".join(lines)


def _plot(title: str, rows: list[Row], x: str, ys: tuple[str, ...]) -> list[str]:
    at = ", ".join(f'"{row[x]:.3g}"' for row in rows)
    drawn = [f"    line [{', '.join(str(row[y]) for row in rows)}]" for y in ys]
    return ["```mermaid", "xychart-beta", f'    title "{title}"', f"    x-axis [{at}]", *drawn, "```"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each cell of the grid (%(default)s)")
    parser.add_argument("--hours", type=float, default=8.0, help="of signal, at speed; 0 leaves it out")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--dir", default=None, help="where to record; a temporary folder here where absent")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir or Path.cwd(), prefix="bench-growth-") as base:
        started = time.monotonic()
        result = {"hours": hours(Path(base), given.hours) if given.hours else []}
        result["grid"] = grid(Path(base), given.seconds) if given.seconds else []
        about = {"bench": "growth", "load": os.getloadavg(), "took_s": round(time.monotonic() - started)}
    print(markdown(result) if given.markdown else json.dumps({**about, **result}, indent=2))


if __name__ == "__main__":
    main()
