"""One stream over all its outlets: what becomes of it when the outlet dies, and when something comes back.

While an outlet lives, its inlet is pulled and that is all. An inlet stays at its outlet, whatever becomes of it: liblsl
recovers the connection where that very outlet is still there. Two things end that:

- Nothing comes, and an outlet appeared that may be the return of ours. It is **looked at**: an inlet to it is opened
  first, so that nothing of what it sends is missed, then ours is asked whether it is there. If not, and if the other
  one is the same stream, what the first inlet still holds is pulled, and the second one takes its place.
- Nothing comes, and our outlet is there: a second connection to it is tried beside the first (see `spare_connection`).

Without an inlet (the operator asked to reconnect) the link **seeks** in the same way. All that takes time is done in
threads of their own, so that a pull never waits. What has to be in time does not depend on the pulls, which may hang
for as long as a disk does: an outlet that returns meanwhile is subscribed to all the same. An outlet whose layout,
rate, labels or units differ is refused, and none of its samples is handed out.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from ..stream.source import Condition
from .discovery import WATCHERS, discovery
from .inlet import Inlet, dispose
from .outlet_claims import Question, claims
from .return_probe import OPEN_S, Look
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

PAUSE_S = 0.5
"""An outlet that brings no data for so long (or for five of its samples) may be gone."""

OVERLAP_S, OVERLAP_UNNAMED_S = 10.0, 1.0
"""An outlet that appeared so shortly before ours fell silent may be its successor: with our source_id, and without."""

STILL_COMES_S = 10.0
"""An outlet that does not answer, but brings data for so long after another one was found, is there."""

STEP_S = 0.25
"""How often the network is looked at while samples are pulled."""

PATH_TIMEOUT_S = 15.0
"""A stream that is silent for so long while its outlet is there gets a second connection."""

_SURELY_S = 1.0
"""An outlet that answers so long after its last sample is there; what it said before its end is read by then."""

ASK_AGAIN_S = 5.0
"""How often a question that only the operator can answer is looked into again."""


def any_outlet(_: Seen) -> bool:
    """Accept every outlet."""
    return True


class Link:
    """A stream that stays itself through interruptions. All but `condition` and `watch` is called from one thread.

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
        self._look: Look | None = None
        self._looking = threading.Lock()
        self._spare: Spare | None = None
        self._refused: dict[str, str] = {}
        self._twins: frozenset[str] = frozenset()
        self._left: list[Chunk] = []
        self._closed = self._released = False
        self._found_at: float | None = None
        self._arrived = self._lived = self._polled = self._spare_due = self._stepped = time.monotonic()
        self._asked = (-1, 0.0)
        self._twins = frozenset(other.uid for other in self.likenesses())
        claims.enter(self)
        WATCHERS.add(self.watch)

    @property
    def inlet(self) -> Inlet | None:
        """The inlet that is pulled; None while the link seeks."""
        return self._inlet

    def close(self) -> None:
        """Unsubscribe, in the background. May be called twice."""
        WATCHERS.discard(self.watch)
        claims.leave(self)
        self._dismiss_spare()
        with self._looking:
            self._closed = True
            if self._look is not None:
                self._look.cancel()
        self._drop_inlet()

    # ---------------------------------------------------------------- samples

    def pull(self) -> Chunk:
        """Everything that came from an outlet known to be this stream; never waits."""
        now = time.monotonic()
        chunk = self._pull_inlet()
        if len(chunk[1]):
            self._arrived, self._lived, self.question = now, self._polled, None
            self._dismiss_spare()
        elif self._spare is not None and self._spare.due(now):
            chunk = self._take_spare(now)
        if now - self._stepped >= STEP_S:
            self._stepped = now
            chunk = self._step(now, chunk)
        self._polled, self._released = now, False
        return chunk

    def _pull_inlet(self) -> Chunk:
        left, self._left = self._left, []
        if self._inlet is not None:
            left.append(self._inlet.pull())
        return left[0] if len(left) == 1 else _joined([self._empty(), *left])

    def _empty(self) -> Chunk:
        return np.empty((0, self.info.n_channels), self.info.np_dtype), np.empty(0)

    # ---------------------------------------------------------------- interruptions

    def _step(self, now: float, chunk: Chunk) -> Chunk:
        if self._look is not None:
            return self._judge(now, chunk) if self._look.done else chunk
        if self._inlet is not None and self._inlet.lost:
            self._drop_inlet()
        if self._inlet is not None:
            self._try_spare(now)
        return chunk

    def watch(self) -> None:
        """Begin to look at what may be the return, if something may. Never waits; discovery calls it all the time."""
        now = time.monotonic()
        with self._looking:
            if self._look is not None or self._closed or not (self._paused(now) and self._is_news(now)):
                return
            if self.successors():
                self._look = Look(self, alone=self._inlet is None)
            else:
                self.question = None

    def _paused(self, now: float) -> bool:
        return self._inlet is None or now - self._arrived >= self._within(PAUSE_S)

    def _within(self, seconds: float) -> float:
        """So long, or five samples where they are rarer."""
        return max(seconds, 5.0 / self.info.fs) if self.info.fs else seconds

    def _is_news(self, now: float) -> bool:
        """False while nothing has changed since our outlet answered, or the operator was asked."""
        changes, asked_at = self._asked
        return changes != discovery().changes or now - asked_at > ASK_AGAIN_S

    def reconnect(self, uid: str = "") -> None:
        """Reconnect now: to the outlet of that uid, else to the one that it was at or its successor."""
        if self._spare is not None and self._spare.brings and uid in ("", self.seen.uid):
            self._spare.hurry()
            return
        self._dismiss_spare()
        self._left = [self._pull_inlet()]
        with self._looking:
            if self._look is not None:
                self._look.cancel()
            self._look = None
            self.chosen, self.question = uid, None
            self._refused.pop(uid, None)
            self._twins -= {uid}
            self._asked = (-1, 0.0)
            self._drop_inlet()

    # ---------------------------------------------------------------- a second connection

    def _try_spare(self, now: float) -> None:
        silent = now - self._arrived >= self._within(self._path_timeout)
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
        self._arrived = now
        return fresh.pull()

    def _dismiss_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.dismiss()

    def release(self) -> None:
        """Wait no longer for what our outlet, or the first connection to it, may still deliver: the recording ends."""
        if self._spare is not None and self._spare.brings:
            self._spare.hurry()
        self._released = True

    @property
    def holds_back(self) -> bool:
        """True while it is not known yet whether what another outlet brings is this stream's."""
        look = self._look
        return look is not None and look.inlet is not None

    # ---------------------------------------------------------------- what a look has shown

    def _judge(self, now: float, chunk: Chunk) -> Chunk:
        """Act on what looking at an outlet has shown; ``chunk`` is what has just come from ours."""
        assert self._look is not None
        if self._look.found is not None and not self._paused(now) and not self._released:
            self._found_at = self._found_at or now
            if now - self._found_at > STILL_COMES_S:  # it does not answer, but sends
                self._end_look().cancel()
            return chunk  # what was on its way when it ended comes before what the next one sends
        look = self._end_look()
        if look.found is None or look.inlet is None or look.info is None:
            return chunk
        if changes := differences(self.info, look.info):
            self._refused = {**self._refused, look.found.uid: ", ".join(changes)}
            look.cancel()
            return chunk
        self._twins |= self._refused.keys()
        self.seen, self._refused, self.chosen = look.found, {}, ""
        self.been_at.add(self.seen.uid)
        claims.release(self)
        self._dismiss_spare()
        self._drop_inlet()
        self._inlet = look.inlet
        self._inlet.clock_estimate()
        self._arrived = self._lived = now
        return _joined([chunk, self._inlet.pull()])

    def _end_look(self) -> Look:
        with self._looking:
            look, self._look = self._look, None
            assert look is not None
            self.question, self._found_at = look.question, None
            known = look.unchanged or look.question is not None
            self._asked = (look.changes, time.monotonic()) if known else (-1, 0.0)
        return look

    def _drop_inlet(self) -> None:
        inlet, self._inlet = self._inlet, None
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
        """The latest instant at which our outlet surely lived; what was pulled may have waited since the last pull."""
        return max(self._lived, discovery().heard_at(self.seen.uid))

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
        limit = self._within(SILENT_S)
        if self.question is not None:
            return Condition("lost", f"{nothing}; {self.question}", "nobody chose which outlet is its own")
        if silent < limit or (there and not self.info.is_regular):
            return Condition("live")
        if not there:
            return Condition("lost", f"{nothing}; searching on {self.seen.hostname}", "its outlet was gone")
        second = "; a second connection is tried" if spare is not None else ""
        if network.heard_at(self.seen.uid) <= self._arrived + _SURELY_S:
            text = f"{nothing}; its outlet may be gone, or sends nothing{second}"
            return Condition("lost", text, "its outlet was gone, or sent nothing")
        text = f"{nothing}; its outlet is there, but sends nothing{second}"
        return Condition("lost", text, "its outlet was there, but sent nothing")


def _joined(chunks: list[Chunk]) -> Chunk:
    return np.concatenate([chunk[0] for chunk in chunks]), np.concatenate([chunk[1] for chunk in chunks])
