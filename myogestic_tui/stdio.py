"""Standard output and error whose reader may be gone: an exit code is the program's own, not that of a failed flush."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from typing import TextIO

_GONE = select.POLLERR | select.POLLHUP


def open_missing_streams() -> None:
    """Point standard streams that were closed before the start at the null device.

    Otherwise the next file that is opened gets the descriptor, and what a library prints ends up in it.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def has_screen() -> bool:
    """Whether the screens have somewhere to be: a terminal, or a browser, for which textual-serve names a driver."""
    return "TEXTUAL_DRIVER" in os.environ or (sys.stdin.isatty() and sys.stdout.isatty())


def places_text() -> bool:
    """Whether the terminal can place text, as far as ``TERM`` tells; a browser can."""
    return os.environ.get("TERM", "") not in ("", "dumb", "unknown") or "TEXTUAL_DRIVER" in os.environ


def settle_output() -> OSError | None:
    """Write out what both streams hold; one that nobody reads any more is pointed at the null device.

    Python flushes them when it ends, and where that fails it exits with 120 whatever the program said.

    Returns
    -------
    OSError or None
        Why what went to standard output did not all arrive.
    """
    _settle(sys.stderr)
    return _settle(sys.stdout)


def exit_with(code: int) -> NoReturn:
    """End this process with an exit code that no failed flush changes."""
    settle_output()
    sys.exit(code)


def _settle(stream: TextIO | None) -> OSError | None:
    if stream is None or stream.closed:
        return None
    try:
        stream.flush()
    except OSError as error:
        _silence(stream)
        return error
    if _is_gone(stream):
        _silence(stream)
    return None


def _is_gone(stream: TextIO) -> bool:
    """Whether the terminal hung up, or the pipe has no reader, although nothing was left to write."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & _GONE for _, event in poll.poll(0))
    except (OSError, ValueError):
        return False


def _silence(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()
