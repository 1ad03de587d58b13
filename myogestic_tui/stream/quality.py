"""Signal quality of each channel over the last second: RMS, peak, and what is plainly wrong with it.

The thresholds are the constants here; `docs/signal-quality.md` says why they are what they are. Clean EMG never trips
them: activity, a quiet baseline and the steps of the ADC are all signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

FLAT_SHARE = 0.995
"""Flat: at least this share of a channel's samples equals the one before."""
CLIP_SHARE = 0.005
"""Clipped: at least this share of the samples stands at the channel's greatest or least value …"""
CLIP_STEPS = 50
"""… while the channel spans at least so many ADC steps, …"""
CLIP_BAND = 0.02
"""… and more samples stand there than in the next 2 % (four steps, if that is more) of the span beside it."""
MAINS_SHARE = 0.5
"""Mains: at least this share of the power is at 50 or at 60 Hz and the two harmonics above."""
MAINS_HZ = (50.0, 60.0)
HARMONICS = 3
LEAST_FS = 200.0
"""Clipped and mains are looked for at this rate and above: slower streams carry no EMG."""
LEAST_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Quality:
    """One channel over the last second.

    Attributes
    ----------
    rms, peak
        About the channel's mean, in the stream's unit.
    mains
        Share (0 to 1) of the power at the mains frequency and its harmonics.
    flags
        Letters: ``F`` flat, ``C`` clipped, ``M`` mains, ``N`` not a number.
    """

    rms: float
    peak: float
    mains: float
    flags: str


def quality_samples(info: StreamInfo) -> int:
    """Samples that `measure_quality` wants: one second of them; 0 where a stream is text or too slow to judge."""
    return round(info.fs) if not info.is_string and info.fs >= LEAST_SAMPLES else 0


def measure_quality(samples: NDArray[Any], fs: float) -> tuple[Quality, ...]:
    """Judge ``samples`` ``(n_samples, n_channels)``, a second at ``fs`` Hz, one `Quality` per channel."""
    finite = np.isfinite(samples) if samples.dtype.kind == "f" else None
    broken = np.zeros(samples.shape[1], dtype=bool) if finite is None else ~finite.all(axis=0)
    if broken.any():
        samples = np.where(finite, samples, 0)
    centred = _centred(samples)
    power = np.einsum("ij,ij->j", centred, centred, optimize=False) / len(centred)
    peak = np.maximum(centred.max(axis=0), -centred.min(axis=0))
    mains = _mains_share(centred, power, fs)
    flat = (samples[1:] == samples[:-1]).mean(axis=0) >= FLAT_SHARE
    clipped = np.zeros(len(power), dtype=bool)
    if fs >= LEAST_FS:
        for channel in np.flatnonzero(_at_extremes(samples) & ~broken):
            clipped[channel] = is_clipped(samples[:, channel])
    letters = ((broken, "N"), (flat, "F"), (clipped, "C"), ((mains >= MAINS_SHARE) & ~flat, "M"))
    flags = ["".join(letter for mask, letter in letters if mask[i]) for i in range(len(power))]
    values = zip(np.sqrt(power).tolist(), peak.tolist(), mains.tolist(), flags, strict=True)
    return tuple(Quality(*row) for row in values)


def _centred(samples: NDArray[Any]) -> NDArray[np.float32]:
    """The samples about their mean, float32, without losing small signals on a large offset."""
    if samples.dtype.itemsize > 2 and samples.dtype != np.float32:
        samples = samples.astype(np.float64)
    centred = np.subtract(samples, samples[len(samples) // 2], dtype=np.result_type(samples, np.float32))
    centred = centred.astype(np.float32, copy=False)
    centred -= centred.mean(axis=0)
    return centred


@lru_cache(maxsize=16)
def _mains_waves(n_samples: int, fs: float) -> NDArray[np.float32] | None:
    """Cosines and sines of both mains families below the Nyquist frequency, ``(2, 2 * harmonics, n_samples)``."""
    if fs < LEAST_FS:
        return None
    phase = 2.0 * np.pi * np.arange(n_samples) / fs
    waves = np.zeros((len(MAINS_HZ), 2 * HARMONICS, n_samples), dtype=np.float32)
    for family, hz in enumerate(MAINS_HZ):
        for k in range(HARMONICS):
            if hz * (k + 1) < 0.49 * fs:
                waves[family, 2 * k : 2 * k + 2] = np.cos(phase * hz * (k + 1)), np.sin(phase * hz * (k + 1))
    return waves


def _mains_share(centred: NDArray[np.float32], power: NDArray[np.float32], fs: float) -> NDArray[np.float32]:
    waves = _mains_waves(len(centred), fs)
    if waves is None:
        return np.zeros(len(power), dtype=np.float32)
    amplitudes = (waves @ centred) * (2.0 / len(centred))
    family_power = (amplitudes**2).sum(axis=1).max(axis=0) / 2.0
    share: NDArray[np.float32] = np.divide(family_power, power, out=np.zeros_like(power), where=power > 0)
    return np.minimum(share, 1.0)


def _at_extremes(samples: NDArray[Any]) -> NDArray[np.bool_]:
    """Channels that hold their greatest or least value often enough to look at them closely."""
    least = max(2.0, CLIP_SHARE * len(samples))
    high = (samples == samples.max(axis=0)).sum(axis=0) >= least
    low = (samples == samples.min(axis=0)).sum(axis=0) >= least
    found: NDArray[np.bool_] = high | low
    return found


def is_clipped(channel: NDArray[Any]) -> bool:
    """Whether samples ``(n,)`` pile up at a rail: at either end of their range, or of their integer type."""
    least = max(2.0, CLIP_SHARE * len(channel))
    if channel.dtype.kind == "i":
        rails = np.iinfo(channel.dtype)
        if np.count_nonzero((channel == rails.max) | (channel == rails.min)) >= least:
            return True
    values = channel.astype(np.float64)
    steps = np.abs(np.diff(values))
    steps = steps[steps > 0]
    span = float(values.max() - values.min())
    if not steps.size or span < CLIP_STEPS * float(steps.min()):
        return False
    band = max(CLIP_BAND * span, 4.0 * float(steps.min()))
    return any(_piles_up(end, band, least) for end in (values.max() - values, values - values.min()))


def _piles_up(distance: NDArray[np.float64], band: float, least: float) -> bool:
    """Whether more samples stand at a rail than close to it; ``distance`` from that rail, ``(n,)``."""
    there = np.count_nonzero(distance == 0)
    return bool(there >= least and there > np.count_nonzero((distance > 0) & (distance <= band)))
