"""Who may attach to the recorder: programs of this user and of root, of the same protocol, while there is a place."""

from __future__ import annotations

import logging
import os
import socket

from ..errors import ProtocolVersionError
from ..version import __version__
from . import address
from .messages import PROTOCOL, Hello, Refused, Welcome

MOST_CLIENTS = 64

_log = logging.getLogger(__name__)


def admit(connection: socket.socket, remote: object, *, attached: int, most: int) -> tuple[str, Refused | None]:
    """Say who has connected (process id or address), and why that program may not attach, if so."""
    if connection.family == socket.AF_UNIX:
        there = address.peer(connection)
        who = str(there.pid)
        if not address.is_mine(there.uid):
            _log.warning("refused uid %d (pid %d)", there.uid, there.pid)
            return who, Refused(reason=f"this recorder serves uid {os.getuid()}, not uid {there.uid}", kind="user")
    else:
        who = f"{remote[0]}:{remote[1]}" if isinstance(remote, tuple) else str(remote)
    if attached >= most:
        return who, Refused(reason=f"{most} programs are attached; close one of them", kind="full")
    return who, None


def why_incompatible(hello: Hello, program: str) -> str:
    """Why a program of another version cannot attach; empty where it can."""
    if hello.protocol == PROTOCOL:
        return ""
    return (
        f"this recorder (version {__version__}) speaks protocol {PROTOCOL}, {program or 'the program'} speaks "
        f"{hello.protocol}; update the older of the two, or stop the recorder and start it again"
    )


def check_protocol(welcome: Welcome) -> None:
    """Raise `ProtocolVersionError` where the recorder that answered is of another version."""
    if welcome.protocol != PROTOCOL:
        raise ProtocolVersionError(
            f"the recorder (version {welcome.version}) speaks protocol {welcome.protocol}, this program "
            f"({__version__}) speaks {PROTOCOL}; update the older of the two, or stop the recorder"
        )
