"""Stretches of a stream's samples and times as windows need them: copies, each block of the stream read once."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SessionDamagedError
from ..format.arrays import chunk_spans
from .streamdata import BLOCK_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from .streamdata import StreamData

    Unreadable = tuple[int, int, SessionDamagedError]
    """First sample that cannot be read, one past the last, and why."""

MOST_THREADS = 4

_TILE, _PAD = 128, 32
"""Rows that are transposed at once, and room behind each channel: without the first a block does not fit the caches,
without the second the channels of a block lie a power of two apart and push one another out. Together 2.5 × as fast.
"""
_BLOCK_BYTES = 2 << 20
"""About how large a block of samples is, at least a chunk: it stays in the caches while windows are cut from it."""
_PLACES, _LARGE_BYTES = 4, 8 << 20
"""Blocks in memory: the two that a stretch may lie in, and two ahead, of which one only where chunks are large."""


class _Forward:
    """Stretches of a stream, each block fetched once as long as the stretches move on. Not thread-safe."""

    def __init__(self, n_samples: int, block_rows: int, longest: int, n_places: int = 2) -> None:
        self._n_samples = n_samples
        self._rows = max(1, -(-longest // block_rows)) * block_rows
        self._held: list[int | None] = [None] * n_places
        """The number of the block in each place; block ``number`` is held in place ``number % n_places``."""

    def _fetch(self, number: int) -> None:
        raise NotImplementedError

    def _extent(self, number: int) -> tuple[int, int]:
        """First sample of a block, and one past its last."""
        return number * self._rows, min((number + 1) * self._rows, self._n_samples)

    def _blocks_of(self, start: int, stop: int) -> list[tuple[int, slice]]:
        """Where samples ``start`` to ``stop`` lie: places, and the part of each; two neighbours at most."""
        first = start // self._rows
        at, place = start - first * self._rows, first % len(self._held)
        if self._held[place] == first and at + stop - start <= self._rows:
            return [(place, slice(at, at + stop - start))]
        parts = []
        for number in range(first, -(-stop // self._rows)):
            place, base = number % len(self._held), number * self._rows
            if self._held[place] != number:
                self._held[place] = None
                self._fetch(number)
                self._held[place] = number
            parts.append((place, slice(max(start - base, 0), min(stop - base, self._rows))))
        return parts


class SampleReader(_Forward):
    """Channels-first copies of stretches of a stream of numbers. To be closed before its files.

    Parameters
    ----------
    stream
        Where they come from.
    longest
        Most samples that a stretch will have.
    firsts
        First sample of each stretch of that length that will be asked for, in order: threads decode and transpose
        ahead what they need, where the stream's files allow for it. Others may be asked for, too.
    """

    def __init__(self, stream: StreamData, longest: int, firsts: Iterable[int] | None = None) -> None:
        spec, threads = stream.data.spec, min(os.cpu_count() or 1, MOST_THREADS)
        alone = firsts is None or threads < 2 or not getattr(stream.data, "concurrent", False)
        n_chunks = max(1, min(BLOCK_SECONDS, _BLOCK_BYTES // max(1, spec.chunk_nbytes)))
        n_places = _PLACES if spec.chunk_nbytes <= _LARGE_BYTES else _PLACES - 1
        super().__init__(stream.n_samples, n_chunks * spec.chunk_length, longest, 2 if alone else n_places)
        self._pool = None if alone else ThreadPoolExecutor(threads, "decode")
        self._stream = stream
        shape = (len(self._held), stream.info.n_channels, min(self._rows, stream.n_samples) + _PAD)
        self._blocks = np.empty(shape, stream.info.np_dtype)
        self._coming = self._needed(firsts or (), longest)
        self._next = next(self._coming, None)
        self._filling: dict[int, list[Future[Unreadable | None]]] = {}
        self._unreadable: list[Unreadable] = []

    def take(self, start: int, stop: int, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Samples ``start`` to ``stop`` (not included) as a contiguous ``(n_channels, stop - start)`` copy, in ``out``.

        Raises
        ------
        SessionDamagedError
            One of them cannot be read.
        """
        parts = [self._blocks[place][:, part] for place, part in self._blocks_of(start, stop)]
        for first, last, error in self._unreadable:
            if first < stop and start < last:
                raise error
        if out is None:
            return parts[0].copy() if len(parts) == 1 else np.concatenate(parts, axis=1)
        if len(parts) > 1:
            return np.concatenate(parts, axis=1, out=out)
        out[...] = parts[0]
        return out

    def close(self) -> None:
        """Wait for what is being decoded, and drop what is not begun."""
        self._filling.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _needed(self, firsts: Iterable[int], longest: int) -> Iterator[int]:
        """Numbers of the blocks, in the order in which they are fetched first."""
        upcoming = 0
        for first in firsts:
            for number in range(max(upcoming, first // self._rows), (first + longest - 1) // self._rows + 1):
                yield number
                upcoming = number + 1

    def _fetch(self, number: int) -> None:
        """Put a block in its place, and begin with those that come next."""
        filling = self._filling.pop(number, None)
        if self._pool is None:
            found = [self._fill(number, *span) for span in self._chunks_of(number)]
        else:
            futures = filling if filling is not None else self._begin(self._pool, number)
            self._begin_next(self._pool, number)
            found = [future.result() for future in futures]
        self._unreadable += [part for part in found if part is not None]

    def _begin_next(self, pool: ThreadPoolExecutor, number: int) -> None:
        """Begin with all blocks whose places are free while stretches lie in block ``number`` and the one before."""
        while self._next is not None and self._next <= number + len(self._held) - 2:
            if self._next > number and self._next not in self._filling:
                self._held[self._next % len(self._held)] = None
                self._filling[self._next] = self._begin(pool, self._next)
            self._next = next(self._coming, None)

    def _begin(self, pool: ThreadPoolExecutor, number: int) -> list[Future[Unreadable | None]]:
        for other in [other for other in self._filling if (other - number) % len(self._held) == 0]:
            wait(self._filling.pop(other))  # nobody came for it, and it is being put into the same place
        return [pool.submit(self._fill, number, first, last) for first, last in self._chunks_of(number)]

    def _chunks_of(self, number: int) -> list[tuple[int, int]]:
        return [(first, last) for _, first, last in chunk_spans(self._stream.data.spec, *self._extent(number))]

    def _fill(self, number: int, start: int, stop: int) -> Unreadable | None:
        """Put a chunk of a block in its place; or why it cannot be read."""
        block, base = self._blocks[number % len(self._held)], number * self._rows
        for first, last, rows in self._stream.chunks(start, stop):
            if isinstance(rows, SessionDamagedError):
                return first, last, rows
            for at in range(0, len(rows), _TILE):
                tile = rows[at : at + _TILE]
                block[:, first - base + at : first - base + at + len(tile)] = tile.T
        return None


class TimeReader(_Forward):
    """Copies of stretches of a stream's times; parameters as for `SampleReader`."""

    def __init__(self, stream: StreamData, longest: int) -> None:
        super().__init__(stream.n_samples, 4 * stream.block_rows, longest)
        self._stream = stream
        self._blocks = [np.empty(0), np.empty(0)]

    def take(self, start: int, stop: int) -> NDArray[np.float64]:
        """Times of the samples ``start`` to ``stop`` (not included), ``(stop - start,)`` seconds."""
        parts = [self._blocks[place][part] for place, part in self._blocks_of(start, stop)]
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts)

    def _fetch(self, number: int) -> None:
        self._blocks[number % 2] = self._stream.times(*self._extent(number))
