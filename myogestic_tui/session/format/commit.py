"""The shape is the commit: chunks are written, the disk is synced, and only then do the arrays say they have them."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, NamedTuple

from .create_file import publish, write_partial
from .layout import ZARR_JSON
from .zarr_format import ArraySpec, array_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


_libc = ctypes.CDLL(None, use_errno=True)


class Shape(NamedTuple):
    """How many rows an array is about to have."""

    name: str
    spec: ArraySpec
    n_rows: int


def sync_disk(folder: Path) -> None:
    """Bring everything on the folder's file system to the disk: one `syncfs` for any number of files.

    Raises
    ------
    OSError
        The disk failed.
    """
    if not hasattr(_libc, "syncfs"):
        os.sync()
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(fd) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
    finally:
        os.close(fd)


def commit(folder: Path, shapes: Iterable[Shape], files: dict[str, bytes] | None = None) -> None:
    """Publish arrays whose chunks are written, and replace further files after them, in their order.

    The new ``zarr.json`` stand beside the old ones before the one sync that brings them and the chunks to the disk;
    then they take their places. When this returns, the new state is what a power cut leaves.

    Raises
    ------
    OSError
        The disk refused; each array has its old state or its new one.
    """
    new = {f"{shape.name}/{ZARR_JSON}": array_json(shape.spec, shape.n_rows, shape.name) for shape in shapes}
    new |= files or {}
    for key, data in new.items():
        write_partial(folder, key, data)
    sync_disk(folder)
    for key in new:
        publish(folder, key)
    sync_disk(folder)
