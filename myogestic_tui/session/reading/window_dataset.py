"""Windows of one session as a map-style dataset, for PyTorch's `DataLoader` and whoever else goes by number."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..signal.window_bounds import Cut, Wanted, class_of, starts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from .open_session import OpenSession


class WindowDataset:
    """Labelled windows by number: those of `iter_labeled_windows`, in its order, each read when it is asked for.

    It holds the session's path, not its files: every process opens them for itself, so that workers of a loader may
    take it along (pickled or forked), and any order of numbers will do. PyTorch is not needed to make one.

    Attributes
    ----------
    y
        ``(n_windows,)`` class indices.
    groups
        ``(n_windows,)`` numbers of the trials, for grouped splits: windows of one trial overlap.
    """

    def __init__(
        self, session: OpenSession, stream: str, cut: Cut, wanted: Wanted, reopen: Callable[[Path], OpenSession]
    ) -> None:
        data = session.stream_data(stream)
        self._path, self._stream, self._reopen = session.path, stream, reopen
        self._n, hop = cut.lengths(stream, data.info)
        self._first: list[int] = []
        y, groups = [], []
        for run in wanted.runs(data, session.label_track, self._n, hop).runs:
            firsts = list(starts(run, self._n, hop))
            self._first += firsts
            y += [class_of(run, session.label_track)] * len(firsts)
            groups += [run.label] * len(firsts)
        self.y: NDArray[np.int64] = np.array(y, np.int64)
        self.groups: NDArray[np.int64] = np.array(groups, np.int64)
        self._open: tuple[int, OpenSession] | None = None

    def __len__(self) -> int:
        return len(self._first)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], int]:
        """Window ``(n_channels, n)`` in the stream's dtype, and its class.

        Raises
        ------
        IndexError
            There are not so many.
        SessionDamagedError
            Its samples cannot be read.
        """
        first = self._first[number]
        rows = self._reader().stream_data(self._stream, whole=False).rows(first, first + self._n)
        return np.ascontiguousarray(rows.T), int(self.y[number])

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": None}

    def close(self) -> None:
        """Close the files of this process; the next window opens them again."""
        if self._open is not None and self._open[0] == os.getpid():
            self._open[1].close()
        self._open = None

    def _reader(self) -> OpenSession:
        if self._open is None or self._open[0] != os.getpid():
            self._open = (os.getpid(), self._reopen(self._path))
        return self._open[1]
