"""Least, greatest and RMS value of each second of a stream: the session's own array, or one computed once and kept."""

from __future__ import annotations

import glob
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from ...errors import SessionError
from ..format.arrays import overview_row
from ..format.layout import STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .open_session import OpenSession

KEPT = "overviews"
"""Folder in ``.myogestic`` for overviews that a session does not hold itself."""


def overview_table(session: OpenSession, name: str, *, compute: bool = True) -> NDArray[np.float32]:
    """``(n_chunks, n_channels, 3)`` of a stream: the session's own, else the kept one, else computed and kept.

    Raises
    ------
    SessionError
        There is none, and it is not to be computed.
    """
    info = session.stream_info(name)
    n_chunks = -(-session.n_samples(name) // info.chunk_length)
    own = session.stream(name).overview
    if own is not None and own.n_rows == n_chunks:
        return np.asarray(own.rows(0, n_chunks), dtype=np.float32)
    kept = _kept_file(session.path, name)
    with suppress(OSError, ValueError):
        table = np.load(kept, allow_pickle=False)
        if table.shape == (n_chunks, info.n_channels, 3):
            return np.asarray(table, dtype=np.float32)
    if not compute:
        raise SessionError(f"no overview of {name} is kept: opening the session makes one")
    table = _computed(session, name, n_chunks)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in kept.parent.glob(f"{glob.escape(_kept_stem(session.path, name))}.*.npy"):
            old.unlink()
        np.save(kept, table)
    return table


def _computed(session: OpenSession, name: str, n_chunks: int) -> NDArray[np.float32]:
    data, info = session.stream(name).data, session.stream_info(name)
    length = info.chunk_length
    ends = [min((at + 1) * length, data.n_rows) for at in range(n_chunks)]
    rows = [overview_row(data.rows(at * length, end)) for at, end in enumerate(ends)]
    return np.stack(rows) if rows else np.empty((0, info.n_channels, 3), np.float32)


def _kept_file(path: Path, name: str) -> Path:
    return path.parent / STATE_FOLDER / KEPT / f"{_kept_stem(path, name)}.{path.stat().st_mtime_ns}.npy"


def _kept_stem(path: Path, name: str) -> str:
    return f"{path.name}.{name}"
