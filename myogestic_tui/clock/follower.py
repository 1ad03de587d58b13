"""The timeline of a stream that is still coming in: what is computed again is bounded, what lies before it settled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from .analysis import analyse, sketch_for
from .timeline import Gap, Leap, Repeat, Timeline

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .evidence import Evidence

Event = TypeVar("Event", Gap, Leap, Repeat)

LOOK_BACK = 900.0
"""Seconds of samples that are computed again."""
_SETTLING = 60.0
"""Nothing is reported of the first of them: their history is not seen any more."""


class Follower:
    """Fed with stamps as they come, asked now and then; not thread-safe.

    Parameters
    ----------
    fs
        Nominal rate in Hz; 0 for an irregular stream.
    """

    def __init__(self, fs: float) -> None:
        self.sketch = sketch_for(fs)
        self._known = Timeline(0, fs)

    def feed(self, stamps: ArrayLike) -> None:
        """Take the next raw stamps, ``(n,)`` seconds."""
        self.sketch.feed(stamps)

    def analyse(self, evidence: Evidence | None = None) -> Timeline:
        """What is known by now; ``evidence`` as for `analyse`."""
        fs, n = self.sketch.fs, self.sketch.n_samples
        since = max(0, n - round(LOOK_BACK * fs)) if fs > 0 else 0
        found = analyse(self.sketch, evidence, since=since)
        if since:
            found = self._with_settled(found, since + round(_SETTLING * fs))
        self._known = found
        return found

    def _with_settled(self, found: Timeline, border: int) -> Timeline:
        known = self._known

        head = tuple(gap for gap in known.gaps if gap.kind == "head")
        tail = tuple(gap for gap in found.gaps if gap.kind == "tail")
        return replace(
            found,
            gaps=(*head, *_both(border, known.lost, found.lost), *tail),
            leaps=_both(border, known.leaps, found.leaps),
            repeated=_both(border, known.repeated, found.repeated),
        )


def _both(border: int, before: tuple[Event, ...], now: tuple[Event, ...]) -> tuple[Event, ...]:
    kept = tuple(one for one in before if one.index < border)
    return kept + tuple(one for one in now if one.index >= border)
