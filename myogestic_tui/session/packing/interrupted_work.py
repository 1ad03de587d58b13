"""What killed packs, salvages, edits and recorders leave in a sessions folder, and how each is taken on to its end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SessionLockedError
from ..format.layout import ARCHIVE_SUFFIX, STATE_FOLDER, has_archive, remove_folder
from ..format.regular_files import is_regular
from ..reading.session_states import unpacked_sessions
from .pack import GONE, PARKED, pack_session, temporary
from .work_folder import finish_replacing, remove_work_folders

if TYPE_CHECKING:
    import os

    from ..format.progress import Progress


def clean_up(sessions_dir: str | os.PathLike[str]) -> None:
    """Remove what killed jobs left: half-written archives that nobody writes any more, folders already packed."""
    sessions_dir = Path(sessions_dir)
    remove_parked(sessions_dir)
    finish_replacing(sessions_dir)
    remove_work_folders(sessions_dir)
    for tmp in sessions_dir.glob(f"*{ARCHIVE_SUFFIX}.tmp"):
        if not is_regular(tmp) or tmp.is_symlink():
            continue
        with suppress(OSError, SessionLockedError), temporary(tmp.with_name(tmp.name.removesuffix(".tmp"))):
            pass


def remove_parked(sessions_dir: Path) -> None:
    """Remove folders whose archive is in place; what else lies where they are parked is somebody else's."""
    for parking in (sessions_dir / STATE_FOLDER).glob(f"{PARKED}*/"):
        for parked in parking.iterdir():
            packed = parked.name.endswith(GONE) or has_archive(sessions_dir / parked.name)
            if packed:
                remove_folder(parked)
        with suppress(OSError):
            parking.rmdir()


def finish_interrupted(sessions_dir: str | os.PathLike[str], progress: Progress | None = None) -> list[Path]:
    """Clean up after killed packs, and pack every finished folder; returns the archives.

    Raises
    ------
    SessionError
        Of the first folder that could not be packed, after all have been tried. A locked one is left to its holder.
    """
    clean_up(sessions_dir)
    archives: list[Path] = []
    failures: list[Exception] = []
    for folder in unpacked_sessions(sessions_dir):
        try:
            archives.append(pack_session(folder, progress))
        except SessionLockedError:
            continue
        except Exception as error:  # whatever is wrong with one must not keep the others from being packed
            failures.append(error)
    if failures:
        raise failures[0]
    return archives
