"""The trash of a sessions folder: where sessions go instead of being deleted, and come back from.

::

    sessions/.myogestic/trash/20260517T122305.123456Z/2026-05-17_14-23-05.session.zip

Each session lies in a folder of its own, named for the time (UTC) at which it was put there, so names never meet. It is
moved within its file system in one step: a kill leaves it in the one place or in the other.
"""

from __future__ import annotations

import shutil
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...errors import DiskError, SessionError
from ..format.layout import LOCK, STATE_FOLDER, TRASH, check_usable, free_path, is_session_folder, sync_folder
from ..format.lock import lock_session
from ..format.trash_slots import STAMP, new_slot, trash_of
from ..reading.session_files import size_of

if TYPE_CHECKING:
    import os


class Trashed(NamedTuple):
    """One session in the trash."""

    path: Path
    """Where it lies now."""
    original: Path
    """Where it was, and where `restore_session` puts it."""
    trashed_at: datetime
    """UTC."""
    bytes: int


def trash_session(path: str | os.PathLike[str], *, own_lock: bool = False) -> Path:
    """Move a session folder or archive to the trash of the folder that it is in; returns where it lies then.

    Parameters
    ----------
    path
        The session.
    own_lock
        The caller holds the folder's lock.

    Raises
    ------
    FileNotFoundError
        It is not there.
    SessionLockedError
        It is being recorded, recovered or packed.
    DiskError
        The disk refused; the session is where it was.
    SessionError
        It is no session.
    """
    path = Path(path).absolute()
    check_usable(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if not (is_session_folder(path) or (path.is_file() and path.suffix == ".zip")):
        raise SessionError(f"{path} is no session; only sessions go to the trash")
    if not path.is_dir():
        return _move_to_trash(path)
    with nullcontext() if own_lock else lock_session(path, purpose="moving to the trash"):
        where = _move_to_trash(path)
        (where / LOCK).unlink(missing_ok=True)
    return where


def restore_session(path: str | os.PathLike[str]) -> Path:
    """Move a session out of the trash; returns where it is then, under another name if its own is taken.

    Parameters
    ----------
    path
        Where it lies in the trash, or where it was: then the one that was put there last.

    Raises
    ------
    FileNotFoundError
        It is not in the trash.
    DiskError
        The disk refused; the session is where it was.
    """
    path = Path(path).absolute()
    trashed = next((one for one in list_trash(_sessions_dir(path)) if path in (one.path, one.original)), None)
    if trashed is None:
        raise FileNotFoundError(f"{path} is not in the trash")
    target = free_path(trashed.original)
    _move(trashed.path, target)
    with suppress(OSError):  # a file manager may have left something of its own there
        trashed.path.parent.rmdir()
    return target


def list_trash(sessions_dir: str | os.PathLike[str]) -> list[Trashed]:
    """What lies in the trash of a sessions folder, the latest first."""
    sessions_dir = Path(sessions_dir).absolute()
    try:
        slots = list(trash_of(sessions_dir).iterdir())
    except OSError:
        slots = []
    found = []
    for slot in sorted(slots, reverse=True):
        at = _time_of(slot)
        if at is not None and slot.is_dir() and not slot.is_symlink():
            found += [Trashed(path, sessions_dir / path.name, at, size_of(path)) for path in sorted(slot.glob("[!.]*"))]
    return found


def empty_trash(sessions_dir: str | os.PathLike[str], *, before: datetime | None = None) -> int:
    """Delete for good what lies in the trash, all of it or what was put there `before` a time; returns its bytes.

    Raises
    ------
    DiskError
        The disk refused.
    """
    freed = 0
    for trashed in list_trash(sessions_dir):
        if before is not None and trashed.trashed_at >= before:
            continue
        try:
            shutil.rmtree(trashed.path.parent)
        except FileNotFoundError:
            continue  # it lay in one place with the one before
        except OSError as error:
            raise DiskError(f"cannot delete {trashed.path}: {error.strerror}") from error
        freed += trashed.bytes
    return freed


def _move_to_trash(path: Path) -> Path:
    slot = new_slot(path.parent)
    try:
        _move(path, slot / path.name)
    except DiskError:
        slot.rmdir()
        raise
    return slot / path.name


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
        sync_folder(target.parent)
        sync_folder(path.parent)
    except OSError as error:
        raise DiskError(f"cannot move {path} to {target}: {error.strerror}; nothing was changed") from error


def _sessions_dir(path: Path) -> Path:
    """The sessions folder of a session, whether it is in the trash or not."""
    trash = path.parent.parent
    in_trash = trash.name == TRASH and trash.parent.name == STATE_FOLDER
    return trash.parent.parent if in_trash else path.parent


def _time_of(slot: Path) -> datetime | None:
    try:
        return datetime.strptime(slot.name, STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
