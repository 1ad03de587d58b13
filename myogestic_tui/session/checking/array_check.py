"""Checks one array of a session, chunk by chunk as they are read: what is bad or missing, what the values show."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import SessionDamagedError
from ..format.zarr_format import decode_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..format.zarr_format import ArraySpec

_CHUNK_KEY = re.compile(r"c/(0|[1-9][0-9]{0,17})((?:/0)*)")


class Hole(NamedTuple):
    """Chunks ``first`` to ``stop`` (exclusive) that cannot be read, and why; `member` is the first of them."""

    first: int
    stop: int
    member: str
    reason: str
    missing: bool = False
    """There is no such member, as opposed to one that cannot be used."""


class ArrayCheck:
    """One array. Feed it every chunk that can be read, name every one that cannot, then ask.

    Parameters
    ----------
    name
        Its folder: ``emg.zarr``.
    spec, n_rows
        Its layout, as its ``zarr.json`` says.
    """

    def __init__(self, name: str, spec: ArraySpec, n_rows: int) -> None:
        self.name = name
        self.spec = spec
        self.n_rows = n_rows
        self.n_chunks = spec.n_chunks(n_rows)
        self._seen = array("Q")
        self._bad: dict[int, tuple[str, str]] = {}

    def chunk_number(self, key: str) -> int | None:
        """Which chunk a member is; None for ``zarr.json`` and what is no chunk of this array."""
        match = _CHUNK_KEY.fullmatch(key, len(self.name) + 1)
        if match is None or len(match[2]) != 2 * len(self.spec.row_shape):
            return None
        return int(match[1])

    def key(self, number: int) -> str:
        """The member that holds a chunk."""
        return f"{self.name}/{self.spec.chunk_key(number)}"

    def rows_of(self, first: int, stop: int) -> tuple[int, int]:
        """First row of chunk `first`, and one past the last of chunk ``stop - 1``."""
        return first * self.spec.chunk_length, min(stop * self.spec.chunk_length, self.n_rows)

    def saw(self, number: int) -> None:
        """Count a chunk as present without looking into it."""
        if number < self.n_chunks:
            self._seen.append(number)

    def feed(self, number: int, data: bytes) -> NDArray[Any] | None:
        """Decode a chunk; its rows without the padding, or None where it is bad or beyond the shape."""
        if number >= self.n_chunks:
            return None
        try:
            rows = decode_chunk(self.spec, data, where=self.key(number))
        except SessionDamagedError as error:
            self.bad(number, str(error))
            return None
        self._seen.append(number)
        first, stop = self.rows_of(number, number + 1)
        return rows[: stop - first]

    def bad(self, number: int, reason: str) -> None:
        """Note a chunk that is there and cannot be used."""
        if number < self.n_chunks:
            self._bad.setdefault(number, (self.key(number), reason))

    def holes(self) -> Iterator[Hole]:
        """Everything that cannot be read, bad and missing chunks, in order; neighbours with one reason are one."""
        last: Hole | None = None
        for hole in self._single_holes():
            if last and last.stop == hole.first and _same_kind(last, hole):
                last = last._replace(stop=hole.stop)
                continue
            if last:
                yield last
            last = hole
        if last:
            yield last

    def _single_holes(self) -> Iterator[Hole]:
        known = np.unique(np.concatenate([np.frombuffer(self._seen, np.uint64), np.fromiter(self._bad, np.uint64)]))
        expected = 0
        for number in map(int, known):
            yield from self._missing(expected, number)
            if number in self._bad:
                yield Hole(number, number + 1, *self._bad[number])
            expected = number + 1
        yield from self._missing(expected, self.n_chunks)

    def _missing(self, first: int, stop: int) -> Iterator[Hole]:
        if first < stop:
            yield Hole(first, stop, self.key(first), f"member {self.key(first)} is missing", missing=True)


def _same_kind(one: Hole, other: Hole) -> bool:
    return one.reason.replace(one.member, "") == other.reason.replace(other.member, "")
