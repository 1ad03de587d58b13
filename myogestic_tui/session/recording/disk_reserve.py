"""Room on the disk: is there enough to start, and a little kept back so that a full disk can still be tidied."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ...errors import DiskError
from ..format.layout import BALLAST, remove_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ...info import StreamInfo

MIN_RESERVE = 200 * 10**6
"""Bytes that stay free at least, unless told otherwise."""

_BALLAST_SECONDS = 8.0
_BALLAST_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MIN_BALLAST = 2**18
_MAX_BALLAST = 2**28
_TEXT_NBYTES = 16


def byte_rate(infos: Iterable[StreamInfo]) -> float:
    """Bytes per second of samples and their time stamps at nominal rates, before compression."""
    return sum(
        info.fs * (info.n_channels * (_TEXT_NBYTES if info.is_string else info.np_dtype.itemsize) + 8) for info in infos
    )


def free_bytes(folder: Path) -> int:
    """Bytes that a user may still write to the folder's file system; 0 where it is gone."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def check_room(folder: Path, reserve: int) -> None:
    """Write a probe into ``folder``, for real, and see that ``reserve`` bytes are free.

    Raises
    ------
    DiskError
        It is not writable, or too full.
    """
    probe = folder / ".probe.partial"
    try:
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            if os.write(fd, bytes(4096)) != 4096:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(fd)
        finally:
            os.close(fd)
            os.unlink(probe)
    except OSError as error:
        raise DiskError(f"cannot write into {folder.parent}: {error.strerror or error}") from error
    free = free_bytes(folder)
    if free < reserve:
        raise DiskError(
            f"{folder.parent} has {free / 1e6:.0f} MB left, and {reserve / 1e6:.0f} MB stay reserved; "
            "free some space, or record into another folder"
        )


class Ballast:
    """A file that takes up a few seconds' room, and goes when the disk is full: what it leaves is enough to finish."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / BALLAST

    def fit(self, infos: Iterable[StreamInfo]) -> None:
        """Grow to what these streams need; where the disk has no room for it there is none."""
        size = int(min(_MAX_BALLAST, max(_MIN_BALLAST, _BALLAST_SECONDS * byte_rate(infos))))
        if size > free_bytes(self._path.parent) // 4:
            return
        with suppress(OSError):
            fd = os.open(self._path, _BALLAST_FLAGS, 0o666)
            try:
                os.posix_fallocate(fd, 0, size)
            finally:
                os.close(fd)

    def drop(self) -> None:
        """Give the room back."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def discard_empty(folder: Path) -> None:
    """Remove a session folder that never came to hold anything."""
    remove_folder(folder)
