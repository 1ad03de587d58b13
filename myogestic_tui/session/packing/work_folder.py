"""Folders in ``.myogestic`` where a new archive is put together, each for one job at a time and gone with it."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ...errors import SessionError
from ..format.json_files import replace_file
from ..format.layout import LOCK, STATE_FOLDER, remove_folder
from ..format.lock import lock_session
from ..format.regular_files import read_regular
from ..format.trash_slots import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SALVAGING = "salvaging"
EDITING = "editing"
MERGING = "merging"
_WORK = ".work"
"""Suffix of their names: what is called otherwise is somebody else's, and stays."""
_REPLACED = ".replaced"


@contextmanager
def work_folder(sessions_dir: Path, kind: str, name: str) -> Iterator[Path]:
    """An empty folder, locked; what a killed job left in it goes first.

    Parameters
    ----------
    sessions_dir
        The sessions folder that the archive will be in.
    kind
        `SALVAGING`, `EDITING` or `MERGING`.
    name
        What is worked on.

    Raises
    ------
    SessionLockedError
        Another process works on it.
    """
    folder = sessions_dir / STATE_FOLDER / kind / (name + _WORK)
    make_folder(folder)
    with lock_session(folder, purpose=kind):
        try:
            for entry in folder.iterdir():
                remove_folder(entry)
                if entry.name != LOCK and os.path.lexists(entry):
                    entry.unlink()
            yield folder
        finally:
            remove_folder(folder)


@contextmanager
def replacing(folder: Path, old: Path, new: Path) -> Iterator[None]:
    """Note that an archive is about to take the place of another one, so that a kill in between leaves one of them.

    `folder` is the work folder that `new` is made from; it gets its name when it is complete, not before. Within,
    `old` is removed after that.
    """
    note = folder.with_name(folder.name + _REPLACED)
    replace_file(note, f"{old.name}\n{new.name}".encode())
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def finish_replacing(sessions_dir: Path) -> None:
    """Remove archives whose replacement is in place, where a kill came between the two."""
    for note in (sessions_dir / STATE_FOLDER / EDITING).glob(f"*{_WORK}{_REPLACED}"):
        folder = note.with_name(note.name.removesuffix(_REPLACED))
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
        with suppress(OSError, SessionError, ValueError), lock_session(folder, purpose="cleaning up"):
            old, _, new = read_regular(note).decode().partition("\n")
            if new != old and "/" not in old and (sessions_dir / new).is_file():
                (sessions_dir / old).unlink(missing_ok=True)
            note.unlink(missing_ok=True)


def remove_work_folders(sessions_dir: Path) -> None:
    """Remove those that killed jobs left."""
    for kind in (SALVAGING, EDITING, MERGING):
        for folder in (sessions_dir / STATE_FOLDER / kind).glob(f"*{_WORK}/"):
            if folder.is_symlink():
                continue
            with suppress(OSError, SessionError), lock_session(folder, purpose="cleaning up"):
                remove_folder(folder)
