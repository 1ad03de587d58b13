"""What the time model makes of small, exact inputs: bursts, foreign clocks, leaps, restarts, heads and tails."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from myogestic_tui.clock import Evidence, Follower, Sketch, analyse, timeline_of
from myogestic_tui.clock.thresholds import rate_differs
from tests.processes import run_alone

OFFSET = -500.0
"""What the source's LSL clock is to be corrected by."""
START, STOP = 10_000.0, 10_024.0


def offsets(until=STOP, *, offset=lambda at: np.full_like(at, OFFSET), since=START - 10):
    at = np.arange(since, until, 5.0)
    noise = np.random.default_rng(0).normal(0.0, 1e-4, len(at))
    rows = offset(at) + noise
    return np.column_stack((at, rows, np.full_like(at, 1e-4), at - rows))


def arrivals(taken, *, stop=STOP, poll=0.2):
    """What a poll every 0.2 s reads of samples that were taken then (recorder's clock)."""
    polls = np.arange(START, stop + 1.0, poll)
    counts = np.searchsorted(taken + 0.006, polls)
    new = np.diff(counts, prepend=0) > 0
    return np.vstack(([0, START], np.column_stack((counts[new], polls[new])), [len(taken), stop + 1.0]))


def known(taken, *, by_arrival=True, **more):
    return Evidence(
        arrivals=arrivals(taken) if by_arrival else None,
        start=START,
        stop=STOP,
        **{"offsets": offsets(), "utc_offset": 1.79e9, **more},
    )


def gaps(found):
    return [(gap.kind, gap.index, round(gap.seconds, 1), gap.samples) for gap in found.gaps]


def regular(fs=500.0, start=START, stop=STOP):
    return start + np.arange(round((stop - start) * fs)) / fs


# ------------------------------------------------------------------ packets and lag


def test_packets_with_one_stamp_each_lose_nothing():
    found = timeline_of(np.repeat(100 + np.arange(40) * 73 / 130, 73), 130.0)
    assert found.gaps == ()
    assert found.packet_s == pytest.approx(73 / 130)
    assert found.measured_fs == pytest.approx(130.0, rel=1e-3)


@pytest.mark.parametrize("within", [0.0, 20e-6])
@pytest.mark.parametrize("seconds", [0.55, 0.6, 0.75, 1.0, 2.0])
@pytest.mark.parametrize("fs", [130.0, 250.0, 1000.0, 2048.0])
def test_bursts_of_any_length_lose_nothing(fs, seconds, within):
    size = int(seconds * fs)
    n = int(30 * fs) // size
    stamps = np.repeat(100 + np.arange(n) * size / fs, size) + np.tile(np.arange(size) * within, n)
    found = timeline_of(stamps, fs)
    assert found.gaps == ()
    assert found.measured_fs == pytest.approx(fs, rel=2e-3)


def test_a_packet_that_is_lost_is_found_to_the_sample():
    size, fs = 73, 130.0
    numbers = np.delete(np.arange(60), 30)
    found = timeline_of(np.repeat(100 + numbers * size / fs, size), fs)
    assert [(gap.index, gap.samples) for gap in found.gaps] == [(30 * size, size)]


def test_sample_time_of_a_burst_is_that_of_its_samples():
    size, fs = 73, 130.0
    true = 100 + np.arange(40 * size) / fs
    stamps = np.repeat(100 + (np.arange(40) * size + size - 1) / fs, size)
    found = timeline_of(stamps, fs)
    assert np.abs(found.sample_time(stamps) - true).max() < 1e-6
    block = slice(1000, 1500)
    assert np.abs(found.sample_time(stamps[block], 1000) - true[block]).max() < 1e-6


def test_a_lag_that_builds_up_in_steps_and_is_caught_up_loses_nothing():
    lag = np.floor(np.interp(np.arange(60_000), [0, 30_000, 30_001, 36_000, 60_000], [0, 4.5, 4.5, 0, 0]) / 0.03) * 0.03
    found = timeline_of(100 + np.arange(60_000) / 1000 + lag, 1000.0)
    assert found.gaps == ()
    assert found.measured_fs == pytest.approx(1000.0, rel=1e-4)


