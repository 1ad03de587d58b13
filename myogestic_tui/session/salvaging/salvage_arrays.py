"""Arrays on both sides of a salvage: the damaged one, of which any chunk may be lost, and the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import MyoGesticError
from ..format.layout import ZARR_JSON
from ..format.zarr_format import (
    ArraySpec,
    array_json,
    decode_chunk,
    encode_chunk,
    parse_array_json,
    write_bytes,
    write_chunk,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypeAlias

    from numpy.typing import NDArray

    from ..archive.tree import FolderTree
    from .damaged_session import Wreck

    Broken: TypeAlias = FolderTree | Wreck


class OldArray:
    """An array of a damaged session.

    Parameters
    ----------
    tree
        The session's files.
    name
        The array's folder: ``emg.zarr``.
    spec, n_rows
        Its layout; `n_rows` is None where nothing says it.
    lost
        Why none of its rows is of use, where that is so.
    """

    def __init__(self, tree: Broken, name: str, spec: ArraySpec, n_rows: int | None, *, lost: str = "") -> None:
        self.name = name
        self.spec = spec
        self.n_rows = n_rows
        self._tree = tree
        self._lost = lost
        self._last: tuple[int, NDArray[Any] | str] = -1, ""

    def key(self, number: int) -> str:
        """The file that holds a chunk."""
        return f"{self.name}/{self.spec.chunk_key(number)}"

    def rows(self, first: int, stop: int) -> NDArray[Any] | str:
        """Rows of one chunk, ``(stop - first, *row_shape)``; or why they are lost."""
        if self._lost:
            return self._lost
        number = first // self.spec.chunk_length
        if self._last[0] != number:
            self._last = number, self._chunk(number)
        rows, base = self._last[1], number * self.spec.chunk_length
        return rows if isinstance(rows, str) else rows[first - base : stop - base]

    def _chunk(self, number: int) -> NDArray[Any] | str:
        key = self.key(number)
        try:
            return decode_chunk(self.spec, self._tree.read(key), where=key)
        except KeyError:
            return f"{key} is missing"
        except MyoGesticError as error:
            return str(error)


def find_array(tree: Broken, name: str, declared: ArraySpec | None) -> OldArray | None:
    """An array of a damaged session, by its ``zarr.json``, else as the stream's layout has it; None without either."""
    key = f"{name}/{ZARR_JSON}"
    try:
        return OldArray(tree, name, *parse_array_json(tree.read(key), where=key))
    except (KeyError, MyoGesticError):
        return OldArray(tree, name, declared, None) if declared else None


class NewArray:
    """Appends rows to a new array, chunk by chunk; memory holds one chunk."""

    def __init__(self, folder: Path, name: str, spec: ArraySpec) -> None:
        self._folder, self._name, self._spec = folder, name, spec
        self._rest: NDArray[Any] = np.empty((0, *spec.row_shape), spec.np_dtype)
        self._n_chunks = 0
        self.n_rows = 0

    def add(self, rows: NDArray[Any]) -> None:
        """Append ``(k, *row_shape)`` rows."""
        length = self._spec.chunk_length
        self._rest = np.concatenate([self._rest, rows])
        self.n_rows += len(rows)
        while len(self._rest) >= length:
            self._write(self._rest[:length])
            self._rest = self._rest[length:]

    def close(self) -> None:
        """Write what is left, and the array's metadata."""
        if len(self._rest):
            self._write(self._rest)
        (self._folder / self._name).mkdir(exist_ok=True)
        write_bytes(self._folder / self._name / ZARR_JSON, array_json(self._spec, self.n_rows, self._name))

    def _write(self, rows: NDArray[Any]) -> None:
        write_chunk(self._folder, self._name, self._spec, self._n_chunks, encode_chunk(self._spec, rows))
        self._n_chunks += 1
