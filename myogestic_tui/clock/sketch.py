"""Time stamps summed up as they come: memory grows by 0.7 MB an hour, whatever the rate.

What a `Sketch` keeps does not depend on how the stamps were cut into chunks, so the recorder and whoever reads the
session afterwards come to the same conclusions.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from .cells import Cells
from .thresholds import BACK, CELL, FORWARD, MIN_CELL_SAMPLES, NO_TIME, gap_threshold

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

_MOST_LEAPS = 4
"""Cells that leaps of the stamps may begin within a quarter of a second."""
_JOIN = 64


class Sketch:
    """The time stamps of a regular stream, summed up.

    Parameters
    ----------
    fs
        Nominal rate in Hz, more than 0.
    threshold
        Least gap in seconds; None is that of stamps.
    """

    def __init__(self, fs: float, threshold: float | None = None) -> None:
        self.fs = fs
        self.threshold = gap_threshold(fs) if threshold is None else threshold
        self._length = max(round(CELL * fs), MIN_CELL_SAMPLES)
        self._reducer = _Reducer(fs, self._length, self.threshold / 4)
        self._rest: Floats = np.empty(0)
        self._rows: list[Floats] = []

    @property
    def n_samples(self) -> int:
        """Samples taken."""
        return self._reducer.n + len(self._rest)

    @property
    def stamped_s(self) -> float:
        """Seconds from the first stamp that shows a time to the last; infinite where there is none."""
        known = self._rest[np.abs(self._rest) < NO_TIME]
        last = float(known[-1]) if len(known) else self._reducer.previous
        first = self._reducer.first if np.isfinite(self._reducer.first) else float(known[0]) if len(known) else np.nan
        return last - first if np.isfinite(last - first) else np.inf

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return sum(rows.nbytes for rows in self._rows) + self._rest.nbytes

    def feed(self, stamps: ArrayLike) -> None:
        """Take the next raw stamps, ``(n,)`` seconds, in the order their samples came."""
        taken = np.array(stamps, dtype=np.float64)
        self._rest = np.concatenate((self._rest, taken)) if len(self._rest) else taken
        whole = len(self._rest) // self._length * self._length
        if whole:
            self._rows.append(self._reducer.reduce(self._rest[:whole]))
            self._rest = self._rest[whole:].copy()
            if len(self._rows) > _JOIN:
                self._rows = self._joined(2 * _JOIN)

    def forget(self, before: int) -> None:
        """Let go of the cells before sample ``before``: who looks at the newest ones only keeps a bounded memory."""
        rows = np.concatenate(self._rows) if self._rows else np.empty((0, 6))
        self._rows = [rows[np.searchsorted(rows[:, 0], before) :].copy()]

    def cells(self, since: int = 0) -> Cells:
        """What is known so far; only the cells from sample ``since`` on."""
        now = copy(self._reducer)
        rest = now.reduce(self._rest) if len(self._rest) else np.empty((0, 6))
        parts = [rows for rows in self._rows if not len(rows) or rows[-1, 0] >= since]
        rows = np.concatenate([*(part[np.searchsorted(part[:, 0], since) :] for part in parts), rest])
        return Cells(
            self.fs, self.threshold, now.n, now.n_bad, now.n_same, now.n_dense, now.origin, now.first, now.previous,
            *np.ascontiguousarray(rows.T),
        )  # fmt: skip

    def _joined(self, least: int) -> list[Floats]:
        """The rows in fewer arrays: short ones at the end are joined, so that each row is copied a few times only."""
        rows = list(self._rows)
        tail = [rows.pop()]
        while rows and (len(rows[-1]) <= 2 * sum(map(len, tail)) or len(rows) > least):
            tail.append(rows.pop())
        return [*rows, np.concatenate(tail[::-1])]


class _Reducer:
    """Whole cells from stamps, and what of the stamps before bears on those that follow."""

    def __init__(self, fs: float, length: int, late: float) -> None:
        self._fs, self._length, self._late = fs, length, late
        self.n = self.n_bad = self.n_same = self.n_dense = 0
        self.origin = self.first = self.previous = np.nan
        self._top = -np.inf

    def reduce(self, stamps: Floats) -> Floats:
        """Rows ``(k, 6)`` of `Cells`: first, floor, place, mean, excess, lowest."""
        index = np.arange(self.n, self.n + len(stamps), dtype=np.float64)
        self.n += len(stamps)
        filled = self._filled(stamps, index)
        if filled is None:
            return np.empty((0, 6))
        excess = self._excess(filled)
        top = self._running_maximum(filled, excess)
        steady = index / self._fs
        x, own = (top - self.origin) - steady, (filled - self.origin) - steady
        cuts = _cuts(excess, self._length, self._late)
        sizes = np.diff(np.append(cuts, len(filled)))
        floor = np.minimum.reduceat(x, cuts)
        hit = np.flatnonzero(x == np.repeat(floor, sizes))
        place = hit[np.searchsorted(hit, cuts)]
        mean, lowest = np.add.reduceat(own, cuts) / sizes, np.minimum.reduceat(own, cuts)
        return np.column_stack((index[cuts], floor, index[place], mean, excess[cuts], lowest))

    def _filled(self, stamps: Floats, index: Floats) -> Floats | None:
        """The stamps, of which those that show no time follow the sample clock; None before the first that does."""
        good = np.abs(stamps) < NO_TIME
        whole = bool(good.all())
        if not whole:
            self.n_bad += len(stamps) - int(np.count_nonzero(good))
            if np.isnan(self.previous) and not good.any():
                return None
        if np.isnan(self.previous):
            at = int(good.argmax())
            self.first = float(stamps[at])
            self.origin = self.first - index[at] / self._fs
            self.previous = self.origin + (index[0] - 1) / self._fs
        if whole:
            return stamps
        since = np.maximum.accumulate(np.where(good, np.arange(1, len(stamps) + 1), 0))
        known = np.concatenate(([self.previous], stamps))[since]
        return np.asarray(known + (np.arange(1, len(stamps) + 1) - since) / self._fs)

    def _excess(self, stamps: Floats) -> Floats:
        excess = np.diff(stamps, prepend=self.previous)
        self.n_same += int(np.count_nonzero(excess == 0))
        self.n_dense += int(np.count_nonzero(excess < 0.5 / self._fs))
        self.previous = float(stamps[-1])
        excess -= 1.0 / self._fs
        return excess

    def _running_maximum(self, stamps: Floats, excess: Floats) -> Floats:
        """It restarts where the stamps go back as no late chunk does."""
        resets = np.flatnonzero(excess <= -BACK - 1.0 / self._fs)
        top = stamps.copy()
        if len(resets) > len(stamps) // 8:
            self._top = float(top[-1])
            return top
        if not (len(resets) and resets[0] == 0):
            top[0] = max(top[0], self._top)
        for start, stop in zip([0, *resets.tolist()], [*resets.tolist(), len(top)], strict=True):
            np.maximum.accumulate(top[start:stop], out=top[start:stop])
        self._top = float(top[-1])
        return top


def _cuts(excess: Floats, length: int, least: float) -> Places:
    """First samples of the cells: every ``length``, at the longest interval, at the furthest step back, at leaps."""
    n = -(-len(excess) // length)
    padded = np.zeros(n * length)
    padded[: len(excess)] = excess
    blocks = padded.reshape(n, length)
    starts = np.arange(0, n * length, length)
    cuts = [starts]
    if excess.max() >= FORWARD or excess.min() <= -BACK:
        leaps = (blocks >= FORWARD) | (blocks <= -BACK)
        cuts.append(np.flatnonzero(leaps & (np.cumsum(leaps, axis=1) <= _MOST_LEAPS)))
        blocks = np.where(leaps, 0.0, blocks)
    late, back = blocks.argmax(axis=1), blocks.argmin(axis=1)
    rows = np.arange(n)
    cuts.append((starts + late)[blocks[rows, late] >= least])
    cuts.append((starts + back)[blocks[rows, back] <= -least])
    found = np.sort(np.concatenate(cuts))
    distinct: Places = found[np.diff(found, prepend=-1) > 0]  # np.unique loads all of numpy.ma
    return distinct
