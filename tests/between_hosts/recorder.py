"""A recorder that runs on a host, and what its commands say."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .hosts import PATIENCE, Host

STARTING = "the recorder is starting"
COMMAND = (sys.executable, "-P", "-m", "myogestic_tui")


class Recorder:
    """`serve` on a host, with this configuration, in this folder."""

    def __init__(self, host: Host, folder: Path, config: str) -> None:
        (folder / "myogestic.toml").write_text(config)
        self._host, self._folder = host, folder
        self._log = (folder / "serve.log").open("a")
        self.process = host.start(*COMMAND, "serve", cwd=folder, stderr=self._log)
        self.until(lambda status: "recorder" in status)

    def ctl(self, *arguments: object, code: int | None = 0) -> str:
        """What a command of `ctl` prints."""
        done = self._host.run(*COMMAND, "ctl", *arguments, cwd=self._folder, code=code)
        return done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        """`ctl status --json`; empty while nothing answers."""
        done = self._host.run(*COMMAND, "ctl", "status", "--json", cwd=self._folder, code=None)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def until(self, condition: Callable[[dict[str, Any]], object], patience: float = PATIENCE) -> dict[str, Any]:
        """Wait for a status."""
        end = time.monotonic() + patience
        while True:
            status = self.status()
            if status and status["message"] != STARTING and condition(status):
                return status
            assert time.monotonic() < end, status
            assert self.process.poll() is None, (self._folder / "serve.log").read_text()

    def stop(self) -> None:
        """End it as systemd would."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0
        self._log.close()


def said(status: dict[str, Any], *words: str) -> bool:
    """Whether one line of what needs the operator has all these words."""
    return any(all(word in f"{one['subject']}: {one['text']}" for word in words) for one in status["problems"])
