"""The newest samples of a stream, for windows and the live view."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

_LEAST_SAMPLES = 1024
_ALL = slice(None)


class RingBuffer:
    """A ring of the last ``seconds``; one thread writes, any thread reads copies.

    Parameters
    ----------
    info
        Layout of the stream; text is held as objects.
    seconds
        How much it holds, at the nominal rate; 1024 samples at least.
    """

    def __init__(self, info: StreamInfo, seconds: float) -> None:
        self.capacity = max(round(seconds * info.fs), _LEAST_SAMPLES)
        self._data = np.empty((self.capacity, info.n_channels), dtype=info.np_dtype)
        self._timestamps = np.empty(self.capacity)
        self._written = 0
        self._resized_from = 0
        self._lock = threading.Lock()

    @property
    def written(self) -> int:
        """Samples ever written; the next one gets this index."""
        return self._written

    @property
    def oldest(self) -> int:
        """Index of the oldest sample that is here; `written` where there is none."""
        return max(self._written - self.capacity, self._resized_from)

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

    def resize(self, capacity: int) -> None:
        """Hold up to ``capacity`` samples from now on, the newest of those that are here; for the writing thread."""
        with self._lock:
            first = max(self.oldest, self._written - capacity)
            data = self._copy(self._data, first, self._written)
            timestamps = self._copy(self._timestamps, first, self._written)
            self._data = np.empty((capacity, *self._data.shape[1:]), dtype=self._data.dtype)
            self._timestamps = np.empty(capacity)
            self.capacity, self._resized_from = capacity, first
            places = np.arange(first, self._written) % capacity
            self._data[places], self._timestamps[places] = data, timestamps

    def newest(self, count: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Copies of the newest ``count`` samples, or as many as there are: ``(n, n_channels)`` and ``(n,)``."""
        with self._lock:
            first = max(self._written - count, self.oldest)
            return self._copy(self._data, first, self._written), self._copy(self._timestamps, first, self._written)

    def newest_lasting(self, seconds: float) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """As `newest`, those whose stamps lie within ``seconds`` of the newest one."""
        with self._lock:
            first = self.oldest
            stamps = self._copy(self._timestamps, first, self._written)
            if len(stamps):
                first = self._written - int(np.count_nonzero(stamps > stamps[-1] - seconds))
            return self._copy(self._data, first, self._written), self._copy(self._timestamps, first, self._written)

    def since(
        self, index: int, channels: slice = _ALL, limit: int | None = None
    ) -> tuple[int, NDArray[Any], NDArray[np.float64]]:
        """What is still here from sample ``index`` on, ``limit`` samples at most.

        Returns
        -------
        first
            Index of the first sample; above ``index`` where older ones are gone already.
        data, timestamps
            Copies: ``(n, n_channels)`` of the channels asked for, and ``(n,)``.
        """
        with self._lock:
            first = min(max(index, self.oldest), self._written)
            last = self._written if limit is None else min(first + limit, self._written)
            return first, self._copy(self._data[:, channels], first, last), self._copy(self._timestamps, first, last)

    def _copy(self, array: NDArray[Any], first: int, last: int) -> NDArray[Any]:
        start, count = first % self.capacity, last - first
        if start + count <= self.capacity:
            return array[start : start + count].copy()
        return np.concatenate((array[start:], array[: start + count - self.capacity]))
