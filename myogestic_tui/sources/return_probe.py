"""A closer look at an outlet that may be the return of a lost stream."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from ..errors import StreamError
from .discovery import discovery
from .inlet import Inlet, dispose
from .network_query import answers, resolve
from .outlet_claims import ASK_S, Question, claims, nearest

if TYPE_CHECKING:
    from ..info import StreamInfo
    from .claimant import Claimant
    from .discovery import Seen

GRACE_S = 3.0
"""How long it may take until one outlet, and no more, is left that may be the return."""

OPEN_S = 4.0
"""How long it may take to be subscribed to and send its full header."""

SOON_S = 0.1
"""An outlet that is there mostly answers by then, and a likely twin of it is not subscribed to."""


class Look:
    """Subscribes to the outlet at which a stream may be now, in a thread of its own, and finds out if it is.

    Parameters
    ----------
    link
        The stream.
    alone
        True where it has no inlet, so that it does not matter whether its own outlet is there.

    Attributes
    ----------
    changes
        `Discovery.changes` when it began.
    done
        Set last; the others do not change any more.
    unchanged
        Our outlet is there.
    found, inlet, info
        The outlet that it is at, subscribed to, and what its full header says; None where there is none, or more than
        one.
    question
        What the operator has to decide, where it is not known which outlet belongs to which stream.
    """

    def __init__(self, link: Claimant, *, alone: bool) -> None:
        self.changes = discovery().changes
        self.found: Seen | None = None
        self.inlet: Inlet | None = None
        self.info: StreamInfo | None = None
        self.question: Question | None = None
        self.unchanged = False
        self.done = False
        self._link, self._alone = link, alone
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"lsl-look-{link.seen.name}", daemon=True).start()

    def cancel(self) -> None:
        """Its result is not wanted any more."""
        with self._lock:
            self._cancelled.set()
            if self.done:
                self._let_go()

    def _run(self) -> None:
        with contextlib.suppress(StreamError):  # it answered discovery but not us: the link looks again
            if not self._is_there(SOON_S):
                self._inspect()
                if self._is_there(ASK_S):
                    self._let_go()
        with self._lock:
            self.done = True
            if self._cancelled.is_set():
                self._let_go()
        if self.found is None:
            claims.release(self._link)

    def _is_there(self, seconds: float) -> bool:
        """Whether our own outlet is there, while that matters."""
        uid = self._link.seen.uid
        self.unchanged = not self._alone and discovery().has(uid) and answers(uid, seconds)
        return self.unchanged

    def _let_go(self) -> None:
        inlet, self.inlet, self.found, self.question = self.inlet, None, None, None
        if inlet is not None:
            dispose(inlet)
        claims.release(self._link)

    def _inspect(self) -> None:
        candidate = self._candidate()
        handle = resolve(candidate.uid, ASK_S) if candidate is not None else None
        if candidate is None or handle is None:
            return  # discovery remembers the dead for a while
        inlet = Inlet(candidate, handle)
        try:
            self.info = inlet.open(OPEN_S)
        except BaseException:
            inlet.close()
            raise
        self.found, self.inlet = candidate, inlet

    def _candidate(self) -> Seen | None:
        """The only successor, claimed; None if there is none, or more than one, so that nothing is guessed."""
        end = time.monotonic() + GRACE_S
        network = discovery()
        changes = network.changes
        while not self._cancelled.is_set():
            if (found := self._decide()) is not None:
                return found
            left = end - time.monotonic()
            if left <= 0:
                return None
            network.wait_changed(changes, left)
            changes = network.changes
        return None

    def _decide(self) -> Seen | None:
        link, self.question = self._link, None
        found = nearest(link.successors(), link)
        if link.chosen:
            found = [seen for seen in found if seen.uid == link.chosen]
        if len(found) > 1:  # some may be remembered only
            found = [seen for seen in found if answers(seen.uid, ASK_S)]
        rivals = [] if link.chosen or not found else claims.rivals(link, found[0])
        if len(found) == 1 and not rivals:
            return found[0] if claims.claim(link, found[0]) else None
        if found:
            self.question = Question(tuple(found), (link.owner, *sorted(rival.owner for rival in rivals)))
        return None
