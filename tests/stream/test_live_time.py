"""The time model on a stream that comes in: what health tells of it, and that it is what the whole stream tells."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from myogestic_tui import Stream, StreamInfo
from myogestic_tui.app.live_time_remarks import remarks
from myogestic_tui.clock import Evidence, timeline_of
from myogestic_tui.stream.capture import Take
from myogestic_tui.stream.health import HealthMeter, StreamHealth
from myogestic_tui.stream.live_offsets import OffsetHistory
from myogestic_tui.stream.live_timeline import LiveTime
from tests.stream.scripted import ScriptedSource, estimate

START = 5000.0
POLL = 0.2
RNG = np.random.default_rng(7)


class Sent:
    """A stream that was sent: stamps and when each sample arrived, fed to a meter as a worker would."""

    def __init__(self, fs: float, stamps: np.ndarray, arrived: np.ndarray, *, until: float, compared: bool = True):
        self.info = StreamInfo(1, fs)
        self.meter = HealthMeter(self.info)
        self.meter.restart_counts(START)
        self.clock = OffsetHistory()
        self.stamps = stamps
        self.rows = [(0.0, START)]
        self.now = START
        order = np.searchsorted(arrived, np.arange(START, until, POLL))
        for number, (first, last) in enumerate(itertools.pairwise(order), 1):
            self.now = START + number * POLL
            if compared and number % 25 == 1:
                self.clock.add([estimate(RNG.normal(0, 1e-5), at=self.now)])
            if first < last:
                self.meter.feed(stamps[first:last], 4 * (last - first), self.now)
                self.rows.append((float(last), self.now))
            self.meter.tick(self.now, self.clock)

    @property
    def health(self) -> StreamHealth:
        return self.meter.snapshot(self.now, self.clock)

    def words(self, *, started_at: float | None = START) -> list[tuple[str, str]]:
        stream = Stream("emg", ScriptedSource(self.info))
        stream.info = self.info
        stream._take = Take(None, "emg", START)  # type: ignore[arg-type]  # it is recorded; nothing else is asked
        stream.get_timestamps = lambda _=None: self.stamps[-1:]  # type: ignore[method-assign]
        return [(one.severity, one.text) for one in remarks(stream, self.health, started_at=started_at)]

    @property
    def whole(self):
        evidence = Evidence(np.array(self.rows), self.clock.rows, START, self.now, stop_requested=True)
        return timeline_of(self.stamps[: int(self.rows[-1][0])], self.info.fs, evidence)


def steady(fs: float, seconds: float) -> np.ndarray:
    return START + np.arange(round(fs * seconds)) / fs


def test_a_steady_stream_has_nothing_to_say():
    stamps = steady(250.0, 60.0)
    sent = Sent(250.0, stamps, stamps + 0.01, until=START + 60.0)
    health = sent.health
    assert (health.gaps, health.lost_samples, health.silent_s, health.lag_s) == (0, 0, 0.0, 0.0)
    assert health.time.basis == "lsl"
    assert sent.words() == []


@pytest.mark.parametrize(("fs", "packet"), [(130.0, 73 / 130), (250.0, 0.6), (1000.0, 2.0)])
def test_packets_are_no_gaps(fs, packet):
    per = round(fs * packet)
    stamps = np.repeat(steady(fs, 60.0)[per - 1 :: per], per)
    sent = Sent(fs, stamps, stamps + 0.01, until=START + 60.0)
    health = sent.health
    assert (health.gaps, health.lost_samples, health.silent_s) == (0, 0, 0.0)
    assert health.time.packet_s == pytest.approx(per / fs, rel=0.01)
    assert health.measured_fs == pytest.approx(fs, rel=0.02)
    assert sent.words() == [("info", f"packets of {per / fs:.2f} s")]


def test_wall_clock_stamps_are_placed_by_arrival_and_told_once():
    arrived = steady(250.0, 30.0) + 0.01
    sent = Sent(250.0, arrived + 1.79e9, arrived, until=START + 30.0)
    assert sent.health.time.basis == "arrival"
    assert (sent.health.gaps, sent.health.lost_samples) == (0, 0)
    [(severity, text)] = sent.words()
    assert (severity, text) == ("warning", "stamps are in wall-clock time; aligned by arrival (±0.2 s)")


def test_a_leap_of_the_stamps_loses_nothing():
    stamps = steady(250.0, 40.0)
    arrived = stamps + 0.01
    stamps = np.where(np.arange(len(stamps)) >= 5000, stamps + 200_000.0, stamps)
    sent = Sent(250.0, stamps, arrived, until=START + 40.0)
    health = sent.health
    assert (health.gaps, health.lost_samples, len(health.time.leaps)) == (0, 0, 1)
    assert health.measured_fs == pytest.approx(250.0, rel=0.01)
    text = "stamps leap by +200000 s; samples continue without a pause; nothing lost"
    assert ("warning", text) in sent.words()


def test_a_loss_is_counted_and_stays():
    stamps = steady(250.0, 40.0)
    kept = np.delete(stamps, np.s_[2500:3000])
    sent = Sent(250.0, kept, kept + 0.01, until=START + 40.0)
    health = sent.health
    assert (health.gaps, health.lost_samples, health.lost_s) == (1, 500, pytest.approx(2.0, abs=0.01))
    assert ("error", "500 samples lost (2.00 s) at 00:00:10") in sent.words()


def test_several_losses_are_one_line():
    stamps = steady(250.0, 60.0)
    kept = np.delete(stamps, np.r_[2500:3000, 7500:7750])
    sent = Sent(250.0, kept, kept + 0.01, until=START + 60.0)
    assert ("error", "2 gaps, 750 samples lost (3.00 s), the last at 00:00:30") in sent.words()


def test_while_nothing_comes_the_lost_samples_count_up():
    stamps = steady(250.0, 10.0)
    counted = []
    for more in (0.5, 3.0, 8.0):
        sent = Sent(250.0, stamps, stamps + 0.01, until=START + 10.2 + more)
        counted.append(sent.health.lost_samples)
    assert counted[0] == 0
    assert counted[1] == pytest.approx(750, abs=100)
    assert counted[2] == pytest.approx(2000, abs=100)
    [(severity, text)] = sent.words()
    assert severity == "error"
    assert text == "no data for 7.8 s, counted as lost (1,950 samples so far)"
    assert sent.health.gaps == 0, "whether it returns nobody knows: a tail is no gap"


def test_a_sender_that_restarts_with_another_clock_is_a_gap_of_its_true_length():
    stamps = steady(500.0, 40.0)
    kept = np.delete(stamps, np.s_[5000:8321])
    for other in (-4000.0, 100_000.0):
        raw = np.where(np.arange(len(kept)) >= 5000, kept + other, kept)
        sent = Sent(500.0, raw, kept + 0.01, until=START + 40.0)
        health = sent.health
        assert (health.gaps, len(health.time.leaps)) == (1, 1)
        assert health.lost_s == pytest.approx(6.642, abs=0.35)
        assert any("the sender's clock restarted (its computer rebooted?); 6." in text for _, text in sent.words())


def test_lag_is_late_and_not_lost():
    stamps = steady(250.0, 30.0)
    sent = Sent(250.0, stamps, stamps + 1.6, until=START + 30.0)
    health = sent.meter.snapshot(sent.now, sent.clock, lag_s=1.6)
    assert (health.gaps, health.lost_samples, health.lag_s) == (0, 0, 1.6)
    sent.meter.snapshot = lambda *_: health  # type: ignore[method-assign]
    assert sent.words() == [("warning", "1.6 s behind (late, not lost so far)")]


def test_lag_that_builds_up_in_steps_and_is_caught_up_is_no_loss_in_the_end():
    stamps = steady(1000.0, 60.0)
    lag = np.interp(np.arange(60_000), [0, 30_000, 30_001, 36_000, 60_000], [0, 4.5, 4.5, 0, 0])
    held = stamps + np.floor(lag / 0.03) * 0.03
    sent = Sent(1000.0, held, held + 0.01, until=START + 60.0)
    assert (sent.health.gaps, sent.health.lost_samples) == (0, 0)
    assert sent.health.time.measured_fs == pytest.approx(1000.0, rel=1e-3)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e3, "stamps look like milliseconds; send seconds (lsl local_clock); time by arrival"),
        (1e6, "stamps look like microseconds; send seconds (lsl local_clock); time by arrival"),
        (0.0, "stamps stand still; time by arrival"),
    ],
)
def test_stamps_that_are_no_seconds_are_told(factor, words):
    arrived = steady(250.0, 30.0)
    sent = Sent(250.0, arrived * factor, arrived + 0.01, until=START + 30.0)
    assert sent.health.time.basis == "count"
    assert ("warning", words) in sent.words()
    assert sent.health.measured_fs == pytest.approx(250.0, rel=0.25)


def test_stamps_that_are_no_numbers_are_told():
    arrived = steady(250.0, 30.0)
    sent = Sent(250.0, np.full(len(arrived), np.nan), arrived + 0.01, until=START + 30.0)
    [(severity, text)] = sent.words()
    assert severity == "warning"
    assert re.fullmatch(r"(7,\d{3}) of \1 stamps are no numbers; time by arrival", text)


def test_a_rate_that_is_off_is_told():
    stamps = steady(244.3, 60.0)
    sent = Sent(250.0, stamps, stamps + 0.01, until=START + 60.0)
    assert ("warning", "sends 244.3 Hz, declares 250") in sent.words()
    assert sent.health.lost_samples == 0


def test_samples_that_come_twice_are_told():
    stamps = steady(250.0, 40.0)
    twice = np.concatenate((stamps[:5000], stamps[4500:]))
    arrived = np.concatenate((stamps[:5000], np.repeat(stamps[5000], 500), stamps[5000:])) + 0.01
    sent = Sent(250.0, twice, arrived, until=START + 40.0)
    assert any(text.endswith(" samples came twice") for _, text in sent.words())
    assert sent.health.lost_samples == 0


@pytest.mark.parametrize("fs", [200.0, 20.0, 2.0])
def test_the_rate_of_an_irregular_stream_is_that_of_its_samples(fs):
    times = START + np.sort(np.random.default_rng(1).uniform(0, 30.0, round(30 * fs)))
    meter = HealthMeter(StreamInfo(1, 0.0))
    for now in np.arange(START + POLL, START + 30.0, POLL):
        part = times[(times > now - POLL) & (times <= now)]
        if len(part):
            meter.feed(part, 4 * len(part), now)
        meter.tick(now)
    rates = np.array(meter.snapshot(START + 30.0, OffsetHistory()).rate_trace)
    assert rates.mean() == pytest.approx(fs, rel=0.25)
    assert meter.snapshot(START + 40.0, OffsetHistory()).measured_fs == 0.0


def long_stream(fs: float, hours: float) -> tuple[np.ndarray, np.ndarray]:
    """Losses, jitter, a leap and a restart, spread over hours."""
    rng = np.random.default_rng(11)
    index = np.arange(round(3600 * hours * fs))
    tau = START + index / fs
    for at in np.sort(rng.uniform(0.02, 0.98, 12)):
        tau[round(at * len(tau)) :] += rng.uniform(0.5, 5.0)
    stamps = tau + rng.exponential(0.003, len(tau))
    stamps[round(0.33 * len(tau)) :] += 5000.0
    stamps[round(0.66 * len(tau)) :] -= 9000.0
    return stamps, tau + 0.02


@pytest.mark.parametrize(("fs", "hours"), [(50.0, 0.75), pytest.param(20.0, 10.0, marks=pytest.mark.slow)])
def test_hours_of_live_come_to_what_the_whole_comes_to_and_take_no_more_memory(fs, hours):
    stamps, arrived = long_stream(fs, hours)
    live, clock = LiveTime(StreamInfo(1, fs), START), np.empty((0, 4))
    rows, most = [(0.0, START)], 0
    polls = np.arange(START + POLL, arrived[-1], POLL)
    places = np.searchsorted(arrived, polls)
    before, due = 0, START
    for now, place in zip(polls, places, strict=True):
        if place > before:
            live.feed(stamps[before:place], now)
            rows.append((float(place), now))
        before = place
        if now > due:
            live.look(now, clock)
            most, due = max(most, live.nbytes), now + 2.0
    evidence = Evidence(np.array(rows), clock, START, float(polls[-1]), stop_requested=True)
    whole = timeline_of(stamps[:before], fs, evidence)
    assert len(whole.lost) == 12
    assert [gap.index for gap in live.found.lost] == [gap.index for gap in whole.lost]
    assert [gap.samples for gap in live.found.lost] == pytest.approx([gap.samples for gap in whole.lost], abs=1)
    assert [leap.index for leap in live.found.leaps] == [leap.index for leap in whole.leaps]
    assert most < 600_000


@pytest.mark.parametrize("seed", range(4))
def test_live_and_afterwards_agree(seed):
    rng = np.random.default_rng(seed)
    fs = float(rng.choice([130.0, 250.0, 1000.0]))
    tau = steady(fs, 90.0)
    for at in np.array([20.0, 45.0, 70.0]) + rng.uniform(-9.0, 9.0, 3):
        tau[round(at * fs) :] += rng.uniform(0.1, 3.0)
    per = max(1, round(0.05 * fs))
    stamps = tau + np.repeat(rng.exponential(0.004, len(tau) // per + 1), per)[: len(tau)]
    sent = Sent(fs, stamps, stamps + 0.01, until=float(tau[-1]) + 1.0)
    health, whole = sent.health, sent.whole
    assert health.gaps == len(whole.lost) == 3
    assert health.lost_samples == whole.lost_samples


def test_a_counter_channel_tells_live_what_stamps_cannot():
    info = StreamInfo(2, 250.0, channel_names=("emg", "count")).with_counter("count")
    number = np.delete(np.arange(10_000), np.s_[5000:5002])
    stamps = START + np.arange(len(number)) / 250.0
    meter, clock = HealthMeter(info), OffsetHistory()
    meter.restart_counts(START)
    for first in range(0, len(number), 50):
        part = slice(first, first + 50)
        now = float(stamps[part][-1]) + 0.01
        meter.feed(stamps[part], 400, now, counted=number[part].astype(np.float32))
        meter.tick(now, clock)
    health = meter.snapshot(now + 0.1, clock)
    assert (health.gaps, health.lost_samples) == (1, 2)


def test_a_loss_that_is_no_longer_looked_at_stays_where_it_was():
    stamps = np.delete(steady(20.0, 1400.0), np.s_[1200:1240])
    live = LiveTime(StreamInfo(1, 20.0), START)
    for first in range(0, len(stamps), 4):
        part = stamps[first : first + 4]
        live.feed(part, float(part[-1]) + 0.01)
        if first % 400 == 0:
            live.look(float(part[-1]) + 0.01, np.empty((0, 4)))
    assert [(gap.index, gap.samples) for gap in live.found.lost] == [(1200, 40)]
    assert live.last_gap_s == pytest.approx(60.0, abs=0.45)
