"""Estimates that outliers do not move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def mad(values: Floats) -> float:
    """Standard deviation of ``(n,)`` values if they are normal, from the median absolute deviation; 0 for none."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def shortest_half(values: Floats) -> float:
    """Middle of the narrowest range that holds half of ``(n,)`` values, n > 0: outliers may all lie on one side."""
    ordered = np.sort(values)
    half = len(ordered) // 2 + 1
    if len(ordered) < 3:
        return float(np.median(ordered))
    start = int((ordered[half - 1 :] - ordered[: len(ordered) - half + 1]).argmin())
    return float(np.median(ordered[start : start + half]))
