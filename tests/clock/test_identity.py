"""What was sent, lost and sent twice adds up to the time that passed, whatever the stamps do."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myogestic_tui.clock import Evidence, timeline_of
from tests.clock.ground_truth import make


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    fs=st.sampled_from([10.0, 50.0, 130.0, 250.0, 1000.0]),
    kind=st.sampled_from(["perfect", "chunk", "burst", "burst_us", "wifi"]),
    clock=st.sampled_from(["lsl", "none", "wall", "device", "down", "up", "leap", "leap_back"]),
    chunk=st.sampled_from([0.05, 0.25, 0.56, 1.0]),
    losses=st.integers(0, 4),
    off=st.sampled_from([0.0, 0.005, -0.023]),
    by_arrival=st.booleans(),
)
def test_samples_and_losses_fill_the_time_that_passed(seed, fs, kind, clock, chunk, losses, off, by_arrival):
    """n + lost - repeated = 1 + span / T, within 1 % and a packet."""
    chunk = 0.0 if kind == "perfect" else max(chunk, 1 / fs)
    chunk = min(chunk, 0.56) if kind == "wifi" else chunk  # packets of a second that swap places are steps back of two
    made = make(np.random.default_rng(seed), fs, chunk, kind, 60.0, losses, clock=clock, off=off)
    evidence = Evidence(made.arrivals if by_arrival else None, made.offsets, made.start, made.stop, utc_offset=1.79e9)
    found = timeline_of(made.stamps, fs, evidence)
    if any(not leap.known for leap in found.leaps):
        return  # how much time passed there is reported not to be known
    n = len(made.stamps) + found.lost_samples - sum(one.samples for one in found.repeated)
    span = made.taken[-1] - made.taken[0]
    packet = max(chunk, found.packet_s) * fs
    assert abs(n - 1 - span / found.period_s) <= 0.01 * n + packet + 1
