"""One stream over all its outlets: what becomes of it when the outlet dies, and when something comes back.

While an outlet lives, its inlet is pulled and that is all. Three things end that:

- liblsl has moved the inlet to another outlet (it does so by itself where source_id, name, type, count and format
  agree, and never looks at rate, labels or units). What it brings is **held** until the new outlet was looked at.
- The inlet is dead, or the network shows an outlet that liblsl will not move to. The inlet is closed, and from then on
  the link **seeks**: a new outlet is looked at, and taken if it is the same stream.
- Neither, but nothing comes: the stream is lost, and may come back on the same inlet at any time. Where its outlet is
  there, a second connection is tried beside the first (see `spare`).

An outlet is looked at by opening an inlet of its own in a thread of its own, so that a pull never waits. One whose
layout, rate, labels or units differ is refused, and none of its samples is handed out.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ..stream.source import Condition
from .discovery import FORGET_AFTER, LOOK_EVERY, discovery
from .inlet import Inlet, dispose
from .outlet_claims import Question, claims
from .return_probe import GRACE_S, OPEN_S, Look
from .spare_connection import Spare
from .stream_header import differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..info import StreamInfo
    from .claimant import Claimant
    from .discovery import Seen
    from .inlet import Chunk

SILENT_S = 2.0
"""A regular stream that brings no data for so long is lost (or for five of its samples, where they are rarer)."""

PAUSE_S = 0.9
"""A shorter pause cannot hide a move: liblsl takes at least 1 s to find another outlet."""

OVERLAP_S, OVERLAP_UNNAMED_S = 10.0, 1.0
"""An outlet that appeared so shortly before ours fell silent may be its successor: with our source_id, and without."""

STEP_S = 0.25
"""How often the network is looked at while samples are pulled."""

PATH_TIMEOUT_S = 15.0
"""A stream that is silent for so long while its outlet is there gets a second connection."""
_KNOWN_THERE_S = FORGET_AFTER + 6 * LOOK_EVERY
"""An outlet that has been silent for so long, and is listed still, has answered since."""

ASK_AGAIN_S = 5.0
"""How often a question that only the operator can answer is looked into again."""


def any_outlet(_: Seen) -> bool:
    """Accept every outlet."""
    return True


class Link:
    """A stream that stays itself through interruptions. All but `condition` is called from one thread.

    Parameters
    ----------
    seen
        The outlet that it begins with.
    owner
        What the operator calls the stream.
    accepts
        Whether another outlet may be this stream at all.
    path_timeout
        Seconds of silence after which a second connection is tried.
    """

    def __init__(
        self,
        seen: Seen,
        *,
        owner: str = "",
        accepts: Callable[[Seen], bool] = any_outlet,
        path_timeout: float = PATH_TIMEOUT_S,
    ) -> None:
        self.seen = seen
        self.owner = owner or seen.name
        self.chosen = ""
        self.question: Question | None = None
        self.been_at = {seen.uid}
        self._accepts, self._path_timeout = accepts, path_timeout
        self._inlet: Inlet | None = Inlet(seen)
        try:
            self.info: StreamInfo = self._inlet.open(OPEN_S)
            self._inlet.clock_estimate()
        except BaseException:
            dispose(self._inlet)
            raise
        self._held: list[Chunk] | None = None
        self._look: Look | None = None
        self._spare: Spare | None = None
        self._refused: dict[str, str] = {}
        self._twins: frozenset[str] = frozenset()
        self._arrived = self._polled = self._stepped = time.monotonic()
        self._before_arrival = self._spare_due = self._arrived
        self._asked = (-1, 0.0)
        self._twins = frozenset(other.uid for other in self.likenesses())
        claims.enter(self)

    @property
    def inlet(self) -> Inlet | None:
        """The inlet that is pulled; None while the link seeks."""
        return self._inlet if self._held is None else None

    def close(self) -> None:
        """Unsubscribe, in the background. May be called twice."""
        claims.leave(self)
        self._dismiss_spare()
        if self._look is not None:
            self._look.cancel()
        self._drop_inlet()

    # ---------------------------------------------------------------- samples

    def pull(self) -> Chunk:
        """Everything that came from an outlet known to be this stream; never waits."""
        now = time.monotonic()
        chunk = self._empty() if self._inlet is None else self._inlet.pull()
        if self._inlet is not None and self._held is None:
            self._suspect(chunk, now)
        if self._held is not None:
            self._held.append(chunk)
            chunk = self._empty()
        if len(chunk[1]):
            self._arrived, self._before_arrival = now, self._polled
            self._dismiss_spare()
        elif self._spare is not None and self._spare.due(now):
            chunk = self._take_spare(now)
        self._polled = now
        if now - self._stepped >= STEP_S:
            self._stepped = now
            chunk = self._step(now, chunk)
        return chunk

    def _suspect(self, chunk: Chunk, now: float) -> None:
        """Hold what comes if it may be another outlet's; without a clock estimate only the pause tells."""
        assert self._inlet is not None
        moved = self._inlet.take_switch()
        paused = len(chunk[1]) > 0 and not self._inlet.has_clock and now - self._before_arrival >= PAUSE_S
        if moved or paused:
            self._held = []
            self._dismiss_spare()
            self._look = Look(self, moved=moved)

    def _empty(self) -> Chunk:
        return np.empty((0, self.info.n_channels), self.info.np_dtype), np.empty(0)

    # ---------------------------------------------------------------- interruptions

    def _step(self, now: float, chunk: Chunk) -> Chunk:
        if self._look is not None:
            return self._judge(chunk) if self._look.done else chunk
        if self._inlet is not None and (self._inlet.lost or self._is_stuck(now)):
            self._drop_inlet()
        if self._inlet is None and self.successors() and self._is_news(now):
            self._look = Look(self, moved=True)
        elif self._inlet is not None:
            self._try_spare(now)
        return chunk

    def _is_news(self, now: float) -> bool:
        """False while nothing has changed since the operator was asked."""
        changes, asked_at = self._asked
        return self.question is None or changes != discovery().changes or now - asked_at > ASK_AGAIN_S

    def reconnect(self, uid: str = "") -> None:
        """Reconnect now: to the outlet of that uid, else to the one that it was at or its successor."""
        if self._spare is not None and self._spare.brings and uid in ("", self.seen.uid):
            self._spare.hurry()
            return
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self.chosen, self.question = uid, None
        self._refused.pop(uid, None)
        self._twins -= {uid}
        self._dismiss_spare()
        self._drop_inlet()

    # ---------------------------------------------------------------- a second connection

    def _try_spare(self, now: float) -> None:
        silent = now - self._arrived >= max(self._path_timeout, 5.0 / self.info.fs if self.info.fs else 0.0)
        if self._spare is not None and self._spare.failed:
            self._dismiss_spare()
        if silent and self._spare is None and now >= self._spare_due and discovery().has(self.seen.uid):
            self._spare, self._spare_due = Spare(self.seen, self._arrived), now + self._path_timeout

    def _take_spare(self, now: float) -> Chunk:
        """Continue with the second connection; the first has just been asked for the last time."""
        spare, self._spare = self._spare, None
        assert spare is not None
        fresh = spare.take()
        self._drop_inlet()
        self._inlet = fresh
        self._arrived, self._before_arrival = now, self._polled
        return fresh.pull()

    def _dismiss_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.dismiss()

    def release(self) -> None:
        """Wait no longer for what the first connection may still deliver: the recording ends."""
        if self._spare is not None and self._spare.brings:
            self._spare.hurry()

    # ---------------------------------------------------------------- what a look has shown

    def _is_stuck(self, now: float) -> bool:
        """True where a successor is there, ours is gone, and liblsl did not move to it."""
        if discovery().has(self.seen.uid):
            return False
        return any(now - other.first_seen > GRACE_S for other in self.successors())

    def _judge(self, chunk: Chunk) -> Chunk:
        """Act on what looking at an outlet has shown."""
        look, self._look = self._look, None
        assert look is not None
        held, self._held = self._held or [], None
        self.question, self._asked = look.question, (discovery().changes, self._polled)
        if look.unchanged:
            return self._resume([*held, chunk])
        if look.found is None or look.inlet is None or look.info is None:
            self._drop_inlet()
            return chunk
        if changes := differences(self.info, look.info):
            self._refused = {**self._refused, look.found.uid: ", ".join(changes)}
            dispose(look.inlet)
            self._drop_inlet()
            claims.release(self)
            return chunk
        self._twins |= self._refused.keys()
        self.seen, self._refused, self.chosen = look.found, {}, ""
        self.been_at.add(self.seen.uid)
        claims.release(self)
        return self._resume([self._choose(look.inlet, _joined([self._empty(), *held])), chunk])

    def _choose(self, fresh: Inlet, held: Chunk) -> Chunk:
        """Of two inlets at one outlet, continue with the one that was there first; what it has brought so far.

        Often that is ours: liblsl waits 0.5 s before it connects to the outlet that it moved to.
        """
        brought = fresh.pull()
        if self._inlet is not None and len(held[1]) and not (len(brought[1]) and brought[1][0] <= held[1][0]):
            dispose(fresh)
            return held
        self._drop_inlet()
        self._inlet = fresh
        fresh.clock_estimate()
        return brought

    def _resume(self, parts: list[Chunk]) -> Chunk:
        """Live again, with what was held."""
        self._arrived = self._before_arrival = self._polled
        return _joined(parts)

    def _drop_inlet(self) -> None:
        inlet, self._inlet, self._held = self._inlet, None, None
        if inlet is not None:
            dispose(inlet)

    # ---------------------------------------------------------------- who may follow

    def successors(self) -> list[Seen]:
        """Outlets that may be this stream's next: they appeared after ours fell silent, and nobody else has them.

        Failing those, ours itself while nothing is pulled from it. The one that was chosen, if one was.
        """
        if self.chosen:
            return [seen for seen in discovery().streams() if seen.uid == self.chosen]
        newer = [other for other in self.likenesses() if self.would_take(other)]
        taken = claims.taken(self)
        own = [] if self._inlet is not None else discovery().streams()
        own = [seen for seen in own if seen.uid == self.seen.uid and seen.uid not in self._refused]
        return [seen for seen in newer if seen.uid not in taken] or [seen for seen in own if seen.uid not in taken]

    def would_take(self, outlet: Seen) -> bool:
        """Whether an outlet may be this stream's return, if the stream is lost."""
        since = self._alive_until() - (OVERLAP_S if self.seen.source_id else OVERLAP_UNNAMED_S)
        known = outlet.uid == self.seen.uid or outlet.uid in self._twins or outlet.uid in self._refused
        return not known and outlet.first_seen >= since and self._is_like(outlet)

    def likeness(self, outlet: Seen) -> tuple[bool, ...]:
        """In what an outlet agrees with this stream beyond what every return has to: layout, and host."""
        layout = (outlet.n_channels, outlet.dtype, outlet.fs) == (self.seen.n_channels, self.seen.dtype, self.seen.fs)
        return layout, outlet.hostname == self.seen.hostname

    def shares_outlet(self, other: Claimant) -> bool:
        """Whether both are at one outlet, or were: it returns to both."""
        return self.seen.uid in other.been_at or other.seen.uid in self.been_at

    def likenesses(self) -> list[Seen]:
        """All other outlets on the network with the same metadata."""
        return [other for other in discovery().streams() if other.uid != self.seen.uid and self._is_like(other)]

    def _is_like(self, other: Seen) -> bool:
        fields = ("name", "type", "source_id") if self.seen.source_id else ("name", "type", "source_id", "hostname")
        return all(getattr(other, field) == getattr(self.seen, field) for field in fields) and self._accepts(other)

    def _alive_until(self) -> float:
        """The latest instant at which our outlet surely lived."""
        gone = discovery().gone_since(self.seen.uid)
        return max(self._arrived, (gone or time.monotonic()) - FORGET_AFTER - LOOK_EVERY)

    # ---------------------------------------------------------------- how it is

    def condition(self) -> Condition:
        """Live, lost or refused, with what the operator should know."""
        network = discovery()
        reasons = "; ".join(reason for uid, reason in self._refused.items() if network.has(uid))
        if reasons:
            advice = "not recorded; restore it, or forget it and connect it as a new stream"
            return Condition("refused", f"came back with {reasons}: {advice}")
        silent = time.monotonic() - self._arrived
        nothing = f"no data for {silent:.1f} s"
        spare, there = self._spare, network.has(self.seen.uid)
        if spare is not None and spare.brings:
            what = "a second connection brings samples; what waits for the first may still come"
            return Condition("lost", f"{nothing}; its connection is dead; {what}", "its connection was dead")
        limit = max(SILENT_S, 5.0 / self.info.fs) if self.info.fs else SILENT_S
        if self.question is not None and self._inlet is None:
            return Condition("lost", f"{nothing}; {self.question}", "nobody chose which outlet is its own")
        if silent < limit or (there and not self.info.is_regular):
            return Condition("live")
        if not there:
            return Condition("lost", f"{nothing}; searching on {self.seen.hostname}", "its outlet was gone")
        second = "; a second connection is tried" if spare is not None else ""
        there_since = "is there, but sends nothing" if silent > _KNOWN_THERE_S else "may be gone, or sends nothing"
        text = f"{nothing}; its outlet {there_since}{second}"
        return Condition("lost", text, "its outlet was there, but sent nothing")


def _joined(chunks: list[Chunk]) -> Chunk:
    return np.concatenate([chunk[0] for chunk in chunks]), np.concatenate([chunk[1] for chunk in chunks])
