"""What looking through a very long session costs: opening, the whole of it, and zooms down to its samples. Prints JSON.

    python bench/browse.py                            # eight hours of 64 channels: 3 GB of disk, a few minutes
    python bench/browse.py --hours 1 --folder /mnt/sd/bench

The session is recorded through `Session` as int16 (small noise, so that it compresses), with a label every half minute
and a gap every hour, packed, and taken out of the page cache. A fresh process then looks at it as the Sessions screen
does, and says how long each look took, and how much memory it had at most, its imports among it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FS, BLOCK_S = 2048.0, 10.0
WIDTH = 160


def record(base: Path, hours: float, n_channels: int) -> Path:
    """A packed session."""
    from myogestic_tui.info import StreamInfo
    from myogestic_tui.session import Session, pack_session

    session = Session(base, class_names=["Rest", "Fist", "Pinch"], reserve_bytes=0)
    session.init_stream("emg", StreamInfo(n_channels, FS, "int16"))
    length = int(BLOCK_S * FS)
    block = np.random.default_rng(0).integers(-8, 8, (length, n_channels)).astype(np.int16)
    start = time.monotonic()
    for number in range(round(hours * 3600 / BLOCK_S)):
        lost = 2.5 * (number // round(3600 / BLOCK_S))
        at = start + number * BLOCK_S + lost
        session.append("emg", block * (1 + number // 3 % 3), at + np.arange(length) / FS)
        if number % 3 == 0:
            session.add_label(number // 3 % 3, at)
        if number % 6 == 5:
            session.flush()
    session.finish()
    return pack_session(session.path)


def look(path: Path) -> dict[str, Any]:
    """Seconds of each look, and memory in MB; in a process of its own."""
    from myogestic_tui.cli.plot_text import plot_text
    from myogestic_tui.session import open_session_store
    from myogestic_tui.session.reading.facts import read_facts
    from myogestic_tui.session.reading.overview import OverviewReader
    from myogestic_tui.stream.recorded_quality import recorded_quality

    figures: dict[str, Any] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = action()
        figures[f"{name}_s"] = round(time.perf_counter() - began, 4)
        return result

    session = timed("open", lambda: open_session_store(path))
    with session:
        reader = OverviewReader(session)
        timed("facts", lambda: read_facts(session))

        def draw(**stretch: Any) -> None:
            overview = reader.read(columns=2 * WIDTH, **stretch)
            assert len(plot_text(overview, WIDTH, 30, lambda index: "123"[index])) == 30

        timed("whole_rms", draw)
        timed("whole_rms_again", draw)
        timed("whole_channel", lambda: draw(channel=7))
        middle = session.summary().duration_s / 2
        for seconds in (3600.0, 60.0, 30.0, 1.0, 0.1):
            timed(f"zoom_{seconds:g}", lambda s=seconds: draw(channel=7, first_s=middle, last_s=middle + s))
        timed("pan_30_all", lambda: draw(first_s=1.5 * middle, last_s=1.5 * middle + 30))
        timed("quality", lambda: recorded_quality(session, "emg"))
    return figures | {"resident_MB": most_memory()}


def most_memory() -> float:
    """Most resident memory of this program so far, in MB. Not `getrusage`, which counts what forked it, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to be measured")
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.look is not None:
        print(json.dumps(look(given.look)))
        return
    with tempfile.TemporaryDirectory(prefix="bench-browse-", dir=given.folder) as folder:
        path = record(Path(folder), given.hours, given.channels)
        size = path.stat().st_size
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        told = {"hours": given.hours, "channels": given.channels, "archive_MB": round(size / 1e6)}
        for name in ("from_disk", "from_memory"):
            command = [sys.executable, __file__, "--look", str(path)]
            told[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
