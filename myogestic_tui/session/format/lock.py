"""Who holds a folder: `flock` on a file that names its holder. A dead holder's lock is free at once.

The kernel lets go of a lock with the process, so a stale file never blocks; its content only tells others.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from ...errors import DiskError, SessionDamagedError, SessionLockedError
from ...msgspec_types import prepared
from .account import user_name
from .create_file import set_aside
from .layout import LOCK, STATE_FOLDER, is_session_folder
from .regular_files import is_regular, open_regular, read_regular
from .trash_slots import make_folder

if TYPE_CHECKING:
    from typing import Self

RECORDER_LOCK = "recorder.lock"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW

_MOST_SAID = 1 << 16
_PATIENCE = 0.3
"""Seconds during which a held lock is tried again: `holder` takes it for an instant to see whether it is free."""


class Holder(Struct, frozen=True):
    """Who holds a lock."""

    pid: int = 0
    name: str = ""
    """The program."""
    purpose: str = ""
    """``recording``, ``recovering``, ``packing``, …"""
    socket: str = ""
    """Where the recorder answers (only in a sessions folder's lock)."""

    @property
    def user(self) -> str:
        """Login name of whoever runs it; empty where the system does not tell."""
        try:
            return user_name(os.stat(f"/proc/{self.pid}").st_uid)
        except OSError:
            return ""

    def __str__(self) -> str:
        of = f" of {self.user}" if self.user and self.user != user_name() else ""
        return f"{self.name or 'another process'}{of} (pid {self.pid or 'unknown'})"


class FileLock:
    """An exclusive lock on ``path`` for as long as it is held; use it as a context manager, or `release` it.

    Parameters
    ----------
    path
        The lock file; created, and removed on release.
    purpose
        What the holder does, in a word that fits "is … by": ``recording``.
    socket
        Where the holder answers, if anywhere.
    subject
        What messages call the locked thing.

    Raises
    ------
    SessionLockedError
        Another holder, named with its pid.
    DiskError
        The file cannot be made.
    """

    def __init__(self, path: Path, *, purpose: str, socket: str = "", subject: str = "") -> None:
        self.path = path
        self._fd = self._take(subject or str(path.parent))
        self._folder = os.stat(path.parent)
        self._keeping = threading.Lock()
        self._purpose = purpose
        try:
            self.announce(socket)
        except OSError as error:
            self.release()
            raise DiskError(f"cannot lock {path.parent}: {error.strerror}") from error

    def announce(self, socket: str) -> None:
        """Write down who holds the lock, and where it answers."""
        self._socket = socket
        name = Path(sys.argv[0] or sys.executable).name or "python"
        content = msgspec.json.encode(Holder(os.getpid(), name, self._purpose, socket))
        try:
            os.pwrite(self._fd, content, 0)
            os.ftruncate(self._fd, len(content))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise  # on a full disk the lock holds without a name: what makes room again needs it, too

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _take(self, subject: str) -> int:
        deadline = time.monotonic() + _PATIENCE
        while True:
            fd = self._try()
            if fd is not None:
                return fd
            if time.monotonic() > deadline:
                by = _read(self.path) or Holder()
                raise SessionLockedError(f"{subject} is held for {by.purpose or 'use'} by {by}; stop that one first")
            time.sleep(0.02)

    def _try(self) -> int | None:
        try:
            if os.path.lexists(self.path) and (self.path.is_symlink() or not is_regular(self.path)):
                with suppress(FileNotFoundError):  # nobody can hold that, and what a link leads to is somebody else's
                    set_aside(self.path.parent, self.path.name)
            fd = os.open(self.path, _FLAGS, 0o666)
        except PermissionError as error:
            return self._try_of_another_user(error)
        except OSError as error:
            raise DiskError(f"cannot lock {self.path.parent}: {error.strerror}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        if _is_same_file(fd, self.path):
            return fd
        os.close(fd)  # the former holder removed the file between our open and our lock
        return None

    def _try_of_another_user(self, refusal: PermissionError) -> int | None:
        """Where another user's lock file cannot be written: None while it is held; one that is left over goes.

        One of our own that its mode keeps us from is opened to us.
        """
        if _keeps_its_owner_out(self.path):
            self.path.chmod(0o600)
            return self._try()
        holder = _holder(self.path)
        if holder is None and os.access(self.path, os.R_OK):
            with suppress(PermissionError):
                self.path.unlink(missing_ok=True)
                return self._try()
        if holder is None:
            raise DiskError(f"cannot lock {self.path.parent}: {_owned(self.path, refusal)}") from refusal
        return None

    def keep(self, *, remake: bool = False) -> None:
        """See that it still keeps others out; where its file was removed, make it again.

        Parameters
        ----------
        remake
            Make the folder that it is in, too.

        Raises
        ------
        DiskError
            The folder was moved or removed, or somebody else has locked it meanwhile.
        """
        with self._keeping:
            if self._fd < 0 or _is_same_file(self._fd, self.path):
                return
            if remake:
                _make_folder(self.path.parent)
            elif not _is_folder(self._folder, self.path.parent):
                raise DiskError(f"{self.path.parent} was moved or deleted while it was in use, or its disk is gone")
            try:
                former, self._fd = self._fd, self._take(str(self.path.parent))
            except SessionLockedError as error:
                raise DiskError(f"{self.path} was removed while it was in use, and {error}") from error
            os.close(former)
            self.announce(self._socket)

    def release(self) -> None:
        """Remove the file and let go; may be called twice."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        with suppress(OSError):  # a disk that is gone takes no name back
            if _is_same_file(fd, self.path):
                self.path.unlink(missing_ok=True)
        with suppress(OSError):
            os.close(fd)


def _owned(path: Path, refusal: OSError) -> str:
    """What the system said, and whose file or folder it is."""
    try:
        found = os.stat(path if path.exists() else path.parent)
    except OSError:
        return refusal.strerror or str(refusal)
    owner = user_name(found.st_uid)
    return f"{refusal.strerror}; it belongs to {owner}: share it by a group (chmod g+ws, umask 002), or ask {owner}"


def _keeps_its_owner_out(path: Path) -> bool:
    """Whether it is a file of this user's that he may not read or write."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    allowed = status.st_mode & (stat.S_IRUSR | stat.S_IWUSR)
    return status.st_uid == os.geteuid() and allowed != stat.S_IRUSR | stat.S_IWUSR


def _is_same_file(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except OSError:
        return False


def _is_folder(known: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(known, os.stat(path))
    except OSError:
        return False


def _read(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(read_regular(path, _MOST_SAID), type=prepared(Holder))
    except (OSError, SessionDamagedError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def lock_session(folder: Path, *, purpose: str) -> FileLock:
    """Take a session folder for oneself; see `FileLock`."""
    return FileLock(folder / LOCK, purpose=purpose, subject=str(folder))


def lock_sessions_folder(sessions_dir: Path, *, socket: str = "") -> FileLock:
    """Become the one recorder of a sessions folder; see `FileLock`."""
    state = sessions_dir / STATE_FOLDER
    try:
        str(sessions_dir).encode()
    except UnicodeEncodeError as error:
        raise DiskError(f"the path {str(sessions_dir)!a} is not UTF-8; rename the folder") from error
    if is_session_folder(sessions_dir):
        raise DiskError(f"{sessions_dir} is a session itself; give the folder that it is in")
    _make_folder(state, parents=True)
    return FileLock(
        state / RECORDER_LOCK, purpose="recording", socket=socket, subject=f"sessions folder {sessions_dir}"
    )


def keep_sessions_folder(lock: FileLock) -> None:
    """See that viewers still find the recorder, whatever was removed; without the sessions folder there is nothing."""
    with suppress(DiskError):
        lock.keep(remake=True)


def _make_folder(path: Path, *, parents: bool = False) -> None:
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        os.stat(path.parent)
        make_folder(path)
    except OSError as error:
        raise DiskError(f"cannot write into {path.parent}: {error.strerror}") from error


def session_holder(folder: Path) -> Holder | None:
    """Who holds a session folder now; None where nobody does. Writes nothing."""
    return _holder(folder / LOCK)


def recorder_of(sessions_dir: Path) -> Holder | None:
    """The recorder that runs on a sessions folder now; None where none does. Writes nothing."""
    return _holder(sessions_dir / STATE_FOLDER / RECORDER_LOCK)


def _holder(path: Path) -> Holder | None:
    try:
        fd = open_regular(path)
    except (OSError, SessionDamagedError):
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        if (told := _read(path)) is not None:
            return told
        return Holder() if _is_same_file(fd, path) else _holder(path)  # it was let go while we looked
    except OSError:
        return None
    finally:
        os.close(fd)
    return None
