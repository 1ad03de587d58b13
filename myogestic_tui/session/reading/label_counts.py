"""Trials and seconds per class, from a label track."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..format.meta import LabelEvent


@dataclass(slots=True)
class ClassTally:
    """What is recorded of one class."""

    trials: int = 0
    seconds: float = 0.0
    bad: int = 0


@dataclass(slots=True)
class Tally:
    """What is recorded of all classes until now."""

    classes: dict[int, ClassTally] = field(default_factory=dict)
    unlabelled_s: float = 0.0
    active_s: float = 0.0
    """Seconds of the label that is in force."""


def tally(track: Sequence[LabelEvent], started_at: float, until: float) -> Tally:
    """Count a label track; each label lasts until the next one, the last until ``until`` (recorder's clock, s)."""
    result = Tally()
    if not track:
        result.unlabelled_s = result.active_s = max(0.0, until - started_at)
        return result
    result.unlabelled_s = max(0.0, track[0].timestamp - started_at)
    ends = [label.timestamp for label in track[1:]] + [max(until, track[-1].timestamp)]
    for label, end in zip(track, ends, strict=True):
        seconds = end - label.timestamp
        if label.class_index < 0:
            result.unlabelled_s += seconds
            continue
        of_class = result.classes.setdefault(label.class_index, ClassTally())
        of_class.trials += 1
        of_class.seconds += seconds
        of_class.bad += label.bad
    result.active_s = ends[-1] - track[-1].timestamp
    return result
