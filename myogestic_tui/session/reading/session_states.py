"""The states that a session can be in, and which sessions of a folder are in which."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SessionError
from ..format.layout import ARCHIVE_SUFFIX, JOURNAL, META, STATE_FOLDER, is_folder, is_session_folder
from ..format.lock import session_holder
from ..format.meta import decode_meta
from ..format.regular_files import read_regular
from .view_folder import view_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .session_view import SessionView

WHOLE_STATES = ("finished", "recovered", "salvaged")
"""What ``meta.json`` says of a session that needs no recovery."""


def session_state(path: str | os.PathLike[str], view: SessionView | None = None) -> str:
    """State of the session at ``path``.

    Returns
    -------
    state
        ``"recording"`` or ``"packing"`` while a process is at it, ``"unfinished"`` where recovery would make a folder
        whole, ``"finished"``, ``"recovered"`` or ``"salvaged"`` for a whole folder that is not packed, ``"packed"``
        for an archive, ``"damaged"`` for an archive that cannot be read, and for a folder that was cut off and of
        which an array cannot be read.
    """
    where = Path(path)
    if not where.is_dir():
        return _archive_state(where, view)
    state = folder_state(where, view)
    if state != "unfinished":
        return state
    return "damaged" if (_unusable(where) if view is None else bool(view.unusable)) else state


def folder_state(folder: Path, view: SessionView | None = None) -> str:
    """As `session_state`, from the lock and ``meta.json`` alone: a damaged folder is ``"unfinished"``, too."""
    holder = session_holder(folder)
    if holder is not None and holder.purpose in ("recording", "packing"):
        return holder.purpose
    return state_unlocked(folder, view)


def state_unlocked(folder: Path, view: SessionView | None = None) -> str:
    """State of a folder whose lock the caller holds: ``"unfinished"`` or one of `WHOLE_STATES`."""
    if (folder / JOURNAL).is_dir():
        return "unfinished"
    state = view.meta.state if view is not None else _stored_state(folder)
    return state if state in WHOLE_STATES else "unfinished"


def _stored_state(folder: Path) -> str:
    try:
        return decode_meta(read_regular(folder / META)).state
    except (OSError, SessionError):
        return ""


def _unusable(folder: Path) -> bool:
    try:
        view = view_folder(folder)
    except SessionError:
        return False
    view.close()
    return bool(view.unusable)


def _archive_state(path: Path, view: SessionView | None) -> str:
    if view is not None:
        return "packed"
    from .view_archive import view_archive

    try:
        view_archive(path).close()
    except SessionError:
        return "damaged"
    return "packed"


def list_sessions(sessions_dir: str | os.PathLike[str]) -> list[Path]:
    """Folders and archives of sessions in ``sessions_dir``, oldest name first; empty where there is no such folder."""
    return sorted(_sessions_in(Path(sessions_dir)), key=lambda path: path.name)


def sessions_at(path: str | os.PathLike[str]) -> list[Path]:
    """The session at ``path``; or, where that is a folder of sessions, those in it, oldest name first."""
    where = Path(path)
    return sessions_within(where) if where.is_dir() and not is_session_folder(where) else [where]


def sessions_within(folder: Path) -> list[Path]:
    """Sessions in a folder of sessions; empty where it is one itself."""
    return [] if is_session_folder(folder) else list_sessions(folder)


def _sessions_in(folder: Path) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name == STATE_FOLDER:
            continue
        # What is called an archive and is none is listed, too: it is damaged, and says why.
        if is_session_folder(path) if is_folder(entry) else entry.name.endswith(ARCHIVE_SUFFIX):
            yield path


def unfinished_sessions(sessions_dir: str | os.PathLike[str]) -> list[Path]:
    """Session folders that a recorder was cut off from, that nobody holds and recovery makes whole, oldest first."""
    return [path for path in _folders(sessions_dir) if session_state(path) == "unfinished"]


def unpacked_sessions(sessions_dir: str | os.PathLike[str]) -> list[Path]:
    """Whole session folders that were not packed yet and nobody holds, oldest first."""
    return [path for path in _folders(sessions_dir) if folder_state(path) in WHOLE_STATES]


def _folders(sessions_dir: str | os.PathLike[str]) -> Iterator[Path]:
    return (path for path in list_sessions(sessions_dir) if path.is_dir())
