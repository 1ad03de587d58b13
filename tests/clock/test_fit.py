"""Offset histories with noise, outliers, drift and jumps, and the corrected times they give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui.clock import Gap, dejitter, fit_offsets

START = 5000.0


class Device:
    """A source whose clock drifts against the recorder's and is set now and then: ``jumps`` are (at, by) seconds."""

    def __init__(self, offset=1234.5, drift=1e-4, jumps=(), seed=0):
        self.offset, self.drift, self.jumps, self.rng = offset, drift, jumps, np.random.default_rng(seed)

    def true_offset(self, local):
        offset = self.offset + self.drift * (local - START)
        return offset + sum(np.where(local >= START + at, by, 0.0) for at, by in self.jumps)

    def stamps(self, seconds, fs=100.0):
        """True times on the recorder's clock, and the device's stamps of them."""
        local = START + np.arange(0.0, seconds, 1 / fs)
        return local, local - self.true_offset(local)

    def history(self, seconds, noise=1e-4, outliers=0.05):
        """``(k, 4)`` an estimate every 5 s, some of them plainly wrong though they claim not to be."""
        local = START + np.arange(0.0, seconds, 5.0) + self.rng.uniform(0.0, 0.3, len(np.arange(0.0, seconds, 5.0)))
        uncertainty = noise * self.rng.uniform(0.5, 3.0, len(local))
        true = self.true_offset(local)
        wrong = self.rng.random(len(local)) < outliers
        measured = true + self.rng.normal(0.0, 0.5 * uncertainty) + wrong * self.rng.uniform(-0.2, 0.2, len(local))
        return np.column_stack((local, measured, uncertainty, local - true))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("jump", [0.002, 0.05, -0.05, 3.0, -3.0, 20000.0, -20000.0])
def test_100_ppm_with_one_jump_comes_back_within_a_millisecond_over_ten_minutes(jump, seed):
    device = Device(drift=1e-4, jumps=[(301.7, jump)], seed=seed)
    fit = fit_offsets(device.history(600.0))
    local, stamps = device.stamps(600.0)
    assert np.abs(fit.correct(stamps) - local).max() < 1e-3
    assert len(fit.segments) == 2
    assert fit.drift_ppm == pytest.approx(100.0, abs=2.0)
    assert fit.residual < 5e-4


@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_offsets_jumps_and_outliers(seed):
    device = Device(drift=-3e-5, jumps=[(900, 0.02), (1500, -3.0), (2400, 7000.0), (3000, -7000.0)], seed=seed)
    history = device.history(3600.0, outliers=0.08)
    fit = fit_offsets(history)
    local, stamps = device.stamps(3600.0, fs=20.0)
    error = np.abs(fit.correct(stamps) - local)
    assert error.max() < 1e-3
    assert np.sqrt(np.mean(error**2)) < 1e-4
    assert len(fit.segments) == 5


@pytest.mark.parametrize("seed", range(5))
def test_outliers_alone_start_no_segment(seed):
    device = Device(drift=0.0, seed=seed)
    fit = fit_offsets(device.history(1800.0, outliers=0.1))
    assert len(fit.segments) == 1
    assert fit.segments[0].n_outliers >= 10
    local, stamps = device.stamps(1800.0, fs=1.0)
    assert np.abs(fit.correct(stamps) - local).max() < 1e-4


def test_estimates_count_by_their_uncertainty():
    rows = Device(drift=0.0, offset=10.0).history(600.0, noise=1e-5, outliers=0.0)
    rows[::2, 1] += 0.0004
    rows[::2, 2] = 0.01
    assert fit_offsets(rows).segments[0].intercept == pytest.approx(10.0, abs=5e-5)


def test_without_estimates_nothing_is_corrected():
    fit = fit_offsets(np.empty((0, 4)))
    stamps = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(fit.correct(stamps), stamps)
    assert (fit.segments, fit.drift_ppm, fit.residual) == ((), 0.0, 0.0)
    assert fit_offsets([]).segments == ()


def test_one_estimate_is_a_constant_offset():
    fit = fit_offsets([[100.0, 7.5, 1e-4, 92.5]])
    np.testing.assert_allclose(fit.correct([0.0, 1000.0]), [7.5, 1007.5])
    assert fit.drift_ppm == 0.0


def test_two_noisy_estimates_do_not_run_away():
    fit = fit_offsets([[100.0, 7.5, 1e-3, 92.5], [105.0, 7.501, 1e-3, 97.499]])
    assert abs(fit.drift_ppm) < 50.0


def test_a_missing_remote_time_is_made_up_for():
    device = Device()
    rows = device.history(600.0, outliers=0.0)
    rows[:, 3] = np.nan
    rows[3, 1] = np.nan
    local, stamps = device.stamps(600.0)
    assert np.abs(fit_offsets(rows).correct(stamps) - local).max() < 1e-3


def test_a_part_of_the_stamps_is_corrected_like_the_whole():
    device = Device(jumps=[(301.7, 40.0)])
    fit = fit_offsets(device.history(600.0))
    local, stamps = device.stamps(600.0)
    for part in (slice(0, 20000), slice(40000, 60000), slice(29000, 31000)):
        assert np.abs(fit.correct(stamps[part]) - local[part]).max() < 1e-3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.floats(allow_nan=True, allow_infinity=True, width=32)] * 4), max_size=30))
def test_no_history_is_too_strange(rows):
    with np.errstate(all="ignore"):
        corrected = fit_offsets(np.array(rows).reshape(-1, 4)).correct(np.arange(10.0))
    assert corrected.shape == (10,)


def test_dejitter_spaces_stamps_evenly_between_gaps():
    fs, rng = 500.0, np.random.default_rng(1)
    true = 100.0 + np.arange(10000) / (fs * 1.001)
    true[6000:] += 2.0
    stamps = true + rng.uniform(0.0, 0.004, len(true))
    stamps[2000] += 0.5
    even = dejitter(stamps, fs, [Gap(6000, 2.0)])
    for run in (slice(0, 6000), slice(6000, None)):
        np.testing.assert_allclose(np.diff(even[run]), 1 / (fs * 1.001), rtol=1e-4)
    np.testing.assert_allclose(even, true + 0.002, atol=3e-4)


def test_dejitter_leaves_irregular_and_tiny_streams_alone():
    np.testing.assert_array_equal(dejitter([1.0, 5.0, 5.5], 0.0), [1.0, 5.0, 5.5])
    np.testing.assert_array_equal(dejitter([1.0, 1.3], 4.0), [1.0, 1.3])
    assert len(dejitter([], 4.0)) == 0
