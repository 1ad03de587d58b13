"""Rows of a session's arrays, wherever they are: chunks in a folder or archive, the journal's tail, or computed.

`Rows` is what reading, recovering and verifying have in common. Nothing here needs zarr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...errors import SessionDamagedError, SessionError
from .layout import ZARR_JSON
from .zarr_format import ArraySpec, decode_chunk, parse_array_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


KEPT_CHUNKS = 2
"""Decoded chunks that an array keeps: windows that overlap go back and forth over the edge between two."""


class Rows(Protocol):
    """An array that gives out its rows."""

    spec: ArraySpec
    n_rows: int
    n_stored: int
    """Rows whose chunks are in their files as they are; those after them are in the journal, or computed."""

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Rows ``start`` to ``stop``, ``(stop - start, *row_shape)``; within ``n_rows``.

        Raises
        ------
        SessionDamagedError
            A chunk is missing or damaged; the message names it.
        """
        ...


class Members(Protocol):
    """The files of a session, in a folder or an archive, overlaid with what is in memory or not."""

    def read(self, key: str) -> bytes | None:
        """The content of ``emg.zarr/c/0/0``; None where it is absent. Raises the package's errors only."""
        ...

    def close(self) -> None:
        """Let go of what was opened for it."""
        ...


class StoredArray:
    """An array as its files say it is.

    Parameters
    ----------
    members
        The session's files.
    name
        Folder of the array: ``emg.zarr``.
    strict
        An absent chunk is damage (our own sessions); otherwise it reads as zeros (foreign ones, see `zarr_stores`).

    Raises
    ------
    SessionDamagedError
        Its ``zarr.json`` is missing or cannot be believed.
    """

    def __init__(self, members: Members, name: str, *, strict: bool = True) -> None:
        data = members.read(f"{name}/{ZARR_JSON}")
        if data is None:
            raise SessionDamagedError(f"{name}/{ZARR_JSON} is missing")
        self.name = name
        self.spec, self.n_rows = parse_array_json(data, where=f"{name}/{ZARR_JSON}")
        self.n_stored = self.n_published = self.n_rows
        self._members = members
        self._strict = strict
        self._kept: tuple[tuple[int, NDArray[Any]], ...] = ()

    @classmethod
    def assumed(cls, members: Members, name: str, spec: ArraySpec, n_rows: int) -> StoredArray:
        """An array whose ``zarr.json`` is lost, as everything else says that it must be."""
        array = cls.__new__(cls)
        array.name, array.spec, array._members, array._strict, array._kept = name, spec, members, True, ()
        array.n_rows = array.n_stored = n_rows
        array.n_published = -1
        return array

    @property
    def concurrent(self) -> bool:
        """Whether several threads may decode chunks at once."""
        return bool(getattr(self._members, "concurrent", False))

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`."""
        out: NDArray[Any] = np.empty((stop - start, *self.spec.row_shape), self.spec.np_dtype)
        for number, first, last in chunk_spans(self.spec, start, stop):
            base = number * self.spec.chunk_length
            out[first - start : last - start] = self.chunk(number)[first - base : last - base]
        return out

    def chunk(self, number: int) -> NDArray[Any]:
        """One whole decoded chunk, filled up behind the last row."""
        kept = self._kept  # taken once: another thread may read another chunk
        for one, rows in kept:
            if one == number:
                return rows
        key = f"{self.name}/{self.spec.chunk_key(number)}"
        data = self._members.read(key)
        if data is None and self._strict:
            raise SessionDamagedError(f"{key} is missing")
        rows = self._fill() if data is None else decode_chunk(self.spec, data, where=key)
        self._kept = ((number, rows), *kept[: KEPT_CHUNKS - 1])
        return rows

    def _fill(self) -> NDArray[Any]:
        return np.full(self.spec.chunk_shape, "" if self.spec.is_string else 0, self.spec.np_dtype)


def chunk_spans(spec: ArraySpec, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
    """``(chunk number, first row, one past the last)`` of each chunk that rows ``start`` to ``stop`` touch."""
    at = start
    while at < stop:
        number = at // spec.chunk_length
        end = min(stop, (number + 1) * spec.chunk_length)
        yield number, at, end
        at = end


def joined_rows(parts: list[NDArray[Any]], spec: ArraySpec) -> NDArray[Any]:
    """Parts of an array behind one another."""
    return np.concatenate(parts) if parts else np.empty((0, *spec.row_shape), spec.np_dtype)


class ListedArray:
    """An array whose rows are all in memory."""

    n_stored = 0

    def __init__(self, spec: ArraySpec, rows: Sequence[Any] | NDArray[Any]) -> None:
        self.spec = spec
        self._rows = np.asarray(rows, spec.np_dtype).reshape(len(rows), *spec.row_shape)
        self.n_rows = len(self._rows)

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`."""
        return self._rows[start:stop]


class OverviewArray:
    """The overview of a stream: rows on the disk as far as they go, the others computed from the samples.

    Parameters
    ----------
    stored
        The overview on the disk; None where there is none.
    data
        The samples.
    growing
        Whether more was recorded after it was stored: the last row of a chunk of it that is not whole may tell of a
        chunk of samples that was not whole either, and is computed again with the others of that chunk.
    """

    def __init__(self, stored: StoredArray | None, spec: ArraySpec, data: Rows, *, growing: bool) -> None:
        self.spec = spec
        self._data = data
        self._length = data.spec.chunk_length
        self.n_rows = data.spec.n_chunks(data.n_rows)
        whole = data.n_stored // self._length
        self._stored = stored
        self.n_stored = min(stored.n_rows, whole) if stored is not None else 0
        if growing:
            self.n_stored -= self.n_stored % spec.chunk_length

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`."""
        parts = []
        if start < self.n_stored:
            assert self._stored is not None, "rows are stored in an array that is there"
            last = min(stop, self.n_stored)
            try:
                parts.append(self._stored.rows(start, last))
            except SessionError:
                parts += [self._computed(number)[None] for number in range(start, last)]
        parts += [self._computed(number)[None] for number in range(max(start, self.n_stored), stop)]
        return joined_rows(parts, self.spec)

    def drop_unreadable(self) -> None:
        """Compute the rows from the first chunk on that cannot be read, as those that were never stored."""
        for number in range(self.spec.n_chunks(self.n_stored)):
            try:
                assert self._stored is not None, "rows are stored in an array that is there"
                self._stored.chunk(number)
            except SessionError:
                self.n_stored = number * self.spec.chunk_length
                return

    def _computed(self, number: int) -> NDArray[np.float32]:
        """A row from the samples; NaN where those cannot be read."""
        first = number * self._length
        try:
            return overview_row(self._data.rows(first, min(first + self._length, self._data.n_rows)))
        except SessionError:
            return np.full(self.spec.row_shape, np.nan, np.float32)


@np.errstate(all="ignore")
def overview_row(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Least, greatest and RMS value of each channel of ``(n, n_channels)`` samples: ``(n_channels, 3)`` float32.

    NaN is left out; a channel of NaN alone is NaN. What float32 cannot hold is infinite.
    """
    values = samples if samples.dtype == np.float32 else samples.astype(np.float64)
    low, high = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    rms = np.sqrt(np.einsum("ij,ij->j", values, values, dtype=np.float64) / len(values))
    nan = np.isnan(rms)
    if nan.any():
        part = values[:, nan].astype(np.float64)
        known = np.maximum(1, len(part) - np.isnan(part).sum(axis=0))
        rms[nan] = np.where(np.isnan(low[nan]), np.nan, np.sqrt(np.nansum(part * part, axis=0) / known))
    return np.stack((low, high, rms), axis=1).astype(np.float32)
