"""The trials of an open session: chosen, marked, relabelled, moved, and written when all of it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...app.interface import StartJob
from ...errors import ConfigError
from ...plural import count_of
from ...widgets.styled_lines import DIM, KEY, Line, line
from .base import ViewerScreen
from .trial_editing import STEP_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...session.format.meta import LabelEvent
    from ...session.library.label_changes import Change, Track
    from ...session.reading.overview import Overview
    from ..modals.ask import Answers
    from ..session_cursor import SessionCursor
    from ..session_selection import SessionList


class LabelEditing(ViewerScreen):
    """``↑`` chooses a trial; keys change it on the screen; ``⏎`` asks, and a job then writes all changes at once."""

    list: SessionList
    cursor: SessionCursor
    mark: float | None
    """See `OpenedScreen`."""

    def __init__(self) -> None:
        super().__init__()
        self.trial: int | None = None
        """The chosen trial, from 1."""
        self._changes: list[Change] = []
        self._base: tuple[LabelEvent, ...] = ()
        self._shown: tuple[Overview, int, Overview] | None = None

    # ---------------------------------------------------------------- what is shown

    def with_changes(self, overview: Overview) -> Overview:
        """The plot with the labels as they would be; what was changed of labels that are others now is gone."""
        if overview.labels != self._base:
            self._base, self._changes, self._shown = overview.labels, [], None
        if not self._changes:
            return overview
        if self._shown is None or self._shown[:2] != (overview, len(self._changes)):
            from dataclasses import replace as changed

            new = changed(overview, labels=tuple(self._track().result()))
            self._shown = (overview, len(self._changes), new)
        return self._shown[2]

    def trial_line(self, overview: Overview) -> Line:
        """The chosen trial in words, and what can be done to it."""
        rows = [(place, one) for place, one in enumerate(overview.labels) if one.class_index >= 0]
        assert self.trial is not None, "asked for when one is chosen"
        place, one = rows[min(self.trial, len(rows)) - 1]
        end = overview.labels[place + 1].timestamp if place + 1 < len(overview.labels) else overview.seconds
        bad = "  bad" if one.bad else ""
        names = self._names()
        name = names[one.class_index] if one.class_index < len(names) else f"class {one.class_index}"
        told = f" trial {self.trial} of {len(rows)}  {name}  {one.timestamp:.3f} to {end:.3f} s{bad}  "
        waiting = line((f"{len(self._changes)} to write: ⏎", KEY), ("  u undo  ", DIM)) if self._changes else ""
        return line((told, "bold"), waiting, ("m bad  1-9 class  ←→ move", DIM))

    def _names(self) -> Sequence[str]:
        one = self.list.entry
        return () if one is None else tuple(one.summary.labels)

    def _track(self) -> Track:
        from ...session.library.label_changes import Track, in_order

        track = Track(self._base, self._names(), 0.0)
        for change in in_order(self._changes):
            track.change(change)
        return track

    # ---------------------------------------------------------------- keys

    def action_label_trial(self, step: int) -> None:
        overview = self.looked_at()
        starts = [one.timestamp for one in self._trials()]
        if overview is None or not starts:
            self.viewer.report("no trial in this session")
            return
        if self.trial is None:
            if step > 0:
                self.cursor.change_channel(step)
                self.redraw()
                return
            self.trial = max((n for n, at in enumerate(starts, 1) if at < overview.last_s), default=len(starts))
        elif self.trial + step <= len(starts):
            self.trial = max(self.trial + step, 1)
        self._look_at(starts[self.trial - 1], overview)

    def _look_at(self, at: float, overview: Overview) -> None:
        """Have the beginning of the trial in view."""
        if not overview.first_s <= at < overview.last_s:
            self.cursor.centre(at)
        self.redraw()

    def trial_mark(self, overview: Overview) -> float | None:
        """Where the chosen trial begins, as a share of the width; None where that is not in view."""
        one = self._chosen()
        if one is None or not overview.first_s <= one.timestamp < overview.last_s:
            return None
        return (one.timestamp - overview.first_s) / (overview.last_s - overview.first_s)

    def action_label_bad(self) -> None:
        if self.trial is not None:
            from ...session.library.label_changes import MarkBad

            one = self._chosen()
            self._do(MarkBad(self.trial, not (one is not None and one.bad)))

    def relabel(self, class_index: int) -> bool:
        """A gesture key gives the chosen trial another class; without one it is a label as ever."""
        if self.trial is None or class_index < 0:
            return False
        from ...session.library.label_changes import Relabel

        self._do(Relabel(self.trial, class_index))
        return True

    def move(self, step: int) -> None:
        """The chosen trial begins earlier or later."""
        from ...session.library.label_changes import Shift

        if self.trial is not None:
            self._do(Shift(step * STEP_S, (self.trial,)))

    def action_label_undo(self) -> None:
        """Undo the last change that is not written yet."""
        if self._changes:
            self._changes.pop()
            self._redraw()
        else:
            self.viewer.report("no change of the labels waits to be written")

    def leave_trials(self) -> bool:
        """Ask whether to write, where there is something to write; False where no trial was chosen."""
        if self.trial is None:
            return False
        if not self._changes:
            self.trial = self.mark = None
            self.redraw()
            return True
        answers: Answers = {"enter": ("write", self._write), "d": ("drop", self._drop)}
        self.viewer.ask(f"write {count_of(len(self._changes), 'change')} of the labels?", answers)
        return True

    # ---------------------------------------------------------------- changes

    def looked_at(self) -> Overview | None:
        """What is on the screen; None where it is not read yet."""
        raise NotImplementedError

    def _trials(self) -> Sequence[LabelEvent]:
        overview = self.looked_at()
        return [] if overview is None else [one for one in overview.labels if one.class_index >= 0]

    def _chosen(self) -> LabelEvent | None:
        trials = self._trials()
        return trials[self.trial - 1] if self.trial is not None and self.trial <= len(trials) else None

    def _do(self, change: Change) -> None:
        self._changes.append(change)
        try:
            self._track().result()
        except ConfigError as error:
            self._changes.pop()
            self.viewer.report(str(error), bad=True)
        self._redraw()

    def _redraw(self) -> None:
        overview, one = self.looked_at(), self._chosen()
        if overview is not None and one is not None:
            self._look_at(one.timestamp, overview)

    def _drop(self) -> None:
        self._changes, self.trial, self.mark = [], None, None
        self.redraw()

    def _write(self) -> None:
        import msgspec

        one = self.list.entry
        if one is None:
            return
        options = {"changes": msgspec.json.encode(summed(self._changes)).decode()}
        self.list.send(StartJob(kind="labels", paths=(one.summary.path,), options=options))
        self.trial = self.mark = None
        self.redraw()


def summed(changes: list[Change]) -> list[Change]:
    """Each trial's changes as one of a kind: what was shifted five times is shifted once, by the sum."""
    from decimal import Decimal

    from ...session.library.label_changes import Shift

    found: dict[tuple[type, object], Change] = {}
    for change in changes:
        where = change.trials if isinstance(change, Shift) else getattr(change, "trial", None)
        before = found.get((type(change), where))
        if isinstance(change, Shift) and isinstance(before, Shift):
            total = float(Decimal(repr(before.seconds)) + Decimal(repr(change.seconds)))
            change = replace(change, seconds=total)
        found[type(change), where] = change
    return [one for one in found.values() if not (isinstance(one, Shift) and one.seconds == 0)]
