"""What is measured of a stream as its chunks come in."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.stream.health import HealthMeter
from myogestic_tui.stream.live_offsets import OffsetHistory
from tests.stream.scripted import estimate

FS = 1000.0
CLOCK = OffsetHistory()


def fed(fs=FS, seconds=10.0, real=None, chunk=0.2, lost=(), info_fs=None):
    """A meter that was fed as by a worker, ``lost`` = (from, to) seconds without samples; and the time it is then."""
    meter, real = HealthMeter(StreamInfo(4, fs if info_fs is None else info_fs)), real or fs
    stamps = 100.0 + np.arange(round(real * seconds)) / real
    kept = ~((stamps >= 100.0 + lost[0]) & (stamps < 100.0 + lost[1])) if lost else np.ones(len(stamps), bool)
    for now in np.arange(100.0 + chunk, 100.0 + seconds + 1e-6, chunk):
        part = stamps[kept & (stamps >= now - chunk) & (stamps < now)]
        if len(part):
            meter.feed(part, len(part) * 16, now)
        meter.tick(now)
    return meter, 100.0 + seconds


@pytest.mark.parametrize(("fs", "real"), [(1000.0, 1000.0), (100.0, 91.7), (2048.0, 2048.1), (60.0, 60.0)])
def test_rates_are_those_of_the_samples(fs, real):
    meter, now = fed(fs, 20.0, real)
    health = meter.snapshot(now, CLOCK)
    assert health.measured_fs == pytest.approx(real, rel=1e-6)
    assert health.mean_fs == pytest.approx(real, rel=1e-6)
    assert health.n_samples == pytest.approx(20 * real, abs=real * 0.2 + 1)
    assert health.n_bytes == health.n_samples * 24


def test_the_trace_holds_the_last_minute_with_zeros_where_nothing_came():
    meter, now = fed(seconds=90.0, lost=(60.0, 70.0))
    trace = meter.snapshot(now, CLOCK).rate_trace
    assert len(trace) == 60
    assert 7 <= trace.count(0.0) <= 10
    assert trace[-1] == pytest.approx(FS)


def test_a_silent_stream_has_no_rate_and_an_age():
    meter, now = fed()
    health = meter.snapshot(now + 5.0, CLOCK)
    assert health.measured_fs == 0.0
    assert health.age_s == pytest.approx(5.0, abs=0.01)


def test_gaps_and_losses_are_counted():
    meter, now = fed(seconds=20.0, lost=(8.0, 9.5))
    health = meter.snapshot(now, CLOCK)
    assert (health.gaps, health.lost_samples) == (1, 1500)
    assert health.lost_s == pytest.approx(1.5, abs=1e-3)
    assert health.mean_fs == pytest.approx(FS * 18.5 / 20.0, rel=1e-3)


def test_a_recording_counts_from_its_start():
    meter = HealthMeter(StreamInfo(4, FS))
    stamps = 100.0 + np.arange(20000) / FS
    stamps[5000:] += 1.0
    stamps[12000:] += 2.0
    meter.feed(stamps[:6000], 0, 106.0)
    meter.restart_counts()
    assert meter.snapshot(106.0, CLOCK).n_samples == 0
    meter.feed(stamps[6000:], 0, 123.0)
    health = meter.snapshot(123.0, CLOCK)
    assert (health.n_samples, health.gaps, health.lost_samples) == (14000, 1, 2000)


def test_jitter_is_the_99th_percentile_of_interval_deviations():
    meter = HealthMeter(StreamInfo(1, FS))
    stamps = 100.0 + np.arange(5000) / FS
    stamps[::50] += 0.004
    meter.feed(stamps, 0, 105.0)
    meter.tick(105.0)
    assert meter.snapshot(105.0, CLOCK).jitter_s == pytest.approx(0.004, rel=0.01)


def test_irregular_streams_have_a_rate_of_events_and_no_gaps():
    meter = HealthMeter(StreamInfo(1, 0.0))
    for now in np.arange(100.0, 140.0, 0.5):
        meter.feed(np.array([now]), 8, now)
        meter.tick(now)
    health = meter.snapshot(139.5, CLOCK)
    assert health.measured_fs == pytest.approx(2.0, abs=1.0)
    assert (health.gaps, health.jitter_s) == (0, None)


def test_stamps_that_stand_still_or_are_no_numbers_break_nothing():
    meter = HealthMeter(StreamInfo(1, FS))
    with np.errstate(all="ignore"):
        meter.feed(np.zeros(500), 0, 100.0)
        meter.feed(np.full(500, np.nan), 0, 100.5)
        meter.tick(101.0)
    with np.errstate(all="raise"):  # whoever asks
        health = meter.snapshot(101.0, CLOCK)
    assert health.n_samples == 1000
    assert health.measured_fs is None


def test_the_clock_is_that_of_the_fit():
    clock = OffsetHistory()
    assert (clock.offset, clock.newest, clock.drift_ppm, clock.residual) == (0.0, None, None, None)
    for at in np.arange(0.0, 600.0, 5.0):
        clock.add([estimate(3.0 + 50e-6 * at, at=1000.0 + at)])
    health = HealthMeter(StreamInfo(1, FS)).snapshot(1600.0, clock)
    assert health.clock_offset == pytest.approx(3.0 + 50e-6 * 595.0, abs=1e-5)
    assert health.clock_drift_ppm == pytest.approx(50.0, abs=1.0)
    assert health.clock_uncertainty == 1e-4
    assert health.clock_residual < 1e-5
    np.testing.assert_allclose(clock.correct(np.array([1592.0])), 1592.0 + 3.02975, atol=1e-4)
