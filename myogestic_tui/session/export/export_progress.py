"""A session whose reading is counted, so that any export shows how far it is and can be held or ended."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..format.arrays import Rows
    from ..format.progress import Progress
    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData

_TEXT_BYTES = 16
"""What a text counts for; how long each is nobody knows beforehand."""


def watched(session: SessionReader, streams: Sequence[str] | None, passes: int, progress: Progress) -> SessionReader:
    """The session itself, but every sample that is read through `stream_data` is reported to ``progress``.

    Parameters
    ----------
    session
        An open session.
    streams
        Those that are going to be read; None is all.
    passes
        How often each of their samples is going to be read.
    progress
        Called with the bytes done, and the bytes in all. What it raises ends the export.
    """
    names = session.streams if streams is None else streams
    total = sum(session.n_samples(name) * _row_bytes(session.stream_data(name)) for name in names)
    return cast("SessionReader", _Watched(session, _Count(total * passes, progress)))


class _Count:
    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._done, self._progress = total, 0, progress

    def add(self, n_bytes: int) -> None:
        self._done = min(self._done + n_bytes, self._total)
        self._progress(self._done, self._total)


class _Watched:
    def __init__(self, session: SessionReader, count: _Count) -> None:
        self._session, self._count = session, count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def stream_data(self, name: str) -> StreamData:
        stream = self._session.stream_data(name)
        return dataclasses.replace(stream, data=_CountedRows(stream.data, _row_bytes(stream), self._count))


class _CountedRows:
    """Samples; see `arrays.Rows`."""

    def __init__(self, rows: Rows, row_bytes: int, count: _Count) -> None:
        self.spec, self.n_rows, self.n_stored = rows.spec, rows.n_rows, rows.n_stored
        self._rows, self._row_bytes, self._count = rows, row_bytes, count

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        self._count.add((stop - start) * self._row_bytes)
        return self._rows.rows(start, stop)


def _row_bytes(stream: StreamData) -> int:
    return stream.info.n_channels * (_TEXT_BYTES if stream.info.is_string else stream.info.np_dtype.itemsize)
