"""Where the recorder's socket is, whose it is, and how it is bound without taking anything from anybody."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import socket
import stat
import struct
import tempfile
from pathlib import Path
from typing import NamedTuple

from ..errors import ControlError

_PROGRAM = "myogestic_tui"
_LONGEST_PATH = 107
"""`sun_path` holds 108 bytes with its final NUL."""
_ANSWER_SECONDS = 1.0


class Peer(NamedTuple):
    """Who is at the other end of a Unix socket, as the kernel tells it."""

    pid: int
    uid: int


def peer(connection: socket.socket) -> Peer:
    """The process that connected, or (seen from a client) the one that listens: ``SO_PEERCRED``."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return Peer(pid, uid)


def is_mine(uid: int) -> bool:
    """True for this user and for root, who can do anything anyhow."""
    return uid in (os.getuid(), 0)


def socket_path(sessions_dir: Path) -> Path:
    """Where the recorder of a sessions folder listens, in a folder that only this user can enter (made here).

    Raises
    ------
    ControlError
        No private folder can be made.
    """
    digest = hashlib.blake2s(os.fsencode(sessions_dir.resolve()), digest_size=8).hexdigest()
    for folder in _runtime_folders():
        path = folder / f"{digest}.sock"
        if len(os.fsencode(path)) <= _LONGEST_PATH and _make_private(folder):
            return path
    try:
        return Path(tempfile.mkdtemp(prefix=f"{_PROGRAM}-")) / f"{digest}.sock"
    except OSError as error:
        raise ControlError(f"no private folder for a socket can be made in {tempfile.gettempdir()}: {error}") from error


def _runtime_folders() -> list[Path]:
    candidates = [Path(tempfile.gettempdir()) / f"{_PROGRAM}-{os.getuid()}"]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime) and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.getuid():
        candidates.insert(0, Path(runtime) / _PROGRAM)
    return candidates


def _make_private(folder: Path) -> bool:
    """Make the folder; False where somebody else's, a link or an open one stands in its place."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def bind(path: Path, backlog: int = 128) -> socket.socket:
    """Listen at ``path``; a socket that was left behind is replaced, nothing else ever is.

    Raises
    ------
    ControlError
        Something that is not a socket stands there, or a recorder answers there, or the folder refuses.
    """
    _clear_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        os.chmod(path, 0o600)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        raise ControlError(f"cannot listen at {path}: {error.strerror}; look at the folder's owner and mode") from error
    listener.setblocking(False)
    return listener


def _clear_stale(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ControlError(f"{path} is in the way and is not a socket; move it elsewhere")
    if answers(path):
        raise ControlError(f"a recorder answers at {path} already; attach to it, or stop it first")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def answers(path: Path) -> bool:
    """True where somebody listens at ``path`` (a full backlog counts)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_ANSWER_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except TimeoutError:
            return True
        except OSError as error:
            return error.errno == errno.EAGAIN
    return True


def is_same_socket(path: Path, identity: tuple[int, int]) -> bool:
    """True while the socket bound at ``path`` is still the one of that (device, inode)."""
    return socket_identity(path) == identity


def socket_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the socket at ``path``; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None
