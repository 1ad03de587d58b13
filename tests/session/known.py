"""Streams whose every sample follows from its index, so that any prefix of a recording can be checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import SessionReader


@dataclass(frozen=True)
class Known:
    """One such stream."""

    name: str
    info: StreamInfo
    start: float = 1000.0

    def data(self, start: int, stop: int) -> NDArray:
        n = self.info.n_channels
        cells = np.arange(start * n, stop * n).reshape(-1, n)
        if self.info.is_string:
            return np.array([[f"m{cell}" for cell in row] for row in cells], object).reshape(-1, n)
        if self.info.dtype.startswith("float"):
            return (cells * 0.37).astype(self.info.dtype)
        return (cells * 7919 % 251 - 125).astype(self.info.dtype)

    def stamps(self, start: int, stop: int) -> NDArray[np.float64]:
        return self.start + np.arange(start, stop) / (self.info.fs or 3.0)

    def assert_prefix(self, reader: SessionReader, *, at_least: int = 0) -> int:
        """The session holds this stream from its beginning on, each sample once; how many there are."""
        stream = reader.stream(self.name)
        n = stream.n_samples
        assert n >= at_least, f"{self.name}: {n} samples, and append had returned for {at_least}"
        assert stream.data.n_rows == stream.stamps.n_rows == n
        np.testing.assert_array_equal(stream.data.rows(0, n), self.data(0, n))
        np.testing.assert_array_equal(stream.stamps.rows(0, n), self.stamps(0, n))
        return n


STREAMS = [
    Known("emg", StreamInfo(8, 500.0, "float32")),
    Known("imu", StreamInfo(6, 100.0, "int16")),
    Known("marks", StreamInfo(1, 0.0, "string")),
]
