"""New files of a session in their places, whatever somebody else put there meanwhile.

Nothing is written through a link, and no FIFO is waited for. What stands in the way goes to the trash, as
``NAME-damaged``, and the recorder continues.
"""

from __future__ import annotations

import logging
import os
import stat
from typing import TYPE_CHECKING

from .layout import PARTIAL, free_path, sync_folder
from .places import new_place

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

_NEW = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def new_file(path: Path, flags: int = os.O_WRONLY) -> int:
    """Open a file that is not there yet; what is called ``*.partial`` and is no folder is a leftover, and goes.

    Raises
    ------
    OSError
        The disk refused, or something else is there.
    """
    try:
        return os.open(path, _NEW | flags, 0o666)
    except FileExistsError:
        if not path.name.endswith(PARTIAL) or stat.S_ISDIR(os.lstat(path).st_mode):
            raise
        os.unlink(path)
        return os.open(path, _NEW | flags, 0o666)


def new_file_of(session: Path, key: str, flags: int = os.O_WRONLY) -> int:
    """`new_file` within a session folder; what stands in its way is set aside."""
    make_folders(session, key)
    try:
        return new_file(session / key, flags)
    except FileExistsError:
        set_aside(session, key)
        return new_file(session / key, flags)


def make_folders(session: Path, key: str) -> None:
    """Make the folders in which something of a session stands; OSError where the disk refuses."""
    for end in (at for at, character in enumerate(key) if character == "/"):
        folder = session / key[:end]
        kind = _kind(folder)
        if kind not in (0, stat.S_IFDIR):
            set_aside(session, key[:end])
        if kind != stat.S_IFDIR:
            folder.mkdir()


def write_partial(session: Path, key: str, data: bytes) -> None:
    """Write a whole file beside the place of ``key``, not yet synced; nothing of it stays where the disk refuses."""
    write_all(new_file_of(session, key + PARTIAL), session / (key + PARTIAL), data)


def write_all(fd: int, path: Path, data: bytes, *, sync: bool = False) -> None:
    """Write and close a new file; where the disk refuses (OSError), remove it."""
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        if sync:
            os.fsync(fd)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(fd)


def publish(session: Path, key: str) -> None:
    """Let what `write_partial` wrote take its place; OSError where the disk refuses."""
    if _kind(session / key) not in (0, stat.S_IFREG):
        set_aside(session, key)
    os.replace(session / (key + PARTIAL), session / key)


def place(session: Path, key: str, data: bytes, *, sync: bool = False) -> None:
    """Replace a file atomically, where wanted with a sync of its name, too; OSError where the disk refuses.

    What replaces an older state is synced before it does.
    """
    partial = session / (key + PARTIAL)
    synced = sync or _kind(session / key) != 0
    write_all(new_file_of(session, key + PARTIAL), partial, data, sync=synced)
    publish(session, key)
    if sync:
        sync_folder(partial.parent)


def set_aside(session: Path, key: str) -> None:
    """Move whatever stands at ``key`` to the trash; OSError or DiskError where the disk refuses."""
    path = free_path(new_place(session.parent, f"{session.name}-damaged") / key.replace("/", "_"))
    (session / key).rename(path)
    _log.warning("%s was in the way of %s: it is set aside as %s", key, session.name, path)


def _kind(path: Path) -> int:
    """What something is, as `stat` tells it; 0 where there is nothing."""
    try:
        return stat.S_IFMT(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return 0
