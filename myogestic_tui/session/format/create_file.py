"""New files of a session in their places, whatever somebody else put there meanwhile.

Nothing is written through a link, and no FIFO is waited for. What stands in the way goes to the trash, as
``NAME-damaged``, and the recorder continues. Whoever records the session is informed (`on_set_aside`).
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from typing import TYPE_CHECKING

from .layout import PARTIAL, free_path, printable, sync_folder
from .trash_slots import new_place

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_log = logging.getLogger(__name__)

_listeners: dict[Path, Callable[[str], object]] = {}
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
    """Make the folders in which something of a session stands, and enter them; OSError where the disk refuses."""
    for end in (at for at, character in enumerate(key) if character == "/"):
        folder = session / key[:end]
        mode = _mode(folder)
        if mode and not stat.S_ISDIR(mode):
            set_aside(session, key[:end])
        if not stat.S_ISDIR(mode):
            folder.mkdir()
        elif mode & stat.S_IRWXU != stat.S_IRWXU:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)


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
    mode = _mode(session / key)
    if mode and not stat.S_ISREG(mode):
        set_aside(session, key)
    os.replace(session / (key + PARTIAL), session / key)


def place(session: Path, key: str, data: bytes, *, sync: bool = False) -> None:
    """Replace a file atomically, where wanted with a sync of its name, too; OSError where the disk refuses.

    What replaces an older state is synced before it does.
    """
    partial = session / (key + PARTIAL)
    make_folders(session, key)
    synced = sync or _mode(session / key) != 0
    write_all(new_file_of(session, key + PARTIAL), partial, data, sync=synced)
    publish(session, key)
    if sync:
        sync_folder(partial.parent)


def on_set_aside(session: Path, tell: Callable[[str], object] | None) -> None:
    """Have ``tell`` called with the words for whatever is set aside in a session's folder; None ends that.

    It is called in the thread that met the thing, which may hold locks: it must not wait for anything.
    """
    if tell is None:
        _listeners.pop(session, None)
    else:
        _listeners[session] = tell


def set_aside(session: Path, key: str) -> None:
    """Move whatever stands at ``key`` to the trash; OSError or DiskError where the disk refuses."""
    path = free_path(new_place(session.parent, f"{session.name}-damaged") / key.replace("/", "_"))
    _move(session / key, path)
    words = f"{printable(key)} was in the way; it is set aside as {printable(str(path.relative_to(session.parent)))}"
    _log.warning("%s: %s", session, words)
    if tell := _listeners.get(session):
        tell(words)


def _move(path: Path, to: Path) -> None:
    """Rename; a folder of ours that nobody may enter takes leave to be moved, and has its mode again after it."""
    try:
        path.rename(to)
    except PermissionError:
        mode = os.lstat(path).st_mode
        if not stat.S_ISDIR(mode):
            raise
        path.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)
        path.rename(to)
        to.chmod(stat.S_IMODE(mode))


def _mode(path: Path) -> int:
    """What something is, as `stat` tells it; 0 where there is nothing."""
    try:
        return os.lstat(path).st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return 0
