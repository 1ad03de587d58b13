"""A second connection to the outlet of a stream that has fallen silent though its outlet is there.

A connection can be dead without either end knowing: the recorder's address changed, or one of two cables was pulled.
TCP then waits for minutes, and so does liblsl. Once the path is back, all that waits at the sender for the first
connection still comes, after at most as long again as the path was down. Therefore the second one is taken only then,
or once the interface of the first one is gone. Until then its samples wait in liblsl.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import psutil

from ..errors import StreamError
from .inlet import Inlet, dispose
from .network import addresses
from .network_query import resolve
from .return_probe import OPEN_S

if TYPE_CHECKING:
    from .discovery import Seen

FIND_S = 2.0
"""How long the outlet may take to say where it is now."""

MOST_WAIT_S = 120.0
"""TCP tries a path again at least so often (Linux: TCP_RTO_MAX)."""

_PORT = re.compile(r"<v[46]data_port>(\d+)<")


class Spare:
    """Opens an inlet of its own to an outlet, in a thread of its own.

    Parameters
    ----------
    seen
        The outlet.
    silent_since
        When the first connection brought its last sample (recorder's clock, s).
    """

    def __init__(self, seen: Seen, silent_since: float) -> None:
        self._seen, self._silent_since = seen, silent_since
        self._first = _connections(seen)
        self._inlet: Inlet | None = None
        self._brought_at: float | None = None
        self._lock = threading.Lock()
        self._cancelled = self._hurried = False
        self.failed = False
        threading.Thread(target=self._open, name=f"lsl-spare-{seen.name}", daemon=True).start()

    def _open(self) -> None:
        inlet = None
        try:
            handle = resolve(self._seen.uid, FIND_S)
            if handle is not None:
                inlet = Inlet(self._seen, handle)
                inlet.open(OPEN_S)
                inlet.clock_estimate()
        except StreamError:
            self.failed = True
        self.failed = self.failed or inlet is None
        with self._lock:
            if not self._cancelled and not self.failed:
                self._inlet = inlet
                return
        if inlet is not None:
            inlet.close()

    @property
    def brings(self) -> bool:
        """True once samples have come by it."""
        return self._brought_at is not None

    def due(self, now: float) -> bool:
        """Look whether it brings anything; True once it is to be taken."""
        if self._brought_at is None and self._inlet is not None and self._inlet.waiting:
            self._brought_at = now
        if self._brought_at is None or self._inlet is None:
            return False
        return self._hurried or now - self._brought_at >= self.wait_s or _are_down(self._first)

    def hurry(self) -> None:
        """Wait for the first connection no longer."""
        self._hurried = True

    @property
    def wait_s(self) -> float:
        """How long the first connection may still deliver what waits for it."""
        assert self._inlet is not None
        silent = (self._brought_at or self._silent_since) - self._silent_since
        return min(silent, MOST_WAIT_S, self._inlet.buffer_s / 2)

    def take(self) -> Inlet:
        """The inlet; it is the caller's from here on."""
        with self._lock:
            inlet, self._inlet = self._inlet, None
        assert inlet is not None
        return inlet

    def dismiss(self) -> None:
        """Not needed: the first connection delivers."""
        with self._lock:
            self._cancelled = True
            inlet, self._inlet = self._inlet, None
        if inlet is not None:
            dispose(inlet)


def _connections(seen: Seen) -> set[str]:
    """Own addresses from which this process is connected to ports like that of the outlet."""
    ports = {int(port) for port in _PORT.findall(seen.handle.xml)}
    try:
        found = psutil.Process().net_connections("tcp")
    except (psutil.Error, OSError):
        return set()
    return {one.laddr.ip for one in found if one.raddr and one.raddr.port in ports and one.status == "ESTABLISHED"}


def _are_down(these: set[str]) -> bool:
    """True where there are such addresses, and none of the interfaces that are up has any of them."""
    try:
        return bool(these) and not these & {one.address for one in addresses()}
    except OSError:
        return False  # refused: nothing is known of them
