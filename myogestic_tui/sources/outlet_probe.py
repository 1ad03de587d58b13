"""Asks one outlet directly, as an inlet would: for its header by TCP, and for its clock by UDP."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
from typing import TYPE_CHECKING

from ..clock import local_clock
from ..errors import StreamError

if TYPE_CHECKING:
    from .discovery import Seen

TRY_S = 2.0
"""How long an outlet may take to answer."""

_PROBES = 5
_MOST_HEADER = 1 << 20


class NoAnswerError(StreamError):
    """The outlet did not answer; the message says how that showed."""


def ports_of(seen: Seen) -> tuple[int, int]:
    """The TCP port of the samples and the UDP port of the clock, of the protocol that the outlet answers by."""
    version = "v6" if ":" in seen.address else "v4"
    found = {name: int(port) for name, port in re.findall(r"<(v[46]\w+_port)>(\d+)<", seen.header.xml)}
    return found.get(f"{version}data_port", 0), found.get(f"{version}service_port", 0)


def read_header(address: str, port: int, timeout: float = TRY_S) -> str:
    """The full header of the outlet at a TCP port.

    Raises
    ------
    NoAnswerError
        It cannot be connected to, or says nothing.
    """
    end = time.monotonic() + timeout
    try:
        with socket.create_connection((address, port), timeout) as connection:
            connection.sendall(b"LSL:fullinfo\r\n")
            text = b""
            while b"</info>" not in text and len(text) < _MOST_HEADER:
                connection.settimeout(max(0.05, end - time.monotonic()))
                part = connection.recv(65536)
                if not part:
                    break
                text += part
    except TimeoutError as error:
        raise NoAnswerError(f"no answer within {timeout:g} s; a firewall?") from error
    except OSError as error:
        raise NoAnswerError(error.strerror or str(error)) from error
    if b"</info>" not in text:
        raise NoAnswerError("something else answers there")
    return text.decode("utf-8", "replace")


def compare_clock(address: str, port: int, timeout: float = TRY_S) -> tuple[float, float]:
    """Compare the clock of the outlet at a UDP port with ours.

    Returns
    -------
    offset, round_trip
        Seconds: ``recorder time = remote time + offset``, by the quickest of a few packets, and how long that took.

    Raises
    ------
    NoAnswerError
        No packet came back.
    """
    heard: list[tuple[float, float]] = []
    end = time.monotonic() + timeout
    refused = ""
    family, kind, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as one:
        try:
            one.connect(place)
        except OSError as error:
            raise NoAnswerError(error.strerror or str(error)) from error
        for _ in range(_PROBES):
            try:
                one.send(f"LSL:timedata\r\n1 {local_clock():.16g}\r\n".encode())
                heard += _replies(one, min(timeout / _PROBES, max(0.0, end - time.monotonic())))
            except OSError as error:
                refused = error.strerror or str(error)
    if not heard:
        raise NoAnswerError(refused or f"no answer within {timeout:g} s; a firewall?")
    round_trip, offset = min(heard)
    return offset, round_trip


def _replies(one: socket.socket, seconds: float) -> list[tuple[float, float]]:
    if not select.select([one], [], [], seconds)[0]:
        return []
    with contextlib.suppress(ValueError):
        _, sent, got, answered = map(float, one.recv(1024).split())
        back = local_clock()
        return [((back - sent) - (answered - got), ((sent - got) + (back - answered)) / 2)]
    return []
