"""A `WindowsDataset` in turn, for PyTorch; imported by those who have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils.data import IterableDataset, get_worker_info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .dataset import WindowsDataset


class IterableWindows(IterableDataset):  # type: ignore[misc]
    """Windows and their classes, each once over all workers of a loader.

    Parameters
    ----------
    windows
        Where they come from.
    """

    def __init__(self, windows: WindowsDataset) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], int]]:
        worker = get_worker_info()
        return iter(self._windows) if worker is None else self._windows.shard(worker.id, worker.num_workers)
