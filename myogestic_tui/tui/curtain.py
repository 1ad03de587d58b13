"""What stands on the terminal until Textual is imported: the header, painted by the standard library alone.

Textual takes 0.4 s to import on a small computer and 2 s on a Raspberry Pi; in a tenth of that the operator sees that
something opens. The viewer's first frame takes its place.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_SCREEN = "\x1b[?1049h"
_SCREENS = (("s", "streams"), ("l", "live"), ("r", "record"), ("b", "sessions"))


class Hanging(NamedTuple):
    """A curtain in front of the terminal."""

    since: float
    """Monotonic seconds; keys pressed from then on wait to be read."""
    settings: list[Any] | None
    """What the terminal was set to; while it hangs nothing is echoed, for that would scroll it."""


_hanging: Hanging | None = None


@contextlib.contextmanager
def curtain(screen: str = "streams") -> Iterator[None]:
    """Show the header while what takes time is imported and attached; inside another curtain it does nothing.

    Where no viewer took the terminal over, as after a failure, it is given back at the end.

    Parameters
    ----------
    screen
        The screen that will open.
    """
    global _hanging
    if is_up() or not sys.stdout.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        yield
        return
    columns, _ = os.get_terminal_size(sys.stdout.fileno())
    handlers = _end_on_signals()
    _hanging = Hanging(time.monotonic(), _mute())
    _write(OTHER_SCREEN + "\x1b[?25l\x1b[2J" + _header(screen, columns))
    try:
        yield
    finally:
        if (left := take_over()) is not None:
            _set_terminal(left.settings)
            _write("\x1b[?1049l\x1b[?25h")
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _end_on_signals() -> dict[int, Any]:
    """Let signals that nobody handles yet end the program by way of the curtain; returns what was there before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    unhandled = (signal.SIG_DFL, signal.default_int_handler)
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT) if signal.getsignal(n) in unhandled]
    return {number: signal.signal(number, _end) for number in numbers}


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def is_up() -> bool:
    """Whether a curtain hangs in front of the terminal."""
    return _hanging is not None


def take_over() -> Hanging | None:
    """The curtain, if one hangs; from now on the terminal, its other screen and its settings are the caller's."""
    global _hanging
    hanging, _hanging = _hanging, None
    return hanging


def _mute() -> list[Any] | None:
    """Let keys wait unseen, each as it is; returns the settings of before."""
    with contextlib.suppress(termios.error, OSError, ValueError):
        before = termios.tcgetattr(sys.stdin.fileno())
        muted = [*before]
        muted[0] &= ~termios.ICRNL
        muted[3] &= ~(termios.ECHO | termios.ICANON)
        _set_terminal(muted)
        return before
    return None


def _set_terminal(settings: list[Any] | None) -> None:
    if settings is not None:
        with contextlib.suppress(termios.error, OSError, ValueError):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, settings)


def _header(screen: str, columns: int) -> str:
    tabs = []
    for key, name in _SCREENS:
        title = name.title() if columns >= 60 else name.title()[:3]
        chosen = name == screen
        tabs.append(f"\x1b[1;7m {key} {title.upper()} \x1b[0m" if chosen else f" \x1b[1m{key}\x1b[0m {title} ")
    line = "─" if "utf" in (sys.stdout.encoding or "").lower() and os.environ.get("LANG") != "C" else "-"
    return "".join(tabs) + "\r\n o OPENING\r\n" + line * columns


def _write(text: str) -> None:
    with contextlib.suppress(OSError, UnicodeError):
        sys.stdout.write(text)
        sys.stdout.flush()
