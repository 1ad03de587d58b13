"""Which stream of this process has which outlet: one that returns goes to one stream, or to none.

Streams can be alike: two devices without a source_id on one host, or with one source_id between them. When both are
lost and one outlet returns, nothing says whose it is: nobody gets it, and the operator is asked.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .network_query import answers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .claimant import Claimant
    from .discovery import Seen

ASK_S = 1.0
"""How long an outlet may take to say that it is there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What only the operator knows: which of these outlets belongs to which of these streams."""

    outlets: tuple[Seen, ...]
    streams: tuple[str, ...]

    def __str__(self) -> str:
        listed = "; ".join(seen.describe() for seen in self.outlets)
        name = self.streams[0]
        ask = f"say which: myogestic-tui ctl reconnect {name} {self.outlets[0].uid[:8]}"
        if len(self.streams) > 1:
            return f"{listed} may be {' or '.join(self.streams)}: {ask}"
        return f"{len(self.outlets)} outlets may be {name}: {listed}: {ask}"


class Claims:
    """The links of this process, and the outlets that they are at or look at. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looking: dict[Claimant, str] = {}

    def enter(self, link: Claimant) -> None:
        """A stream has begun."""
        with self._lock:
            self._looking[link] = ""

    def leave(self, link: Claimant) -> None:
        """It has ended."""
        with self._lock:
            self._looking.pop(link, None)

    def others(self, link: Claimant) -> list[Claimant]:
        """All other streams, but those that have been at the same outlet as this one: what it does, they may do."""
        with self._lock:
            return [other for other in self._looking if other is not link and not link.shares_outlet(other)]

    def taken(self, link: Claimant) -> set[str]:
        """Uids of the outlets that others are at, or look at."""
        others = self.others(link)
        with self._lock:
            return {uid for other in others for uid in (other.seen.uid, self._looking.get(other, "")) if uid}

    def held(self) -> set[str]:
        """Uids of the outlets that any stream is at, or looks at."""
        with self._lock:
            return {uid for link, looking in self._looking.items() for uid in (link.seen.uid, looking) if uid}

    def claim(self, link: Claimant, outlet: Seen) -> bool:
        """Take an outlet for this stream before it is opened; False where another one has it."""
        others = self.others(link)
        with self._lock:
            if any(outlet.uid in (other.seen.uid, self._looking.get(other)) for other in others):
                return False
            if link in self._looking:
                self._looking[link] = outlet.uid
            return True

    def release(self, link: Claimant) -> None:
        """What it looked at is its own now, or was nothing for it."""
        with self._lock:
            if link in self._looking:
                self._looking[link] = ""

    def rivals(self, link: Claimant, outlet: Seen) -> list[Claimant]:
        """Lost streams that the outlet fits as well as this one, or better. Asks the network, for a second at most."""
        mine = link.likeness(outlet)
        fitting = [other for other in self.others(link) if other.would_take(outlet)]
        close = [other for other in fitting if not _fits_better(mine, other.likeness(outlet))]
        lost = {uid for uid in {other.seen.uid for other in close} if not answers(uid, ASK_S)}
        return [other for other in close if other.seen.uid in lost]


def _fits_better(one: tuple[bool, ...], other: tuple[bool, ...]) -> bool:
    """True where the first is as like in every respect and more so in one."""
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def nearest(outlets: Iterable[Seen], link: Claimant) -> list[Seen]:
    """Those of several outlets that nothing else fits better."""
    fitting = [(seen, link.likeness(seen)) for seen in outlets]
    return [seen for seen, likeness in fitting if not any(_fits_better(other, likeness) for _, other in fitting)]


claims = Claims()
"""Of this process."""
