"""Names on disk: session folders, the arrays in them, archives, and what is safe to call a file.

::

    sessions/
    ├── .myogestic/                 recorder.lock, catalog, trash
    ├── 2026-05-17_14-23-05/        while recording, until packed
    │   ├── emg.zarr/  emg_timestamps.zarr/  emg_clock.zarr/  emg_overview.zarr/  emg_arrival.zarr/
    │   ├── meta.json  labels.json
    │   ├── journal/                until finished
    │   └── .lock
    └── 2026-05-17_14-23-05_fists.session.zip
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from ...errors import DiskError, SessionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

ARCHIVE_SUFFIX = ".session.zip"
META = "meta.json"
LABELS = "labels.json"
ORIGINAL_LABELS = "labels.original.json"
"""The labels as they were recorded, from the first edit on."""
MANIFEST = "manifest.json"
JOURNAL = "journal"
LOCK = ".lock"
UNPAIRED = "unpaired"
"""Folder of a salvaged session for chunks whose partner is lost."""
BALLAST = ".ballast"
"""Room kept back while recording; see `disk_reserve.Ballast`."""
ZARR_JSON = "zarr.json"
PARTIAL = ".partial"
"""Suffix of files that are being written; a stray one is left over from a kill and may go."""

STATE_FOLDER = ".myogestic"
TRASH = "trash"
DERIVED = ("_timestamps", "_clock", "_overview", "_arrival")
"""What follows a stem in the names of the arrays that belong to its data array."""

FOLDER_STAMP = "%Y-%m-%d_%H-%M-%S"
"""How a session folder is named, after local time."""

_NOT_SAFE = re.compile(r"[^A-Za-z0-9_-]+")
_MAX_STEM = 80
_NO_STEM = re.compile(r"[/\\\x00-\x1f]|^\.")
_MOST_LONELY = 1 << 24
_MOST_STEM = 200
_OF_A_SESSION = (META, LABELS, ORIGINAL_LABELS, MANIFEST, JOURNAL, LOCK, BALLAST, UNPAIRED)
"""A folder of such a name is in the way of a session's own; it makes no folder of sessions of it."""
"""Characters of a stem that another recorder chose."""


def printable(name: str) -> str:
    """A name from the disk as text: bytes in it that are not UTF-8 are spelt out."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return name.encode("utf-8", "backslashreplace").decode()


def is_storable(path: str) -> bool:
    """Whether a path is text that JSON, the catalog and the control protocol can hold: UTF-8, without a NUL."""
    return "\0" not in path and printable(path) == path


def safe_name(name: str, *, fallback: str = "stream") -> str:
    """``name`` with everything but ASCII letters, digits, ``-`` and ``_`` replaced by ``_``."""
    safe = _NOT_SAFE.sub("_", name).strip("_")[:_MAX_STEM]
    return safe or fallback


def is_stem(name: str) -> bool:
    """Whether arrays can be called after ``name`` without leaving the session's folder; ours are safe names."""
    return bool(name) and len(name) <= _MOST_STEM and not _NO_STEM.search(name)


def choose_stem(name: str, taken: Iterable[str]) -> str:
    """File stem for a stream called ``name``, none of whose arrays meets those of the stems ``taken``.

    Letter case does not tell files apart: the folder may be copied to a disk that ignores it.
    """
    used = {array.casefold() for stem in taken for array in _array_stems(stem)}
    base = safe_name(name)
    stem, number = base, 1
    while used.intersection(array.casefold() for array in _array_stems(stem)):
        number += 1
        stem = f"{base}_{number}"
    return stem


def _array_stems(stem: str) -> tuple[str, ...]:
    return (stem, *(stem + suffix for suffix in DERIVED))


def array_name(stem: str, derived: str = "") -> str:
    """Folder name of an array: ``emg.zarr``, or ``emg_timestamps.zarr`` for ``derived="_timestamps"``."""
    return f"{stem}{derived}.zarr"


def stems_among(names: Collection[str]) -> list[str]:
    """Stems whose data and time stamp arrays both stand among ``names`` (of folder entries), sorted."""
    arrays = {name.removesuffix(".zarr") for name in names if name.endswith(".zarr")}
    return sorted(stem for stem in arrays if f"{stem}_timestamps" in arrays)


def is_session_folder(path: Path) -> bool:
    """True for a folder that holds a session, ours or the seed layout's, however little of it.

    A folder that holds sessions is none, whatever else somebody has put into it, and neither is one that cannot be
    read.
    """
    try:
        entries = _entries_of(path)
        return _holds_a_session(path, entries) and not _holds_sessions(path, entries)
    except OSError:
        return False


