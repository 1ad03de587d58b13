"""Streams of an imported file whose clock nobody compared: what is known of their time beside the other streams."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..clock.placement import covers
from ..clock.thresholds import FOREIGN, WALL_ERROR
from .format.time_records import PlacedMeta

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SAME_CLOCK = 0.005
"""LSL clocks count from the boot of their computer: two that agree this well are one."""
_NOT_KNOWN = PlacedMeta("none")


class FileStream(NamedTuple):
    """One stream: its computer (empty: not known), clock offsets ``(k,)``, and its ends on the recorder's clock."""

    host: str
    offsets: NDArray[np.float64]
    first: float
    last: float

    @property
    def has_time(self) -> bool:
        """Whether it has samples with a time."""
        return bool(np.isfinite((self.first, self.last)).all())


def judge_uncompared(streams: Sequence[FileStream]) -> list[PlacedMeta | None]:
    """What is to be stored of each stream's time; None for those that were compared, or need no comparison.

    The recorder's own computer needs none; nor does a file in which no stream was compared and all are of one computer.
    The clock of another one counts as far as its stamps begin and end with those of the others, and else is not known.
    """
    near = _reference(streams)
    span = [end for one in near if one.has_time for end in (one.first, one.last)]
    ends = (min(span), max(span)) if span else (np.nan, np.nan)
    compared = any(len(one.offsets) for one in streams)
    hosts = _own_hosts(streams) if compared else {one.host.casefold() for one in near} | {""}
    return [None if len(one.offsets) or not one.has_time else _judge(one, hosts, ends) for one in streams]


def _judge(stream: FileStream, hosts: set[str], ends: tuple[float, float]) -> PlacedMeta | None:
    low, high = sorted((stream.first, stream.last))
    if stream.host.casefold() in hosts:
        return _NOT_KNOWN if low > ends[1] + FOREIGN or high < ends[0] - FOREIGN else None
    return PlacedMeta("uncompared", WALL_ERROR) if covers((low, high), ends) else _NOT_KNOWN


def _own_hosts(streams: Sequence[FileStream]) -> set[str]:
    """The computers whose clock is the recorder's."""
    return {
        one.host.casefold() for one in streams if len(one.offsets) and abs(float(np.median(one.offsets))) < _SAME_CLOCK
    }


def _reference(streams: Sequence[FileStream]) -> Sequence[FileStream]:
    """The streams whose time is that of the file: those that were compared, or of the computer that most are of."""
    compared = [one for one in streams if len(one.offsets)]
    hosts = Counter(one.host.casefold() for one in streams if one.host)
    if compared or not hosts:
        return compared or streams
    most = hosts.most_common(1)[0][0]
    return [one for one in streams if one.host.casefold() == most]
