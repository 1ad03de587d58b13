"""Folders in ``.myogestic`` where a new archive is put together, each for one job at a time and gone with it."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ...errors import DiskError, SessionError
from ..format.json_files import replace_file
from ..format.layout import LOCK, STATE_FOLDER, archive_name, remove_folder, sync_folder
from ..format.lock import lock_session
from ..format.regular_files import read_regular
from ..format.trash_slots import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SALVAGING = "salvaging"
EDITING = "editing"
MERGING = "merging"
JOINING = "joining"
IMPORTING = "importing"
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
        `SALVAGING`, `EDITING`, `MERGING`, `JOINING` or `IMPORTING`.
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
def room_for_session(sessions_dir: Path, kind: str, name: str = "") -> Iterator[Path]:
    """A work folder for a session that is made of others; where it was the only one, nothing of it is left.

    What is killed in it is no recording, so nobody recovers the half of it.

    Parameters
    ----------
    sessions_dir, kind, name
        See `work_folder`. Without a name, any number of jobs may go on at once.

    Raises
    ------
    SessionLockedError
        Another process works on it.
    DiskError
        The folder cannot be made.
    """
    try:
        make_folder(sessions_dir / STATE_FOLDER / kind)
    except OSError as error:
        raise DiskError(f"cannot create a session in {sessions_dir}: {error.strerror or error}") from error
    try:
        with work_folder(sessions_dir, kind, name or secrets.token_hex(6)) as folder:
            yield folder
    finally:
        for empty in (sessions_dir / STATE_FOLDER / kind, sessions_dir / STATE_FOLDER):
            with suppress(OSError):
                empty.rmdir()


def move_archive(packed: Path, target: Path) -> None:
    """Give an archive its name.

    Raises
    ------
    FileExistsError
        Something stands there already; it is not replaced.
    """
    try:
        os.link(packed, target)
    except FileExistsError:
        raise
    except OSError:  # the file system has no links: a USB stick
        if os.path.lexists(target):
            raise FileExistsError(target) from None
        packed.rename(target)
    sync_folder(target.parent)


def add_archive(packed: Path, sessions_dir: Path, folder_name: str, name: str) -> Path:
    """Move the archive of a session out of its work folder, under a name that is free; its path.

    Parameters
    ----------
    packed
        The archive.
    sessions_dir
        The sessions folder that it goes into.
    folder_name
        Name of the folder that it was packed from.
    name
        The session's own name.
    """
    number = 1
    while True:
        stem = folder_name if number == 1 else f"{folder_name}_{number}"
        target = sessions_dir / archive_name(stem, name)
        if not os.path.lexists(sessions_dir / stem):
            with suppress(FileExistsError):
                move_archive(packed, target)
                return target
        number += 1


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
    for kind in (SALVAGING, EDITING, MERGING, JOINING, IMPORTING):
        for folder in (sessions_dir / STATE_FOLDER / kind).glob(f"*{_WORK}/"):
            if folder.is_symlink():
                continue
            with suppress(OSError, SessionError), lock_session(folder, purpose="cleaning up"):
                remove_folder(folder)
