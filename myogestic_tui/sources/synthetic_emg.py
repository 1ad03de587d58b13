"""Synthetic EMG that looks like a forearm array's, and the hand that goes with it.

Noise between 20 and 450 Hz, stronger on other channels for each gesture, with mains hum and ADC steps, in microvolts.
It is cheap: two tables are made once (a whole number of periods of everything in them, so that they repeat without a
seam), and a block costs one multiplication and one addition per value. Sample ``k`` depends on the seed and on when
gestures changed, not on how blocks were cut.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from ..info import StreamInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Block = NDArray[np.float32]

BAND_HZ = (20.0, 450.0)
"""Where surface EMG has its power (Merletti and Farina, Surface Electromyography, 2016)."""

ADC_STEP_UV = 0.25
REST_RMS_UV = 8.0
PEAK_RMS_UV = 180.0
HUM_UV = 2.0
MAINS_HZ = 50.0
ONSET_S = 0.08
"""Time constant with which a muscle takes up a gesture."""

TABLE_BYTES = 24 << 20
"""Most that one table takes; longer ones repeat later."""

HAND_JOINTS = (
    "thumb_flexion",
    "thumb_abduction",
    "index_flexion",
    "middle_flexion",
    "ring_flexion",
    "little_flexion",
    "wrist_flexion",
    "wrist_abduction",
    "wrist_rotation",
)

_POSES = {
    0: (10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 0.0, 0.0, 0.0),
    1: (60.0, 40.0, 90.0, 90.0, 90.0, 90.0, 10.0, 0.0, 0.0),
    2: (45.0, 50.0, 60.0, 15.0, 15.0, 15.0, 0.0, 0.0, 0.0),
    3: (0.0, 60.0, 0.0, 0.0, 0.0, 0.0, -10.0, 0.0, 0.0),
}


class Follower:
    """A row of values that glides to a new target whenever the gesture changes.

    Parameters
    ----------
    start
        ``(n,)`` values before the first gesture.
    fs
        Rate in Hz at which it is asked.
    """

    def __init__(self, start: Block, fs: float) -> None:
        self._from, self._to = start, start
        self._since, self._samples = 0, ONSET_S * fs

    def turn(self, target: Block, at: int) -> None:
        """Head for another target from sample ``at`` on."""
        self._from = self.values(at, 1)[0]
        self._to, self._since = target, at

    def values(self, first: int, count: int) -> Block:
        """``(count, n)``, or ``(1, n)`` once it has arrived."""
        arrived = 12 * self._samples
        if first - self._since > arrived:
            return self._to[None, :]
        elapsed = np.arange(first, first + count) - self._since
        left = np.where(elapsed > arrived, 0.0, np.exp(-elapsed / self._samples))[:, None]
        return (self._to + (self._from - self._to) * left).astype(np.float32)


class EMGSignal:
    """The signal of an electrode array, sample by sample.

    Parameters
    ----------
    n_channels
        Number of channels.
    fs
        Rate in Hz, at least 50.
    seed
        The same seed gives the same samples.

    Raises
    ------
    ConfigError
        The rate is too low to hold any of the band.
    """

    def __init__(self, n_channels: int = 64, fs: float = 2048.0, seed: int = 0) -> None:
        if fs < 50.0:
            raise ConfigError(
                f"the synthetic EMG begins at {BAND_HZ[0]:g} Hz; {fs:g} Hz cannot carry it, use 50 Hz or more"
            )
        self.n_channels, self.fs, self.seed = n_channels, fs, seed
        seconds = int(np.clip(TABLE_BYTES / (4 * n_channels * fs), 1, 8))
        self._length = round(seconds * fs)
        rng = np.random.default_rng([seed, n_channels])
        self._noise = _neighbours(_band_noise(rng, self._length, n_channels, fs))
        quiet = _band_noise(rng, self._length, n_channels, fs)
        quiet *= REST_RMS_UV
        quiet += _hum(rng, self._length, n_channels, fs)
        self._quiet = quiet
        self._gain = Follower(np.zeros(n_channels, np.float32), fs)
        self.position = 0

    def pattern(self, gesture: int) -> Block:
        """``(n_channels,)`` RMS in microvolts that a gesture adds; rest (0) and no label (-1) add none."""
        if gesture <= 0:
            return np.zeros(self.n_channels, np.float32)
        rng = np.random.default_rng([self.seed, self.n_channels, gesture])
        channel = np.arange(self.n_channels) / self.n_channels
        centre = (gesture * 0.381966 + rng.uniform(-0.05, 0.05)) % 1.0
        reach = np.zeros(self.n_channels)
        for at, strength in ((centre, 1.0), ((centre + rng.uniform(0.25, 0.5)) % 1.0, rng.uniform(0.3, 0.6))):
            away = np.abs(channel - at)
            reach += strength * np.exp(-0.5 * (np.minimum(away, 1.0 - away) / 0.09) ** 2)
        return (PEAK_RMS_UV * np.clip(reach, 0.03, 1.0) * rng.uniform(0.85, 1.15, self.n_channels)).astype(np.float32)

    def set_gesture(self, gesture: int) -> None:
        """Take up a gesture (a class index; 0 and -1 are rest) from the next sample on."""
        self._gain.turn(self.pattern(gesture), self.position)

    def take(self, count: int) -> Block:
        """The next samples, ``(count, n_channels)`` float32 microvolts on the steps of the ADC."""
        block = np.empty((count, self.n_channels), np.float32)
        for done in range(0, count, self._length):
            self._fill(block[done : done + self._length])
        return block

    def _fill(self, block: Block) -> None:
        gains = self._gain.values(self.position, len(block))
        start, done = self.position % self._length, 0
        while done < len(block):
            count = min(len(block) - done, self._length - start)
            part, rows = block[done : done + count], slice(start, start + count)
            np.multiply(self._noise[rows], gains if len(gains) == 1 else gains[done : done + count], out=part)
            part += self._quiet[rows]
            start, done = 0, done + count
        np.rint(np.divide(block, ADC_STEP_UV, out=block), out=block)
        block *= ADC_STEP_UV
        self.position += len(block)


class HandSignal:
    """Joint angles of a hand that takes up the gestures: nine values in degrees, with a slight tremor."""

    def __init__(self, fs: float = 60.0, seed: int = 0) -> None:
        self.fs, self.seed = fs, seed
        self._pose = Follower(self.pose(0), fs)
        self.position = 0

    def pose(self, gesture: int) -> Block:
        """``(9,)`` angles in degrees, in the order of `HAND_JOINTS`."""
        if gesture <= 0 or gesture in _POSES:
            return np.array(_POSES[max(gesture, 0)], np.float32)
        rng = np.random.default_rng([self.seed, gesture])
        return np.concatenate([rng.uniform(0, 90, 6), rng.uniform(-30, 30, 3)]).astype(np.float32)

    def set_gesture(self, gesture: int) -> None:
        """Take up a gesture (a class index; 0 and -1 are rest) from the next sample on."""
        self._pose.turn(self.pose(gesture), self.position)

    def take(self, count: int) -> Block:
        """The next samples, ``(count, 9)`` float32 degrees."""
        seconds = np.arange(self.position, self.position + count)[:, None] / self.fs
        tremor = 0.3 * np.sin(2 * np.pi * (8.0 * seconds + np.arange(len(HAND_JOINTS))[None, :] / 9.0))
        block = self._pose.values(self.position, count) + tremor.astype(np.float32)
        self.position += count
        return block.astype(np.float32)


class SyntheticSource:
    """The synthetic EMG as a `Source` in this process, without LSL; stamps are on the recorder's clock.

    Parameters
    ----------
    n_channels, fs, seed
        As for `EMGSignal`.
    gesture
        The class index that it starts with.
    """

    def __init__(self, n_channels: int = 64, fs: float = 2048.0, seed: int = 0, *, gesture: int = 0) -> None:
        self._signal = EMGSignal(n_channels, fs, seed)
        self._signal.set_gesture(gesture)
        self._wanted = gesture
        self._gesture = gesture
        self._start: float | None = None
        self._first = 0

    def connect(self) -> StreamInfo:
        """Begin; the first sample is stamped with this instant."""
        self._start, self._first = time.monotonic(), self._signal.position
        return emg_info(self._signal.n_channels, self._signal.fs, f"synthetic-{self._signal.seed}")

    def set_gesture(self, gesture: int) -> None:
        """Take up a gesture from the next read on; any thread may call it."""
        self._wanted = gesture

    def read(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Every sample that is due: ``(n_samples, n_channels)`` float32 microvolts and ``(n_samples,)`` stamps."""
        if self._start is None:
            return np.empty((0, self._signal.n_channels), np.float32), np.empty(0)
        if self._wanted != self._gesture:
            self._gesture = self._wanted
            self._signal.set_gesture(self._gesture)
        done = self._signal.position - self._first
        due = int((time.monotonic() - self._start) * self._signal.fs) + 1
        stamps = self._start + np.arange(done, due) / self._signal.fs
        return self._signal.take(due - done), stamps

    def disconnect(self) -> None:
        """Stop; `connect` starts again."""
        self._start = None


