"""The newest samples of a stream, for windows and the live view."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

_LEAST_SAMPLES = 1024


class RingBuffer:
    """A ring of the last ``seconds``; one thread writes, any thread reads copies.

    Parameters
    ----------
    info
        Layout of the stream.
    seconds
        How much it holds; an irregular stream holds 1024 samples at least.
    """

    def __init__(self, info: StreamInfo, seconds: float) -> None:
        self.capacity = max(round(seconds * info.fs), _LEAST_SAMPLES)
        self._data = np.empty((self.capacity, info.n_channels), dtype=info.np_dtype)
        self._timestamps = np.empty(self.capacity)
        self._written = 0
        self._lock = threading.Lock()

    @property
    def written(self) -> int:
        """Samples ever written."""
        return self._written

    def write(self, data: NDArray[Any], timestamps: NDArray[np.float64]) -> None:
        """Add samples.

        Parameters
        ----------
        data
            ``(n_samples, n_channels)``.
        timestamps
            ``(n_samples,)`` seconds.
        """
        count = len(data)
        data, timestamps = data[-self.capacity :], timestamps[-self.capacity :]
        with self._lock:
            at = (self._written + count - len(data)) % self.capacity
            head = min(len(data), self.capacity - at)
            self._data[at : at + head] = data[:head]
            self._timestamps[at : at + head] = timestamps[:head]
            self._data[: len(data) - head] = data[head:]
            self._timestamps[: len(data) - head] = timestamps[head:]
            self._written += count

    def newest(self, count: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Copies of the newest ``count`` samples, or as many as there are: ``(n, n_channels)`` and ``(n,)``."""
        with self._lock:
            return self._copy(self._written - min(count, self._written, self.capacity), self._written)

    def since(self, index: int) -> tuple[int, NDArray[Any], NDArray[np.float64]]:
        """Everything from sample ``index`` on that is still here: its first index, data and time stamps (copies)."""
        with self._lock:
            first = min(max(index, self._written - self.capacity, 0), self._written)
            return (first, *self._copy(first, self._written))

    def _copy(self, first: int, last: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
        places = np.arange(first, last) % self.capacity
        if len(places) and places[0] <= places[-1]:
            run = slice(places[0], places[-1] + 1)
            return self._data[run].copy(), self._timestamps[run].copy()
        return self._data[places], self._timestamps[places]
