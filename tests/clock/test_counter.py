"""A counter channel tells exactly what was lost, where stamps cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui.clock import Evidence, timeline_of
from myogestic_tui.clock.counter import CounterTrack

FS = 1000.0


def track(values, chunk: int = 97) -> CounterTrack:
    counter = CounterTrack()
    for start in range(0, len(values), chunk):
        counter.feed(values[start : start + chunk])
    return counter


def found(kept, values, stamps=None):
    """The timeline of the samples ``kept`` of a stream of `FS`, whose counter said ``values``."""
    stamps = 100.0 + np.asarray(kept) / FS if stamps is None else stamps
    return timeline_of(stamps, FS, Evidence(counts=track(values).counts))


def without(n: int, *holes: tuple[int, int]) -> np.ndarray:
    """Numbers of the samples that come: all of ``n`` but ``count`` from ``first`` on, for each hole."""
    return np.delete(np.arange(n), np.concatenate([np.arange(a, a + b) for a, b in holes]) if holes else [])


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_losses_of_any_size_are_exact_at_any_width(bits, dtype):
    if bits == 32 and dtype != "float64":
        pytest.skip(f"{dtype} does not hold it")
    n, start = 100_000, 2**bits - 40_000 if bits > 16 else 0
    kept = without(n, (5_000, 1), (9_999, 3), (30_000, 700), (60_000, 300))
    values = ((start + kept) % 2**bits).astype(dtype)
    told = found(kept, values)
    assert [(gap.index, gap.samples) for gap in told.lost] == [(5_000, 1), (9_998, 3), (29_996, 700), (59_296, 300)]
    assert told.repeated == ()


def test_losses_that_stamps_hide_are_told_by_the_counter():
    """Stamps made on receipt, without a pause: TIME knows no other way to see these."""
    kept = without(50_000, (10_000, 2_500), (20_000, 4))
    stamps = 100.0 + np.arange(len(kept)) / FS
    assert timeline_of(stamps, FS).lost_samples == 0
    assert found(kept, kept % 65536, stamps).lost_samples == 2_504


def test_what_was_only_late_is_no_loss():
    stamps = 100.0 + np.arange(20_000) / FS
    stamps[10_000:] += 0.5
    assert timeline_of(stamps, FS).lost_samples == 500
    assert found(None, np.arange(20_000) % 256, stamps).lost_samples == 0


def test_a_counter_that_begins_anew_leaves_it_to_the_stamps():
    kept = without(40_000, (15_000, 2_000))
    values = np.where(kept < 15_000, kept + 5_000, kept - 17_000)
    told = found(kept, values)
    assert [(gap.index, gap.samples) for gap in told.lost] == [(15_000, 2_000)]


def test_a_counter_that_stands_still_and_catches_up_lost_nothing():
    values = np.arange(20_000) % 65536
    values[5_000:5_010] = values[4_999]
    assert found(np.arange(20_000), values).lost_samples == 0


def test_samples_that_came_twice_are_told():
    values = np.concatenate([np.arange(5_000), [4_999, 4_999], np.arange(5_000, 9_000)])
    told = found(np.arange(len(values)), values)
    assert sum(one.samples for one in told.repeated) == 2
    assert told.lost_samples == 0


def test_a_counter_of_packets_counts_in_packets():
    packets = np.delete(np.arange(500), [100, 101, 250])
    values = np.repeat(packets % 256, 20)[7:]
    kept = (packets[:, None] * 20 + np.arange(20)).ravel()[7:]
    told = found(kept, values)
    assert [gap.samples for gap in told.lost] == [40, 20]


def test_steps_that_are_not_one_and_numbers_that_are_none():
    kept = without(20_000, (5_000, 30))
    values = 0.25 * kept
    values[[10, 11, 12_345]] = np.nan
    assert [gap.samples for gap in found(kept, values).lost] == [30]
    assert [gap.samples for gap in found(kept, -kept.astype(float)).lost] == [30]


@pytest.mark.parametrize("values", [np.zeros(5000), np.full(5000, np.nan), np.empty(0)])
def test_a_channel_that_does_not_count_tells_nothing(values):
    assert track(values).counts is None


def test_wraps_at_any_number_cost_nothing():
    for cycle in (256, 1000):
        counts = track(np.arange(300_000) % cycle, 5_000).counts
        assert counts.jumps == ()
        assert counts.modulus == cycle


def test_noise_is_no_counter():
    counter = track(np.random.default_rng(1).normal(size=200_000), 1000)
    assert counter.counts is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 600), max_size=3), st.sampled_from([8, 16, 32]), st.integers(40, 500))
def test_whatever_is_missing_is_counted_however_chunks_are_cut(sizes, bits, chunk):
    """At 8 bits and 1000 Hz a loss of more than a turn needs the stamps, which settle within a second."""
    kept = without(7_000, *((1_500 * place + 1_000, size) for place, size in enumerate(sizes)))
    evidence = Evidence(counts=track(kept % 2**bits, chunk).counts)
    told = timeline_of(100.0 + kept / FS, FS, evidence)
    assert [gap.samples for gap in told.lost] == sizes
