"""Telling systemd how the service is (``sd_notify``), without a library: one datagram per word."""

from __future__ import annotations

import logging
import os
import socket
import time

_log = logging.getLogger(__name__)


class Notifier:
    """Sends to the socket that ``$NOTIFY_SOCKET`` names; does nothing where there is none."""

    def __init__(self) -> None:
        self._address = _socket_address(os.environ.get("NOTIFY_SOCKET", ""))
        self._every_s = _watchdog_seconds()
        self._fed_at = 0.0

    def ready(self) -> None:
        """The recorder can be attached to."""
        self._send(f"READY=1\nMAINPID={os.getpid()}")

    def send(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={' '.join(text.split())}")

    def alive(self) -> None:
        """Feed the watchdog, if there is one and it is time."""
        now = time.monotonic()
        if self._every_s is not None and now - self._fed_at >= self._every_s:
            self._fed_at = now
            self._send("WATCHDOG=1")

    def waiting(self, seconds: float) -> None:
        """The recorder is not ready yet, and is not late before so long has passed."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def stopping(self, seconds: float) -> None:
        """The recorder ends, and needs at most so long."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def _send(self, words: str) -> None:
        if self._address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            try:
                out.sendto(words.encode(), self._address)
            except OSError as error:
                _log.debug("systemd does not listen: %s", error)


def _socket_address(value: str) -> str | None:
    if value.startswith("@"):
        return "\0" + value[1:]
    return value if value.startswith("/") else None


def _watchdog_seconds() -> float | None:
    """Half of ``$WATCHDOG_USEC``, where that is meant for this process; None without a watchdog."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or (pid.isdecimal() and int(pid) != os.getpid()):
        return None
    return int(usec) / 2e6
