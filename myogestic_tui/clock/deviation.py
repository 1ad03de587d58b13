"""The stamps of a stream against a sample clock of its real rate."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .clock_resets import epoch_cuts, restarted
from .packets import packet_seconds
from .period import group_cells, real_slope
from .robust import mad
from .thresholds import CRYSTAL_PPM, SETTLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_LEAST_GROUPS = 8
_LEAST_SECONDS, _LEAST_SAMPLES = 2.0, 16


@dataclass(frozen=True, slots=True)
class Course:
    """What the cells of a stream show, ``(k,)`` each where they are arrays.

    Attributes
    ----------
    packet
        Usual time between packets in seconds, or 0.
    reach
        Seconds that are looked at after a step.
    period
        Seconds that a sample really takes.
    cuts
        Cells that begin an epoch; ``bounds`` has the same with both ends.
    y, y_mean
        Floor and mean of ``x`` along the real rate.
    hat
        Least ``y`` from there to the end of the epoch: what is above it was late, and came.
    noise
        Scatter of floors.
    soft
        The stamps scatter both ways: go by means rather than floors.
    n_groups
        How many groups of cells tell so.
    """

    cells: Cells
    packet: float
    reach: float
    period: float
    cuts: Flags
    bounds: list[int]
    y: Floats
    y_mean: Floats
    hat: Floats
    noise: float
    soft: bool
    n_groups: int

    def epoch_end(self, cell: int) -> int:
        """One past the last cell of the epoch that a cell lies in."""
        return self.bounds[int(np.searchsorted(self.bounds, cell, side="right"))]


def follow(cells: Cells) -> Course:
    """Find out the real rate, and hold the stamps against it; there is at least one cell."""
    packet = packet_seconds(cells)
    cuts = epoch_cuts(cells, packet)
    cells = restarted(cells, cuts)
    size = max(round(max(1.0, 3.0 * packet) * cells.fs), 16)
    slope = real_slope(cells, cuts, packet, size) if tells_rate(cells) else 0.0
    y = cells.floor - slope * cells.place
    y_mean = cells.mean - slope * (cells.first + cells.sizes / 2)
    groups = group_cells(cells, y, y_mean, cuts, size)
    floors, means = mad(np.diff(groups.floor)), mad(np.diff(groups.mean))
    bounds = [0, *np.flatnonzero(cuts).tolist(), len(cells)]
    return Course(
        cells=cells,
        packet=packet,
        reach=max(SETTLE, 3.0 * packet),
        period=1.0 / cells.fs + slope,
        cuts=cuts,
        bounds=bounds,
        y=y,
        y_mean=y_mean,
        hat=_hat(y, CRYSTAL_PPM * cells.first / cells.fs, bounds),
        noise=floors / 1.4,
        soft=len(groups.floor) > _LEAST_GROUPS and means < 0.5 * floors,
        n_groups=len(groups.floor),
    )


def tells_rate(cells: Cells) -> bool:
    """Whether there are samples enough to tell the real rate."""
    return cells.n_samples / cells.fs > _LEAST_SECONDS and cells.n_samples > _LEAST_SAMPLES


def _hat(y: Floats, tilt: Floats, bounds: list[int]) -> Floats:
    hat = np.empty_like(y)
    for start, stop in itertools.pairwise(bounds):
        hat[start:stop] = np.minimum.accumulate((y[start:stop] + tilt[start:stop])[::-1])[::-1] - tilt[start:stop]
    return hat
