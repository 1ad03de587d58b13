"""A closer look at an outlet that may be the return of a lost stream."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from ..errors import StreamError
from .adapter import answers
from .discovery import discovery
from .inlet import Inlet

if TYPE_CHECKING:
    from ..info import StreamInfo
    from .discovery import Seen
    from .link import Link

GRACE_S = 3.0
"""How long liblsl may take to move to an outlet that is there, and discovery to see the one that it moved to."""

OPEN_S = 4.0
"""How long an outlet may take to answer."""


class Look:
    """Finds out, in a thread of its own, which outlet a stream is at now, and reads its full header.

    Parameters
    ----------
    link
        The stream.
    moved
        False where our outlet may well be alive: then it is asked first.
    keep
        Keep the inlet that the header was read through, to go on with it.
    """

    def __init__(self, link: Link, *, moved: bool, keep: bool) -> None:
        self.found: Seen | None = None
        self.info: StreamInfo | None = None
        self.inlet: Inlet | None = None
        self.unchanged = False
        self.done = False
        self._link, self._moved, self._keep = link, moved, keep
        self._cancelled = threading.Event()
        threading.Thread(target=self._run, name=f"lsl-look-{link.seen.name}", daemon=True).start()

    def cancel(self) -> None:
        """Its result is not wanted any more."""
        self._cancelled.set()

    def _run(self) -> None:
        try:
            if not self._moved and answers(self._link.seen.uid, 1.0):
                self.unchanged = True
            else:
                self._inspect()
        except StreamError:
            self.found = None  # it answered discovery but not us: the link goes on seeking
        finally:
            self.done = True
            if self._cancelled.is_set() and self.inlet is not None:
                self.inlet.close()

    def _inspect(self) -> None:
        candidate = self._candidate()
        if candidate is None:
            self.unchanged = not self._moved and not self._link.likenesses()  # nobody else can have sent it
            return
        inlet = Inlet(candidate)
        try:
            self.info = inlet.open(OPEN_S)
            self.found = candidate
        finally:
            if self._keep and self.found is not None:
                self.inlet = inlet
            else:
                inlet.close()

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
