"""Cued protocols: what the subject is to do, when, and the thread that keeps to it."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..clock import local_clock
from ..errors import ConfigError
from .interface import ProtocolStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .interface import Status

MOST_CUES = 10_000


@dataclass(frozen=True, slots=True)
class Cue:
    """One thing to do: a class index (-1 is no label) for so many seconds."""

    class_index: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole protocol, shuffled and repeated.

    Parameters
    ----------
    name
        What the operator calls it.
    cues
        In the order in which they come.
    lead_in
        Seconds before the first cue.
    seed
        What it was shuffled with; None where it was not.
    bell
        Whether the operator's terminal rings at each cue.
    """

    name: str
    cues: tuple[Cue, ...]
    lead_in: float = 0.0
    seed: int | None = None
    bell: bool = True

    @property
    def total_s(self) -> float:
        """Seconds from the first cue to the end of the last."""
        return sum(cue.seconds for cue in self.cues)


def make_plan(
    name: str,
    steps: Sequence[tuple[int, float]],
    *,
    repeats: int = 1,
    shuffle: bool = False,
    seed: int | None = None,
    lead_in: float = 3.0,
    bell: bool = True,
) -> Plan:
    """Repeat the steps, shuffled within each repeat so that every gesture comes equally often.

    Parameters
    ----------
    steps
        ``(class_index, seconds)`` of each cue of one round.

    Raises
    ------
    ConfigError
        No step, a duration that is not positive, no repeat, or more cues than a day holds.
    """
    if not steps or repeats < 1:
        raise ConfigError(f"protocol {name!r} has nothing to do; give it steps and at least one repeat")
    if len(steps) * repeats > MOST_CUES:
        raise ConfigError(f"protocol {name!r} has {len(steps) * repeats} cues; at most {MOST_CUES}")
    for class_index, seconds in steps:
        if not 0.0 < seconds < float("inf"):
            raise ConfigError(f"protocol {name!r}: a step of class {class_index} lasts {seconds} s; give more than 0")
    if shuffle and seed is None:
        seed = random.SystemRandom().randrange(10_000)
    dice = random.Random(seed)
    cues: list[Cue] = []
    for _ in range(repeats):
        block = [Cue(class_index, float(seconds)) for class_index, seconds in steps]
        if shuffle:
            dice.shuffle(block)
        cues += block
    return Plan(name, tuple(cues), float(lead_in), seed if shuffle else None, bell)


def parse_steps(text: str) -> tuple[tuple[str, float], ...]:
    """Gesture names (or keys) and seconds from ``"Rest:5,Fist:5"``.

    Raises
    ------
    ConfigError
        A part is not ``name:seconds``.
    """
    steps = []
    for part in text.split(","):
        name, _, seconds = part.strip().rpartition(":")
        try:
            length = float(seconds)
        except ValueError:
            length = 0.0
        if not name or not 0.0 < length < float("inf"):
            raise ConfigError(f"{part.strip()!r} is not name:seconds; write it like Rest:5,Fist:5")
        steps.append((name, length))
    return tuple(steps)


def foresee(protocol: ProtocolStatus, now: float) -> ProtocolStatus:
    """Where a protocol stands at ``now``, from what a status said a moment before: cues begin when they are planned.

    ``now`` is on the recorder's clock. A pause or a skip in between is not foreseen; the next status tells.
    """
    if protocol.state not in ("lead-in", "running"):
        return protocol
    gone = now - protocol.cue_started_at
    if gone >= protocol.cue_seconds and protocol.next_class_index is not None and protocol.next_seconds > 0:
        done = protocol.elapsed_s + (protocol.cue_seconds - protocol.cue_elapsed_s if protocol.cue else 0.0)
        protocol = replace(
            protocol,
            state="running",
            cue=protocol.cue + 1,
            class_index=protocol.next_class_index,
            cue_started_at=protocol.cue_started_at + protocol.cue_seconds,
            cue_seconds=protocol.next_seconds,
            cue_elapsed_s=0.0,
            next_class_index=protocol.then_class_index,
            next_seconds=0.0,
            elapsed_s=done,
        )
        gone = now - protocol.cue_started_at
    gone = min(max(gone, 0.0), protocol.cue_seconds)
    more = gone - protocol.cue_elapsed_s if protocol.cue else 0.0
    return replace(protocol, cue_elapsed_s=gone, elapsed_s=protocol.elapsed_s + more)


def foreseen(status: Status, now: float) -> Status:
    """A status with its protocol as it stands at ``now``; see `foresee`."""
    return status if status.protocol is None else replace(status, protocol=foresee(status.protocol, now))


