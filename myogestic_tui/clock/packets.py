"""Samples that come in packets, all stamped at once or a whole packet apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .robust import mad

if TYPE_CHECKING:
    from .cells import Cells

_LEAST_LATE = 5
_LONGEST = 5.0
_LEAST_SHARE = 0.5
_EVEN = 0.05
_LONGEST_WAIT = 2.0
"""Intervals between packets are about as long as packets."""


def packet_seconds(cells: Cells) -> float:
    """Usual time between packets; 0 where samples do not come in packets.

    Long intervals recur, and either most samples share their packet's stamp or the intervals are alike.
    """
    late = np.flatnonzero(cells.excess >= cells.threshold / 4)
    if len(late) < _LEAST_LATE:
        return 0.0
    apart = np.diff(cells.first[late]) / cells.fs
    usual = float(np.median(apart))
    dense = cells.n_dense > cells.n_samples / 2
    if not dense and mad(apart) >= _EVEN * usual:
        return 0.0
    if float(np.median(cells.excess[late])) > _LONGEST_WAIT * usual:
        return 0.0  # leaps that recur
    seconds = (cells.n_samples - cells.first[0]) / cells.fs
    return usual if usual < _LONGEST and len(late) * usual > _LEAST_SHARE * seconds else 0.0