# ------------------------------------------------------------------ leaps and restarts


def test_a_leap_of_200_000_s_is_no_gap():
    """No arrivals are needed: had they been lost, the stream would have gone on for days after the stop."""
    taken = regular()
    stamps = taken - OFFSET
    stamps[6000:] += 200_000.0
    for by_arrival in (True, False):
        found = timeline_of(stamps, 500.0, known(taken, by_arrival=by_arrival))
        assert found.gaps == ()
        (leap,) = found.leaps
        assert (leap.index, round(leap.seconds, 3), leap.known) == (6000, 200_000.0, by_arrival)
        assert np.abs(found.corrected(stamps) - taken).max() < 0.01


@pytest.mark.parametrize("by_arrival", [True, False])
@pytest.mark.parametrize("n", [1, 5, 50])
def test_first_stamps_from_before_a_source_knew_the_time_do_not_cost_the_stream_its_place(n, by_arrival):
    taken = regular()
    stamps = taken - OFFSET
    stamps[:n] = np.arange(n) / 500.0
    found = timeline_of(stamps, 500.0, known(taken, by_arrival=by_arrival))
    assert found.gaps == ()
    assert found.basis == "lsl"
    assert np.abs(found.corrected(stamps) - taken).max() < 0.01
    assert [(leap.index, leap.known) for leap in found.leaps] == [(n, by_arrival)]


def test_stamps_that_leap_after_the_first_sample_are_placed_as_well_as_others():
    taken = regular()
    stamps = taken - OFFSET
    stamps[1:] += 500.0
    found = timeline_of(stamps, 500.0, known(taken))
    assert [(leap.index, leap.known) for leap in found.leaps] == [(1, True)]
    assert found.error_s < 0.25
    assert np.abs(found.corrected(stamps) - taken).max() < 0.01


def test_stamps_that_leap_and_come_back_lose_nothing():
    stamps = regular() - OFFSET
    stamps[3000:6000] += 15.0
    found = timeline_of(stamps, 500.0, known(regular(), by_arrival=False))
    assert found.gaps == ()
    assert [(leap.index, round(leap.seconds, 3)) for leap in found.leaps] == [(3000, 15.0), (6000, -15.0)]
    assert found.measured_fs == pytest.approx(500.0, rel=1e-5)


@pytest.mark.parametrize("by_arrival", [True, False])
@pytest.mark.parametrize(("offset_before", "offset_after"), [(-100_000.0, 8950.0), (-50.0, -100_000.0)])
def test_a_sender_that_reboots_is_away_for_as_long_as_it_was(by_arrival, offset_before, offset_after):
    taken = np.concatenate((regular()[:3970], regular()[3970 + 3321 :]))
    change = taken[3970]
    stamps = taken + 0.004 - np.where(taken < change, offset_before, offset_after)
    history = offsets(offset=lambda at: np.where(at < change, offset_before, offset_after))
    found = timeline_of(stamps, 500.0, known(taken, by_arrival=by_arrival, offsets=history))
    assert [(gap.index, round(gap.seconds, 3), gap.samples) for gap in found.lost] == [(3970, 6.642, 3321)]
    assert [leap.index for leap in found.leaps] == [3970]
    assert found.basis == "lsl"
    assert np.abs(found.corrected(stamps) - taken).max() < 0.01
    assert np.abs(found.sample_time(stamps) - taken).max() < 0.01
    assert found.measured_fs == pytest.approx(500.0, rel=1e-3)