def check_usable(path: Path) -> None:
    """Say what is wrong with what can be no session, as far as `is_session_folder` does not tell.

    Raises
    ------
    DiskError
        It cannot be looked into now.
    SessionError
        It is a link to nothing, or neither a file nor a folder.
    """
    try:
        if path.is_dir():
            os.scandir(path).close()
        elif not stat.S_ISREG(os.stat(path).st_mode):
            raise SessionError(f"{path} is no regular file; move it out of there")
    except FileNotFoundError as error:
        if path.is_symlink():
            raise SessionError(f"{path} is a link to {os.readlink(path)}, which is not there; remove it") from error
    except OSError as error:
        raise DiskError(f"{path} cannot be read: {error.strerror}") from error


def _entries_of(path: Path) -> dict[str, bool]:
    """Names in a folder, and whether each is a folder."""
    found = {}
    for entry in os.scandir(path):
        found[entry.name] = is_folder(entry)
    return found


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is one, too; a link that leads round in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _has_journal(path: Path, entries: dict[str, bool]) -> bool:
    return entries.get(JOURNAL, False) and any(name.endswith(".journal") for name in os.listdir(path / JOURNAL))


def _has_arrays(entries: dict[str, bool]) -> bool:
    return bool(stems_among([name for name, is_folder in entries.items() if is_folder]))


def _holds_a_session(path: Path, entries: dict[str, bool]) -> bool:
    if _has_arrays(entries) or _has_journal(path, entries):
        return True
    if META not in entries:
        return False
    return LABELS in entries or JOURNAL in entries or _describes_a_session(path / META)


def _describes_a_session(meta: Path) -> bool:
    """Whether a ``meta.json`` that stands alone is one of a session: it says which streams there were, if any."""
    try:
        said = msgspec.json.decode(meta.read_bytes()) if meta.is_file() and meta.stat().st_size < _MOST_LONELY else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("streams"), dict)


def _holds_sessions(path: Path, entries: dict[str, bool]) -> bool:
    if entries.get(STATE_FOLDER) or any(name.endswith(ARCHIVE_SUFFIX) and not d for name, d in entries.items()):
        return True
    for name, is_folder in entries.items():
        if not is_folder or name.endswith((".zarr", PARTIAL)) or name in _OF_A_SESSION:
            continue
        if not (path / name).is_symlink():
            inner = _entries_of(path / name)
            if _has_journal(path / name, inner) or (META in inner and _has_arrays(inner)):
                return True
    return False


def archive_name(folder_name: str, name: str = "") -> str:
    """``<timestamp>.session.zip``, or ``<timestamp>_<slug>.session.zip`` for a session with a name."""
    slug = safe_name(name, fallback="") if name else ""
    return f"{folder_name}_{slug}{ARCHIVE_SUFFIX}" if slug else f"{folder_name}{ARCHIVE_SUFFIX}"


def free_path(path: Path) -> Path:
    """`path`, or where something stands there already, the same with a number behind its stem."""
    suffix = ARCHIVE_SUFFIX if path.name.endswith(ARCHIVE_SUFFIX) else ""
    stem, number, free = path.name.removesuffix(suffix), 1, path
    while os.path.lexists(free):
        number += 1
        free = path.with_name(f"{stem}-{number}{suffix}")
    return free


def create_session_folder(base_path: Path, at: datetime | None = None) -> Path:
    """Make a new session folder in ``base_path``, named after local time to the second.

    A second one in the same second gets ``_2``, a third ``_3``; a name whose archive exists is taken too.

    Raises
    ------
    DiskError
        The folder cannot be created.
    """
    stamp = (at or datetime.now()).strftime(FOLDER_STAMP)
    number = 1
    try:
        make_folders(base_path)
        while True:
            folder = base_path / (stamp if number == 1 else f"{stamp}_{number}")
            if _make_exclusively(folder):
                sync_folder(base_path)
                return folder
            number += 1
    except OSError as error:
        raise DiskError(f"cannot create a session folder in {base_path}: {error.strerror or error}") from error


def make_folders(path: Path) -> None:
    """Make a folder and those that it is in; their names are on the disk when this returns.

    Raises
    ------
    OSError
        The disk refused, or something else stands there.
    """
    new = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for one in new:
        sync_folder(one.parent)


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to the disk; OSError where it refuses."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def remove_folder(path: Path) -> None:
    """Remove a folder with what is in it, as far as the disk lets; what is no folder, or a link, stays.

    `shutil.rmtree` opens whatever it is given, and a FIFO for ever.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def _make_exclusively(folder: Path) -> bool:
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    # Looked for after mkdir: packing renames the archive into place before it removes the folder.
    if has_archive(folder):
        folder.rmdir()
        return False
    return True


def has_archive(folder: Path) -> bool:
    """True where an archive of the session in ``folder`` stands beside it, whatever its slug."""
    plain, named = folder.name + ARCHIVE_SUFFIX, folder.name + "_"
    return any(
        entry.name == plain or (entry.name.startswith(named) and entry.name.endswith(ARCHIVE_SUFFIX))
        for entry in folder.parent.iterdir()
    )
