"""Stretches of signal that a window may lie in: one label, no gap, no jump of the clock.

The label of a sample is the last label event at or before its corrected time; without one it is unlabelled. A sample
whose time is not a number belongs to no run.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...clock.gaps import GapTracker, gap_threshold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .streamdata import StreamData

UNLABELLED = -1
_NO_TIME = -2


class Run(NamedTuple):
    """Samples ``start`` to ``stop`` (not included) under label event number ``label`` (-1: before the first)."""

    start: int
    stop: int
    label: int

    @property
    def n_samples(self) -> int:
        """How many samples."""
        return self.stop - self.start


def find_runs(stream: StreamData, label_times: Sequence[float] = ()) -> list[Run]:
    """Cut a whole stream into runs, in order; memory grows with their number, not with that of the samples.

    Parameters
    ----------
    stream
        Any stream; an irregular one has no gaps.
    label_times
        Times of the label events on the recorder's clock, ascending. At equal times the last one holds.
    """
    events = np.asarray(label_times, np.float64)
    finder = _Finder(stream.info.fs)
    for start, raw, corrected in stream.time_blocks():
        finder.feed(start, raw, corrected, events)
    return finder.runs(stream.n_samples)


def _label_changes(times: NDArray[np.float64], events: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """First sample of each stretch of one label within a block, and the label."""
    if np.isfinite(times).all() and (times[1:] >= times[:-1]).all():
        # Times ascend, as they nearly always do: look for the few events among them, not for each sample's event.
        at = np.searchsorted(times, events)
        within = np.flatnonzero((at > 0) & (at < len(times)))
        yield 0, int(np.searchsorted(events, times[0], side="right")) - 1
        # Of events between the same two samples the last one holds.
        yield from {int(at[label]): int(label) for label in within}.items()
        return
    labels = np.searchsorted(events, times, side="right") - 1
    labels[~np.isfinite(times)] = _NO_TIME
    for change in np.flatnonzero(np.diff(labels, prepend=np.nan)):
        yield int(change), int(labels[change])


class _Finder:
    """What changes, where; fed block by block."""

    def __init__(self, fs: float) -> None:
        self._tracker = GapTracker(fs)
        self._jump = gap_threshold(fs) if fs > 0 else np.inf
        self._last_label: int | None = None
        self._last_offset = np.nan
        self._labels: list[tuple[int, int]] = []
        self._cuts: set[int] = set()

    def feed(
        self, start: int, raw: NDArray[np.float64], corrected: NDArray[np.float64], events: NDArray[np.float64]
    ) -> None:
        self._cuts.update(gap.index for gap in self._tracker.feed(raw))
        self._cuts.update((self._jumps(corrected - raw) + start).tolist())
        for at, label in _label_changes(corrected, events):
            if label != self._last_label:
                self._labels.append((start + at, label))
                self._last_label = label

    def _jumps(self, offsets: NDArray[np.float64]) -> NDArray[np.intp]:
        """Where the offset jumps, the source's clock began anew: how much time passed there is not known."""
        steps = np.abs(np.diff(offsets, prepend=self._last_offset))
        self._last_offset = float(offsets[-1])
        return np.flatnonzero(steps >= self._jump)

    def runs(self, n_samples: int) -> list[Run]:
        if self._tracker.fs > 0:
            self._cuts.update(gap.index for gap in self._tracker.flush())
        starts = dict(self._labels)
        found: list[Run] = []
        label = _NO_TIME
        edges = sorted(starts.keys() | {cut for cut in self._cuts if 0 < cut < n_samples})
        for start, stop in pairwise([*edges, n_samples]):
            label = starts.get(start, label)
            if label != _NO_TIME:
                found.append(Run(start, stop, label))
        return found
