"""Events that the journal lost, while what they said had reached the JSON files in time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from ..format.events import AnyEvent, ChannelMarked, Labelled, Noted, Relabelled, SessionRecord, TrialMarked

if TYPE_CHECKING:
    from ..format.meta import LabelEvent, Note


def add_written(
    record: SessionRecord, labels: list[LabelEvent], notes: list[Note], channels: dict[str, list[int]]
) -> int:
    """What reached the JSON files in time counts where its event is lost; returns how much that was.

    What was undone, or marked good again, stands in no file that is newer than that, but may in an older one.
    """
    lost: list[AnyEvent] = []
    stored: dict[tuple[float, int], deque[LabelEvent]] = {}
    for label in labels:
        stored.setdefault((label.timestamp, label.class_index), deque()).append(label)
    unstored: dict[float, deque[int]] = {}
    for number, label in sorted(record.labels.items()):
        same = _stored_as(stored, label, *record.former.get(number, ()))
        if not same:
            unstored.setdefault(label.timestamp, deque()).append(number)
            continue
        written = same.popleft()
        record.labels[number] = msgspec.structs.replace(label, extra=written.extra or label.extra)
        if written.bad and not label.bad and number not in record.unmarked:
            lost.append(TrialMarked(number, True))
    earlier = [one for former in record.former.values() for one in former]
    for label in record.undone:
        same = _stored_as(stored, label, *(one for one in earlier if one.timestamp == label.timestamp))
        if same:
            same.pop()
    untold = []
    for label in (label for same in stored.values() for label in same):
        if numbers := unstored.get(label.timestamp):
            lost.append(Relabelled(numbers.popleft(), label.class_index))
        else:
            untold.append(label)
    lost += [Labelled(record.n_labelled + place, label) for place, label in enumerate(untold)]
    lost += [Noted(note) for note in notes if note not in record.meta.notes]
    for stem, marked in channels.items():
        new = set(marked) - {*record.meta.bad_channels.get(stem, ())}
        lost += [ChannelMarked(stem, one, True) for one in sorted(new) if (stem, one) not in record.unmarked]
    for event in lost:
        record.apply(event)
    return len(lost)


def _stored_as(stored: dict[tuple[float, int], deque[LabelEvent]], *versions: LabelEvent) -> deque[LabelEvent] | None:
    """Where a label stands in an older or newer file: as it is now, or as it was before it was relabelled or moved."""
    kept = (stored.get((one.timestamp, one.class_index)) for one in versions)
    return next((same for same in kept if same), None)
