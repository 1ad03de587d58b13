"""Where in the trash of a sessions folder something is put: each time in a folder of its own, named for the time."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...errors import DiskError
from .layout import STATE_FOLDER, TRASH, free_path, make_folders, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

STAMP = "%Y%m%dT%H%M%S.%fZ"


def trash_of(sessions_dir: Path) -> Path:
    """The trash of a sessions folder, which may not be there yet."""
    return sessions_dir / STATE_FOLDER / TRASH


def make_folder(path: Path) -> None:
    """Make a folder in the state folder of a sessions folder; what stands in its way gets another name.

    Raises
    ------
    OSError
        The disk refused.
    """
    for part in (*reversed(path.parents), path):
        is_ours = STATE_FOLDER in (part.name, *part.parent.parts)
        if is_ours and os.path.lexists(part) and (part.is_symlink() or not part.is_dir()):
            part.rename(free_path(part))  # a link, too: it may lead to where nobody meant us to write
    make_folders(path)


def new_slot(sessions_dir: Path) -> Path:
    """A new folder in the trash, named for this moment, on the disk when this returns.

    Raises
    ------
    DiskError
        The disk refused.
    """
    trash = trash_of(sessions_dir)
    try:
        make_folders(trash)
        while True:
            slot = trash / datetime.now(UTC).strftime(STAMP)
            with suppress(FileExistsError):
                slot.mkdir()
                sync_folder(trash)
                return slot
    except OSError as error:
        raise DiskError(f"cannot use the trash {trash}: {error.strerror}") from error


def new_place(sessions_dir: Path, name: str) -> Path:
    """An empty folder `name` in the trash, for what is to be kept of a session whose folder stays.

    Raises
    ------
    OSError, DiskError
        The disk refused.
    """
    make_folder(trash_of(sessions_dir))
    place = new_slot(sessions_dir) / name
    make_folders(place)
    return place
