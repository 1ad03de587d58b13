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
CLIP_SAMPLES = 6
"""… and so many samples at least: two or three of the same greatest value are chance where a second has but 500 …"""
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
_BLOCK = 128


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
    samples, broken = _finite(samples)
    high, low = samples.max(axis=0), samples.min(axis=0)
    centred, mean = _centred(samples)
    power = np.einsum("ij,ij->j", centred, centred) / len(centred)
    mains = _mains_share(centred, power, fs)
    flat = np.count_nonzero(samples[1:] == samples[:-1], axis=0) >= FLAT_SHARE * (len(samples) - 1)
    clipped = np.zeros(len(power), dtype=bool)
    if fs >= LEAST_FS:
        for channel in np.flatnonzero(_at_extremes(samples, high, low) & ~broken):
            clipped[channel] = is_clipped(samples[:, channel])
    letters = ((broken, "N"), (flat, "F"), (clipped, "C"), ((mains >= MAINS_SHARE) & ~flat, "M"))
    flags = np.full(len(power), "", dtype="U4")
    for mask, letter in letters:
        flags[mask] = np.char.add(flags[mask], letter)
    peak = np.maximum(high - mean, mean - low)
    values = zip(np.sqrt(power).tolist(), peak.tolist(), mains.tolist(), flags.tolist(), strict=True)
    return tuple(Quality(*row) for row in values)


def _finite(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The samples with their channel's mean for what is not finite, and which channels had such."""
    if samples.dtype.kind != "f":
        return samples, np.zeros(samples.shape[1], dtype=bool)
    finite = np.isfinite(samples)
    broken: NDArray[np.bool_] = ~finite.all(axis=0)
    if not broken.any():
        return samples, broken
    mean = samples.sum(axis=0, dtype=np.float64, where=finite) / np.maximum(finite.sum(axis=0), 1)
    return np.where(finite, samples, mean.astype(samples.dtype)), broken


def _centred(samples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The samples about their mean, without losing small signals on a large offset; and that mean."""
    if samples.dtype.itemsize > 2 and samples.dtype != np.float32:
        samples = samples.astype(np.float64)
    pivot = samples[len(samples) // 2]
    centred = np.subtract(samples, pivot, dtype=np.result_type(samples, np.float32)).astype(np.float32, copy=False)
    mean = centred.mean(axis=0)
    centred -= mean
    return centred, pivot + mean.astype(np.float64)


@lru_cache(maxsize=8)
def _mains_waves(n_samples: int, fs: float) -> NDArray[np.float32] | None:
    """Cosines and sines of both mains families below the Nyquist frequency, ``(families * 2 * harmonics, n)``."""
    if fs < LEAST_FS:
        return None
    phase = 2.0 * np.pi * np.arange(n_samples) / fs
    rows = []
    for hz in (hz * k for hz in MAINS_HZ for k in range(1, HARMONICS + 1)):
        rows += [np.cos(phase * hz), np.sin(phase * hz)] if hz < 0.49 * fs else [np.zeros(n_samples)] * 2
    return np.array(rows, dtype=np.float32)


def _mains_share(centred: NDArray[np.float32], power: NDArray[np.float32], fs: float) -> NDArray[np.float32]:
    waves = _mains_waves(len(centred), fs)
    if waves is None:
        return np.zeros(len(power), dtype=np.float32)
    amplitudes = _project(waves, centred) * (2.0 / len(centred))
    family_power = (amplitudes**2).reshape(len(MAINS_HZ), -1, len(power)).sum(axis=1).max(axis=0) / 2.0
    share: NDArray[np.float32] = np.divide(family_power, power, out=np.zeros_like(power), where=power > 0)
    return np.minimum(share, 1.0)


def _project(waves: NDArray[np.float32], samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """``waves @ samples``, in small blocks: a large product wakes all of BLAS's threads, at 100 times the CPU."""
    whole = len(samples) - len(samples) % _BLOCK
    blocks = waves[:, :whole].reshape(len(waves), -1, _BLOCK).transpose(1, 0, 2)
    product: NDArray[np.float32] = np.matmul(blocks, samples[:whole].reshape(-1, _BLOCK, samples.shape[1])).sum(axis=0)
    return product + waves[:, whole:] @ samples[whole:]


def _at_extremes(samples: NDArray[Any], high: NDArray[Any], low: NDArray[Any]) -> NDArray[np.bool_]:
    """Channels that hold their greatest or least value often enough to look at them closely."""
    least = max(CLIP_SAMPLES, CLIP_SHARE * len(samples))
    found: NDArray[np.bool_] = np.count_nonzero(samples == high, axis=0) >= least
    found |= np.count_nonzero(samples == low, axis=0) >= least
    return found


def is_clipped(channel: NDArray[Any]) -> bool:
    """Whether samples ``(n,)`` pile up at a rail: at either end of their range, or of their integer type."""
    least = max(CLIP_SAMPLES, CLIP_SHARE * len(channel))
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
