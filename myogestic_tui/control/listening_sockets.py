"""What the recorder listens on: its Unix socket, made again where it vanishes, and TCP ports where asked to."""

from __future__ import annotations

import logging
import selectors
import socket
from functools import partial
from typing import TYPE_CHECKING

from ..errors import ControlError
from . import address
from .attachment import Choose, by_first_byte

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Accept = Callable[[socket.socket, Choose, int], None]

_log = logging.getLogger(__name__)


class ListeningSockets:
    """The sockets that programs connect to.

    Parameters
    ----------
    selector
        They are registered there, each with ``accept`` as its handler.
    accept
        Called with the socket, how it is spoken to, and the selector's events.
    locate
        Says where the Unix socket is; asked again when that has vanished with its folder.
    on_bound
        Told the path whenever the Unix socket was made.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        accept: Accept,
        locate: Callable[[], Path],
        on_bound: Callable[[Path], object],
    ) -> None:
        self._selector, self._accept, self._locate, self._on_bound = selector, accept, locate, on_bound
        self._ports: list[socket.socket] = []
        self._unix: socket.socket | None = None
        self._identity: tuple[int, int] | None = None
        self.path: Path | None = None

    def bind(self) -> None:
        """Make the Unix socket; raises `ControlError` where it cannot be bound."""
        path = self._locate()
        unix = address.bind(path)
        self.unbind()
        self._unix, self.path, self._identity = unix, path, address.socket_identity(path)
        self._register(unix, by_first_byte)
        self._on_bound(path)

    def unbind(self) -> None:
        """Close the Unix socket, and remove its file while that is still ours."""
        if self._unix is None:
            return
        if self.path is not None and self._is_in_place():
            self.path.unlink(missing_ok=True)
        self._selector.unregister(self._unix)
        self._unix.close()
        self._unix = None

    def restore(self) -> None:
        """Make the Unix socket again where its file has vanished."""
        if self._is_in_place():
            return
        _log.warning("the socket %s has vanished; making it again", self.path)
        try:
            self.bind()
        except ControlError as error:
            _log.error("%s", error)

    def _is_in_place(self) -> bool:
        return (
            self.path is not None and self._identity is not None and address.is_same_socket(self.path, self._identity)
        )

    def open_port(self, host: str, port: int, choose: Choose) -> int:
        """Listen on a TCP port too; return its number (``port`` 0: any).

        Raises
        ------
        ControlError
            The address is not this machine's, or the port is taken.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=8)
        except OSError as error:
            raise ControlError(f"cannot listen on {host} port {port}: {error.strerror}; look at [remote]") from error
        listener.setblocking(False)
        self._ports.append(listener)
        self._register(listener, choose)
        return int(listener.getsockname()[1])

    def _register(self, listener: socket.socket, choose: Choose) -> None:
        self._selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener, choose))

    def close(self) -> None:
        """Close all of them."""
        self.unbind()
        for listener in self._ports:
            listener.close()
