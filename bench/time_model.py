"""Cost of the time model: what a sample costs offline, a chunk and a look live, and what is kept after ten hours.

    python bench/time_model.py

Prints JSON. The budget is 60 ns a sample offline: feeding, analysis, sample time.
"""

from __future__ import annotations

import json
import time

import numpy as np

from myogestic_tui.clock import Follower, Sketch, timeline_of

FS = 2048.0
MINUTES = 20


def stamps_of(minutes: int, kind: str) -> np.ndarray:
    times = 1000.0 + np.arange(round(minutes * 60 * FS)) / FS
    if kind == "perfect":
        return times
    rng, size = np.random.default_rng(0), 64
    pushed = times[size - 1 :: size] + rng.exponential(0.004, len(times) // size)
    back = np.tile(np.arange(size)[::-1], len(pushed)) / FS
    return np.repeat(np.maximum.accumulate(pushed), size) - back


def offline_ns(kind: str) -> float:
    stamps = stamps_of(MINUTES, kind)
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        found = timeline_of(stamps, FS)
        for start in range(0, len(stamps), 1 << 18):
            found.sample_time(stamps[start : start + (1 << 18)], start)
        best = min(best, time.process_time() - began)
    return round(best / len(stamps) * 1e9, 1)


def live() -> dict[str, float]:
    follower, stamps, size = Follower(FS), stamps_of(MINUTES, "chunked"), 400
    began = time.process_time()
    for start in range(0, len(stamps), size):
        follower.feed(stamps[start : start + size])
    fed = time.process_time() - began
    began = time.process_time()
    for _ in range(10):
        follower.analyse()
    look = (time.process_time() - began) / 10
    return {"us_per_chunk_of_400": round(fed / (len(stamps) / size) * 1e6, 1), "look_ms": round(look * 1e3, 2)}


def kept_mb(hours: int) -> float:
    sketch, stamps = Sketch(FS), stamps_of(10, "chunked")
    for part in range(6 * hours):
        sketch.feed(stamps + part * 600.0)
    return round(sketch.nbytes / 1e6, 1)


if __name__ == "__main__":
    figures = {
        "offline_ns_per_sample": {kind: offline_ns(kind) for kind in ("perfect", "chunked")},
        "live": live(),
        "kept_mb_after_10_h": kept_mb(10),
    }
    print(json.dumps(figures, indent=2))
