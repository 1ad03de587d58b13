"""Watching whichever recorder runs on a sessions folder: attached when there is one, and again after it was ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..errors import MyoGesticError
from .spawn import attach, find_recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..app.interface import Status
    from .client import RecorderClient

_LOOK_SECONDS = 0.5


class Follower:
    """Attaches to the recorder of a folder, waits for one where none runs, and never starts one.

    Parameters
    ----------
    sessions_dir
        The folder.
    program
        What the recorder's log calls this program.
    on_update
        Called from a thread whenever there is something new to see.
    """

    def __init__(self, sessions_dir: Path, *, program: str, on_update: Callable[[], object]) -> None:
        self._sessions_dir = sessions_dir.resolve()
        self._program = program
        self._on_update = on_update
        self._client: RecorderClient | None = None
        self._why = f"looking for the recorder of {self._sessions_dir}"
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follow-recorder", daemon=True)
        self._thread.start()

    def newest(self) -> tuple[Status | None, str]:
        """The newest status, or None and why there is none."""
        client = self._client
        if client is None or client.gone is not None:
            return None, self._why
        return client.status(), ""

    def close(self) -> None:
        """Detach."""
        self._closing.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._why = self._follow() or self._why
            self._on_update()
            self._closing.wait(_LOOK_SECONDS)
        if self._client is not None:
            self._client.close()

    def _follow(self) -> str:
        """Attach where that is needed and possible; return why it is not possible."""
        if self._client is not None and self._client.gone is None:
            return ""
        try:
            if find_recorder(self._sessions_dir) is None:
                return f"no recorder runs on {self._sessions_dir}"
            gone, self._client = self._client, None
            if gone is not None:
                gone.close()
            self._client = attach(self._sessions_dir, start=False, program=self._program, on_update=self._on_update)
        except (MyoGesticError, OSError) as error:
            return str(error)
        return ""
