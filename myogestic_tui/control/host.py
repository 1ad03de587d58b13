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

_POLL_WATCHED, _POLL_ALONE = 0.05, 0.2
"""Seconds between looks at a stream, with a viewer and without."""


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
            on_viewers=lambda viewers: watched(app, viewers),
            on_shutdown=app.stop,
        )
        server.start()
        try:
            yield server
        finally:
            server.close()


def watched(app: App, viewers: int) -> None:
    """Look at the streams often while somebody watches, rarely while nobody does."""
    app.viewers = viewers
    app.table.set_poll_interval(_POLL_WATCHED if viewers else _POLL_ALONE)
