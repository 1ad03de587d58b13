"""Time stamps as LSL makes them: a chunk is stamped when it is pushed, the stamps within are deduced."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def sample_times(
    fs: float, seconds: float, cuts: Iterable[tuple[int, int]] = (), off: float = 0.0
) -> NDArray[np.float64]:
    """When samples were taken by a device that is ``off`` (relative) too fast; ``cuts`` are (sample, count) lost."""
    times = 1000.0 + np.arange(round(fs * seconds)) / (fs * (1.0 + off))
    kept = np.ones(len(times), dtype=bool)
    for first, count in cuts:
        kept[first : first + count] = False
    return times[kept]


def pushed(times: NDArray[np.float64], fs: float, chunk: int, delays: NDArray[np.float64]) -> NDArray[np.float64]:
    """LSL's stamps of samples taken at ``times`` and pushed in chunks, each ``delays[c]`` seconds late."""
    index = np.arange(len(times))
    last = np.minimum((index // chunk + 1) * chunk - 1, len(times) - 1)
    return times[last] + delays[index // chunk] - (last - index) / fs


def n_chunks(times: NDArray[np.float64], chunk: int) -> int:
    return -(-len(times) // chunk)


def stalled(times: NDArray[np.float64], fs: float, chunk: int, at: float, seconds: float) -> NDArray[np.float64]:
    """Nothing is pushed for ``seconds`` from ``at`` (seconds from the start) on; then all that waits at once."""
    index = np.arange(len(times))
    last = np.minimum((index // chunk + 1) * chunk - 1, len(times) - 1)
    push = times[last]
    held = (push >= times[0] + at) & (push < times[0] + at + seconds)
    push = np.where(held, times[0] + at + seconds, push)
    return push - (last - index) / fs
