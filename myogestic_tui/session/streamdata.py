"""One stream of a session as the readers of signal need it: samples, raw stamps and the way to corrected time.

Both arrays are read in blocks, so that memory does not grow with the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .arrays import Rows

TIME_BLOCK = 1 << 18
"""Time stamps that are read at once: 2 MB."""

BLOCK_SECONDS = 4
"""About how much signal is read at once; a multiple of the stored chunks, so that each is decoded once."""

_TILE = 64
"""Rows that are transposed at once: at 64 channels a tile fits the first-level cache, twice as fast as all at once."""


@dataclass(frozen=True, slots=True)
class StreamData:
    """A recorded stream.

    Parameters
    ----------
    name
        As the session calls it.
    info
        Its layout.
    data
        ``(n_samples, n_channels)``.
    stamps
        ``(n_samples,)`` raw, in seconds. Where the two lengths differ, the shorter counts.
    correct
        Corrected times, ``(k,)`` seconds, from raw ones and the number of the first of these samples.
    """

    name: str
    info: StreamInfo
    data: Rows
    stamps: Rows
    correct: Callable[[NDArray[np.float64], int], NDArray[np.float64]]

    @property
    def n_samples(self) -> int:
        """Samples that have both a value and a time."""
        return min(self.data.n_rows, self.stamps.n_rows)

    @property
    def block_rows(self) -> int:
        """Rows of a block of about `BLOCK_SECONDS`, a whole number of chunks."""
        return BLOCK_SECONDS * self.data.spec.chunk_length

    def raw_times(self, start: int, stop: int) -> NDArray[np.float64]:
        """Raw stamps of the samples ``start`` to ``stop`` (not included), ``(stop - start,)`` seconds."""
        return self.stamps.rows(start, stop).astype(np.float64, copy=False)

    def times(self, start: int, stop: int) -> NDArray[np.float64]:
        """Corrected time of the samples ``start`` to ``stop`` (not included), ``(stop - start,)`` seconds."""
        return self.correct(self.raw_times(start, stop), start)

    def time_blocks(self) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
        """All stamps, block by block: index of the first, raw stamps, corrected times."""
        for start in range(0, self.n_samples, TIME_BLOCK):
            raw = self.raw_times(start, min(start + TIME_BLOCK, self.n_samples))
            yield start, raw, self.correct(raw, start)

    def data_blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
        """Samples from ``start`` to ``stop``, block by block: index of the first, and ``(rows, n_channels)``."""
        stop = self.n_samples if stop is None else min(stop, self.n_samples)
        while start < stop:
            end = min((start // self.block_rows + 1) * self.block_rows, stop)
            yield start, self.rows(start, end)
            start = end

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Samples ``start`` to ``stop`` (not included), ``(stop - start, n_channels)``; text as objects."""
        return self.data.rows(start, stop).astype(self.info.np_dtype, copy=False)


class _Forward:
    """Stretches of a stream, each block fetched once as long as the stretches move on. Not thread-safe."""

    def __init__(self, n_samples: int, block_rows: int, longest: int) -> None:
        self._n_samples = n_samples
        self._rows = max(1, -(-longest // block_rows)) * block_rows
        self._held: list[int | None] = [None, None]

    def _fetch(self, place: int, start: int, stop: int) -> None:
        raise NotImplementedError

    def _blocks_of(self, start: int, stop: int) -> list[tuple[int, slice]]:
        """Where samples ``start`` to ``stop`` lie: places, and the part of each. Even blocks take the one place and
        odd ones the other: a stretch touches two neighbours at most.
        """
        parts = []
        for number in range(start // self._rows, -(-stop // self._rows)):
            place, base = number % 2, number * self._rows
            if self._held[place] != number:
                self._held[place] = None
                self._fetch(place, base, min(base + self._rows, self._n_samples))
                self._held[place] = number
            parts.append((place, slice(max(start - base, 0), min(stop - base, self._rows))))
        return parts


class SampleReader(_Forward):
    """Channels-first copies of stretches of a stream of numbers.

    Parameters
    ----------
    stream
        Where they come from.
    longest
        Most samples that a stretch will have.
    """

    def __init__(self, stream: StreamData, longest: int) -> None:
        super().__init__(stream.n_samples, stream.block_rows, longest)
        self._stream = stream
        self._blocks = np.empty((2, stream.info.n_channels, min(self._rows, stream.n_samples)), stream.info.np_dtype)

    def take(self, start: int, stop: int) -> NDArray[Any]:
        """Samples ``start`` to ``stop`` (not included) as a contiguous ``(n_channels, stop - start)`` copy."""
        parts = [self._blocks[place][:, part] for place, part in self._blocks_of(start, stop)]
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _fetch(self, place: int, start: int, stop: int) -> None:
        rows, block = self._stream.rows(start, stop), self._blocks[place]
        for at in range(0, len(rows), _TILE):
            tile = rows[at : at + _TILE]
            block[:, at : at + len(tile)] = tile.T


class TimeReader(_Forward):
    """Copies of stretches of a stream's corrected times; parameters as for `SampleReader`."""

    def __init__(self, stream: StreamData, longest: int) -> None:
        super().__init__(stream.n_samples, 4 * stream.block_rows, longest)
        self._stream = stream
        self._blocks = [np.empty(0), np.empty(0)]

    def take(self, start: int, stop: int) -> NDArray[np.float64]:
        """Times of the samples ``start`` to ``stop`` (not included), ``(stop - start,)`` seconds."""
        parts = [self._blocks[place][part] for place, part in self._blocks_of(start, stop)]
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts)

    def _fetch(self, place: int, start: int, stop: int) -> None:
        self._blocks[place] = self._stream.times(start, stop)
