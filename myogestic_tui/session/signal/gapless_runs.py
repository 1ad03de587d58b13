"""Stretches of signal that a window may lie in: one label, no gap, no leap of the stamps, nothing sent twice.

The label of a sample is the last label event at or before the time when it was taken; without one it is unlabelled. A
sample whose time is not a number belongs to no run.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from .streamdata import StreamData

UNLABELLED = -1
_NO_TIME = -2
SAME_TIME = 1e-6
"""A label and a sample that are closer in time than this are at the same time."""


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
    events = np.asarray(label_times, np.float64) - SAME_TIME
    starts: dict[int, int] = {}
    last: int | None = None
    for start, times in stream.time_blocks():
        for at, label in _label_changes(times, events):
            if label != last:
                starts[start + at] = last = label
    return list(_runs(starts, stream.timeline.edges, stream.n_samples))


def _runs(starts: dict[int, int], edges: Iterable[int], n_samples: int) -> Iterator[Run]:
    label = _NO_TIME
    for start, stop in pairwise([*sorted({*starts, *edges}), n_samples]):
        label = starts.get(start, label)
        if label != _NO_TIME and stop > start:
            yield Run(start, stop, label)


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
