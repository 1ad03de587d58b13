"""Programs that the recorder has run, by a process beside it: none of its threads ever waits for one."""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..errors import NotAllowedError
from ..msgspec_types import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)
_CHILD = Path(__file__).with_name("command_child.py")
_MOST_BYTES = 1 << 16
_AGAIN_SECONDS = 5.0
_MOST_TEXT = 2000
_LEAVE_SECONDS = 0.5


class _Answer(msgspec.Struct):
    id: int
    outcome: str


class CommandRunner:
    """Sends programs to the process that runs them, and starts that again where it has gone.

    Parameters
    ----------
    tell
        Called in a thread of the runner's with the name and the outcome of each program that has ended; an empty
        outcome is a good one.
    """

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._ending = threading.Event()
        self._channel: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._names: dict[int, str] = {}
        self._ids = itertools.count(1)

    def start(self) -> None:
        """Start the process."""
        self._ending.clear()
        self._spawn()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let go of the process, which ends once its programs have; they have their time limit."""
        self._ending.set()
        if self._channel is not None:
            with contextlib.suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
        self._thread = self._channel = None
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(_LEAVE_SECONDS)
            self._child.returncode = self._child.returncode or 0  # it ends by itself, once its programs have
            self._child = None

    def run(self, name: str, arguments: Sequence[str], limit_s: float) -> None:
        """Have a program run; returns at once, whatever becomes of it.

        Raises
        ------
        NotAllowedError
            There is nobody to run it, or too much waits there already.
        """
        number, channel = next(self._ids), self._channel
        plain = [argument[:_MOST_TEXT].replace("\0", "?") for argument in arguments]
        request = msgspec.json.encode({"id": number, "arguments": plain, "limit_s": limit_s})
        try:
            if channel is None:
                raise BrokenPipeError
            self._names[number] = name
            channel.send(request, socket.MSG_DONTWAIT)
        except OSError as error:
            self._names.pop(number, None)
            raise NotAllowedError(f"{name}: not run, the process that runs programs does not answer") from error

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = [sys.executable, "-I", "-S", str(_CHILD)]
            nowhere = subprocess.DEVNULL
            self._child = subprocess.Popen(words, stdin=theirs.fileno(), stdout=nowhere, start_new_session=True)
        self._channel = ours

    def _run(self) -> None:
        while not self._ending.is_set():
            self._listen()
            if self._ending.wait(_AGAIN_SECONDS):
                break
            _log.warning("the process that runs programs has gone; another one is started")
            with contextlib.suppress(OSError):
                self._spawn()

    def _listen(self) -> None:
        channel, child = self._channel, self._child
        assert channel is not None
        assert child is not None
        with channel:
            while data := self._receive(channel):
                answer = msgspec.json.decode(data, type=prepared(_Answer))
                name = self._names.pop(answer.id, "")
                self._tell(name, answer.outcome)
        self._channel = None
        self._names.clear()
        if not self._ending.is_set():
            child.wait()

    def _receive(self, channel: socket.socket) -> bytes:
        try:
            return channel.recv(_MOST_BYTES)
        except OSError:
            return b""
