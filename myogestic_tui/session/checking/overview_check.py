"""Checks the overview of a stream against its samples: what is seen while browsing is what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import MyoGesticError
from ..format.arrays import overview_row
from ..format.zarr_format import decode_chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..archive.tree import Tree
    from .array_check import ArrayCheck

_RTOL = 1e-5
"""Sums may be made in another order on another machine."""


class OverviewCheck:
    """Computes each row again, as the samples come; one chunk of the overview is in memory.

    Parameters
    ----------
    tree
        The session's files.
    overview, samples
        Its arrays.
    """

    def __init__(self, tree: Tree, overview: ArrayCheck, samples: ArrayCheck) -> None:
        self.wrong: list[int] = []
        """First and last row that is not what the samples make it."""
        self._tree = tree
        self._array = overview
        self._samples = samples
        self._number = -1
        self._rows: NDArray[Any] | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is laid out as an overview of these samples."""
        return (self._array.spec.dtype, self._array.spec.row_shape) == (
            "float32",
            (*self._samples.spec.row_shape, 3),
        ) and not self._samples.spec.is_string

    @property
    def n_missing(self) -> int:
        """Rows that it should have and does not."""
        return self._samples.n_chunks - self._array.n_rows

    def feed(self, row: int, samples: NDArray[Any]) -> None:
        """Take chunk number `row` of the samples, ``(n, n_channels)``."""
        stored = self._stored(row) if self.is_ours and row < self._array.n_rows else None
        if stored is None or np.allclose(stored, overview_row(samples), rtol=_RTOL, atol=0.0, equal_nan=True):
            return
        self.wrong = [min([row, *self.wrong]), max([row, *self.wrong])]

    def _stored(self, row: int) -> NDArray[Any] | None:
        """A row on the disk; None where it cannot be read, which is reported elsewhere."""
        number, within = divmod(row, self._array.spec.chunk_length)
        if number != self._number:
            self._number, key = number, self._array.key(number)
            try:
                self._rows = decode_chunk(self._array.spec, self._tree.read(key), where=key)
            except (KeyError, MyoGesticError):
                self._rows = None
        return None if self._rows is None else self._rows[within]
