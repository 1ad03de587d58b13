"""A recorder that is still starting: viewers attach at once, commands wait for the real one."""

from __future__ import annotations

import os
import platform
import threading

from ..app.interface import AnyCommand, Envelope, Recorder, Reply, Shutdown, Status, View
from ..clock import local_clock
from ..version import __version__

START_SECONDS = 30.0
"""How long a command waits for the recorder (importing LSL takes a second here, several on a Pi)."""


class LateRecorder:
    """Stands in for a `Recorder` until `deliver` brings it."""

    def __init__(self, sessions_dir: str, patience: float = START_SECONDS) -> None:
        self._sessions_dir = sessions_dir
        self._patience = patience
        self._recorder: Recorder | None = None
        self._ready = threading.Event()

    def deliver(self, recorder: Recorder) -> None:
        """From now on everything goes to ``recorder``."""
        self._recorder = recorder
        self._ready.set()

    def status(self) -> Status:
        """The recorder's status, or one that says that it starts."""
        if self._recorder is not None:
            return self._recorder.status()
        return Status(
            at=local_clock(),
            message="the recorder is starting",
            host=platform.node(),
            version=__version__,
            pid=os.getpid(),
            sessions_dir=self._sessions_dir,
        )

    def envelope(self, view: View) -> Envelope | None:
        """The recorder's envelope; None while it starts."""
        return self._recorder.envelope(view) if self._recorder is not None else None

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command once the recorder is there; refuse it where that takes too long."""
        if self._recorder is None and isinstance(command, Shutdown):
            return Reply(ok=True, message="the recorder ends before it has started")
        self._ready.wait(self._patience)
        if self._recorder is None:
            return Reply(ok=False, message=f"the recorder has not started within {self._patience:.0f} s; try again")
        return self._recorder.execute(command)

    def close(self) -> None:
        """A viewer goes."""
