"""Keys of a terminal that is read line by line, each stamped where it is read, whatever the program is doing."""

from __future__ import annotations

import codecs
import os
import queue
import select
import threading
import time
from typing import NamedTuple

from .key_timing import KeyTimes

_LOOK_SECONDS = 0.25
_REST_SECONDS = 0.005
"""How long to wait for the rest of what a link hands out at once."""


class TypedKey(NamedTuple):
    """A character from the terminal."""

    character: str
    at: float
    """When it was read, monotonic seconds."""
    doubt: float
    """How much earlier (s) it may have been pressed."""


class KeyReader:
    """Reads a terminal in a thread of its own.

    Parameters
    ----------
    descriptor
        Of a terminal that gives characters one by one.
    """

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self._times = KeyTimes(time.monotonic(), proving=False)
        self._keys: queue.SimpleQueue[TypedKey | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._thread.start()

    def next(self, seconds: float) -> TypedKey | None:
        """The next key; None where none comes in time.

        Raises
        ------
        EOFError
            The terminal is gone.
        """
        try:
            key = self._keys.get(timeout=seconds)
        except queue.Empty:
            return None
        if key is None:
            raise EOFError
        return key

    def close(self) -> None:
        """Read no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        try:
            while not self._ending.is_set():
                self._times.looking(time.monotonic())
                if self._waits(_LOOK_SECONDS):
                    self._hand_on(decode(self._read()))
        except (EOFError, OSError):
            self._keys.put(None)

    def _waits(self, seconds: float) -> bool:
        return bool(select.select([self._fd], [], [], seconds)[0])

    def _read(self) -> bytes:
        data = b""
        while not data or self._waits(_REST_SECONDS):
            more = os.read(self._fd, 1024)
            if not more:
                if data:
                    return data
                raise EOFError
            data += more
        return data

    def _hand_on(self, text: str) -> None:
        at = time.monotonic()
        doubt = self._times.doubt(at, len(text)) if text else 0.0
        for character in text:
            self._keys.put(TypedKey(character, at, doubt))
