"""A closer look at an outlet that may be the return of a lost stream."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..errors import StreamError
from .adapter import answers
from .discovery import discovery
from .inlet import Inlet, dispose

if TYPE_CHECKING:
    from ..info import StreamInfo
    from .discovery import Seen
    from .link import Link

GRACE_S = 3.0
"""How long liblsl may take to move to an outlet that is there, and discovery to see the one that it moved to."""

ASK_S = 1.0
"""How long an outlet may take to say that it is there."""

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
    """

    def __init__(self, link: Link, *, moved: bool) -> None:
        self.found: Seen | None = None
        self.inlet: Inlet | None = None
        self.info: StreamInfo | None = None
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
            self.found = None  # it answered discovery but not us: the link goes on seeking
        with self._lock:
            self.done = True
            if self._cancelled.is_set() and self.inlet is not None:
                dispose(self.inlet)

    def _inspect(self) -> None:
        candidate = self._candidate()
        if candidate is None:
            self.unchanged = not self._moved and not self._link.likenesses()  # nobody else can have sent it
            return
        if candidate.uid == self._link.seen.uid and not answers(candidate.uid, ASK_S):
            return  # discovery remembers the dead for a while
        inlet = Inlet(candidate)
        try:
            self.info = inlet.open(OPEN_S)
        except BaseException:
            inlet.close()
            raise
        self.found, self.inlet = candidate, inlet

    def _candidate(self) -> Seen | None:
        """The only successor; None if there is none, or more than one, so that nothing is guessed."""
        end = time.monotonic() + GRACE_S
        network = discovery()
        changes = network.changes
        while not self._cancelled.is_set():
            found = self._link.successors()
            if len(found) == 1:
                return found[0]
            left = end - time.monotonic()
            if left <= 0:
                return None
            network.wait_changed(changes, left)
            changes = network.changes
        return None
