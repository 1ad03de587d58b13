"""The files of a session, in a folder or in an archive, in the one order in which they are packed and checked."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...errors import DiskError, SessionDamagedError
from ..format.layout import BALLAST, LABELS, LOCK, META, PARTIAL
from ..format.regular_files import open_regular, read_regular
from ..format.zarr_format import MAX_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_MEMBER = MAX_CHUNK + MAX_CHUNK // 64
"""Bytes of a file that are read into memory: the largest chunk, even where compression makes it longer."""

BLOCK = 1 << 20
"""Bytes that are read at once where a file is not read whole."""

_FIRST = re.compile(r"_(timestamps|clock)\.zarr/")


class File(NamedTuple):
    """One file of a session folder: its key (path with ``/`` below the folder) and its size in bytes."""

    key: str
    size: int


def canonical_order(key: str) -> tuple[int, str, int, str]:
    """Sort key of the order in an archive; each array's chunks come by number.

    Metadata, labels, time stamps and clocks come first, then the samples of all streams, second by second: so an
    archive that was cut short still has what belongs to the samples that are left in it.
    """
    if key in (META, LABELS):
        return 0, "", int(key == LABELS), ""
    array, _, rest = key.partition("/c/")
    digits = rest.split("/", 1)[0]
    number = int(digits) if digits.isdecimal() and digits.isascii() and len(digits) < 20 else -1
    return (1, array.partition("/")[0], number, key) if _FIRST.search(key) else (2, "", number, key)


def list_files(folder: Path) -> list[File]:
    """Every file of a session folder, in canonical order, but its lock, the room it keeps, and half-written ones.

    Raises
    ------
    SessionDamagedError
        Something in it is neither a file nor a folder.
    DiskError
        It cannot be read.
    """
    try:
        files = [file for file in _walk(folder, "") if file.key not in (LOCK, BALLAST)]
    except OSError as error:
        raise DiskError(f"{folder} cannot be read: {error.strerror}") from error
    return sorted(files, key=lambda file: canonical_order(file.key))


def _walk(folder: Path, prefix: str) -> Iterator[File]:
    with os.scandir(folder) as entries:
        for entry in entries:
            key = prefix + entry.name
            if entry.name.endswith(PARTIAL):
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                yield from _walk(folder / entry.name, key + "/")
            elif stat.S_ISREG(status.st_mode):
                yield File(key, status.st_size)
            else:
                raise SessionDamagedError(
                    f"{folder / entry.name} is neither a file nor a folder; move it out of there, "
                    "or let `myogestic-tui recover` set it aside"
                )


class Tree(Protocol):
    """The files of a session: a `FolderTree`, or an `archive.Archive`."""

    path: Path

    def __len__(self) -> int:
        """How many there are."""

    def __contains__(self, key: str) -> bool:
        """Whether there is a file of that key."""

    def names(self) -> Iterable[str]:
        """The keys of all files."""

    def size(self, key: str) -> int:
        """Size of a file in bytes; KeyError where there is none."""

    def read(self, key: str, limit: int = ...) -> bytes:
        """A whole file; KeyError where there is none, the package's errors where it cannot be read."""

    def blocks(self, key: str) -> Iterator[bytes]:
        """A file, a piece at a time."""

    def close(self) -> None:
        """Let go of what is held open."""


class FolderTree:
    """The files of a session folder, as `archive.Archive` shows those of an archive."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self._sizes = {file.key: file.size for file in list_files(folder)}

    def __len__(self) -> int:
        return len(self._sizes)

    def __contains__(self, key: str) -> bool:
        return key in self._sizes

    def names(self) -> Iterable[str]:
        """Their keys, in canonical order."""
        return self._sizes.keys()

    def size(self, key: str) -> int:
        """Size of a file in bytes."""
        return self._sizes[key]

    def read(self, key: str, limit: int = MAX_MEMBER) -> bytes:
        """A whole file.

        Raises
        ------
        KeyError
            There is no such file.
        SessionDamagedError
            It has more than `limit` bytes.
        DiskError
            The disk refused.
        """
        if self._sizes[key] > limit:
            raise SessionDamagedError(f"{key} has {self._sizes[key]} bytes; more than {limit} are not read into memory")
        try:
            return read_regular(self.path / key)
        except OSError as error:
            raise DiskError(f"{self.path / key} cannot be read: {error.strerror}") from error

    def blocks(self, key: str) -> Iterator[bytes]:
        """A file, a piece at a time."""
        try:
            with open(open_regular(self.path / key), "rb") as file:
                while block := file.read(BLOCK):
                    yield block
        except OSError as error:
            raise DiskError(f"{self.path / key} cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Nothing is held open."""
