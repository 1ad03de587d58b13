"""Wakes a thread that waits in a selector."""

from __future__ import annotations

import contextlib
import socket


class Waker:
    """Registered in a selector for reading, it is ready once `wake` was called from any thread."""

    def __init__(self) -> None:
        self._read_end, self._write_end = socket.socketpair()
        for end in (self._read_end, self._write_end):
            end.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to select on."""
        return self._read_end.fileno()

    def wake(self) -> None:
        """End the wait; a second call before `clear`, or one after `close`, changes nothing."""
        with contextlib.suppress(OSError):  # full: it is awake; closed: it has ended
            self._write_end.send(b"\0")

    def clear(self) -> None:
        """Be ready to wait again."""
        self._read_end.recv(4096)

    def close(self) -> None:
        """Close both ends."""
        self._read_end.close()
        self._write_end.close()
