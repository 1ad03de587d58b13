"""The files of a session, wherever they are."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ...errors import DiskError, SessionDamagedError

if TYPE_CHECKING:
    from pathlib import Path

    from ..archive.archive import Archive


class FolderMembers:
    """The files of a session folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
            # Without waiting: a FIFO would never be opened.
            with open(os.open(self.folder / key, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise SessionDamagedError(f"{key} is no regular file; move it out of the session")
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise DiskError(f"cannot read {self.folder / key}: {error.strerror}") from error


class ArchiveMembers:
    """The members of an archive."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive

    def read(self, key: str) -> bytes | None:
        """Content of a member, checked against its CRC; None where it is absent."""
        return self.archive.read(key) if key in self.archive else None
