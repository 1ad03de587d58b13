"""Serving an `App` that lives in this process: its sessions folder locked, its socket open, for as long as it lasts."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ..app.interface import Shutdown
from ..errors import ControlError
from ..session.format.lock import keep_sessions_folder, lock_sessions_folder, recorder_of
from .address import socket_path
from .server import ControlServer
from .spawn import RECORDER_NAME, attach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..app.interface import HostedRecorder

_ROOM_SECONDS = 20.0
"""How long a recorder that nobody needs may take to end."""


@contextlib.contextmanager
def hosted(app: HostedRecorder) -> Iterator[ControlServer]:
    """Let other programs attach to ``app``: what `App.run` needs to outlive its screens.

    A recorder that a viewer left behind, and that nobody needs any more, makes room.

    Raises
    ------
    SessionLockedError
        Another recorder has the sessions folder; the message names its pid.
    ControlError
        The socket cannot be bound.
    """
    folder = app.sessions_dir.resolve()
    ask_for_room(folder)
    with lock_sessions_folder(folder) as lock:
        server = ControlServer(
            app,
            lambda: socket_path(folder),
            on_bound=lambda path: lock.announce(str(path)),
            on_viewers=app.set_viewers,
            on_shutdown=app.stop,
            on_tidy=lambda: keep_sessions_folder(lock),
        )
        server.start()
        try:
            yield server
        finally:
            server.close()


def ask_for_room(folder: Path) -> None:
    """End the recorder of a folder if it is idle, alone and would end by itself soon; one of `serve` stays."""
    holder = recorder_of(folder)
    if holder is None or holder.name != RECORDER_NAME:
        return
    with contextlib.suppress(ControlError), attach(folder, start=False, program="app") as client:
        first = client.status().at
        status = client.wait_for(lambda newer: newer.at > first, _ROOM_SECONDS)  # from then on this client counts
        if status is None:
            return
        busy = any(job.state in ("waiting", "running") for job in status.jobs)
        if status.state != "idle" or busy or status.viewers > 1 or status.generator:
            return
        client.execute(Shutdown())
        until = time.monotonic() + _ROOM_SECONDS
        while recorder_of(folder) is not None and time.monotonic() < until:
            time.sleep(0.05)