@pytest.mark.parametrize("fs", [5.0, 30.0, 250.0, 2048.0])
@pytest.mark.parametrize("known_by", ["arrivals", "offsets"])
@pytest.mark.parametrize("times", [4, 9])
def test_a_sender_that_reboots_again_and_again(fs, known_by, times):
    """Its clock ends far below where it began: the stamps were taken for ones that run backwards."""
    taken = START + np.arange(round(300 * fs)) / fs
    at = [len(taken) * number // (times + 1) for number in range(1, times + 1)]
    pauses = [6.642 + 6 * number for number in range(times)]
    moved = [(-9000.0, 4000.0, -50_000.0, 7.0)[number % 4] for number in range(times)]
    for index, pause in zip(at, pauses, strict=True):
        taken[index:] += pause
    raw, stop = taken - OFFSET, taken[-1] + 0.2
    clock = offsets(stop)
    for index, leap in zip(at, moved, strict=True):
        raw[index:] += leap
        clock[clock[:, 0] > taken[index] - 0.1, 1] -= leap
    clock[:, 3] = clock[:, 0] - clock[:, 1]
    evidence = {"arrivals": arrivals(taken, stop=stop)} if known_by == "arrivals" else {"offsets": clock}
    found = timeline_of(raw, fs, Evidence(start=START, stop=stop, **evidence))
    assert found.unusable == ""
    assert [(gap.index, round(gap.seconds, 2)) for gap in found.gaps] == [
        (index, pytest.approx(pause, abs=0.3)) for index, pause in zip(at, pauses, strict=True)
    ]
    assert [leap.index for leap in found.leaps] == at
    assert np.abs(found.sample_time(raw) - taken).max() < (0.1 * times if known_by == "arrivals" else 0.01)


def test_a_clock_set_back_by_100_s_after_an_outage_of_63_s():
    fs, start, stop = 250.0, 0.0, 200.0
    taken = np.concatenate((np.arange(start, 60.0, 1 / fs), np.arange(123.0, stop, 1 / fs)))
    change = 15_000
    behind = np.where(np.arange(len(taken)) < change, 0.0, 100.0)
    history = offsets(stop, since=0.0, offset=lambda at: np.where(at < 123.0, 0.0, 100.0))
    found = timeline_of(taken - behind, fs, Evidence(offsets=history, start=start, stop=stop))
    assert [(gap.index, round(gap.seconds, 2)) for gap in found.lost] == [(change, 63.0)]
    assert np.abs(found.corrected(taken - behind) - taken).max() < 0.01


def test_a_step_back_that_nothing_explains_is_said_to_be_unknown():
    stamps = 100 + np.arange(60_000) / 1000
    stamps[30_000:] -= 50
    found = timeline_of(stamps, 1000.0)
    assert [(leap.index, round(leap.seconds), leap.known) for leap in found.leaps] == [(30_000, -50, False)]
    assert found.gaps == ()
    assert found.measured_fs == pytest.approx(1000.0)
    assert found.basis == "none"


def test_samples_that_were_sent_twice_are_neither_lost_nor_a_leap():
    stamps = np.concatenate((regular()[:5000], regular()[2500:]))
    found = timeline_of(stamps - OFFSET, 500.0, known(regular(), by_arrival=False))
    assert [(repeat.index, repeat.samples) for repeat in found.repeated] == [(5000, 2500)]
    assert not found.gaps
    assert not found.leaps


def test_a_loss_and_a_leap_within_a_quarter_of_a_second_are_told_apart():
    taken = np.delete(regular(), slice(6000, 6250))
    stamps = taken - OFFSET
    stamps[6040:] += 200_000.0
    found = timeline_of(stamps, 500.0, known(taken))
    assert found.lost_samples == 250
    assert [round(leap.seconds, 1) for leap in found.leaps] == [200_000.0]


# ------------------------------------------------------------------ clocks


@pytest.mark.parametrize("seed", range(3))
def test_wall_clock_stamps_are_placed_by_the_anchors_and_by_arrival(seed):
    """Few and noisy offsets give no line that reaches from 1000 s to 1.79e9 s."""
    taken = regular(100.0)
    noise = np.random.default_rng(seed).normal(0.0, 5e-6, 5)
    at = START + 5.0 * np.arange(5)
    few = np.column_stack((at, noise, np.full(5, 3e-5), at - noise))
    wall = taken + 1.79e9
    old = timeline_of(wall, 100.0, known(taken, by_arrival=False, offsets=few))
    assert (old.basis, old.error_s) == ("wall", 0.5)
    assert np.abs(old.corrected(wall) - taken).max() < 0.001
    new = timeline_of(wall + 37.0, 100.0, known(taken, offsets=few))
    assert (new.basis, new.error_s) == ("arrival", 0.2)
    assert np.abs(new.corrected(wall + 37.0) - taken).max() < 0.2
    lost = timeline_of(wall + 37.0, 100.0, known(taken, by_arrival=False, offsets=few))
    assert lost.basis == "none"
    assert lost.error_s == np.inf


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda t: t * 1e3, "the stamps are milliseconds"),
        (lambda t: t * 1e6, "the stamps are microseconds"),
        (lambda t: t * 0.0 + 77.0, "the stamps stand still"),
        (lambda t: t * np.nan, "12000 of 12000 stamps are no numbers"),
    ],
)
def test_stamps_that_tell_nothing_are_replaced_by_arrivals(spoil, reason):
    taken = regular()
    found = timeline_of(spoil(taken), 500.0, known(taken))
    assert (found.basis, found.error_s) == ("count", 0.25)
    assert found.unusable == reason
    assert np.abs(found.corrected(spoil(taken)) - taken).max() < 0.25
    assert found.gaps == ()
    without = timeline_of(spoil(taken), 500.0, known(taken, by_arrival=False))
    assert without.basis == "none"