def emg_info(n_channels: int, fs: float, source_id: str) -> StreamInfo:
    """The header of the synthetic array."""
    return StreamInfo(
        n_channels=n_channels,
        fs=fs,
        channel_names=tuple(f"EMG{index + 1}" for index in range(n_channels)),
        units=("microvolts",) * n_channels,
        channel_types=("EMG",) * n_channels,
        type="EMG",
        source_id=source_id,
        manufacturer="myogestic_tui synthetic",
    )


def hand_info(fs: float, source_id: str) -> StreamInfo:
    """The header of the synthetic hand."""
    return StreamInfo(
        n_channels=len(HAND_JOINTS),
        fs=fs,
        channel_names=HAND_JOINTS,
        units=("degrees",) * len(HAND_JOINTS),
        channel_types=("angle",) * len(HAND_JOINTS),
        type="Kinematics",
        source_id=source_id,
        manufacturer="myogestic_tui synthetic",
    )


def _band_noise(rng: np.random.Generator, length: int, n_channels: int, fs: float) -> Block:
    """``(length, n_channels)`` noise of RMS 1 whose spectrum peaks near 100 Hz; it repeats without a seam."""
    hz = np.fft.rfftfreq(length, 1.0 / fs)
    inside = (hz >= BAND_HZ[0]) & (hz <= min(BAND_HZ[1], 0.45 * fs))
    shape = np.where(inside, np.exp(-0.5 * (np.log(np.maximum(hz, 1.0) / 100.0) / 0.75) ** 2), 0.0)
    noise = np.empty((length, n_channels), np.float32)
    for channel in range(n_channels):
        spectrum = shape * np.exp(2j * np.pi * rng.random(len(hz)))
        column = np.fft.irfft(spectrum, length)
        noise[:, channel] = column / column.std()
    return noise


def _neighbours(noise: Block) -> Block:
    """Mix each channel with its neighbours, as electrodes over one muscle see the same fibres."""
    mixed = 0.8 * noise + 0.4 * np.roll(noise, 1, axis=1) + 0.4 * np.roll(noise, -1, axis=1)
    return np.asarray(mixed / mixed.std(axis=0), np.float32)


def _hum(rng: np.random.Generator, length: int, n_channels: int, fs: float) -> Block:
    """``(length, n_channels)`` mains hum at the frequency nearest to `MAINS_HZ` that fits the table."""
    turns = round(MAINS_HZ * length / fs) * np.arange(length) / length
    phase = rng.random(n_channels)
    strength = HUM_UV * rng.uniform(0.5, 1.0, n_channels)
    return (strength * np.sin(2 * np.pi * (turns[:, None] + phase[None, :]))).astype(np.float32)
