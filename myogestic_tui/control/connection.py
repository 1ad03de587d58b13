"""The way to a recorder: opening its socket, its first words, and whether its process still lives."""

from __future__ import annotations

import os
import selectors
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ControlError, NotAllowedError, ProtocolVersionError, RecorderGoneError
from . import address
from .messages import Bye, Refused, ToViewer

if TYPE_CHECKING:
    from .channel import Channel


class RecorderProcess:
    """Whether a process has ended, told by the kernel and not confused by a zombie or a number used again."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._handle: int | None = os.pidfd_open(pid)
        except OSError:
            self._handle = None

    def has_ended(self) -> bool:
        """True once it has; False while it runs, or where nobody can tell."""
        if self._handle is None:
            return not Path(f"/proc/{self.pid}").exists()
        with selectors.PollSelector() as selector:
            selector.register(self._handle, selectors.EVENT_READ)
            return bool(selector.select(0))

    @property
    def why_gone(self) -> str:
        """What to report once it has ended without a word."""
        return (
            f"the recorder (pid {self.pid}) ended without a word: it was killed or crashed. "
            "What it recorded is on disk; start it again to recover it"
        )

    def __del__(self) -> None:
        if self._handle is not None:
            os.close(self._handle)


def open_socket(path: Path, deadline: float) -> socket.socket:
    """Connect, and make sure that nobody else's process listens there.

    Raises
    ------
    RecorderGoneError
        Nobody listens.
    NotAllowedError
        The socket is another user's.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Not `settimeout`: a Unix socket that must not wait fails at once where many connect at the same time.
        patience = max(0.01, deadline - time.monotonic())
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", *divmod(int(1e6 * patience), 10**6))
        )
        connection.connect(os.fspath(path))
        there = address.peer(connection)
        if not address.is_mine(there.uid):
            raise NotAllowedError(f"{path} belongs to uid {there.uid} (pid {there.pid}), not to you; it is not used")
    except OSError as error:
        connection.close()
        reason = error.strerror or "it does not answer"
        raise RecorderGoneError(f"no recorder at {path}: {reason}; start one with `myogestic-tui serve`") from None
    except BaseException:
        connection.close()
        raise
    return connection


def receive_by(channel: Channel[ToViewer], deadline: float) -> list[ToViewer]:
    """Wait for messages, at most until ``deadline``; raises `RecorderGoneError` where none comes."""
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise RecorderGoneError("the recorder took the connection but does not answer; look at its log")
    return channel.receive()


def refusal(message: Refused | Bye) -> ControlError:
    """The error that stands for the recorder's last words."""
    if isinstance(message, Bye):
        return RecorderGoneError(message.reason or "the recorder has ended")
    if message.kind == "version":
        return ProtocolVersionError(message.reason)
    return NotAllowedError(message.reason)