def test_samples_that_a_script_brings_hundreds_of_times_faster_than_they_say_have_a_timeline():
    """Their stamps rise by about 1000 s in a second, and by the nominal rate all of them seem to come at once."""
    counts = np.repeat(450_000.0 * np.arange(1, 7), 2)[:-1] + np.tile((0.0, 50.0), 6)[:-1]
    rows = np.column_stack((counts, 100.0 + counts / (730.0 * 250.0)))
    found = timeline_of(np.arange(int(counts[-1])) / 250.0, 250.0, Evidence(arrivals=rows))
    assert found.basis in ("count", "none")


def _memory_of_the_newest_without_usable_stamps() -> int:
    fs, hours = 2000.0, 4
    follower, n = Follower(fs), round(hours * 3600 * fs)
    still = np.full(1 << 20, 77.0)
    for first in range(0, n, len(still)):
        follower.feed(still[: n - first])
    at = np.arange(n - 1000 * fs, n + 1, 0.2 * fs)
    rows = np.column_stack((at, START + at / fs))
    tracemalloc.start()
    found = follower.analyse(Evidence(arrivals=rows, start=START, stop=START + n / fs))
    peak = tracemalloc.get_traced_memory()[1]
    assert found.unusable == "the stamps stand still"
    number = np.arange(n - 60_000, n)
    piece = found.pieces[-1]
    assert np.abs(np.interp(number, piece.at, piece.offsets) - START - number / fs).max() < 0.25
    assert found.gaps == ()
    return peak


def test_the_newest_of_many_hours_without_usable_stamps_is_placed_in_the_memory_of_its_minutes():
    peak = run_alone(_memory_of_the_newest_without_usable_stamps)
    assert peak < 60e6, "eight bytes of each of the samples are 230 MB"


@pytest.mark.parametrize("seconds", [16.0, 60.0, 600.0])
@pytest.mark.parametrize(
    ("fs", "chunk"), [(60.0, 0.0), (250.0, 0.05), (2048.0, 0.05), (2048.0, 0.15), (10_000.0, 0.02)]
)
def test_polls_that_jitter_are_neither_gaps_nor_another_rate(fs, chunk, seconds):
    """Seen on real outlets: a poll a little later than the others became a step of the time by arrival."""
    rng = np.random.default_rng(3)
    taken = 50.0 + np.arange(round(seconds * fs)) / fs
    size = max(1, round(chunk * fs))
    pushed = np.repeat(taken[size - 1 :: size], size)[: len(taken)] + 0.003
    polls = 50.0 + np.cumsum(0.2 + rng.exponential(0.012, round(seconds / 0.2)))
    polls = polls[polls < taken[-1]]
    counts = np.searchsorted(pushed, polls, side="right")
    rows = np.vstack(([0.0, 50.0], np.column_stack((counts, polls + 0.001))))
    n = int(counts[-1])
    stop = float(polls[-1])
    found = timeline_of(np.full(n, 77.0), fs, Evidence(arrivals=rows, start=50.0, stop=stop))
    assert found.gaps == ()
    times = found.corrected(np.full(n, 77.0))
    assert np.ptp(np.diff(times)) < 0.1 / fs, "one even spacing"
    assert np.abs(times - taken[:n]).max() < 0.25
    assert found.measured_fs == pytest.approx(fs, rel=0.05 / seconds + 1e-4)


