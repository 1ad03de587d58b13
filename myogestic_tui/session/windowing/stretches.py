"""Windows on their way from one process to another: what windows overlap in is sent once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..signal.window_bounds import starts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..signal.streamdata import StreamData
    from .plan import Outcome, Plan
    from .window import WindowMeta


@dataclass(frozen=True, slots=True)
class Stretches:
    """Windows as parts of longer stretches of signal; can be pickled.

    Attributes
    ----------
    samples
        The stretches, ``(n_channels, any)`` each. Samples that lie in no window are arbitrary.
    places
        ``(n_windows, 2)``: each window's stretch, and its first sample therein.
    n
        Samples of a window.
    y, meta
        Class index of each window, ``(n_windows,)``, and what is known of it.
    """

    samples: list[NDArray[Any]]
    places: NDArray[np.int64]
    n: int
    y: NDArray[np.int64]
    meta: list[WindowMeta]

    def __len__(self) -> int:
        return len(self.places)

    def copy_to(self, X: NDArray[Any]) -> NDArray[Any]:
        """Put the windows into an array ``(n_windows, n_channels, n)``."""
        for window, (number, first) in zip(X, self.places.tolist(), strict=True):
            window[...] = self.samples[number][:, first : first + self.n]
        return X


def cut_stretches(plan: Plan, stream: StreamData, outcome: Outcome) -> Stretches:
    """The windows of a plan; parameters as for `Plan.windows`."""
    samples, places = list[Any](), list[tuple[int, int]]()
    for first, last in _extents(plan):
        places += [(len(samples), start - first) for start in range(first, last - plan.n + 1, plan.hop)]
        samples.append(np.empty((plan.info.n_channels, last - first), plan.info.np_dtype))
    tried = iter(range(len(places)))
    at = 0

    def room() -> NDArray[Any]:
        nonlocal at
        at = next(tried)  # every window of the plan asks for room, whether or not it can be read
        number, first = places[at]
        part: NDArray[Any] = samples[number][:, first : first + plan.n]
        return part

    kept, y, meta = list[int](), list[int](), list[Any]()
    for window in plan.windows(stream, outcome, room):
        kept.append(at)
        y.append(window[2])
        meta.append(window.meta)
    found = np.array(places, np.int64).reshape(-1, 2)[kept]
    return Stretches(samples, found, plan.n, np.array(y, np.int64), meta)


def _extents(plan: Plan) -> Iterator[tuple[int, int]]:
    """First sample of each stretch, and one past its last: windows that overlap or touch lie in one."""
    for span in plan.spans:
        firsts = starts(span.run, plan.n, plan.hop)
        if plan.hop <= plan.n and firsts:
            yield firsts[0], firsts[-1] + plan.n
        elif firsts:
            yield from ((first, first + plan.n) for first in firsts)
