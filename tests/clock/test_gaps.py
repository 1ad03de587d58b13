"""Late is not lost: the gap rule on stamps with jitter, stalls, drift, losses and plain nonsense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui.clock import Gap, GapTracker, find_gaps, gap_threshold, gaps
from tests.clock.stamps import n_chunks, pushed, sample_times, stalled

FS, CHUNK = 2048.0, 32
JITTERS = {
    "uniform": lambda rng, n: rng.uniform(0.0, 0.010, n),
    "both ways": lambda rng, n: rng.uniform(-0.005, 0.005, n),
    "exponential": lambda rng, n: rng.exponential(0.003, n),
    "normal": lambda rng, n: rng.normal(0.0, 0.0033, n),
}


def jittered(times, fs=FS, chunk=CHUNK, kind="uniform", seed=0):
    delays = JITTERS[kind](np.random.default_rng(seed), n_chunks(times, chunk))
    return pushed(times, fs, chunk, delays)


@pytest.mark.parametrize("kind", JITTERS)
@pytest.mark.parametrize("off", [0.0, 0.01, -0.01])
def test_delivery_jitter_and_a_device_off_its_nominal_rate_show_no_gap(kind, off):
    for seed in range(4):
        assert find_gaps(jittered(sample_times(FS, 16.0, off=off), kind=kind, seed=seed), FS) == []


@pytest.mark.parametrize("kind", JITTERS)
@pytest.mark.parametrize("off", [0.0, 0.01, -0.01])
def test_50_ms_cut_out_show_as_exactly_one_gap(kind, off):
    lost = round(0.05 * FS)
    for seed in range(4):
        times = sample_times(FS, 16.0, [(320 * CHUNK, lost)], off=off)
        (gap,) = find_gaps(jittered(times, kind=kind, seed=seed), FS)
        assert gap.index == 320 * CHUNK
        assert gap.seconds == pytest.approx(lost / FS, abs=0.003)


@pytest.mark.parametrize("seed", range(8))
def test_the_size_is_right_to_a_sample_under_10_ms_of_jitter(seed):
    times = sample_times(FS, 16.0, [(320 * CHUNK, 102)])
    (gap,) = find_gaps(jittered(times, seed=seed), FS)
    assert abs(gap.seconds * FS - 102) <= 1.0
    assert abs(gap.n_samples(FS) - 102) <= 1


@pytest.mark.parametrize(("fs", "least"), [(2048.0, 41), (100.0, 5), (60.0, 5), (10000.0, 200), (1.0, 5), (0.5, 5)])
def test_the_threshold_is_20_ms_or_5_samples(fs, least):
    """One sample less is none. At 2048 Hz 20 ms are 40.96 samples."""
    seconds = max(10.0, 60 / fs)
    first = round(seconds * fs / 2)
    assert find_gaps(sample_times(fs, seconds, [(first, least - 1)]), fs) == []
    (gap,) = find_gaps(sample_times(fs, seconds, [(first, least)]), fs)
    assert (gap.index, gap.n_samples(fs)) == (first, least)
    assert gap.seconds == pytest.approx(least / fs, abs=1e-6)
    assert gap_threshold(fs) == pytest.approx(max(0.02, 5 / fs))


@pytest.mark.parametrize("seconds", [0.05, 0.3, 1.5, 2.9, 8.0])
def test_a_stall_that_is_caught_up_is_no_gap(seconds):
    """All that waited is pushed at once and stamped alike: stamps overlap, nothing is missing."""
    assert find_gaps(stalled(sample_times(FS, 30.0), FS, CHUNK, 10.0, seconds), FS) == []


def test_a_stall_with_a_loss_in_it_is_a_gap_of_what_was_lost():
    times = sample_times(FS, 30.0, [(22000, 1024)])
    (gap,) = find_gaps(stalled(times, FS, CHUNK, 10.5, 1.0), FS)
    assert gap.n_samples(FS) == pytest.approx(1024, abs=CHUNK)
    assert abs(gap.index - 22000) <= FS


def test_two_gaps_close_to_each_other_are_two():
    times = sample_times(FS, 20.0, [(20000, 100), (20900, 200)])
    first, second = find_gaps(times, FS)
    assert [first.n_samples(FS), second.n_samples(FS)] == [100, 200]
    assert (first.index, second.index) == (20000, 20800)


def test_a_loss_every_half_second_is_found_each_time():
    cuts = [(1024 * k, 100) for k in range(2, 38)]
    gaps = find_gaps(jittered(sample_times(FS, 20.0, cuts), chunk=4), FS)
    assert len(gaps) == len(cuts)
    assert sum(gap.seconds for gap in gaps) == pytest.approx(len(cuts) * 100 / FS, rel=0.05)


@pytest.mark.parametrize("rate", [0.92, 1.08])
def test_a_device_far_off_its_nominal_rate_has_no_gaps_but_its_losses(rate):
    times = sample_times(100.0, 60.0, [(3000, 50)], off=rate - 1.0)
    (gap,) = find_gaps(times, 100.0)
    assert gap.index == 3000
    assert gap.seconds == pytest.approx(0.5 / rate, abs=0.01)


def test_a_single_chunk_with_stamps_from_the_past_is_no_gap():
    stamps = sample_times(FS, 20.0)
    stamps[20000:20032] -= 1.0
    assert find_gaps(stamps, FS) == []


def test_the_size_of_a_gap_is_right_with_stamps_from_the_past_before_it():
    stamps = sample_times(FS, 20.0, [(20000, 100)])
    stamps[17000:17032] -= 1.0
    (gap,) = find_gaps(stamps, FS)
    assert (gap.index, gap.n_samples(FS)) == (20000, 100)


def test_a_clock_that_is_set_back_is_no_gap_and_the_rule_goes_on():
    stamps = sample_times(FS, 30.0, [(50000, 100)])
    stamps[20000:] -= 3600.0
    (gap,) = find_gaps(stamps, FS)
    assert (gap.index, gap.n_samples(FS)) == (50000, 100)


def test_repeated_stamps_are_no_gap():
    stamps = sample_times(FS, 20.0)
    stamps[20000:20032] = stamps[19968:20000]
    assert find_gaps(stamps, FS) == []
    assert find_gaps(np.repeat(sample_times(FS, 5.0), 2), FS) == []


def test_stamps_that_are_not_numbers_are_passed_over():
    stamps = sample_times(FS, 20.0, [(30000, 100)])
    stamps[:7] = np.nan
    stamps[10000:10010] = np.nan
    stamps[12000] = np.inf
    (gap,) = find_gaps(stamps, FS)
    assert (gap.index, gap.n_samples(FS)) == (30000, 100)
    stamps[13000], stamps[14000:14100] = 1e308, 1.7e18
    assert find_gaps(stamps, FS) == [gap]
    assert find_gaps(np.full(5000, np.nan), FS) == []


@pytest.mark.parametrize("most", [100, 50_000])
def test_a_device_that_stamps_in_milliseconds_does_not_fill_the_metadata(monkeypatch, most):
    monkeypatch.setattr(gaps, "MOST_GAPS", most)
    tracker = GapTracker(1000.0)
    for start in range(0, 8000, 500):
        tracker.feed(np.arange(start, start + 500.0))
    tracker.flush()
    assert tracker.overrun
    assert [gap.index for gap in tracker.gaps] == [*range(1, min(most, 1000) + 1)]


def test_at_the_end_of_the_data_a_late_chunk_is_none_and_a_long_silence_is_one():
    stamps = sample_times(FS, 10.0)
    stamps[-CHUNK:] += 0.1
    assert find_gaps(stamps, FS) == []
    stamps = sample_times(FS, 20.0)
    stamps[-CHUNK:] += 12.0
    assert find_gaps(stamps, FS) == [Gap(len(stamps) - CHUNK, pytest.approx(12.0))]
    stamps = sample_times(FS, 20.0)
    stamps[-1000:] += 0.1
    assert find_gaps(stamps, FS) == [Gap(len(stamps) - 1000, pytest.approx(0.1))]


def test_the_stamp_before_counts():
    stamps = sample_times(FS, 5.0)
    assert find_gaps(stamps, FS, previous=stamps[0] - 1 / FS) == []
    (gap,) = find_gaps(stamps, FS, previous=stamps[0] - 1 / FS - 2.0)
    assert gap == Gap(0, pytest.approx(2.0))


def test_irregular_and_empty_streams_have_none():
    assert find_gaps([1.0, 50.0, 51.0], 0.0) == []
    assert find_gaps([], FS) == []
    assert find_gaps([1.0], FS) == []


def test_a_gap_is_known_three_seconds_later():
    tracker = GapTracker(FS)
    stamps = sample_times(FS, 20.0, [(20000, 2048)])
    known = [(start, gap) for start in range(0, len(stamps), 64) for gap in tracker.feed(stamps[start : start + 64])]
    ((start, gap),) = known
    assert gap.index == 20000
    assert start - 20000 <= 3.1 * FS
    assert tracker.flush() == []
    assert tracker.gaps == [gap]


def test_memory_stays_bounded_over_a_long_recording():
    tracker = GapTracker(FS)
    for block in range(200):
        tracker.feed(1000.0 + np.arange(block * 2048, (block + 1) * 2048) / FS)
    assert sum(map(len, tracker._stamps)) < 60 * FS


@st.composite
def disturbed_streams(draw):
    """Stamps with losses, stalls, jitter, steps back and odd values, and a way to cut them into chunks."""
    fs = draw(st.sampled_from([50.0, 500.0]))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n = round(fs * draw(st.integers(2, 40)))
    chunk = draw(st.sampled_from([1, 8, 32]))
    cuts = [(int(rng.integers(0, n)), int(rng.integers(1, round(2 * fs)))) for _ in range(draw(st.integers(0, 4)))]
    times = sample_times(fs, n / fs, cuts, off=draw(st.sampled_from([0.0, 0.003, -0.01])))
    kind = draw(st.sampled_from(list(JITTERS)))
    stamps = jittered(times, fs, chunk, kind, seed)
    for _ in range(draw(st.integers(0, 3))):
        place, length = int(rng.integers(0, len(stamps))), int(rng.integers(1, 200))
        stamps[place : place + length] += rng.choice([0.3, -0.3, 5.0, -1000.0, np.nan])
    ends = np.cumsum(rng.integers(1, draw(st.sampled_from([3, 100, 5000])), size=len(stamps)))
    return fs, stamps, np.split(stamps, ends[ends < len(stamps)])


@settings(max_examples=60, deadline=None)
@given(disturbed_streams())
def test_chunking_never_changes_the_gaps(stream):
    fs, stamps, chunks = stream
    tracker = GapTracker(fs)
    gaps = [gap for chunk in chunks for gap in tracker.feed(chunk)]
    gaps += tracker.flush()
    assert gaps == find_gaps(stamps, fs)
    assert all(gap.seconds >= gap_threshold(fs) - 0.25 / fs for gap in gaps)
    assert [gap.index for gap in gaps] == sorted({gap.index for gap in gaps})
