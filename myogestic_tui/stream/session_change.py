"""From one session into the next without a break: where one recording of a stream ends, the next continues."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..clock import local_clock
from .capture import Take
from .held_samples import HeldSamples
from .live_offsets import OffsetHistory

if TYPE_CHECKING:
    from ..session import Session
    from .health import HealthMeter

_STALL_SECONDS = 60.0
"""How long a recording that ends waits for a disk that does not answer."""


class SessionChange(HeldSamples):
    """The recording that a stream is in, and the one that follows.

    Every sample up to the instant of the change goes into the one, every later one into the other: a chunk is cut in
    two where it lies across. What comes late belongs to the later session, never to none.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._take: Take | None = None
        self._next: Take | None = None
        self._clock = OffsetHistory()
        self._health: HealthMeter | None = None
        self._interruption = ""
        self._held_back = False
        self._wake = threading.Event()

    def prepare_next(self, session: Session, at: float) -> bool:
        """Make ready that samples taken after ``at`` (recorder's clock, s), still to come, go into ``session``.

        False where the stream is not recorded now. Nothing changes for the present session.

        Raises
        ------
        SessionError
            The session does not take the stream.
        """
        if self._take is None or self._take.done.is_set():
            return False
        if self._next is not None and self._next.session is session:
            return True
        following = Take(session, self.name, at, follows=True)
        if self.info is not None:
            following.join(self.info, None, [])
        self._next = following
        return True

    def hold_still(self, timeout: float) -> bool:
        """Let no sample be recorded until `let_go`; False where one is being written for longer than ``timeout``."""
        return self._cutting.acquire(timeout=timeout)

    def let_go(self) -> None:
        """After `hold_still`: samples are recorded again."""
        self._cutting.release()
        self._wake.set()

    def end_at(self, at: float) -> None:
        """The present recording has nothing that is taken after ``at`` (recorder's clock, s); `finish` ends it."""
        if self._take is not None:
            self._take.end = at

    def hand_over(self) -> None:
        """What was prepared holds: the present recording ends at that instant, and the next one continues there.

        Called between `hold_still` and `let_go`, before that instant.
        """
        take, following, self._next = self._take, self._next, None
        if take is not None and not take.done.is_set() and following is not None:
            take.successor, take.end = following, following.start

    def await_next(self, timeout: float) -> bool:
        """Wait until samples go into the next session; after ``timeout`` seconds they do so in any case.

        False where the stream was not heard beyond the instant: what is under way goes into the next session, too.
        """
        take = self._take
        if take is None or take.successor is None:
            return True
        self._wait_for_end(take, timeout)
        if self._cutting.acquire(timeout=max(timeout, 0.1)):
            try:
                take.finish(drained=take.drained)
                self._follow(take)
            finally:
                self._cutting.release()
        return take.drained

    def _follow(self, take: Take) -> None:
        """A recording that has a successor is through; the lock is held."""
        following = take.successor
        if following is None or self._take is not take:
            return
        if self._interruption:
            take.note_reason(0, self._interruption)
        self._take = following
        self._restart_counts()
        if self.info is not None and not following.joined:
            following.join(self.info, None, [])
        if following.joined:
            following.session.add_clock_estimates(self.name, self._clock.estimates)

    def _restart_counts(self) -> None:
        """Health counts from the start of the session on."""
        raise NotImplementedError

    def _wait_for_end(self, take: Take, timeout: float) -> None:
        """Samples that wait behind a disk that does not answer are worth waiting for."""
        give_up = local_clock() + _STALL_SECONDS
        while not take.done.wait(timeout) and take.writing_since is not None and local_clock() < give_up:
            continue
