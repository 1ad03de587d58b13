"""Irregular streams have no sample clock, but a clock; streams of one host that are placed by arrival stay together."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.clock import Evidence, sketch_for, timeline_of
from myogestic_tui.clock.analysis import analyse
from myogestic_tui.clock.hosts import share_arrivals

START, STOP = 10_000.0, 10_600.0
TAKEN = START + np.sort(np.random.default_rng(0).uniform(1, 599, 200))


def arrivals(taken, delay=0.02):
    """Each event is read by the next poll, every 0.2 s."""
    polls = np.arange(START, STOP + 1, 0.2)
    counts = np.searchsorted(taken + delay, polls)
    new = np.diff(counts, prepend=0) > 0
    return np.vstack(([0, START], np.column_stack((counts[new], polls[new]))))


def known(**more):
    return Evidence(**{"arrivals": arrivals(TAKEN), "start": START, "stop": STOP, **more})


def offsets(change=None, before=-500.0, after=-500.0):
    at = np.arange(START - 10, STOP, 5.0)
    offset = np.where(at < (change or STOP), before, after)
    return np.column_stack((at, offset, np.full_like(at, 1e-4), at - offset))


def test_events_in_the_lsl_clock():
    found = timeline_of(TAKEN + 500.0, 0.0, known(offsets=offsets()))
    assert (found.basis, found.gaps, found.leaps, found.measured_fs) == ("lsl", (), (), None)
    np.testing.assert_allclose(found.corrected(TAKEN + 500.0), TAKEN, atol=1e-3)


@pytest.mark.parametrize("by_arrival", [True, False])
def test_events_of_a_computer_that_restarted(by_arrival):
    change = float(TAKEN[100])
    raw = TAKEN - np.where(change > TAKEN, -500.0, 9000.0)
    history = offsets(change - 0.1, -500.0, 9000.0)
    found = timeline_of(raw, 0.0, known(offsets=history, arrivals=arrivals(TAKEN) if by_arrival else None))
    assert [(leap.index, leap.known) for leap in found.leaps] == [(100, True)]
    assert found.basis == "lsl"
    np.testing.assert_allclose(found.corrected(raw), TAKEN, atol=1e-3)


def test_events_in_wall_clock_time_are_placed_by_arrival_or_not_at_all():
    raw = TAKEN + 1.7e9
    found = timeline_of(raw, 0.0, known())
    assert (found.basis, found.error_s) == ("arrival", 0.2)
    assert np.abs(found.corrected(raw) - TAKEN).max() < 0.2
    assert timeline_of(raw, 0.0, known(arrivals=None)).basis == "none"


@pytest.mark.parametrize("unit", [1e3, 1e6])
def test_events_in_another_unit_are_timed_by_their_arrival(unit):
    found = timeline_of(TAKEN * unit, 0.0, known())
    assert found.basis == "count"
    assert np.abs(found.corrected(TAKEN * unit) - TAKEN).max() < 0.25


def test_what_is_kept_of_many_events_is_bounded_and_independent_of_chunks():
    stamps = np.cumsum(np.random.default_rng(1).exponential(0.001, 500_000))
    whole, parts = sketch_for(0.0), sketch_for(0.0)
    whole.feed(stamps)
    for part in np.array_split(stamps, 997):
        parts.feed(part)
    assert whole.nbytes < 2e6
    for one, other in zip(whole.kept(), parts.kept(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert analyse(whole).n_samples == 500_000


def test_streams_of_one_host_share_the_least_delay():
    regular = START + np.arange(60_000) / 100

    def placed(delay, ahead=1000.0):
        return timeline_of(regular + ahead, 100.0, Evidence(arrivals=arrivals(regular, delay), start=START, stop=STOP))

    alone = {"emg": placed(0.03), "force": placed(0.18), "other": placed(0.03, 5000.0), "far": placed(0.18)}
    hosts = {"emg": "pc", "force": "pc", "other": "pc", "far": "elsewhere"}
    shared = share_arrivals(alone, hosts)
    at = {name: float(found.corrected([11_000.0])[0]) for name, found in shared.items()}
    assert at["emg"] == at["force"]
    assert at["far"] != at["emg"]
    assert shared["other"] is alone["other"]
    assert shared["emg"] is alone["emg"]
