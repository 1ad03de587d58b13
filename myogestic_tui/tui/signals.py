"""SIGHUP, SIGTERM and SIGINT end the viewer within a second on every path, with the terminal given back."""

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


@contextlib.contextmanager
def bounded_exit(leave: Callable[[int], None], give_back: Callable[[], None], *, embedded: bool) -> Iterator[None]:
    """Handle the ending signals while the screens are up.

    Parameters
    ----------
    leave
        Asks the screens to end; called with the signal's number, in the main thread.
    give_back
        Restores the terminal directly.
    embedded
        The recorder lives in this process: screens that hang are shed by raising `Shed`, and the handler that the
        process had before is called as well. Otherwise the process ends.

    Notes
    -----
    ``loop.add_signal_handler`` is not used: with it an exit hangs on a closed pty.
    """
    before = {number: signal.getsignal(number) for number in (*_ENDING, signal.SIGALRM)}

    def end(number: int, frame: FrameType | None) -> None:
        _arm(number, give_back, embedded=embedded)
        leave(number)
        earlier = before[signal.Signals(number)]
        if embedded and callable(earlier) and earlier is not signal.default_int_handler:
            earlier(number, frame)

    for number in _ENDING:
        signal.signal(number, end)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _arm(number: int, give_back: Callable[[], None], *, embedded: bool) -> None:
    if embedded:
        signal.signal(signal.SIGALRM, _shed)
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS, GRACE_SECONDS)
        return

    def force() -> None:
        give_back()
        os._exit(128 + number)

    timer = threading.Timer(GRACE_SECONDS, force)
    timer.daemon = True
    timer.start()


def _shed(_: int, __: FrameType | None) -> None:
    raise Shed
