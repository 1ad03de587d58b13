"""Signal of one stream, window by window: power by class, spectrum, and what is plainly wrong, per channel.

A window is a second under one label and without a gap. Of each is kept a row of numbers per channel, not its samples:
memory is some 16 bytes per channel and second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..stream.quality import HARMONICS, LEAST_FS, MAINS_HZ, measure_quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

BAND_HZ = 20.0
"""Below it lie movement and offset; above it the muscle."""
MOTION_SHARE = 0.5
"""A window is of motion where at least this share of its power lies below `BAND_HZ`."""
LEAST_WINDOW_S = 0.25
_NOTCH_HZ = 1.5
"""Around each mains line this much does not count as spectrum of the muscle."""


class ChannelNumbers(NamedTuple):
    """All windows of a stream; each array ``(n_windows, n_channels)`` but for the first three, ``(n_windows,)``."""

    times: NDArray[np.float64]
    """Of the windows' middles, in seconds since the session's start."""
    classes: NDArray[np.int64]
    """Class indices; -1 for what is unlabelled."""
    trials: NDArray[np.int64]
    """Trials, from 1 as on the screens; 0 for what belongs to none, or to one that is marked bad."""
    rms: NDArray[np.float32]
    """About the window's mean, in the stream's unit."""
    power: NDArray[np.float32]
    """Above `BAND_HZ` and beside the mains lines, in the stream's unit squared."""
    median_hz: NDArray[np.float32]
    """Median frequency of that; NaN where there is no power."""
    mains: NDArray[np.float32]
    """Share (0 to 1) of the power at the mains frequency and its harmonics."""
    flags: NDArray[np.uint8]
    """Sum of `FLAT`, `CLIPPED`, `MAINS`, `NAN` and `MOTION`."""


FLAT, CLIPPED, MAINS, NAN, MOTION = 1, 2, 4, 8, 16
_LETTERS = {"F": FLAT, "C": CLIPPED, "M": MAINS, "N": NAN}


class ChannelStatistics:
    """Takes the windows of one stream, one after the other.

    Parameters
    ----------
    info
        Its layout: numbers, of 8 Hz or more.
    """

    def __init__(self, info: StreamInfo) -> None:
        self._info = info
        self._times: list[float] = []
        self._classes: list[int] = []
        self._trials: list[int] = []
        self._rows: list[tuple[NDArray[Any], ...]] = []
        self.unreadable_s = 0.0
        """Seconds that could not be read."""

    def add(self, samples: NDArray[Any], at: float, class_index: int, trial: int = 0) -> None:
        """Take a window ``(n_samples, n_channels)`` whose middle is ``at`` seconds into the session."""
        with np.errstate(over="ignore", invalid="ignore"):  # of a glitch near the end of what float32 holds
            found = measure_quality(samples, self._info.fs)
            power, median_hz, motion = self._spectrum(samples)
        flags = np.array([sum(_LETTERS[letter] for letter in one.flags) for one in found], np.uint8)
        flags[motion & ((flags & (FLAT | NAN)) == 0)] |= MOTION
        self._times.append(at)
        self._classes.append(class_index)
        self._trials.append(trial)
        rms, mains = ([getattr(one, name) for one in found] for name in ("rms", "mains"))
        self._rows.append((np.array(rms), power, median_hz, np.array(mains), flags))

    def numbers(self) -> ChannelNumbers:
        """All of it."""
        kinds = (np.float32, np.float32, np.float32, np.float32, np.uint8)
        empty = (0, self._info.n_channels)
        columns = [
            np.array([row[place] for row in self._rows], kind) if self._rows else np.empty(empty, kind)
            for place, kind in enumerate(kinds)
        ]
        classes, trials = np.array(self._classes, np.int64), np.array(self._trials, np.int64)
        return ChannelNumbers(np.array(self._times), classes, trials, *columns)

    def _spectrum(self, samples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Power of the muscle, its median frequency, and whether motion outweighs it, ``(n_channels,)`` each."""
        from scipy.fft import rfft, rfftfreq

        values = _about_mean(samples)
        n, fs = len(values), self._info.fs
        power = np.abs(rfft(values, axis=0)) ** 2
        power[1:-1] *= 2  # bins that stand for two, but for the last one of an even length
        if n % 2:
            power[-1] *= 2
        power /= n * n
        hz = rfftfreq(n, 1 / fs)
        low = min(BAND_HZ, fs / 8)
        slow = power[hz < low].sum(axis=0)
        fast = power[hz >= low].sum(axis=0)
        muscle = np.where((hz >= low)[:, None] & ~_mains_lines(hz)[:, None], power, 0)
        cumulative = np.cumsum(muscle, axis=0)
        total = cumulative[-1]
        place = np.argmax(cumulative >= total / 2, axis=0)
        median_hz = np.where(total > 0, hz[place], np.nan).astype(np.float32)
        motion = (slow >= MOTION_SHARE * (slow + fast)) & (slow > 0) if fs >= LEAST_FS else slow < 0
        return total.astype(np.float32), median_hz, motion


def _about_mean(samples: NDArray[Any]) -> NDArray[np.float32]:
    """The samples less each channel's mean, 0 for what is no number; small ones on a large offset keep their digits."""
    finite = np.isfinite(samples)
    values = np.where(finite, samples, 0).astype(np.float64)
    values -= values.sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    return np.where(finite, values, 0).astype(np.float32)


def _mains_lines(hz: NDArray[np.float64]) -> NDArray[np.bool_]:
    lines = [line * k for line in MAINS_HZ for k in range(1, HARMONICS + 1)]
    found: NDArray[np.bool_] = np.any([np.abs(hz - line) <= _NOTCH_HZ for line in lines], axis=0)
    return found
