"""Known faults are flagged, and clean EMG never is. The thresholds stand in docs/signal-quality.md."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from myogestic_tui import StreamInfo
from myogestic_tui.stream.quality import measure_quality, quality_samples

FS = 2048.0


def emg(rms, fs=FS, n_channels=8, seed=0, seconds=1.0):
    """Band-limited noise, 20 to 450 Hz (or what the rate allows)."""
    rng = np.random.default_rng(seed)
    band = (20.0, min(450.0, 0.45 * fs))
    noise = rng.normal(size=(round(fs * (seconds + 1)), n_channels))
    filtered = signal.sosfilt(signal.butter(4, band, "band", fs=fs, output="sos"), noise, axis=0)[round(fs) :]
    return filtered / filtered.std(axis=0) * rms


def adc(samples, step=1.0, dtype=np.float32):
    return (np.round(samples / step) * step).astype(dtype)


def flags(samples, fs=FS):
    return [one.flags for one in measure_quality(samples, fs)]


def time(fs=FS):
    return np.arange(round(fs))[:, None] / fs


@pytest.mark.parametrize("fs", [500.0, 1000.0, 2048.0, 2222.0, 10000.0])
@pytest.mark.parametrize("rms", [0.4, 2.0, 50.0, 2000.0])
def test_clean_emg_trips_nothing(fs, rms):
    """Quiet or active, in coarse or fine ADC steps, on an electrode offset, as float or as integer."""
    for seed in range(5):
        signal_ = emg(rms, fs, seed=seed)
        for samples in (adc(signal_), adc(signal_, 0.05), adc(signal_ + 30000.0), adc(signal_, dtype=np.int16)):
            assert set(flags(samples, fs)) == {""}


def test_three_samples_that_share_the_greatest_value_by_chance_trip_nothing():
    """At 500 Hz that comes about once in a thousand seconds of a clean channel."""
    samples = adc(emg(20.0, 500.0), 0.25)
    np.put_along_axis(samples, samples.argsort(axis=0)[-3:], 1.2 * samples.max(axis=0)[None], axis=0)
    assert set(flags(samples, 500.0)) == {""}


def test_bursts_and_a_slow_drift_trip_nothing():
    burst = emg(3.0) * np.where((time() > 0.3) & (time() < 0.6), 100.0, 1.0)
    assert set(flags(adc(burst))) == {""}
    assert set(flags(adc(emg(20.0) + 500.0 * time()))) == {""}


def test_a_little_hum_is_no_fault():
    assert set(flags(adc(emg(20.0) + 15.0 * np.sin(2 * np.pi * 50 * time())))) == {""}


@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_mains_hum_that_outweighs_the_signal_is_flagged(hz):
    for off in (-0.1, 0.0, 0.1):
        hum = 60.0 * np.sin(2 * np.pi * (hz + off) * time() + 0.3)
        hum += 20.0 * np.sin(2 * np.pi * 3 * (hz + off) * time())
        for one in measure_quality(adc(emg(20.0) + hum), FS):
            assert one.flags == "M"
            assert one.mains == pytest.approx(0.83, abs=0.1)
    assert max(one.mains for one in measure_quality(adc(emg(20.0)), FS)) < 0.1


def test_a_flat_channel_is_flagged_also_with_a_glitch_in_it():
    samples = adc(emg(20.0))
    samples[:, 2], samples[:, 5] = 17.0, 0.0
    samples[1000, 5] = 40.0
    assert flags(samples) == ["", "", "F", "", "", "F", "", ""]
    assert measure_quality(samples, FS)[2].rms == 0.0


@pytest.mark.parametrize("rail", [1.5, 2.0, 2.4])
def test_a_clipped_channel_is_flagged(rail):
    samples = adc(emg(1000.0))
    samples[:, 1] = np.clip(samples[:, 1], -rail * 1000.0, rail * 1000.0)
    samples[:, 3] = np.minimum(samples[:, 3], rail * 1000.0)
    assert flags(samples) == ["", "C", "", "C", "", "", "", ""]


def test_the_rails_of_an_integer_type_are_known():
    samples = np.clip(emg(20000.0), -32768, 32767).astype(np.int16)
    assert set(flags(samples)) == {"C"}
    assert set(flags(np.clip(emg(60.0), -128, 127).astype(np.int8))) == {"C"}


def test_a_pure_tone_is_not_clipped():
    for amplitude in (30.0, 500.0, 10000.0):
        tone = adc(amplitude * np.sin(2 * np.pi * 37.3 * time()))
        assert flags(tone) == [""]


def test_what_is_not_a_number_is_flagged_and_hurts_no_other_channel():
    samples = adc(emg(20.0))
    samples[5, 0], samples[700, 3], samples[:, 6] = np.nan, np.inf, np.nan
    rows = measure_quality(samples, FS)
    assert [("N" in one.flags) for one in rows] == [True, False, False, True, False, False, True, False]
    assert [one.flags for one in rows][1] == ""
    assert all(np.isfinite([one.rms, one.peak, one.mains]).all() for one in rows)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "float64"])
def test_rms_and_peak_are_about_the_mean(dtype):
    samples = np.array([[10.0], [30.0]] * 500).astype(dtype)
    (one,) = measure_quality(samples, 1000.0)
    assert (one.rms, one.peak) == (pytest.approx(10.0), pytest.approx(10.0))


def test_a_small_signal_on_a_large_offset_is_measured_right():
    samples = (100000.0 + emg(5.0)).astype(np.float32)
    assert [one.rms for one in measure_quality(samples, FS)] == pytest.approx([5.0] * 8, rel=0.01)


def test_slow_streams_are_not_judged_as_emg():
    """Joint angles rest at a limit for seconds: neither clipped nor hum."""
    angle = np.clip(np.sin(2 * np.pi * time(60.0)), -1.0, 0.5).astype(np.float32)
    assert flags(angle, 60.0) == [""]
    assert quality_samples(StreamInfo(1, 0.0)) == quality_samples(StreamInfo(1, 1.0)) == 0
    assert quality_samples(StreamInfo(1, 100.0, "string")) == 0
    assert quality_samples(StreamInfo(1, 2048.0)) == 2048


@pytest.mark.parametrize("offset", [0.0, 3e4, -2e6])
def test_a_sample_that_is_no_number_leaves_rms_and_peak_of_the_others_as_they_are(offset):
    samples = (emg(50.0) + offset).astype(np.float32)
    whole = measure_quality(samples, FS)
    samples[100], samples[1024] = np.nan, np.inf
    for broken, one in zip(measure_quality(samples, FS), whole, strict=True):
        assert broken.flags == "N"
        assert broken.rms == pytest.approx(one.rms, rel=0.02)
        assert broken.peak == pytest.approx(one.peak, rel=0.2)
