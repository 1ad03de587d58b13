"""What streams are called that come from several sessions: by their own names, and by their box where two have one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..format.stream_names import public_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading.reader import SessionReader


def stream_names(sessions: Sequence[SessionReader]) -> list[dict[str, str]]:
    """For each session a name for each stream, by stem; ``emg`` of two boxes is ``emg_left`` and ``emg_right``."""
    own = [public_names({stem: one.meta.name for stem, one in each.view.streams.items()}) for each in sessions]
    count = Counter(name for names in own for name in names.values())
    boxes = _box_names(sessions)
    taken: set[str] = set()
    return [
        {stem: _free(f"{name}_{box}" if count[name] > 1 else name, taken) for stem, name in names.items()}
        for names, box in zip(own, boxes, strict=True)
    ]


def _box_names(sessions: Sequence[SessionReader]) -> list[str]:
    """The computers' names without their domain; numbers where two are called alike."""
    hosts = [one.meta.recorder.host.partition(".")[0] for one in sessions]
    if all(hosts) and len(set(hosts)) == len(hosts):
        return hosts
    return [str(place) for place in range(1, len(hosts) + 1)]


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name
