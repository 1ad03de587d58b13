"""Changes to a label track, as values: what each makes of the labels, and what it is in words.

Trials count from 1, as the screens and `labels` count them: labels of a class, in time order; a label that only ends
another one is none. All changes of one edit speak of the labels as they were before it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ...errors import ConfigError
from ..format.meta import LabelEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

UNLABELLED = -1
_SAME_S = 1e-9
"""A label that comes back to so near where it has been is there again, to the last bit."""


class Shift(Struct, frozen=True, tag=True):
    """Move labels by ``seconds`` (later is positive): those of ``trials``, or all, their ends included."""

    seconds: float
    trials: tuple[int, ...] | None = None


class Relabel(Struct, frozen=True, tag=True):
    """Let a trial be of another class, by name or index."""

    trial: int
    to: str | int


class MarkBad(Struct, frozen=True, tag=True):
    """Mark a trial bad, or good again."""

    trial: int
    bad: bool = True


class Drop(Struct, frozen=True, tag=True):
    """Take a trial out: its time has no label then. The trials around it keep theirs."""

    trial: int


class Split(Struct, frozen=True, tag=True):
    """Make two trials of the one that holds ``at_s``, which is in seconds from the session's start."""

    at_s: float


Change = Shift | Relabel | MarkBad | Drop | Split


class Track:
    """A label track while it is edited.

    Parameters
    ----------
    labels
        In time order.
    class_names
        Of the session, by index.
    start
        When the session began, on the labels' clock, in seconds.
    known
        Times at which labels stood before, ascending.

    Attributes
    ----------
    words
        What was changed, one each.
    """

    def __init__(
        self, labels: Sequence[LabelEvent], class_names: Sequence[str], start: float, known: Sequence[float] = ()
    ) -> None:
        self.labels, self._names, self._start, self._known = list(labels), list(class_names), start, known
        self.slots: list[list[LabelEvent]] = [[label] for label in labels]
        """What each label becomes."""
        self._trials = [place for place, label in enumerate(labels) if label.class_index > UNLABELLED]
        self._dropped: set[int] = set()
        self.words: list[str] = []

    def change(self, change: Change) -> None:
        """Let a change happen; ConfigError where it names a trial, a class or a time that is not there."""
        match change:
            case Shift(seconds, trials):
                self._shift(seconds, trials)
            case Relabel(trial, to):
                place, index = self._place(trial), self.class_index(to)
                self._replace(place, class_index=index)
                self.words.append(f"{self._called(trial)} relabelled {self._class_name(index)}")
            case MarkBad(trial, bad):
                self._replace(self._place(trial), bad=bad)
                self.words.append(f"{self._called(trial)} marked {'bad' if bad else 'good'}")
            case Drop(trial):
                self._dropped.add(self._place(trial))
                self.words.append(f"{self._called(trial)} dropped")
            case Split(at_s):
                self._split(at_s)

    def result(self) -> list[LabelEvent]:
        """The labels as they are now; ConfigError where one would be before the one that it follows."""
        for place in sorted(self._dropped):
            at = self.slots[place][0].timestamp
            ended_before = place == 0 or all(one.class_index == UNLABELLED for one in self.slots[place - 1][-1:])
            self.slots[place] = [] if ended_before else [LabelEvent(at, UNLABELLED, source="edit")]
        changed = [label for slot in self.slots for label in slot]
        for before, after in pairwise(changed):
            if after.timestamp < before.timestamp:
                raise ConfigError(
                    f"the label at {after.timestamp - self._start:.3f} s would be before the one that it follows, at "
                    f"{before.timestamp - self._start:.3f} s; shift by less, or drop one of the two"
                )
        return changed

    def class_index(self, to: str | int) -> int:
        """The index of a class, by name or index; ConfigError where there is none."""
        names = self._names
        if isinstance(to, str) and to in names:
            return names.index(to)
        number = int(to) if isinstance(to, int) or (to.isascii() and to.isdigit() and len(to) < 9) else None
        if number is not None and 0 <= number < (len(names) or 1 << 15):
            return number
        there = f"the session has {', '.join(names)}" if names else "the session names none, so give a number from 0 on"
        raise ConfigError(f"no class {to!r}; {there}")

    def _shift(self, seconds: float, trials: tuple[int, ...] | None) -> None:
        if not math.isfinite(seconds):
            raise ConfigError(f"shift is {seconds!r}; give seconds")
        places = range(len(self.slots)) if trials is None else [self._place(trial) for trial in trials]
        for place in places:
            self.slots[place] = [
                replace(label, timestamp=self._moved(label.timestamp, seconds)) for label in self.slots[place]
            ]
        which = "all labels" if trials is None else f"trial{'s' if len(trials) > 1 else ''} {_listed(trials)}"
        self.words.append(f"{which} shifted {seconds:+.6g} s")

    def _moved(self, at: float, seconds: float) -> float:
        """Later by so much; there and back is exact, whatever floating point makes of the way."""
        to = float(Decimal(repr(at)) + Decimal(repr(float(seconds))))
        near = bisect_right(self._known, to)
        close = [one for one in self._known[max(0, near - 1) : near + 1] if abs(one - to) <= _reach(to)]
        return min(close, key=lambda one: abs(one - to), default=to)

    def _split(self, at_s: float) -> None:
        at = float(Decimal(repr(self._start)) + Decimal(repr(float(at_s)))) if math.isfinite(at_s) else math.nan
        place = bisect_right([label.timestamp for label in self.labels], at) - 1
        if not (place >= 0 and self.labels[place].class_index > UNLABELLED and self.labels[place].timestamp < at):
            raise ConfigError(f"no trial holds {at_s:g} s, so there is nothing to split")
        last = self.slots[place][-1]
        self.slots[place] = sorted(
            [*self.slots[place], replace(last, timestamp=at, uncertainty_s=0.0, source="edit")],
            key=lambda label: label.timestamp,
        )
        self.words.append(f"{self._called(self._trials.index(place) + 1)} split at {at_s:.3f} s")

    def _replace(self, place: int, **fields: object) -> None:
        self.slots[place] = [replace(label, **fields) for label in self.slots[place]]

    def _place(self, trial: int) -> int:
        if not 1 <= trial <= len(self._trials):
            raise ConfigError(f"there is no trial {trial}; the session has {len(self._trials)}")
        return self._trials[trial - 1]

    def _called(self, trial: int) -> str:
        return f"trial {trial} {self._class_name(self.labels[self._place(trial)].class_index)}"

    def _class_name(self, index: int) -> str:
        return self._names[index] if 0 <= index < len(self._names) else f"class {index}"


def in_order(changes: Sequence[Change]) -> list[Change]:
    """Changes in the order in which they do not get in one another's way: what splits a trial comes before shifts."""
    return sorted(changes, key=lambda change: (MarkBad, Relabel, Split, Shift, Drop).index(type(change)))


def _listed(trials: Sequence[int]) -> str:
    shown = ", ".join(map(str, trials[:20]))
    return shown if len(trials) <= 20 else f"{shown} and {len(trials) - 20} more"


def _reach(at: float) -> float:
    return max(_SAME_S, 2 * math.ulp(at))