@dataclass(slots=True)
class _Progress:
    state: str = "lead-in"
    cue: int = -1
    cue_started: float = 0.0
    """When the present cue (or the lead-in) began, moved on by pauses."""
    done_s: float = 0.0
    paused_at: float | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)


class ProtocolRunner:
    """Runs one plan in a thread of its own; each cue starts at its planned time, whatever came before.

    Parameters
    ----------
    plan
        What to do.
    on_cue
        Called with ``(class_index, started_at)`` when a cue begins, and with -1 at the end or at a pause.
    on_end
        Called once, with "done" or "aborted".
    """

    def __init__(self, plan: Plan, on_cue: Callable[[int, float], None], on_end: Callable[[str], None]) -> None:
        self.plan = plan
        self._on_cue = on_cue
        self._on_end = on_end
        self._at = _Progress(cue_started=local_clock())
        self._thread = threading.Thread(target=self._run, name=f"protocol-{plan.name}", daemon=True)

    def start(self) -> None:
        """Begin the lead-in."""
        self._thread.start()

    @property
    def active(self) -> bool:
        """True until it is done or aborted."""
        return self._at.state in ("lead-in", "running", "paused")

    def pause(self, paused: bool) -> None:
        """Hold the present cue, or let it continue for what was left of it; the label ends for the pause."""
        at = self._at
        with at.changed:
            if paused and at.state in ("lead-in", "running"):
                at.paused_at, at.state = local_clock(), "paused"
            elif not paused and at.state == "paused" and at.paused_at is not None:
                at.cue_started += local_clock() - at.paused_at
                at.paused_at, at.state = None, "lead-in" if at.cue < 0 else "running"
            else:
                return
            in_cue, class_index = at.cue >= 0, self._class_index()
            at.changed.notify_all()
        if in_cue:
            self._on_cue(-1 if paused else class_index, local_clock())

    def skip(self) -> None:
        """On to the next cue at once."""
        with self._at.changed:
            if not self.active:
                return
            self._at.paused_at = None
            self._at.cue_started = local_clock() - self._length(self._at.cue)
            self._at.state = "lead-in" if self._at.cue < 0 else "running"
            self._at.changed.notify_all()

    def abort(self, timeout: float = 2.0) -> None:
        """End now; all labels stay."""
        with self._at.changed:
            if self._at.state not in ("done", "aborted"):
                self._at.state = "aborted"
            self._at.changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _length(self, cue: int) -> float:
        return self.plan.lead_in if cue < 0 else self.plan.cues[cue].seconds

    def _class_index(self) -> int:
        return self.plan.cues[self._at.cue].class_index if 0 <= self._at.cue < len(self.plan.cues) else -1

    def _run(self) -> None:
        while (started := self._wait_for_next()) is not None:
            self._on_cue(self._class_index(), started)
        ended = self._at.state
        self._on_cue(-1, local_clock())
        self._on_end(ended)

    def _wait_for_next(self) -> float | None:
        """Wait until the present cue is over; return when the next one began, or None at the end."""
        at = self._at
        with at.changed:
            while at.state != "aborted":
                left = at.cue_started + self._length(at.cue) - local_clock()
                if at.state != "paused" and left <= 0:
                    break
                at.changed.wait(None if at.state == "paused" else left)
            if at.state == "aborted":
                return None
            at.done_s += self._length(at.cue) if at.cue >= 0 else 0.0
            at.cue_started += self._length(at.cue)
            at.cue += 1
            at.state = "running" if at.cue < len(self.plan.cues) else "done"
            return local_clock() if at.state == "running" else None

    def status(self) -> ProtocolStatus:
        """Where it stands; while paused the cue's time stands still."""
        at, cues = self._at, self.plan.cues
        with at.changed:
            elapsed = max(0.0, (at.paused_at or local_clock()) - at.cue_started)
            running = 0 <= at.cue < len(cues)
            coming = at.cue + 1
            return ProtocolStatus(
                name=self.plan.name,
                state=at.state,  # type: ignore[arg-type]
                cue=min(at.cue, len(cues) - 1) + 1,
                n_cues=len(cues),
                class_index=self._class_index(),
                cue_started_at=at.cue_started,
                cue_seconds=self._length(at.cue) if at.cue < len(cues) else 0.0,
                cue_elapsed_s=elapsed if self.active else 0.0,
                next_class_index=cues[coming].class_index if 0 <= coming < len(cues) else None,
                next_seconds=cues[coming].seconds if 0 <= coming < len(cues) else 0.0,
                then_class_index=cues[coming + 1].class_index if 0 <= coming < len(cues) - 1 else None,
                elapsed_s=at.done_s + (elapsed if running and self.active else 0.0),
                total_s=self.plan.total_s,
                seed=self.plan.seed,
                bell=self.plan.bell,
            )
