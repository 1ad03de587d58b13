"""Gesture keys become labels, with the time of the key itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..app.interface import AddLabel, AnyCommand, Reply, UndoLabel

if TYPE_CHECKING:
    from ..widgets.frame import Frame
    from .actions import Actions


class Labeller:
    """Sends labels, and ignores repeats of the active one.

    Keys carry Textual's `event.time`: seconds on the monotonic clock, stamped in the input thread on arrival. On Linux
    that is the recorder's LSL clock as well (they agree within 5 µs).
    """

    def __init__(self, viewer: Actions) -> None:
        self._viewer = viewer
        self._sent: list[int] = []

    def class_of(self, key: str, frame: Frame) -> int | None:
        """The class that a gesture key stands for; None where it is assigned to none."""
        if key in frame.keys:
            return frame.keys.index(key)
        if not frame.status.gestures and key.isdigit():
            return (int(key) - 1) % 10
        return None

    def active(self, frame: Frame) -> int:
        """The active class, labels on their way included."""
        return self._sent[-1] if self._sent else frame.active

    def press(self, class_index: int, at: float, frame: Frame, *, doubt: float = 0.0) -> None:
        """A gesture key, or `e` (-1), was pressed at ``at``; ``doubt`` (s) is how uncertain that instant is."""
        if class_index == self.active(frame):
            return
        self._sent.append(class_index)
        command = AddLabel(
            class_index=class_index, timestamp=at, uncertainty_s=doubt, source="key", session=frame.session_id or None
        )
        self._viewer.execute(command, self._heard)

    def undo(self) -> None:
        """Take the last label back."""
        session = self._viewer.now().session_id or None
        self._viewer.execute(UndoLabel(session=session))

    def _heard(self, _: AnyCommand, reply: Reply) -> None:
        self._viewer.refresh_frame()
        if self._sent:
            self._sent.pop(0)
        if not reply.ok or not self._viewer.now().recording:
            self._viewer.report(reply.message, bad=not reply.ok)

    def unassigned(self, key: str, frame: Frame) -> str:
        """What to say of a gesture key that has no gesture."""
        if key.isalpha():
            return f"{key} is no gesture here; is Caps Lock on?"
        known = " ".join(k for k in frame.keys if k)
        return f"{key} is no gesture here; there are {known}" if known else f"no gesture has the key {key}"
