"""Ports for programs that are told where to listen."""

from __future__ import annotations

import itertools
import os
import socket

_MOST_WORKERS, _EACH = 20, 500
_counter = itertools.count()


def free_port() -> int:
    """A port of this machine that nothing uses and nothing is given by chance: from below those that the kernel gives.

    Each worker of a run has its own, so that none takes what another was told.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _MOST_WORKERS
    first = 20_000 + worker * _EACH
    while True:
        port = first + (os.getpid() + next(_counter)) % _EACH
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            try:
                stream.bind(("127.0.0.1", port))
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
