"""Chunks that other threads read and decode before they are asked for; both let go of Python's interpreter lock."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..format.arrays import chunk_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from ...errors import SessionDamagedError
    from .streamdata import StreamData

    Chunk = tuple[int, int, NDArray[Any] | SessionDamagedError]

AHEAD_BYTES = 16 * 2**20
"""About how much is decoded ahead: 32 s of 64 channels at 2048 Hz, but at most `MOST_AHEAD` chunks."""

MOST_AHEAD, MOST_THREADS = 8, 4


class DecodeAhead:
    """The chunks of a stream, decoded ahead by threads where its files allow for it. To be closed before them.

    Parameters
    ----------
    stream
        Where they come from.
    extents
        First sample of each stretch that `chunks` will be asked for, and one past its last, in that order. Others may
        be asked for too; they are decoded then.
    """

    def __init__(self, stream: StreamData, extents: Iterable[tuple[int, int]]) -> None:
        self._stream = stream
        spec, threads = stream.data.spec, min(os.cpu_count() or 1, MOST_THREADS)
        alone = threads < 2 or not getattr(stream.data, "concurrent", False)
        self._pool = None if alone else ThreadPoolExecutor(threads, "decode")
        self._depth = max(2, min(AHEAD_BYTES // max(1, spec.chunk_nbytes), MOST_AHEAD))
        self._coming = (span for extent in extents for span in chunk_spans(spec, *extent))
        self._waiting: deque[tuple[int, int, Future[Chunk]]] = deque()

    def chunks(self, start: int, stop: int) -> Iterator[Chunk]:
        """See `StreamData.chunks`."""
        for _, first, last in chunk_spans(self._stream.data.spec, start, stop):
            self._submit()
            if self._waiting and self._waiting[0][:2] == (first, last):
                chunk = self._waiting.popleft()[2]
                self._submit()
                yield chunk.result()
            else:
                yield self._decoded(first, last)

    def close(self) -> None:
        """Wait for what is being decoded, and drop what is not begun."""
        self._waiting.clear()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _submit(self) -> None:
        while self._pool is not None and len(self._waiting) < self._depth and (span := next(self._coming, None)):
            _, first, last = span
            self._waiting.append((first, last, self._pool.submit(self._decoded, first, last)))

    def _decoded(self, first: int, last: int) -> Chunk:
        return next(self._stream.chunks(first, last))
