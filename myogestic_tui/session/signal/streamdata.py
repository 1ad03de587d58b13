"""One stream of a session as the readers of signal need it: samples, raw stamps and the way to corrected time.

Both arrays are read in blocks, so that memory does not grow with the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SessionDamagedError
from ..format.arrays import StoredArray, chunk_spans
from .decode_ahead import DecodeAhead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from ...clock import Timeline
    from ...info import StreamInfo
    from ..format.arrays import Rows

TIME_BLOCK = 1 << 18
"""Time stamps that are read at once: 2 MB."""

HELD_STAMPS = 1 << 21
"""Most time stamps that are kept: 16 MB, 17 minutes at 2048 Hz."""

BLOCK_SECONDS = 4
"""About how much signal is read at once; a multiple of the stored chunks, so that each is decoded once."""

_TILE, _PAD = 128, 32
"""Rows that are transposed at once, and room behind each channel: without the first a block does not fit the caches,
without the second the channels of a block lie a power of two apart and push one another out. Together 2.5 × as fast.
"""


class HeldStamps:
    """Time stamps that are read once and kept, if they are few: windows go through them twice.

    Parameters
    ----------
    stamps
        ``(n_samples,)`` as the session has them.
    """

    def __init__(self, stamps: Rows) -> None:
        self.spec, self.n_rows, self.n_stored = stamps.spec, stamps.n_rows, stamps.n_stored
        self._stamps = stamps
        self._held: NDArray[Any] | None = None

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`; not to be written to."""
        if self.n_rows > HELD_STAMPS:
            return self._stamps.rows(start, stop)
        if self._held is None:
            self._held = self._stamps.rows(0, self.n_rows)
        return self._held[start:stop]


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
    find_timeline
        Gives what the time model knows of the stream; it is asked when times are needed.
    raw
        Take the stamps for times as they are, in whatever clock.
    """

    name: str
    info: StreamInfo
    data: Rows
    stamps: Rows
    find_timeline: Callable[[], Timeline]
    raw: bool = False

    @property
    def n_samples(self) -> int:
        """Samples that have both a value and a time."""
        return min(self.data.n_rows, self.stamps.n_rows)

    @property
    def timeline(self) -> Timeline:
        """What the time model knows of the stream."""
        return self.find_timeline()

    @property
    def block_rows(self) -> int:
        """Rows of a block of about `BLOCK_SECONDS`, a whole number of chunks."""
        return BLOCK_SECONDS * self.data.spec.chunk_length

    def raw_times(self, start: int, stop: int) -> NDArray[np.float64]:
        """Raw stamps of the samples ``start`` to ``stop`` (not included), ``(stop - start,)`` seconds."""
        return self.stamps.rows(start, stop).astype(np.float64, copy=False)

    def times(self, start: int, stop: int) -> NDArray[np.float64]:
        """When the samples ``start`` to ``stop`` (not included) were taken, ``(stop - start,)`` seconds.

        On the recorder's clock, and free from lateness and packets; see `clock.timeline.Timeline.sample_time`.
        """
        stamps = self.raw_times(start, stop)
        return stamps if self.raw else self.timeline.sample_time(stamps, start)

    def corrected(self, start: int, stop: int) -> NDArray[np.float64]:
        """Stamps of the samples ``start`` to ``stop`` (not included) on the recorder's clock, each by itself."""
        return self.timeline.corrected(self.raw_times(start, stop), start)

    def time_blocks(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Number of the first sample, and when samples were taken, block by block."""
        for start, n in self.blocks():
            yield start, self.times(start, start + n)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """First sample and number of samples of blocks whose times are read at once."""
        for start in range(0, self.n_samples, TIME_BLOCK):
            yield start, min(TIME_BLOCK, self.n_samples - start)

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

    def window(self, start: int, stop: int) -> NDArray[Any]:
        """Samples ``start`` to ``stop`` (not included) of a stream of numbers, as ``(n_channels, stop - start)``.

        Raises
        ------
        SessionDamagedError
            One of them cannot be read.
        """
        found = np.empty((self.info.n_channels, stop - start), self.info.np_dtype)
        for first, last, rows in self.chunks(start, stop):
            if isinstance(rows, SessionDamagedError):
                raise rows
            found[:, first - start : last - start] = rows.T
        return found

    def chunks(self, start: int, stop: int) -> Iterator[tuple[int, int, NDArray[Any] | SessionDamagedError]]:
        """As `rows`, chunk by chunk: first sample, one past the last, and ``(rows, n_channels)``, which is not to be
        written to; or why the chunk cannot be read.
        """
        for number, first, last in chunk_spans(self.data.spec, start, stop):
            try:
                yield first, last, self._chunk(number, first, last)
            except SessionDamagedError as error:
                yield first, last, error

    def _chunk(self, number: int, first: int, last: int) -> NDArray[Any]:
        if not isinstance(self.data, StoredArray):
            return self.rows(first, last)
        base = number * self.data.spec.chunk_length  # as it was decoded, not copied once more
        return self.data.chunk(number)[first - base : last - base].astype(self.info.np_dtype, copy=False)


class _Forward:
    """Stretches of a stream, each block fetched once as long as the stretches move on. Not thread-safe."""

    def __init__(self, n_samples: int, block_rows: int, longest: int) -> None:
        self._n_samples = n_samples
        self._rows = max(1, -(-longest // block_rows)) * block_rows
        self._held: list[int | None] = [None, None]

    def _fetch(self, number: int) -> None:
        raise NotImplementedError

    def _extent(self, number: int) -> tuple[int, int]:
        """First sample of a block, and one past its last."""
        return number * self._rows, min((number + 1) * self._rows, self._n_samples)

    def _blocks_of(self, start: int, stop: int) -> list[tuple[int, slice]]:
        """Where samples ``start`` to ``stop`` lie: places, and the part of each. Even blocks take the one place and
        odd ones the other: a stretch touches two neighbours at most.
        """
        first = start // self._rows
        at = start - first * self._rows
        if self._held[first % 2] == first and at + stop - start <= self._rows:
            return [(first % 2, slice(at, at + stop - start))]
        parts = []
        for number in range(first, -(-stop // self._rows)):
            place, base = number % 2, number * self._rows
            if self._held[place] != number:
                self._held[place] = None
                self._fetch(number)
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
    firsts
        First sample of each stretch of that length that will be asked for, in order: what they need is decoded ahead.
        Others may be asked for, too.
    """

    def __init__(self, stream: StreamData, longest: int, firsts: Iterable[int] = ()) -> None:
        super().__init__(stream.n_samples, stream.block_rows, longest)
        self._chunks = DecodeAhead(stream, map(self._extent, self._needed(firsts, longest)))
        shape = (2, stream.info.n_channels, min(self._rows, stream.n_samples) + _PAD)
        self._blocks = np.empty(shape, stream.info.np_dtype)
        self._unreadable: list[tuple[int, int, SessionDamagedError]] = []

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
        """Stop decoding ahead."""
        self._chunks.close()

    def _needed(self, firsts: Iterable[int], longest: int) -> Iterator[int]:
        """Numbers of the blocks, in the order in which they are fetched first."""
        upcoming = 0
        for first in firsts:
            for number in range(max(upcoming, first // self._rows), (first + longest - 1) // self._rows + 1):
                yield number
                upcoming = number + 1

    def _fetch(self, number: int) -> None:
        """Put a block in its place, chunk by chunk: what was decoded just now is still in the caches."""
        start, stop = self._extent(number)
        block = self._blocks[number % 2]
        for first, last, rows in self._chunks.chunks(start, stop):
            if isinstance(rows, SessionDamagedError):
                self._unreadable.append((first, last, rows))
                continue
            for at in range(0, len(rows), _TILE):
                tile = rows[at : at + _TILE]
                block[:, first - start + at : first - start + at + len(tile)] = tile.T


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
