"""Signal quality of each channel, over the last second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo


@dataclass(frozen=True, slots=True)
class Quality:
    """One channel's second."""

    rms: float
    peak: float
    mains: float
    flags: str


class QualityMeter:
    """Fed with every chunk by the worker; computes once a second of samples."""

    def __init__(self, info: StreamInfo) -> None:
        self._info = info
        self._chunks: list[NDArray[Any]] = []
        self._count = 0
        self.latest: tuple[Quality, ...] = ()

    def feed(self, data: NDArray[Any]) -> None:
        """Take a chunk ``(n, n_channels)``."""
        if self._info.is_string:
            return
        self._chunks.append(data)
        self._count += len(data)
        if self._count >= max(self._info.fs, 1.0):
            second = np.concatenate(self._chunks).astype(np.float64)
            self._chunks, self._count = [], 0
            self.latest = _measure(second)


def _measure(second: NDArray[np.float64]) -> tuple[Quality, ...]:
    centred = second - second.mean(axis=0)
    rms, peak = np.sqrt(np.mean(centred**2, axis=0)), np.abs(centred).max(axis=0)
    return tuple(
        Quality(float(r), float(p), 0.0, "N" if not np.isfinite(r) else "F" if p == 0 else "")
        for r, p in zip(rms, peak, strict=True)
    )
