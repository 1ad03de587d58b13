"""A disk that does not answer until it is told to, and a source that can be unplugged."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.sending import RampSource


class StallingDisk:
    """While it stalls, no journal write returns."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._open = threading.Event()
        self._open.set()
        self._waiting = threading.Event()
        self._writev = os.writev
        patch.setattr(os, "writev", self._write)

    def _write(self, fd: int, buffers: Any) -> int:
        if not self._open.is_set():
            self._waiting.set()
            assert self._open.wait(300.0)
        return self._writev(fd, buffers)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Stall, and come in once a write hangs."""
        self._waiting.clear()
        self._open.clear()
        try:
            assert self._waiting.wait(120.0)
            yield
        finally:
            self._open.set()


class UnpluggedError(Exception):
    """The device is gone."""


class PluggedSource(RampSource):
    """A device that is unplugged and plugged in again; its stamps continue, since its clock does."""

    def connect(self) -> Any:
        begun, sent = self.start, self.sent
        info = super().connect()
        if begun:
            now = self.start
            self.start = begun
            self.sent = max(sent, int((now - begun) * self.info.fs))
        return info

    def read(self) -> Any:
        if not self.available.is_set():
            raise UnpluggedError
        return super().read()
