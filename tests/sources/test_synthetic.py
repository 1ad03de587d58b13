"""The synthetic EMG is believable, repeatable, and follows the gesture."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import LSLSource, Outlet, SyntheticSource
from myogestic_tui.sources.synthetic_emg import ADC_STEP_UV, HAND_JOINTS, EMGSignal, HandSignal
from tests.sources.helpers import PATIENCE, Reader


def settled(signal_: EMGSignal, gesture: int, seconds: float = 2.0) -> np.ndarray:
    """``(n_samples, n_channels)`` of a gesture, once it is taken up."""
    signal_.set_gesture(gesture)
    signal_.take(int(signal_.fs))
    return signal_.take(int(seconds * signal_.fs)).astype(np.float64)


@pytest.mark.parametrize("gesture", [0, 1, 2])
def test_power_lies_between_20_and_450_hz(gesture: int) -> None:
    block = settled(EMGSignal(16, 2048.0, seed=3), gesture, 4.0)
    power = (np.abs(np.fft.rfft(block, axis=0)) ** 2).sum(axis=1)
    hz = np.fft.rfftfreq(len(block), 1 / 2048.0)
    inside = (hz >= 20) & (hz <= 450)
    assert power[inside].sum() / power.sum() > 0.99
    assert 60 < np.average(hz, weights=power) < 180


def test_there_is_hum_but_too_little_to_trip_anything() -> None:
    block = settled(EMGSignal(16, 2048.0), 0, 4.0)
    power = np.abs(np.fft.rfft(block, axis=0)) ** 2
    mains = power[200] / power.sum(axis=0)
    assert np.all(mains < 0.1)
    assert np.median(power[200] / power[190:211].mean(axis=0)) > 2


def test_values_stand_on_adc_steps_and_clip_nothing() -> None:
    block = settled(EMGSignal(64), 1)
    np.testing.assert_array_equal(block % ADC_STEP_UV, 0)
    assert 300 < np.abs(block).max() < 3000


def test_each_gesture_is_strong_on_other_channels() -> None:
    signal_ = EMGSignal(64, seed=1)
    patterns = {gesture: settled(signal_, gesture).std(axis=0) for gesture in (0, 1, 2, 3)}
    assert patterns[0].max() < 15
    strongest = {int(patterns[gesture].argmax()) for gesture in (1, 2, 3)}
    assert len(strongest) == 3
    for gesture in (1, 2, 3):
        window = settled(signal_, gesture, 0.2).std(axis=0)
        nearest = min(patterns, key=lambda known: float(np.linalg.norm(window - patterns[known])))
        assert nearest == gesture


def test_the_same_seed_gives_the_same_samples_however_they_are_taken() -> None:
    whole, parts = EMGSignal(8, 1000.0, seed=5), EMGSignal(8, 1000.0, seed=5)
    for signal_ in (whole, parts):
        signal_.take(700)
        signal_.set_gesture(2)
    expected = whole.take(9000)
    found = np.concatenate([parts.take(count) for count in (1, 32, 900, 67, 4000, 4000)])
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(EMGSignal(8, 1000.0, seed=6).take(100), EMGSignal(8, 1000.0, seed=5).take(100))


def test_one_channel_and_odd_rates_work() -> None:
    assert EMGSignal(1, 333.3).take(1000).shape == (1000, 1)
    with pytest.raises(ConfigError, match="50 Hz"):
        EMGSignal(1, 10.0)


def test_the_hand_takes_up_the_gesture() -> None:
    hand = HandSignal()
    assert np.allclose(hand.take(60).mean(axis=0), hand.pose(0), atol=1)
    hand.set_gesture(1)
    hand.take(60)
    assert np.allclose(hand.take(60).mean(axis=0), hand.pose(1), atol=1)


def test_the_source_in_this_process_keeps_time() -> None:
    source = SyntheticSource(4, 1000.0, seed=2)
    assert source.read()[1].size == 0
    info = source.connect()
    assert (info.n_channels, info.fs, info.units) == (4, 1000.0, ("microvolts",) * 4)
    began, blocks = time.monotonic(), []
    while sum(len(stamps) for _, stamps in blocks) < 500:
        source.set_gesture(1)
        blocks.append(source.read())
    stamps = np.concatenate([stamps for _, stamps in blocks])
    data = np.concatenate([data for data, _ in blocks])
    assert data.dtype == np.float32
    assert data.shape == (len(stamps), 4)
    np.testing.assert_allclose(np.diff(stamps), 0.001, atol=1e-9)
    assert stamps[0] <= began
    assert stamps[-1] <= time.monotonic()
    source.disconnect()
    source.disconnect()
    assert source.read()[1].size == 0


# ---------------------------------------------------------------- the process


@pytest.fixture
def generator(unique: str):
    command = [sys.executable, "-m", "myogestic_tui.sources.generator", "--name", unique, "--until-eof"]
    command += ["--channels", "16", "--rate", "1000"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def rms(reader: Reader, samples: int = 300) -> np.ndarray:
    """Of the next samples."""
    first = reader.count
    reader.until_count(first + samples)
    return reader.data[first:].std(axis=0)


def test_the_process_announces_both_streams_and_follows_its_input(generator: subprocess.Popen, unique: str) -> None:
    ready = generator.stdout.readline()
    assert f'"name": "{unique}"' in ready
    with Reader(LSLSource(unique)) as emg, Reader(LSLSource(source_id=f"myogestic-{unique}-0-hand")) as hand:
        assert emg.info.channel_names[:2] == ("EMG1", "EMG2")
        assert emg.info.units == ("microvolts",) * 16
        assert (hand.info.fs, hand.info.dtype, hand.info.channel_names) == (60.0, "float32", HAND_JOINTS)
        assert rms(emg).max() < 20
        generator.stdin.write("gesture 1\nnonsense\ngesture x\n")
        generator.stdin.flush()
        emg.until(lambda: rms(emg).max() > 50)
        hand.until_count(60)
    np.testing.assert_allclose(np.diff(emg.stamps), 0.001, atol=1e-6)
    generator.stdin.close()
    assert generator.wait(PATIENCE) == 0


def test_the_process_follows_markers(generator: subprocess.Popen, unique: str) -> None:
    generator.stdout.readline()
    markers = StreamInfo(1, 0.0, "string", type="Markers", source_id=f"{unique}-g")
    with Outlet(f"{unique}_gesture", markers) as outlet, Reader(LSLSource(unique)) as emg:
        assert outlet.wait_for_consumers(PATIENCE)
        outlet.push_text([["2 Pinch"]], [time.monotonic()])
        emg.until(lambda: rms(emg).max() > 50)
        outlet.push_text([["-1"]], [time.monotonic()])
        emg.until(lambda: rms(emg).max() < 20)
    generator.send_signal(signal.SIGTERM)
    assert generator.wait(PATIENCE) == 0


ORPHANS = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "myogestic_tui.sources.generator", "--name", sys.argv[1]],
                         stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
"""


def test_the_process_ends_when_its_parent_dies(unique: str) -> None:
    parent = subprocess.run([sys.executable, "-c", ORPHANS, unique], capture_output=True, text=True, timeout=PATIENCE)
    pid, end = int(parent.stdout), time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the orphan lives")


def test_a_rate_that_cannot_be_made_ends_the_process_with_a_reason() -> None:
    command = [sys.executable, "-m", "myogestic_tui.sources.generator", "--rate", "5"]
    child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert child.returncode == 1
    assert "use 50 Hz or more" in child.stderr
