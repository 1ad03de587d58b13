"""Serving an `App` that lives in this process: its sessions folder locked, its socket open, for as long as it lasts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..session.lock import lock_sessions_folder
from .address import socket_path
from .server import ControlServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..app import App


@contextlib.contextmanager
def hosted(app: App) -> Iterator[ControlServer]:
    """Let other programs attach to ``app``: what `App.run` needs to outlive its screens.

    Raises
    ------
    SessionLockedError
        Another recorder has the sessions folder; the message names its pid.
    ControlError
        The socket cannot be bound.
    """
    folder = app.sessions_dir.resolve()
    with lock_sessions_folder(folder) as lock:
        server = ControlServer(
            app,
            lambda: socket_path(folder),
            on_bound=lambda path: lock.announce(str(path)),
            on_viewers=app.watched,
            on_shutdown=app.stop,
        )
        server.start()
        try:
            yield server
        finally:
            server.close()