@pytest.mark.parametrize("factor", [0.3, 0.5, 0.9, 1.1, 2.0, 4.0])
@pytest.mark.parametrize("spoil", [lambda t: t * 1e3, lambda t: t * 0.0 + 77.0])
def test_the_rate_by_arrival_of_a_device_far_off_its_declared_one(factor, spoil):
    taken = START + 0.1 + np.arange(round(60 * 250.0 * factor)) / (250.0 * factor)
    stop = taken[-1] + 0.2
    evidence = Evidence(arrivals=arrivals(taken, stop=stop), offsets=offsets(stop), start=START, stop=stop)
    found = timeline_of(spoil(taken), 250.0, evidence)
    if factor == 4.0 and not np.ptp(spoil(taken)):
        assert found.basis == "none", "a script may have filled it"
        return
    assert found.basis == "count"
    assert found.gaps == ()
    assert found.measured_fs == pytest.approx(250.0 * factor, rel=5e-3)
    assert np.abs(found.sample_time(spoil(taken)) - taken).max() < 0.25


def test_one_offset_that_does_not_come_back_within_a_minute_is_the_network():
    at = np.arange(1000.0, 1900.0, 5.0)
    offset = np.random.default_rng(0).normal(0.5, 1e-4, len(at))
    offset[120:125] -= [0.0043, 0.013, 0.0084, 0.0037, 0.0153]
    history = np.column_stack((at, offset, np.full_like(at, 3e-4), at - offset))
    stamps = 1000 + np.arange(90_000) / 100 - 0.5
    found = timeline_of(stamps, 100.0, Evidence(offsets=history))
    assert np.abs(found.corrected(stamps) - stamps - 0.5).max() < 0.0003


@pytest.mark.parametrize(("span", "worst"), [(60, 0.175), (300, 0.005), (1800, 0.001)])
def test_a_clock_line_is_continued_as_far_as_it_is_known_and_says_how_wrong_it_may_be(span, worst):
    stamps = np.arange(1000.0, 4600.0, 0.1)
    rng = np.random.default_rng(1)
    for _ in range(20):
        slope = rng.uniform(-50e-6, 50e-6)
        at = np.arange(1000.0, 1000.1 + span, 5.0)
        offset = 0.5 + slope * (at - 1000) + rng.normal(0.0, 2e-4, len(at))
        history = np.column_stack((at, offset, np.full_like(at, 2e-4), at - offset))
        found = timeline_of(stamps, 10.0, Evidence(offsets=history, start=1000.0, stop=4600.0))
        assert found.basis == ("lsl" if span > 60 or found.error_s <= 0.25 else "none")
        error = np.abs(found.corrected(stamps) - stamps - 0.5 - slope * (stamps - 1000)).max()
        assert error < worst
        assert error <= found.error_s + 0.001


# ------------------------------------------------------------------ head and tail


@pytest.mark.parametrize("by_arrival", [True, False])
def test_head_gap_and_tail_have_their_seconds(by_arrival):
    full = regular()

    def found(taken):
        return gaps(timeline_of(taken + 0.004 - OFFSET, 500.0, known(taken, by_arrival=by_arrival)))

    assert found(full) == []
    assert found(full[:1500]) == [("tail", 1500, 21.0, 10_499)]
    assert found(full[6000:]) == [("head", 0, 12.0, 6001)]
    assert found(np.delete(full, slice(5000, 7000))) == [("gap", 5000, 4.0, 2000)]


