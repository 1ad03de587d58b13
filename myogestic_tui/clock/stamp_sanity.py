"""Whether the stamps of a stream are seconds of a running clock at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .evidence import UNITS
from .thresholds import ARRIVAL_TOLERANCE, BACK, FORWARD

if TYPE_CHECKING:
    from .cells import Cells
    from .evidence import Arrivals

_LEAST_SAMPLES, _LEAST_STILL = 50, 20
_NEAR = 0.7, 1.4
_BACKWARDS = -0.1
_MOST_JUMPS, _JUMPS_A_SECOND = 20, 0.5
_SPEED_SECONDS = 5.0
"""What stamps rise by is told over this long: more than a packet, and less than from one reset to the next."""


def why_unusable(cells: Cells, arrivals: Arrivals) -> str:
    """``the stamps are milliseconds``, ``the stamps stand still``, …; empty where they can be used."""
    n, fs = cells.n_samples, cells.fs
    if cells.n_bad > n / 2:
        return f"{cells.n_bad} of {n} stamps are no numbers"
    if not len(cells):
        return "no stamps"
    passed = len(arrivals.times) == 0 or np.ptp(arrivals.times) > ARRIVAL_TOLERANCE  # else it may be one packet
    stands = n > _LEAST_STILL and cells.n_same > 0.98 * n and passed
    if stands and np.ptp(cells.floor + cells.place / fs) < 0.02 * n / fs:
        return "the stamps stand still"
    jumps = int(np.count_nonzero((cells.excess <= -BACK) | (cells.excess >= FORWARD)))
    jumping = jumps > max(_MOST_JUMPS, _JUMPS_A_SECOND * n / fs)
    if n > _LEAST_SAMPLES and len(cells) > 4:
        speed = _speed(cells)
        if speed < _BACKWARDS and not jumping:
            return "the stamps run backwards"
        unit = unit_of(speed) or unit_of(speed * (arrivals.rate or fs) / fs)
        if unit:
            return unit
    return "the stamps jump about" if jumping else ""


def unit_of(speed: float) -> str:
    """What stamps count in that move by ``speed`` in a second; empty for seconds, or what is no unit."""
    low, high = _NEAR
    return next((f"the stamps are {unit}" for unit, per in UNITS.items() if low < speed / per < high), "")


def _speed(cells: Cells) -> float:
    """Median rise of the stamps per nominal second."""
    apart = max(1, min(round(_SPEED_SECONDS * cells.fs * len(cells) / cells.n_samples), len(cells) // 4))
    rise = cells.mean[apart:] - cells.mean[:-apart]
    samples = np.maximum(cells.first[apart:] - cells.first[:-apart], 1.0)
    return float(np.median(1.0 + cells.fs * rise / samples))
