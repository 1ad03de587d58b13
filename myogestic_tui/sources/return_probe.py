"""A closer look at an outlet that may be the return of a lost stream."""

from __future__ import annotations

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
"""How long liblsl may take to move to an outlet that is there, and discovery to see the one that it moved to."""

OPEN_S = 4.0
"""How long it may take to be subscribed to and send its full header."""


class Look:
    """Finds out, in a thread of its own, which outlet a stream is at now, and opens an inlet to it.

    Parameters
    ----------
    link
        The stream.
    moved
        False where our outlet may well be alive: then it is asked first.

    Attributes
    ----------
    done
        Set last; the others do not change any more.
    unchanged
        Our outlet is alive.
    found, inlet, info
        The outlet that it is at, subscribed to, and what its full header says; None where there is none, or more than
        one.
    question
        What the operator has to decide, where it is not known which outlet belongs to which stream.
    """

    def __init__(self, link: Claimant, *, moved: bool) -> None:
        self.found: Seen | None = None
        self.inlet: Inlet | None = None
        self.info: StreamInfo | None = None
        self.question: Question | None = None
        self.unchanged = False
        self.done = False
        self._link, self._moved = link, moved
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"lsl-look-{link.seen.name}", daemon=True).start()

    def cancel(self) -> None:
        """Its result is not wanted any more."""
        with self._lock:
            self._cancelled.set()
            if self.done and self.inlet is not None:
                dispose(self.inlet)

    def _run(self) -> None:
        try:
            if not self._moved and answers(self._link.seen.uid, ASK_S):
                self.unchanged = True
            else:
                self._inspect()
        except StreamError:
            self.found = None  # it answered discovery but not us: the link continues seeking
        if self.found is None:
            claims.release(self._link)
        with self._lock:
            self.done = True
            if self._cancelled.is_set() and self.inlet is not None:
                dispose(self.inlet)

    def _inspect(self) -> None:
        candidate = self._candidate()
        if candidate is None:
            alone = not self._link.likenesses()  # nobody else can have sent it
            self.unchanged = not self._moved and self.question is None and alone
            return
        handle = resolve(candidate.uid, ASK_S)
        if handle is None and candidate.uid == self._link.seen.uid:
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
        rivals = [] if link.chosen or not found else claims.rivals(link, found[0])
        if len(found) == 1 and not rivals:
            return found[0] if claims.claim(link, found[0]) else None
        if found:
            self.question = Question(tuple(found), (link.owner, *sorted(rival.owner for rival in rivals)))
        return None
