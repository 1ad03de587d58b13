"""Whatever ends the viewer ends it within a second on every path, with the terminal given back."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

GRACE_SECONDS = 1.0
"""A clean end may take so long; then the terminal is restored directly."""

_ENDING = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


class Shed(BaseException):
    """Raised in the main thread of an embedding process to get rid of screens that do not end by themselves."""


class BoundedExit:
    """Sees to it that an end that has begun comes.

    Parameters
    ----------
    give_back
        Restores the terminal directly.
    embedded
        The recorder lives in this process: screens that hang are shed by raising `Shed`. Otherwise the process ends.
    """

    def __init__(self, give_back: Callable[[], None], *, embedded: bool) -> None:
        self._give_back = give_back
        self._embedded = embedded
        self._main = threading.current_thread() is threading.main_thread()
        self._timer: threading.Timer | None = None
        self.code: int | None = None
        self.forced = False
        """Time is up: this process ends in a moment."""

    def arm(self, code: int) -> None:
        """From now on it ends in `GRACE_SECONDS`, with this exit code."""
        if self.code is not None:
            return
        self.code = code
        if self._embedded:
            if self._main:
                signal.signal(signal.SIGALRM, _shed)
                signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS, GRACE_SECONDS)
            return
        self._timer = threading.Timer(GRACE_SECONDS, self._force)
        self._timer.daemon = True
        self._timer.start()

    def _force(self) -> None:
        assert self.code is not None
        self.forced = True
        self._give_back()
        os._exit(self.code)

    def done(self) -> None:
        """It has ended by itself."""
        if self._timer is not None:
            self._timer.cancel()
        if self._embedded and self._main:
            signal.setitimer(signal.ITIMER_REAL, 0)

    @contextlib.contextmanager
    def handling(self, leave: Callable[[int], None]) -> Iterator[None]:
        """Handle the ending signals while the screens are up; ``leave`` asks them to end, with the exit code.

        Where the recorder lives in this process, the handler that the process had before is called as well.
        ``loop.add_signal_handler`` is not used: with it an exit hangs on a closed pty.
        """
        if not self._main:
            yield
            return
        before = {number: signal.getsignal(number) for number in (*_ENDING, signal.SIGALRM, signal.SIGUSR1)}

        def end(number: int, frame: FrameType | None) -> None:
            self.arm(128 + number)
            leave(128 + number)
            earlier = before[signal.Signals(number)]
            if self._embedded and callable(earlier) and earlier is not signal.default_int_handler:
                earlier(number, frame)

        for number in _ENDING:
            signal.signal(number, end)
        signal.signal(signal.SIGUSR1, _interrupt)
        try:
            yield
        finally:
            self.done()
            for number, handler in before.items():
                signal.signal(number, handler)


def _interrupt(_: int, __: FrameType | None) -> None:
    """Nothing: it only interrupts a write that waits."""


def _shed(_: int, __: FrameType | None) -> None:
    raise Shed
