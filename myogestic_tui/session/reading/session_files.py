"""The files of a session, wherever they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import DiskError
from ..archive.archive import Archive
from ..format.regular_files import read_regular
from .archive_of import archives_of

if TYPE_CHECKING:
    from pathlib import Path


class FolderMembers:
    """The files of a session folder; those of its archive once that has taken the folder's place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._archive: Archive | None = None

    def read(self, key: str) -> bytes | None:
        """Content of a file; None where it is absent.

        Raises
        ------
        SessionDamagedError
            It is no file.
        DiskError
            The disk refused.
        """
        try:
            return read_regular(self.folder / key)
        except (FileNotFoundError, NotADirectoryError):
            return self._packed(key)
        except OSError as error:
            raise DiskError(f"cannot read {self.folder / key}: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the archive, if there was need of it."""
        if self._archive is not None:
            self._archive.close()

    def _packed(self, key: str) -> bytes | None:
        """From the archive that was packed, meanwhile, from this very folder: the same content."""
        if self._archive is None and not self.folder.exists() and self.folder.parent.is_dir():
            self._archive = next((Archive(path) for path in archives_of(self.folder)), None)
        return self._archive.read(key) if self._archive is not None and key in self._archive else None


class ArchiveMembers:
    """The members of an archive."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.concurrent = getattr(archive, "concurrent", False)
        """Whether several threads may read at once: not through every library for URLs."""

    def read(self, key: str) -> bytes | None:
        """Content of a member, checked against its CRC; None where it is absent."""
        return self.archive.read(key) if key in self.archive else None

    def close(self) -> None:
        """Nothing: the archive is closed by whoever opened it."""


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue  # a recorder or packer is at work
    return total
