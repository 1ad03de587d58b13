"""What the tests of the sources share: reading until something is true, and outlets that can be killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myogestic_tui.errors import StreamNotFoundError
from myogestic_tui.info import StreamInfo
from myogestic_tui.sources import LSLSource

CHILD = Path(__file__).with_name("outlet_child.py")
PATIENCE = 120.0


class Reader:
    """A connected source and everything that was read from it."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.info: StreamInfo = connect(source)
        self._data: list[NDArray[Any]] = []
        self._stamps: list[NDArray[np.float64]] = []
        self.count = 0

    def read(self) -> int:
        """Read once; how many samples came."""
        data, stamps = self.source.read()
        assert data.shape == (len(stamps), self.info.n_channels)
        assert data.dtype == self.info.np_dtype
        if len(stamps):
            self._data.append(data)
            self._stamps.append(stamps)
        self.count += len(stamps)
        return len(stamps)

    def until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Read, as a worker would, until the condition holds."""
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"still waiting; {self.source.condition()}"
            if not self.read():
                time.sleep(0.01)

    def until_count(self, count: int) -> None:
        self.until(lambda: self.count >= count)

    @property
    def chunks(self) -> int:
        """Reads that brought something."""
        return len(self._stamps)

    @property
    def data(self) -> NDArray[Any]:
        return np.concatenate(self._data) if self._data else np.empty((0, self.info.n_channels), self.info.np_dtype)

    @property
    def stamps(self) -> NDArray[np.float64]:
        return np.concatenate(self._stamps) if self._stamps else np.empty(0)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.disconnect()


def connect(source: LSLSource, patience: float = PATIENCE) -> StreamInfo:
    """Connect as a worker does: ask again while it is not there."""
    end = time.monotonic() + patience
    while True:
        try:
            return source.connect()
        except StreamNotFoundError:
            if time.monotonic() > end:
                raise


class ChildOutlet:
    """An outlet in a process of its own; see outlet_child.py."""

    def __init__(self, name: str, **info: Any) -> None:
        options = json.dumps({"name": name, "n_channels": 4, "fs": 500.0, "type": "EMG", **info})
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.uid = self._process.stdout.readline().strip()
        assert self.uid

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL: no goodbye on any socket."""
        self._process.kill()
        self._close()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def _close(self) -> None:
        self._process.wait(120)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def __enter__(self) -> ChildOutlet:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
