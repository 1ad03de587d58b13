"""What a stream's host tells: whether its clock can be the recorder's, and which streams share one other clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .thresholds import WORST_ERROR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .timeline import Timeline


def is_remote(host: str, recorder_host: str) -> bool:
    """Whether a stream's host is another computer than the recorder's; not where either is unknown (empty)."""
    return bool(host and recorder_host) and host.casefold() != recorder_host.casefold()


def placed_by_arrival(found: Timeline) -> float | None:
    """Offset of a stream that is placed by its arrivals alone; None for all others."""
    if len(found.pieces) != 1 or found.basis != "arrival":
        return None
    return float(found.pieces[0].offsets[0])


def share_arrivals(timelines: Mapping[str, Timeline], hosts: Mapping[str, str]) -> dict[str, Timeline]:
    """The timelines, in which streams of one host share the least of offsets that agree: that came with least delay.

    Parameters
    ----------
    timelines
        By stream.
    hosts
        Each stream's host; streams whose host is not known (empty) share nothing.
    """
    shared = dict(timelines)
    offsets = {name: placed_by_arrival(found) for name, found in timelines.items()}
    for name, offset in offsets.items():
        host = hosts.get(name, "")
        if offset is None or not host:
            continue
        near = [
            other
            for one, other in offsets.items()
            if other is not None and hosts.get(one) == host and offset - WORST_ERROR <= other < offset
        ]
        if near:
            shared[name] = timelines[name].with_offset(min(near))
    return shared
