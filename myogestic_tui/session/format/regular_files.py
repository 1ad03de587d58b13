"""Files that somebody else may have put there: opened without waiting, and only where they are files."""

from __future__ import annotations

import os
import stat

from ...errors import SessionDamagedError
from ...info import MOST_BYTES

MOST_READ = MOST_BYTES + MOST_BYTES // 64
"""Bytes of a file that are read into memory: the largest chunk, even where compression makes it longer."""


def open_regular(path: str | os.PathLike[str]) -> int:
    """Open a file for reading; a FIFO, a socket, a device or a folder of that name is refused, and never waited for.

    Raises
    ------
    SessionDamagedError
        It is there, and is no regular file.
    OSError
        It is not there, or cannot be opened.
    """
    # Looked at before it is opened, too: opening a device may do something.
    if stat.S_ISREG(os.stat(path).st_mode):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
    raise SessionDamagedError(f"{os.fspath(path)} is no regular file; move it out of there")


def read_regular(path: str | os.PathLike[str], limit: int = MOST_READ) -> bytes:
    """The whole content of a file; errors as `open_regular`, SessionDamagedError for one of more than `limit` bytes."""
    with open(open_regular(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise SessionDamagedError(f"{os.fspath(path)} has {size} bytes; more than {limit} are not read into memory")
        return file.read()


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file, or a link to one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