def test_a_requested_stop_makes_short_tails_known():
    taken = regular(stop=STOP - 1.5)
    for requested, kinds in ((False, []), (True, ["tail"])):
        found = timeline_of(taken - OFFSET, 500.0, known(taken, stop_requested=requested))
        assert [gap.kind for gap in found.gaps] == kinds


def test_a_stream_that_never_sent_is_a_head_as_long_as_the_session():
    found = timeline_of([], 500.0, Evidence(start=START, stop=STOP))
    assert gaps(found) == [("head", 0, 24.0, 12_000)]
    assert found.lost_samples == 0


def test_what_is_late_at_the_end_is_told_apart_from_what_is_lost():
    taken = regular()
    taken[-300:] += 0.3
    found = timeline_of(taken[:-150] - OFFSET, 500.0, known(taken[:-150]))
    assert found.gaps == ()
    assert found.late_at_end_s == pytest.approx(0.3, abs=0.01)
    whole = timeline_of(taken - OFFSET, 500.0, known(taken))
    assert timeline_of(regular() - OFFSET, 500.0, known(regular())).late_at_end_s == 0
    assert whole.gaps == ()


# ------------------------------------------------------------------ whatever a device stamps


@pytest.mark.parametrize("fs", [0.0, 0.1, 1.0, 250.0, 100_000.0])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 20, 400])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t,
        lambda t: t * 0,
        lambda t: -t,
        lambda t: t * np.nan,
        lambda t: t * np.inf,
        lambda t: t * 1e11,
        lambda t: t * 1e300,
        lambda t: np.where(np.arange(len(t)) % 3 == 1, np.nan, t),
        lambda t: np.where(np.arange(len(t)) == 0, 1e9, t),
        lambda t: np.where(np.arange(len(t)) == len(t) - 1, 1e9, t),
        lambda t: np.random.default_rng(0).normal(0, 1e6, len(t)),
        lambda t: np.repeat(t, 2)[: len(t)],
        lambda t: t / 2,
    ],
)
def test_any_stamps_give_a_timeline(fs, n, spoil):
    stamps = spoil(100 + np.arange(n) / (fs or 250.0))
    stop = 100 + n / (fs or 250.0)
    came = np.column_stack((np.arange(n + 1), np.linspace(100, stop, n + 1)))
    for evidence in (None, Evidence(arrivals=came, start=100.0, stop=stop, offsets=np.full((3, 4), np.nan))):
        found = timeline_of(stamps, fs, evidence)
        assert found.n_samples == n
        assert found.corrected(stamps).shape == found.sample_time(stamps).shape == (n,)
        assert all(0 <= gap.index <= n and gap.seconds > 0 for gap in found.gaps)


