"""Sends a stream whose values are the true time of each sample, stamped by the clock of the host that it runs on."""

from __future__ import annotations

import sys
import time

import numpy as np

from myogestic_tui import StreamInfo
from myogestic_tui.sources import Outlet

FS, CHUNK = 250.0, 25


def true_time_less_clock() -> float:
    """The wall clock is one for all hosts of this machine: nobody but the test looks at it."""
    readings = []
    for _ in range(20):
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]


def main(name: str) -> None:
    info = StreamInfo(1, FS, "float64", type="EMG", source_id=f"{name}-id")
    with Outlet(name, info) as outlet:
        print("up", flush=True)
        start, sent = time.monotonic(), 0
        while True:
            stamps = start + np.arange(sent, sent + CHUNK) / FS
            time.sleep(max(0.0, stamps[-1] - time.monotonic()))
            outlet.push((stamps + true_time_less_clock())[:, None], stamps)
            sent += CHUNK


main(sys.argv[1])
