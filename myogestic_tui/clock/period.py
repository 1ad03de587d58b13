"""How long a sample really takes, from the floors of ``x`` (see `cells.Cells`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .robust import shortest_half

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .cells import Cells

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Flags = NDArray[np.bool_]

_LEAST_GROUPS = 8
_LEAST_PACKETS = 6
_MOST_POINTS = 64
_SHORT = 5.0
_BESIDE = 4


class Groups(NamedTuple):
    """Neighbouring cells taken together, ``(k,)`` each: first cell, floor, its sample, mean."""

    cells: Places
    floor: Floats
    place: Floats
    mean: Floats


def group_cells(cells: Cells, floor: Floats, mean: Floats, cuts: Flags, size: int) -> Groups:
    """Groups of about ``size`` samples; a group does not reach over a cell that ``cuts`` marks."""
    number = cells.first // size
    begins = np.flatnonzero(np.concatenate(([True], (number[1:] != number[:-1]) | cuts[1:])))
    low = np.minimum.reduceat(floor, begins)
    counts = np.diff(np.append(begins, len(cells)))
    hit = np.flatnonzero(floor == np.repeat(low, counts))
    places = cells.place[hit[np.searchsorted(hit, begins)]]
    return Groups(begins, low, places, np.add.reduceat(mean, begins) / counts)


def real_slope(cells: Cells, cuts: Flags, packet: float, size: int) -> float:
    """Seconds that a sample takes beyond the nominal period; steps of the stamps do not count."""
    fs, threshold = cells.fs, cells.threshold
    groups = group_cells(cells, cells.floor, cells.mean, cuts, size)
    late = np.flatnonzero(cells.excess >= threshold / 4)
    slope, behind = 0.0, max(0.0, float(cells.floor[-1] - cells.floor[0]))
    if len(groups.floor) >= _LEAST_GROUPS:
        over = np.flatnonzero(cuts[groups.cells][1:])
        slope = _slope(groups.place, _joined(groups.place, groups.floor, over), threshold, fs)
    elif packet and len(late) > _LEAST_PACKETS:
        # Few groups: the floors of packets lie just before the late samples.
        slope = _slope(cells.place[late[1:] - 1], cells.floor[late[1:] - 1], threshold, fs)
    elif cells.n_samples / fs + behind > _SHORT and not cuts.any():
        every = max(1, len(cells) // _MOST_POINTS)
        slope = _slope(cells.place[::every], cells.floor[::every], threshold, fs)
    return float(np.clip(slope, -0.9 / fs, 9.0 / fs))


def _joined(place: Floats, x: Floats, over: Places) -> Floats:
    """``x`` without its leaps: over them the line continues, along the floors of a few groups on both sides."""
    if not len(over):
        return x
    slope = shortest_half(np.diff(x) / np.diff(place))
    level = x - slope * place
    bounds = [0, *(over + 1).tolist(), len(x)]
    for start, cut, stop in zip(bounds, bounds[1:], bounds[2:], strict=False):
        before = level[max(start, cut - _BESIDE) : cut].min()
        level[cut:] -= level[cut : min(stop, cut + _BESIDE)].min() - before
    return np.asarray(level + slope * place)


def _slope(place: Floats, x: Floats, threshold: float, fs: float) -> float:
    if len(x) < 4:
        return 0.0
    steps, apart = np.diff(x), np.diff(place)
    slope = shortest_half(steps / apart)
    if _nominal_will_do(steps, apart, slope, threshold, fs):
        slope = 0.0
    slope = _refined(place, x, slope, threshold)
    # Losses only raise x: a stream cannot have sent less than what came.
    part = max(2, len(x) // 5)
    low, high = int(x[:part].argmin()), len(x) - part + int(x[-part:].argmin())
    return min(slope, float((x[high] - x[low]) / (place[high] - place[low])))


def _nominal_will_do(steps: Floats, apart: Floats, slope: float, threshold: float, fs: float) -> bool:
    near = np.minimum(threshold / 4, 0.002 + 5e-4 * apart / fs)
    nominal, found = (float((np.abs(steps - s * apart) < near).mean()) for s in (0.0, slope))
    return nominal > 0.3 and nominal >= min(found, 0.9) - 0.1


def _refined(place: Floats, x: Floats, slope: float, threshold: float) -> float:
    """Over doubled distances, as long as more than half of them agree."""
    rest = np.diff(x) - slope * np.diff(place)
    most = max(threshold / 6, 0.9 * float(np.subtract(*np.percentile(rest, (80, 20)))))
    lag = 2
    while lag < len(x):
        apart = place[lag:] - place[:-lag]
        rest = x[lag:] - x[:-lag] - slope * apart
        middle = shortest_half(rest)
        near = np.abs(rest - middle) < threshold / 2
        if near.mean() < 0.5 or abs(middle) > most:
            break
        slope += float(np.median(rest[near] / apart[near]))
        lag *= 2
    return slope
