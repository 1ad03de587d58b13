"""One connection that never blocks and never holds more than a bounded amount: replies wait, pictures are replaced."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import socket
    from collections.abc import Hashable

    from .framing import Dialect
    from .messages import Message

READ_BYTES = 64 << 10

M = TypeVar("M")


class ConnectionEnded(Exception):
    """The other end is gone."""


class Channel(Generic[M]):
    """A non-blocking socket with the dialect that is spoken on it.

    Two ways out: `post` keeps every message and its order (whoever posts bounds their number); `offer` keeps the newest
    per slot only, and hands it over once everything before it has left.
    """

    def __init__(self, connection: socket.socket, dialect: Dialect[M]) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.dialect = dialect
        self._posts: deque[bytes] = deque()
        self._offers: dict[Hashable, bytes] = {}
        self._sending = memoryview(b"")

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    @property
    def wants_write(self) -> bool:
        """True while something waits to leave."""
        return bool(self._sending or self._posts or self._offers)

    @property
    def is_clear(self) -> bool:
        """True where the last picture has left: a new one would not wait."""
        return not self._sending and not self._posts and not self._offers

    @property
    def unsent(self) -> int:
        """Posted messages that wait."""
        return len(self._posts)

    def receive(self) -> list[M]:
        """Read what is there and return the messages that became whole.

        Raises
        ------
        ConnectionEnded
            The other end is gone.
        FramingError
            What it sent is no message.
        """
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as error:
            raise ConnectionEnded(error.strerror or str(error)) from None
        if not data:
            raise ConnectionEnded("in the middle of a message" if self.dialect.partial else "closed")
        return self.dialect.feed(data)

    def post(self, message: Message) -> None:
        """Queue a message that must arrive."""
        if encoded := self.dialect.encode(message):
            self._posts.append(encoded)

    def offer(self, slot: Hashable, encoded: bytes) -> None:
        """Put up the newest of its kind; one that still waits is dropped."""
        if encoded:
            self._offers[slot] = encoded

    def withdraw(self, slot: Hashable) -> None:
        """Drop what waits in a slot."""
        self._offers.pop(slot, None)

    def flush(self) -> None:
        """Send what the socket takes now; raises `ConnectionEnded`."""
        while self.wants_write:
            if not self._sending:
                self._sending = memoryview(self._next())
            try:
                sent = self.socket.send(self._sending)
            except BlockingIOError:
                return
            except OSError as error:
                raise ConnectionEnded(error.strerror or str(error)) from None
            self._sending = self._sending[sent:]

    def _next(self) -> bytes:
        if self._posts:
            return self._posts.popleft()
        together = b"".join(self._offers.values())
        self._offers.clear()
        return together

    def close(self) -> None:
        """Close the socket; what waits is dropped."""
        self.socket.close()
