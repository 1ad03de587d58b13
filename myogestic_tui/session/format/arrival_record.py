"""The arrival record of a stream: how many samples had been read by which instant of the recorder's clock.

Time stamps are whatever the source's clock says; this is the one time that the recorder itself vouches for. Every
frame of the journal says when it was read; of those about five a second become rows of ``STEM_arrival.zarr``, and
besides them the begin of the recording, frames without samples (its end) and the last one.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

ROW_SECONDS = 0.2
"""Reads that follow each other faster share a row. One a second settles as much, except where stamps are of no use."""

Row = tuple[float, float]


class ArrivalRows:
    """Chooses the rows, fed with every frame in order; what it chooses does not depend on when it was asked.

    Parameters
    ----------
    began
        When the recording of the stream began (recorder's clock, s): the first row. None where nothing says so.
    last
        The row before the first one that is to be chosen, where some are stored already.
    """

    def __init__(self, began: float | None = None, last: Row | None = None) -> None:
        self._last = last
        self._numbers = array("d")  # of tuples the same rows take seven times as much
        self._waiting: Row | None = None
        """The newest, where it came soon after the one before it: a row, unless another one follows it as soon."""
        if began is not None and last is None:
            self._choose((0.0, began))

    @property
    def n_chosen(self) -> int:
        """Rows that are chosen and not forgotten."""
        return len(self._numbers) // 2

    def table(self) -> NDArray[np.float64]:
        """``(k, 2)``, a copy: the rows that are chosen, and the newest one that may still be replaced."""
        numbers = self._numbers if self._waiting is None else self._numbers + array("d", self._waiting)
        return np.array(numbers, np.float64).reshape(-1, 2)

    def forget(self, n: int) -> None:
        """Let go of the first ``n`` chosen ones."""
        del self._numbers[: 2 * n]

    def feed(self, n_before: int, n: int, at: float) -> None:
        """Take note that ``n`` samples behind the first ``n_before`` were read by ``at`` (recorder's clock, s)."""
        if self._last is not None and at < self._last[1]:
            at = self._last[1]
        if self._waiting is not None and at - self._waiting[1] >= ROW_SECONDS:
            self.end()  # what came before a silence came before it
        row = (float(n_before + n), at)
        if n and self._last is not None and at - self._last[1] < ROW_SECONDS:
            self._waiting = row
        else:
            if not n:
                self.end()
            if row != self._last:
                self._choose(row)

    def _choose(self, row: Row) -> None:
        self._numbers.extend(row)
        self._last, self._waiting = row, None

    def end(self) -> None:
        """No more will come: the newest one counts in any case."""
        if self._waiting is not None:
            self._choose(self._waiting)


def continued(
    began: float | None, stored: Iterable[Row], frames: Iterable[tuple[int, int, float]], n_samples: int
) -> list[Row]:
    """The record of a session that was cut off: its stored rows, and those that the journal's frames add.

    Parameters
    ----------
    began
        See `ArrivalRows`.
    stored
        Rows from the disk, in order.
    frames
        Samples before each frame, samples in it, when it was read.
    n_samples
        Samples that there are; rows of more are left out.
    """
    kept = [row for row in stored if row[0] <= n_samples]
    more = ArrivalRows(began, kept[-1] if kept else None)
    known = kept[-1] if kept else (-1.0, float("-inf"))
    for n_before, n, at in frames:
        if (n_before + n, at) > known and n_before + n <= n_samples:
            more.feed(n_before, n, at)
    more.end()
    return kept + [(n, at) for n, at in more.table().tolist()]
