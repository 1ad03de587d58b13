"""The files of one array as recovery would leave them: those on the disk, with what only the journal has laid over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..format.arrays import StoredArray
from ..format.layout import ZARR_JSON
from ..format.zarr_format import array_json, encode_chunk

if TYPE_CHECKING:
    from ..format.arrays import Rows
    from .session_view import SessionView


class RecoveredFiles:
    """`Members` of one array.

    Parameters
    ----------
    view
        The session; it must stay open.
    rows
        The array.
    name
        Its folder within the session.
    """

    def __init__(self, view: SessionView, rows: Rows, name: str) -> None:
        self._view, self._rows, self._name = view, rows, name

    def close(self) -> None:
        """Nothing: the reader closes what it opened."""

    def read(self, key: str) -> bytes | None:
        """A file's bytes; None where there is none."""
        if not key.startswith(f"{self._name}/"):
            return None
        inner, rows = key.removeprefix(f"{self._name}/"), self._rows
        if inner == ZARR_JSON:
            return array_json(rows.spec, rows.n_rows, self._name)
        number = int(inner.split("/")[1]) if inner.startswith("c/") else -1
        if number < 0:
            return None
        if isinstance(rows, StoredArray) or (number + 1) * rows.spec.chunk_length <= rows.n_stored:
            return self._view.members.read(key)
        first = number * rows.spec.chunk_length
        return encode_chunk(rows.spec, rows.rows(first, min(first + rows.spec.chunk_length, rows.n_rows)))
