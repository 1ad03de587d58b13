"""Which pulse belongs to which marker: the latency that most of them share, followed while it drifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIRST = 400
"""So many markers tell the latency to begin with."""
_BIN_S = 0.01
_FOLLOW = 31
"""The latency that is expected next is the median of so many last ones."""
_LEAST_REACH_S = 0.01
_MOST_SIGMA = 6.0
_AMBIGUOUS = 0.8
"""A second latency that so many of the best one's events agree on makes the pairing ambiguous."""
_NEIGHBOUR_S = 0.03


class Pairs(NamedTuple):
    """Indices of the two events of each pair, and why the pairing may be another one."""

    markers: NDArray[np.int64]
    pulses: NDArray[np.int64]
    ambiguous: str = ""
    """Empty where it is not."""


def pair_events(markers: NDArray[np.float64], pulses: NDArray[np.float64], most_s: float) -> Pairs:
    """Pair events, ``(n,)`` and ``(m,)`` ascending seconds, whose latency is at most ``most_s`` either way."""
    none = np.empty(0, np.int64)
    if not len(markers) or not len(pulses):
        return Pairs(none, none)
    latency, spread, ambiguous = _common_latency(markers, pulses, most_s)
    if latency is None:
        return Pairs(none, none, ambiguous)
    found = _follow(markers, pulses, latency, _reach(spread, most_s), most_s)
    if len(found.markers) > 2:  # once more, now that the scatter is known
        late = pulses[found.pulses] - markers[found.markers]
        spread = _scatter(late - _line(markers[found.markers], late))
        start = float(np.median(late[:_FOLLOW]))
        found = _follow(markers, pulses, start, _reach(spread, most_s), most_s)
    return found._replace(ambiguous=ambiguous)


def _common_latency(
    markers: NDArray[np.float64], pulses: NDArray[np.float64], most_s: float
) -> tuple[float | None, float, str]:
    """The latency that most events agree on, its scatter, and whether another one does as well."""
    some = markers[:_FIRST]
    first = np.searchsorted(pulses, some - most_s)
    last = np.searchsorted(pulses, some + most_s, side="right")
    late = np.concatenate([pulses[a:b] - at for at, a, b in zip(some, first, last, strict=True)])
    if not len(late):
        return None, 0.0, ""
    late = np.sort(late)
    width = max(2 * _NEIGHBOUR_S, 2 * _BIN_S)
    counts = np.searchsorted(late, late + width, side="right") - np.arange(len(late))
    best = int(np.argmax(counts))
    here = late[best : best + int(counts[best])]
    latency = float(np.median(here))
    apart = np.abs(late + width / 2 - latency) > 2 * width
    other = int(np.max(counts[apart], initial=0))
    ambiguous = ""
    if other >= _AMBIGUOUS * counts[best] and counts[best] > 1:
        at = np.flatnonzero(apart)[np.argmax(counts[apart])]
        second = float(np.median(late[at : at + counts[at]]))
        ambiguous = (
            f"the latency may be {1e3 * latency:.0f} ms or {1e3 * second:.0f} ms: the events are too evenly spaced to "
            "tell; space them unevenly, or give --max-lag-ms"
        )
    return latency, _scatter(here - latency), ambiguous


def _scatter(values: NDArray[np.float64]) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _reach(spread: float, most_s: float) -> float:
    return min(max(_LEAST_REACH_S, _MOST_SIGMA * spread), most_s)


def _line(at: NDArray[np.float64], late: NDArray[np.float64]) -> NDArray[np.float64]:
    slope, offset = np.polyfit(at - at[0], late, 1)
    line: NDArray[np.float64] = offset + slope * (at - at[0])
    return line


def _follow(
    markers: NDArray[np.float64], pulses: NDArray[np.float64], latency: float, reach: float, most_s: float
) -> Pairs:
    """Marker by marker the pulse nearest to where the last ones let expect it; each belongs to one marker."""
    mine: list[int] = []
    theirs: list[int] = []
    recent: list[float] = [latency]
    used = -1
    for place, at in enumerate(markers):
        expected = at + float(np.median(recent[-_FOLLOW:]))
        near = int(np.searchsorted(pulses, expected))
        options = [one for one in (near - 1, near) if used < one < len(pulses)]
        nearest = min(options, key=lambda one: abs(pulses[one] - expected), default=None)
        if nearest is None or abs(pulses[nearest] - expected) > reach or abs(pulses[nearest] - at) > 2 * most_s:
            continue
        following = markers[place + 1] if place + 1 < len(markers) else np.inf
        if abs(pulses[nearest] - expected) > abs(pulses[nearest] - (following + expected - at)):
            continue  # it is the next marker's
        mine.append(place)
        theirs.append(nearest)
        used = nearest
        recent.append(float(pulses[nearest] - at))
    return Pairs(np.array(mine, np.int64), np.array(theirs, np.int64))