def test_what_is_kept_does_not_depend_on_how_stamps_were_cut():
    rng = np.random.default_rng(3)
    taken = np.delete(regular(), slice(4000, 4100))
    stamps = np.repeat(taken[24::25], 25)[: len(taken)] - OFFSET + rng.exponential(0.002, len(taken) // 25 * 25)
    stamps[7000:] -= 40.0
    evidence = known(taken)
    whole = timeline_of(stamps, 500.0, evidence)
    for seed in range(5):
        cuts = np.random.default_rng(seed).integers(1, len(stamps), 60)
        sketch = Sketch(500.0)
        for part in np.split(stamps, np.unique(cuts)):
            sketch.feed(part)
            if seed == 0:
                analyse(sketch, evidence)
        found = analyse(sketch, evidence)
        assert (found.gaps, found.leaps, found.measured_fs) == (whole.gaps, whole.leaps, whole.measured_fs)


def test_what_is_kept_of_ten_hours_is_a_few_megabytes():
    sketch = Sketch(2048.0)
    rng = np.random.default_rng(0)
    for minute in range(600):
        times = minute * 60 + np.arange(2048 * 60) / 2048
        sketch.feed(np.repeat(times[511::512] + rng.exponential(0.01, 240), 512))
    assert sketch.n_samples == 600 * 60 * 2048
    assert sketch.nbytes < 21e6
    assert not analyse(sketch).gaps


@pytest.mark.parametrize(
    ("stamps", "reason"),
    [
        (-np.arange(20_000) / 250, "the stamps run backwards"),
        (np.arange(20_000) * 100.0, "the stamps jump about"),
        (np.random.default_rng(0).normal(0, 1e6, 20_000), "the stamps jump about"),
    ],
)
def test_stamps_that_are_no_running_clock_are_not_believed(stamps, reason):
    found = timeline_of(stamps, 250.0)
    assert (found.unusable, found.basis, found.gaps, found.leaps) == (reason, "none", (), ())


def test_what_came_twice_does_not_make_the_device_faster():
    stamps = np.concatenate([np.arange(5000) / 250, np.arange(4500, 10_000) / 250]) + START
    found = timeline_of(stamps, 250.0, Evidence(start=START, stop=START + 40.0))
    assert [(one.index, one.samples) for one in found.repeated] == [(5000, 500)]
    assert found.measured_fs == pytest.approx(250.0, rel=1e-4)


def test_a_device_far_off_its_declared_rate_is_measured():
    for real in (125.0, 375.0):
        found = timeline_of(START + np.arange(20_000) / real, 250.0)
        assert found.measured_fs == pytest.approx(real, rel=1e-3)
        assert found.gaps == ()


def test_leaps_that_recur_evenly_are_no_packets():
    taken = regular(stop=START + 24.0)
    stamps = taken - OFFSET + np.floor((taken - START) / 3.0) * 40.0
    found = timeline_of(stamps, 500.0, known(taken))
    assert found.packet_s == 0
    assert found.measured_fs == pytest.approx(500.0, rel=1e-3)
    assert found.lost_samples == 0
    assert [round(leap.seconds) for leap in found.leaps] == [40] * 7


def test_one_packet_with_one_stamp_is_no_clock_that_stands_still():
    stamps = np.full(125, 100.5)
    one_read = Evidence(arrivals=np.array([[0, 100.0], [125, 100.51]]), start=100.0, stop=100.6)
    assert timeline_of(stamps, 250.0, one_read).unusable == ""
    read = np.arange(1, 26)
    many_reads = Evidence(arrivals=np.column_stack((5 * read, 100.0 + 0.02 * read)), start=100.0, stop=100.6)
    assert timeline_of(stamps, 250.0, many_reads).unusable == "the stamps stand still"
    assert timeline_of(stamps, 250.0).unusable == "the stamps stand still"


@pytest.mark.parametrize(
    ("measured", "n", "by_arrival", "differs"),
    [
        (253.6, 2500, True, False),
        (253.6, 25_000, True, True),
        (253.6, 2500, False, True),
        (125.0, 500, True, True),
        (252.0, 10**6, True, False),
        (None, 2500, False, False),
    ],
)
def test_a_rate_that_arrivals_tell_counts_as_far_as_they_tell_it(measured, n, by_arrival, differs):
    assert rate_differs(measured, 250.0, n, by_arrival=by_arrival) is differs
    assert not rate_differs(measured, 0.0, n, by_arrival=by_arrival)


@pytest.mark.parametrize("seconds", [6, 8, 12, 15, 20])
@pytest.mark.parametrize("chunk", [1, 10])
@pytest.mark.parametrize("real", [100.0, 125.0, 200.0, 500.0])
def test_a_device_far_off_its_nominal_rate_is_not_late(real, chunk, seconds):
    pushed = 100.0 + np.arange(chunk, round(seconds * real) + 1, chunk) / real
    stamps = np.repeat(pushed, chunk) - np.tile(np.arange(chunk)[::-1], len(pushed)) / real
    known = Evidence(start=100.0, stop=100.0 + seconds, stop_requested=True)
    found = timeline_of(stamps, 250.0, known)
    assert found.measured_fs == pytest.approx(real, rel=0.002)
    assert (found.late_at_end_s, found.gaps) == (0.0, ())
