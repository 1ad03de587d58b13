"""The Record screen's trials: gone back to, marked, relabelled, moved, and each of that undone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ...app.interface import AnyCommand, MarkTrial, MoveLabel, Relabel
from ...widgets.record_panels import Trial, trials_of
from .base import ViewerScreen

if TYPE_CHECKING:
    from ...app.interface import Reply

Making = Callable[..., AnyCommand]
"""Makes a command of the time stamp of a label and the session."""
_UNDONE = "undone"
_HINT = "m marks the trial, a digit relabels it, ← → move it, u undoes, esc goes back"
STEP_S = 0.05
"""What one press of an arrow key moves the beginning of a trial by."""


class TrialEditing(ViewerScreen):
    """``↑`` goes back to a trial; then ``m``, a gesture's key, ``←`` and ``→`` change it, and ``u`` undoes that."""

    def __init__(self) -> None:
        super().__init__()
        self.trial: int | None = None
        """The trial that was gone back to, by its place among the labels."""
        self._undo: list[tuple[str, int, Making]] = []
        """Session and place of each change made here, and what takes it back."""

    def action_trial(self, step: int) -> None:
        places = [one.place for one in trials_of(self.frame)]
        if not places:
            self.viewer.report("no trial yet")
            return
        at = places.index(self.trial) + step if self.trial in places else len(places) - 1
        self.trial = places[max(at, 0)] if at < len(places) else None
        if self.trial is not None:
            self.viewer.report(_HINT)
        self._forget_hint()
        self.redraw()

    def action_back(self) -> None:
        self.trial = None
        self._forget_hint()
        self.redraw()

    def on_screen_suspend(self) -> None:
        self._forget_hint(left=True)

    def _forget_hint(self, *, left: bool = False) -> None:
        """What the keys do with a trial is told only where they do it."""
        if self.viewer.reported[0] == _HINT and (left or self.trial is None):
            self.viewer.report("")

    def chosen_trial(self) -> Trial | None:
        """The one that was gone back to, else the one that runs or ran last."""
        trials = trials_of(self.frame)
        if self.trial is not None:
            return next((one for one in trials if one.place == self.trial), None)
        return trials[-1] if trials else None

    def relabel(self, class_index: int) -> bool:
        """A gesture key while a trial is chosen gives that one another class; False where none is."""
        trial = self.chosen_trial() if self.trial is not None else None
        if trial is None or class_index < 0:
            return False
        self._change(
            trial, partial(Relabel, class_index=class_index), partial(Relabel, class_index=trial.label.class_index)
        )
        return True

    def action_move(self, step: int) -> None:
        """Move the beginning of the chosen trial; without one the key does nothing."""
        trial = self.chosen_trial() if self.trial is not None else None
        if trial is not None:
            seconds = step * STEP_S
            self._change(trial, partial(MoveLabel, seconds=seconds), partial(MoveLabel, seconds=-seconds))

    def action_bad_trial(self) -> None:
        viewer, trial = self.viewer, self.chosen_trial()
        if trial is None:
            viewer.report("no trial to mark yet")
            return
        bad = not trial.label.bad
        which = "the running trial" if trial.running else f"the trial of {trial.seconds:.1f} s"
        name = self.frame.keyed(trial.label.class_index)
        told = f"{which}, {name}, marked {'bad' if bad else 'good again'}"
        self._change(trial, partial(MarkTrial, bad=bad), partial(MarkTrial, bad=not bad), told)

    def undo_change(self) -> bool:
        """Undo the last change to a trial while one is chosen; False where none is."""
        if self.trial is None:
            return False
        if self._undo:
            session, place, back = self._undo.pop()
            trial = next((one for one in trials_of(self.frame) if one.place == place), None)
            if trial is not None and session == self.frame.session_id:
                self.trial = place
                self._send(trial, back, _UNDONE)
                return True
        self._undo.clear()
        self.viewer.report("nothing to undo in the trials; esc, then u undoes the last label")
        return True

    def _change(self, trial: Trial, forth: Making, back: Making, told: str = "") -> None:
        self._undo.append((self.frame.session_id, trial.place, back))
        self._send(trial, forth, told)

    def _send(self, trial: Trial, making: Making, told: str) -> None:
        def heard(_: AnyCommand, reply: Reply) -> None:
            if not reply.ok and self._undo and told != _UNDONE:
                self._undo.pop()
            self.viewer.refresh_frame()
            self.viewer.report(told if reply.ok and told else reply.message, bad=not reply.ok)

        self.viewer.execute(making(timestamp=trial.label.timestamp, session=self.frame.session_id or None), heard)
