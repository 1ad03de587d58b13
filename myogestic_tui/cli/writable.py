"""Whether the sessions folder can be written: found out by writing, before anything is started."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from ..errors import DiskError

if TYPE_CHECKING:
    from pathlib import Path


def probe_folder(folder: Path) -> None:
    """Make the sessions folder and write a byte into it.

    Raises
    ------
    DiskError
        That did not work.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DiskError(
            f"cannot write into {folder}: {error.strerror or error}; choose another with --sessions"
        ) from error
