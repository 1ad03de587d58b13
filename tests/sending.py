"""Real LSL outlets that tests push known samples through."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray


def ramp(first: int, count: int, n_channels: int, dtype: str = "float32") -> NDArray[Any]:
    """``(count, n_channels)``: every value tells its sample and its channel; integers wrap."""
    rows = (
        np.arange(first, first + count, dtype=np.int64)[:, None] * 97 + np.arange(n_channels, dtype=np.int64)[None, :]
    )
    if dtype.startswith("float"):
        return (rows % (1 << 22)).astype(dtype)
    return (rows % (1 << 15)).astype(dtype)


class RampOutlet:
    """A real outlet that sends `ramp` in chunks at its rate, and keeps the stamps it gave.

    Stamps are ``start + k / fs``, so every interval is known.
    """

    def __init__(
        self,
        name: str,
        n_channels: int = 4,
        fs: float = 1000.0,
        dtype: str = "float32",
        chunk: int = 32,
        source_id: str = "",
    ) -> None:
        from myogestic_tui import StreamInfo
        from myogestic_tui.sources import Outlet, configure_lsl

        configure_lsl()
        info = StreamInfo(n_channels, fs, dtype, type="EMG", source_id=source_id or f"{name}-id")
        self.name, self.n_channels, self.fs, self.dtype, self.chunk = name, n_channels, fs, dtype, chunk
        self._outlet = Outlet(name, info)
        self.stamps: list[NDArray[np.float64]] = []
        self.sent = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._send, name=f"send-{name}", daemon=True)

    def __enter__(self) -> RampOutlet:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._outlet.close()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(60.0)

    def _send(self) -> None:
        start = time.monotonic()
        while not self._end.is_set():
            due = int((time.monotonic() - start) * self.fs)
            while self.sent + self.chunk <= due:
                stamps = start + np.arange(self.sent, self.sent + self.chunk) / self.fs
                data = ramp(self.sent, self.chunk, self.n_channels, self.dtype)
                self._outlet.push(data, stamps)
                self.stamps.append(stamps)
                self.sent += self.chunk
            self._end.wait(self.chunk / self.fs)

    @property
    def all_stamps(self) -> NDArray[np.float64]:
        """``(sent,)`` every stamp that was given."""
        return np.concatenate(self.stamps)


class RampSource:
    """A `Source` in this process that makes `ramp` samples as time continues, stamped ``start + k / fs``."""

    def __init__(self, n_channels: int = 4, fs: float = 500.0, dtype: str = "float32") -> None:
        from myogestic_tui import StreamInfo

        self.info = StreamInfo(n_channels, fs, dtype)
        self.available = threading.Event()
        self.available.set()
        self.sent = 0
        self.start = 0.0

    def connect(self) -> Any:
        from myogestic_tui.errors import StreamNotFoundError

        if not self.available.wait(0.05):
            raise StreamNotFoundError("the device is not plugged in")
        self.start = time.monotonic()
        self.sent = 0
        return self.info

    def read(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        due = int((time.monotonic() - self.start) * self.info.fs)
        first, self.sent = self.sent, due
        stamps = self.start + np.arange(first, due) / self.info.fs
        return ramp(first, due - first, self.info.n_channels, self.info.dtype), stamps

    def disconnect(self) -> None:
        pass


def wait_for(condition: Any, timeout: float = 120.0) -> None:
    """Wait until a condition holds, looking every 10 ms."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
