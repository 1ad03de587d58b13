"""What is kept of a stream's time stamps: a few numbers for every quarter of a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of a regular stream, ``(k,)`` each. ``x`` is stamp less ``origin`` less sample number over ``fs``.

    Attributes
    ----------
    fs
        Nominal rate in Hz.
    threshold
        Least gap in seconds.
    n_samples, n_bad, n_same, n_dense
        Samples in all; stamps that show no time; those equal to the one before; those closer than half a sample.
    origin
        Stamp that sample 0 has if the first one follows the nominal rate.
    first_stamp, last_stamp
        The first that shows a time, and the last one.
    first
        Number of the cell's first sample.
    floor, place
        Least ``x`` of the stamps' running maximum (a stamp out of order is late, never early), and its sample.
    mean, lowest
        Mean and least ``x`` of the stamps as they are.
    excess
        Interval before the cell, less one sample.
    """

    fs: float
    threshold: float
    n_samples: int
    n_bad: int
    n_same: int
    n_dense: int
    origin: float
    first_stamp: float
    last_stamp: float
    first: Floats
    floor: Floats
    place: Floats
    mean: Floats
    excess: Floats
    lowest: Floats

    def __len__(self) -> int:
        return len(self.first)

    @property
    def sizes(self) -> Floats:
        """Samples in each cell."""
        return np.diff(np.append(self.first, self.n_samples))

    def sample(self, cell: int) -> int:
        """Number of a cell's first sample; all samples for the cell after the last one."""
        return int(self.first[cell]) if cell < len(self.first) else self.n_samples

    def seek(self, cell: int, seconds: float) -> int:
        """The cell that lies ``seconds`` after (or before) a cell."""
        return int(np.searchsorted(self.first, self.first[cell] + seconds * self.fs))

    def stamp(self, cell: int) -> float:
        """The stamp at the floor of a cell."""
        return float(self.origin + self.place[cell] / self.fs + self.floor[cell])
