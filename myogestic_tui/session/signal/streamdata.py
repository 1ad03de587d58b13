"""One stream of a session as the readers of signal need it: samples, raw stamps and the way to corrected time.

Both arrays are read in blocks, so that memory does not grow with the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SessionDamagedError
from ..format.arrays import StoredArray, chunk_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ...clock import Timeline
    from ...info import StreamInfo
    from ..format.arrays import Rows

TIME_BLOCK = 1 << 15
"""Time stamps that are read at once: 256 kB, which fits the caches with all that is computed of it."""

HELD_STAMPS = 1 << 21
"""Most time stamps that are kept: 16 MB, 17 minutes at 2048 Hz."""

BLOCK_SECONDS = 4
"""About how much signal is read at once; a multiple of the stored chunks, so that each is decoded once."""


class HeldStamps:
    """Time stamps that are read once and kept, if they are few: windows without a time grid go through them twice.

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
        if not self.raw and self.timeline.is_grid:
            return self.timeline.grid_time(start, stop - start)
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
