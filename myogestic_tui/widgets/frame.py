"""What one redraw knows: the newest snapshot and a few facts about the viewer itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..app.interface import ScriptContext
from ..config import GESTURE_KEYS

if TYPE_CHECKING:
    from ..app.interface import GestureStatus, ProtocolStatus, Recorder, Status, StreamStatus, TakeStatus


@dataclass(frozen=True)
class Frame:
    """One snapshot, with what the header needs besides it.

    ``at`` is on the recorder's clock, as `Status.at`; ``wall`` is the time of day in words.
    """

    status: Status
    screen: str = "streams"
    at: float = 0.0
    wall: str = ""
    fps: float = 10.0
    slowed: bool = False
    """The frame rate fell by itself: the loop runs late or the link is slow."""
    gone: str = ""
    """Why no recorder answers; empty while one does."""
    taken: float = field(default_factory=time.time, compare=False)
    """When that was, in seconds since the epoch: what is drawn later keeps its time of day."""

    def clock(self, at: float) -> str:
        """Time of day of an instant on the recorder's clock: ``14:31:02``."""
        return time.strftime("%H:%M:%S", time.localtime(self.taken - self.at + at))

    @property
    def recording(self) -> bool:
        """Whether a session is being recorded."""
        return self.status.state == "recording" and not self.gone

    @property
    def session_id(self) -> str:
        """What commands name the running recording by; empty while idle."""
        session = self.status.session
        return session.id if self.recording and session is not None else ""

    @property
    def take(self) -> TakeStatus:
        """What is recorded now; while idle, what the next recording is of."""
        take, session = self.status.take, self.status.session
        if not self.recording or session is None or session.take is None:
            return take
        return replace(take, subject=session.subject, task=session.task, take=session.take)

    @property
    def n_recorded(self) -> tuple[int, int]:
        """How many streams are recorded and live, of how many that the recording was started with or that joined.

        While idle: how many are live of those that are selected.
        """
        live = {s.name for s in self.selected if s.state in ("live", "slow")}
        session = self.status.session
        if not self.recording or session is None or not session.expected:
            return len(live), len(self.selected)
        recorded = {s.name for s in self.status.streams if s.recording}
        return len(recorded & live), len(session.expected)

    @property
    def protocol(self) -> ProtocolStatus | None:
        """The protocol that runs, paused or not; None where none does."""
        protocol = self.status.protocol
        running = protocol is not None and protocol.state in ("lead-in", "running", "paused") and self.recording
        return protocol if running else None

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of each gesture, by class index."""
        return gesture_keys(self.status.gestures)

    @property
    def active(self) -> int:
        """The active class (recording) or the chosen first one (idle); -1 for none."""
        label = self.status.current_label
        return -1 if label is None else label

    def gesture(self, class_index: int) -> str:
        """``2 FIST``-style parts: the name of a class, or ``class 7`` where it has none."""
        gestures = self.status.gestures
        if class_index < 0:
            return "no label"
        return gestures[class_index].name if class_index < len(gestures) else f"class {class_index}"

    def keyed(self, class_index: int) -> str:
        """``2 Fist``: key and name of a class; ``no label`` has no key."""
        name = self.gesture(class_index)
        return f"{self.key_of(class_index)} {name}" if class_index >= 0 else name

    def key_of(self, class_index: int) -> str:
        """The key of a class; a blank for no label."""
        if class_index < 0:
            return " "
        return self.keys[class_index] if class_index < len(self.keys) else default_key(class_index)

    @cached_property
    def live(self) -> tuple[StreamStatus, ...]:
        """Streams that are connected."""
        return tuple(s for s in self.status.streams if s.state in ("live", "slow", "lost"))

    @cached_property
    def recorded(self) -> tuple[StreamStatus, ...]:
        """Streams of the session that is being recorded."""
        return tuple(s for s in self.status.streams if s.recording)

    @cached_property
    def missing(self) -> tuple[StreamStatus, ...]:
        """Streams of the session that bring nothing now."""
        return tuple(s for s in self.recorded if s.state not in ("live", "slow"))

    @property
    def awaited(self) -> list[StreamStatus]:
        """Streams that are to be recorded, and bring nothing now."""
        wanted = [s for s in self.status.streams if s.record or s.required]
        return [s for s in wanted if s.state not in ("live", "slow")]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Streams that the recording should have, and has not."""
        session, recorded = self.status.session, {s.name for s in self.recorded}
        return () if session is None else tuple(name for name in session.expected if name not in recorded)

    @cached_property
    def faults(self) -> dict[str, int]:
        """Electrodes that are flat, clipped, full of mains hum or not numbers, over all streams that are recorded."""
        letters = "".join(q.flags for s in self.selected for q in s.quality)
        return {letter: letters.count(letter) for letter in "FCMN"}

    @cached_property
    def selected(self) -> tuple[StreamStatus, ...]:
        """Streams that go into the recording."""
        return tuple(s for s in self.status.streams if s.record)


def recorder_of(owner: ScriptContext | Recorder) -> Recorder:
    """The recorder behind a context; a recorder is one itself."""
    return owner.app if isinstance(owner, ScriptContext) else owner


def default_key(class_index: int) -> str:
    """The key of a class that names none: 1 to 9, 0, A to Z, and nothing after those."""
    return GESTURE_KEYS[class_index] if 0 <= class_index < len(GESTURE_KEYS) else ""


def gesture_keys(gestures: tuple[GestureStatus, ...]) -> tuple[str, ...]:
    """The key of each gesture: its own, or the default for its place."""
    return tuple(gesture.key or default_key(i) for i, gesture in enumerate(gestures))


def take_text(take: TakeStatus) -> str:
    """``P07 · grasp · take 04``; what is not filled in is left out."""
    parts = [part for part in (take.subject, take.task) if part]
    return " · ".join([*parts, f"take {take.take:02d}"])
