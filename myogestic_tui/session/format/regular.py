"""Files that somebody else may have put there: opened without waiting, and only where they are files."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ...errors import SessionDamagedError

if TYPE_CHECKING:
    from pathlib import Path


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


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """The whole content of a file; errors as `open_regular`."""
    with open(open_regular(path), "rb") as file:
        return file.read()


def is_regular(path: Path) -> bool:
    """Whether there is a regular file, or a link to one."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
