"""The model against streams whose truth is known; `python -m tests.clock.test_ground_truth SEED` prints a table."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest

from myogestic_tui.clock import Evidence, timeline_of
from tests.clock.ground_truth import make

KINDS = {
    "perfect": (0.0,),
    "chunk": (0.0, 0.01, 0.05, 0.25, 1.0, 2.0),
    "burst": (0.05, 0.25, 0.56, 1.0, 2.0),
    "burst_us": (0.05, 0.56, 1.0),
    "wifi": (0.01, 0.05),
    "late": (0.01, 0.05),
    "lag": (0.01, 0.05),
    "gauss": (0.0,),
    "twice": (0.0,),
}
CLOCKS = ("none", "wall", "device", "down", "up", "leap", "leap_back", "leap_15", "nan", "const", "ms")
RATES = (0.5, 10, 50, 130, 250, 1000, 2048, 10_000)


@dataclass(frozen=True)
class Bounds:
    """Of a case: false gaps an hour, share missed, share of samples lost wrongly, median error of sample time (s)."""

    false: float
    missed: float
    lost: float
    time: float


EXACT = Bounds(1.0, 0.01, 5e-4, 0.005)
PLACED = Bounds(2.0, 0.05, 1e-3, 0.012)
BOUNDS = {
    "late": Bounds(15.0, 0.2, 1e-4, 0.005),
    "lag": Bounds(60.0, 0.35, 0.01, 0.005),
    "gauss": Bounds(1.0, 0.02, 1e-3, 0.02),
    "down": Bounds(4.0, 0.05, 1e-3, 0.005),
    "up": Bounds(4.0, 0.05, 1e-3, 0.005),
    "leap": Bounds(4.0, 0.05, 1e-3, 0.005),
    "leap_back": Bounds(5.0, 0.1, 1e-3, 0.005),
    "leap_15": Bounds(4.0, 0.07, 1e-3, 0.005),
    "nan": Bounds(4.0, 0.07, 1e-3, 0.005),
    "wall": PLACED,
    "device": PLACED,
    "const": Bounds(2.0, 1.0, 0.003, 0.012),
    "ms": Bounds(2.0, 1.0, 0.003, 0.012),
}
"""The others are `EXACT`. By arrival alone losses below 0.4 s are not seen (``const``, ``ms``)."""


def streams(case, seed):
    """Rate, seconds per chunk, and a stream, for all rates and chunks of a case, with losses and without."""
    rng = np.random.default_rng((seed, sorted([*KINDS, *CLOCKS]).index(case)))
    if case in KINDS:
        shapes = [(fs, chunk, case) for fs in RATES for chunk in KINDS[case] if not chunk or chunk * fs >= 1]
        shapes = [one for one in shapes if case != "gauss" or one[0] >= 10]
    else:
        kinds = (("perfect", 0.0), ("chunk", 0.05), ("burst", 0.56), ("late", 0.05))
        shapes = [(fs, chunk, kind) for fs in (50, 250, 2048) for kind, chunk in kinds]
    clock = case if case in CLOCKS else "lsl"
    for fs, chunk, kind in shapes:
        for losses in (0, 4):
            seconds = 1500.0 if fs < 1 else 60.0 if fs > 5000 else 120.0
            off, ppm = rng.choice([0, 0, 0, -0.023, 0.005]), rng.uniform(-200, 200)
            yield fs, chunk, make(rng, float(fs), chunk, kind, seconds, losses, clock=clock, off=off, ppm=ppm)


def measure(case, seed, *, by_arrival=True):
    """What came out, summed up over all streams of a case."""
    total = defaultdict(float)
    errors, rates = [], []
    for fs, chunk, made in streams(case, seed):
        known = Evidence(made.arrivals if by_arrival else None, made.offsets, made.start, made.stop, utc_offset=1.79e9)
        found = timeline_of(made.stamps, float(fs), known)
        false, missed = _compared(found.lost, made.lost, max(round(1.2 * max(chunk, 0.05) * fs), 3))
        total["false"] += false
        total["missed"] += missed
        total["losses"] += len(made.lost)
        total["hours"] += (made.stop - made.start) / 3600
        total["samples"] += len(made.stamps)
        total["lost error"] += abs(found.lost_samples - sum(made.lost.values()))
        errors.append(float(np.nanmedian(np.abs(found.sample_time(made.stamps) - made.taken))))
        if found.measured_fs:
            rates.append(abs(found.measured_fs / made.rate - 1) * 1e6)
    total["time"], total["ppm"] = float(np.median(errors)), float(np.median(rates)) if rates else np.nan
    return total


def _compared(gaps, truth, tolerance):
    """Gaps that are none, and losses that were not found, by their place."""
    open_ = dict(truth)
    false = 0
    for gap in gaps:
        near = [at for at in open_ if abs(at - gap.index) <= tolerance]
        false += not near
        if near:
            del open_[near[0]]
    return false, len(open_)


@pytest.mark.slow
@pytest.mark.parametrize("case", [*KINDS, *CLOCKS])
def test_what_was_lost_and_when_samples_were_taken(case):
    found, bounds = measure(case, 11), BOUNDS.get(case, EXACT)
    assert found["false"] / found["hours"] <= bounds.false
    assert found["missed"] <= bounds.missed * found["losses"]
    assert found["lost error"] / found["samples"] <= bounds.lost
    assert found["time"] <= bounds.time


@pytest.mark.slow
@pytest.mark.parametrize("case", ["none", "down", "up", "leap", "leap_15", "wall"])
def test_without_an_arrival_record_too(case):
    found, bounds = measure(case, 11, by_arrival=False), BOUNDS.get(case, EXACT)
    assert found["false"] / found["hours"] <= bounds.false
    assert found["lost error"] / found["samples"] <= bounds.lost
    assert found["time"] <= bounds.time


if __name__ == "__main__":
    print(f"{'case':<10}{'false/h':>9}{'missed':>8}{'of':>5}{'lost err':>10}{'sample time':>13}{'rate ppm':>10}")
    for name in (*KINDS, *CLOCKS):
        got = measure(name, int(sys.argv[1]) if len(sys.argv) > 1 else 11)
        print(
            f"{name:<10}{got['false'] / got['hours']:>9.1f}{got['missed']:>8.0f}{got['losses']:>5.0f}"
            f"{got['lost error'] / got['samples']:>10.3%}{got['time']:>13.5f}{got['ppm']:>10.1f}"
        )
