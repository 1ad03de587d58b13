"""Taking sessions home: to a folder, a stick, a mounted share, or a URL; read back and compared by digest.

The file grows as ``NAME.part`` and gets its name only once it has been read back from where it lies and its SHA-256 is
that of the source. A copy that was cut off continues where it stopped.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from ...errors import ConfigError, DiskError, MyoGesticError, SessionDamagedError, SessionError
from ..format.layout import ARCHIVE_SUFFIX, sync_folder
from ..format.progress import Ticker
from ..reading.remote_sessions import filesystem, is_url
from .catalog import Catalog
from .catalog_entry import Copy

if TYPE_CHECKING:
    from ..format.progress import Progress

PART = ".part"
_BLOCK = 4 << 20
_APPENDING = ("sftp", "ssh", "smb", "file", "local")


class Destination(Protocol):
    """Where a copy goes."""

    where: str

    def size(self, name: str) -> int | None:
        """Bytes of a file there; None where there is none."""
        ...

    def open(self, name: str, mode: str) -> IO[bytes]:
        """Open a file there: ``rb``, ``wb`` or ``ab``."""
        ...

    def settle(self, file: Any) -> None:
        """Bring what was written to the disk, and see to it that it is read back from there."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""
        ...

    can_append: bool


class FolderDestination:
    """A folder of this machine."""

    can_append = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.where = str(folder)

    def size(self, name: str) -> int | None:
        """Bytes of a file there; None where there is none."""
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return None

    def open(self, name: str, mode: str) -> IO[bytes]:
        """Open a file there."""
        return open(self.folder / name, mode)

    def settle(self, file: Any) -> None:
        """`fsync`, and drop it from memory: what is read back comes from the disk."""
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""
        os.rename(self.folder / old, self.folder / new)
        sync_folder(self.folder)


class UrlDestination:
    """A folder behind a URL that ``fsspec`` understands (extra ``[remote]``).

    A cut-off copy continues where files can be appended to; in an object store it starts again.
    """

    def __init__(self, url: str) -> None:
        self._fs, self._root = filesystem(url)
        self.where = without_password(url).rstrip("/")
        protocols = (self._fs.protocol,) if isinstance(self._fs.protocol, str) else self._fs.protocol
        self.can_append = any(protocol in _APPENDING for protocol in protocols)
        self._fs.makedirs(self._root, exist_ok=True)

    def _place(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def size(self, name: str) -> int | None:
        """Bytes of a file there; None where there is none."""
        try:
            return int(self._fs.info(self._place(name))["size"])
        except FileNotFoundError:
            return None

    def open(self, name: str, mode: str) -> IO[bytes]:
        """Open a file there."""
        opened: IO[bytes] = self._fs.open(self._place(name), mode)
        return opened

    def settle(self, file: Any) -> None:
        """Nothing: closing the file sends the rest of it."""

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""
        self._fs.mv(self._place(old), self._place(new))


def copy_session(path: str | os.PathLike[str], destination: str, progress: Progress | None = None) -> str:
    """Copy an archive, read the copy back, compare it, and remember it in the catalog.

    Parameters
    ----------
    path
        An archive. A folder is to be packed first.
    destination
        A folder, or a URL of one.
    progress
        Called with the bytes done and the bytes in all (twice the size: written, and read back).

    Returns
    -------
    str
        Path or URL of the copy. Where the same copy is there already, it is checked again and nothing is written.

    Raises
    ------
    ConfigError
        The destination is a URL, and what it needs is not installed; or the folder that the session is in.
    SessionError
        It is no archive, or another file of that name is at the destination.
    SessionDamagedError
        The copy reads back otherwise than it was written.
    DiskError
        The destination is full, gone or refuses; what was copied stays as ``NAME.part``; the next try continues there.
    """
    path = Path(path).absolute()
    if not path.is_file() or not path.name.endswith(ARCHIVE_SUFFIX):
        raise SessionError(f"{path.name} is not packed; pack it first (`myogestic-tui pack`), then copy it")
    try:
        there = UrlDestination(destination) if is_url(destination) else FolderDestination(Path(destination))
        digest = _copy(path, there, Ticker(2 * path.stat().st_size, progress))
    except MyoGesticError:
        raise
    except Exception as error:  # every backend of fsspec has exceptions of its own
        if not isinstance(error, OSError) and not is_url(destination):
            raise
        why = getattr(error, "strerror", None) or str(error) or repr(error)
        raise DiskError(f"{path.name} was not copied to {without_password(destination)}: {why}") from error
    where = f"{there.where}/{path.name}"
    at = datetime.now().astimezone().isoformat(timespec="seconds")
    Catalog(path.parent).remember_copy(path, Copy(where=where, at=at, digest=digest))
    return where


def without_password(url: str) -> str:
    """A URL as it may be shown and kept: ``sftp://me@nas/emg``."""
    scheme, slashes, rest = url.partition("://")
    login = rest.partition("/")[0].rpartition("@")[0]
    if not login:
        return url
    return f"{scheme}{slashes}{login.partition(':')[0]}@{rest[len(login) + 1 :]}"


def _copy(path: Path, there: Destination, ticker: Ticker) -> str:
    size, part = path.stat().st_size, path.name + PART
    if isinstance(there, FolderDestination) and there.folder.samefile(path.parent):
        raise ConfigError(f"{path.name} is in {there.where} already: name another folder")
    if there.size(path.name) is not None:
        digest = file_digest(path, ticker)
        if there.size(path.name) != size or _digest_there(there, path.name, ticker) != digest:
            raise SessionError(f"{there.where} has another {path.name}: nothing was overwritten; move it away first")
        return digest
    digest = _write(path, there, part, ticker)
    if _digest_there(there, part, ticker) != digest:
        raise SessionDamagedError(
            f"the copy of {path.name} at {there.where} reads back otherwise than it was written; it is left as {part}, "
            "and the source is untouched: try another stick or share"
        )
    there.rename(part, path.name)
    return digest


def _write(path: Path, there: Destination, part: str, ticker: Ticker) -> str:
    """Write the part file, after what is there of it already; returns the digest of the whole source."""
    done = there.size(part) if there.can_append else None
    found = hashlib.sha256()
    with open(path, "rb") as source:
        kept = _kept(source, there, part, done, found, ticker) if done else 0
        if not kept:
            found = hashlib.sha256()
            source.seek(0)
        with there.open(part, "ab" if kept else "wb") as out:
            while block := source.read(_BLOCK):
                found.update(block)
                out.write(block)
                out.flush()  # what is told to be copied outlives this process
                ticker.tick(len(block))
            there.settle(out)
    return found.hexdigest()


def _kept(source: IO[bytes], there: Destination, part: str, done: int, found: Any, ticker: Ticker) -> int:
    """How much of an earlier try is the beginning of the source: all of it, or nothing."""
    with there.open(part, "rb") as earlier:
        at = 0
        while at < done:
            mine, theirs = source.read(min(_BLOCK, done - at)), earlier.read(min(_BLOCK, done - at))
            if mine != theirs or not mine:
                return 0
            found.update(mine)
            at += len(mine)
            ticker.tick(len(mine))
    return at


def _digest_there(there: Destination, name: str, ticker: Ticker) -> str:
    found = hashlib.sha256()
    with there.open(name, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            ticker.tick(len(block))
    return found.hexdigest()


def file_digest(path: Path, ticker: Ticker | None = None) -> str:
    """SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            if ticker is not None:
                ticker.tick(len(block))
    return found.hexdigest()
