"""Changing the metadata of a finished session: name, subject, task, take, notes, further fields.

Samples and time stamps are never touched. A new archive is written beside the old one, read back from the
disk, compared, and only then takes its place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...errors import ConfigError, DiskError, SessionDamagedError, SessionError, SessionLockedError
from ..archive.archive import Archive
from ..archive.manifest import ManifestReader
from ..format.chain import CHAIN
from ..format.json_files import replace_file
from ..format.label_edits import EDITS
from ..format.layout import MANIFEST, META, archive_name, free_path, sync_folder
from ..format.lock import lock_session
from ..format.meta import (
    BEFORE,
    CONTINUED_BY,
    CONTINUES,
    ENDED_BY,
    EVENTS_FIELD,
    IMPORTED,
    NOT_RECORDED,
    RECOVERY,
    Meta,
    Note,
    decode_meta,
    encode_meta,
)
from ..format.progress import Ticker
from ..format.regular_files import read_regular
from ..packing.pack import source_of, write_archive
from ..packing.work_folder import EDITING, replacing, work_folder
from ..reading.session_states import WHOLE_STATES, folder_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..format.progress import Progress

ReadFile = Callable[[str], bytes | None]
"""Reads a file of the session; None where there is none."""
NOTE = "note"
"""The change that adds a note."""
_TEXTS = ("name", "subject", "task")
_FIXED = frozenset(
    {
        *Meta.__struct_fields__,
        *(CHAIN, CONTINUES, CONTINUED_BY, NOT_RECORDED, BEFORE),
        *(EVENTS_FIELD, ENDED_BY, EDITS, RECOVERY, IMPORTED),
    }
    - {*_TEXTS, "take"}
)


def edit_session(path: str | os.PathLike[str], changes: Mapping[str, str], progress: Progress | None = None) -> Path:
    """Change fields of a finished session and return its path, which follows its name.

    Parameters
    ----------
    path
        An archive, or a finished folder that nobody holds.
    changes
        Text by field: ``name``, ``subject``, ``task``, ``take`` (a whole number, or nothing), ``note`` (adds one), or
        any further field of one's own; empty text clears it.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    ConfigError
        A field is not to be edited, or its value is not usable.
    SessionLockedError
        Another process is at the session.
    SessionError
        It is not finished, or damaged.
    DiskError
        No room for a second copy, or the disk refused; the session stays as it is.
    """
    _check(changes)
    return change_meta(Path(path), lambda meta: changed_meta(meta, changes), progress)


def change_meta(path: Path, change: Callable[[Meta], Meta], progress: Progress | None = None) -> Path:
    """Replace the metadata of a whole session by what ``change`` makes of it; return the session's path.

    Raises
    ------
    SessionLockedError, SessionError, DiskError
        As `edit_session`.
    """

    def files(read: ReadFile) -> dict[str, bytes]:
        return {META: encode_meta(change(decode_meta(read(META) or b"")))}

    return change_files(path, files, progress)


def change_files(path: Path, change: Callable[[ReadFile], dict[str, bytes]], progress: Progress | None = None) -> Path:
    """Replace files of a whole session by what ``change`` makes of those that it reads; return the session's path.

    In a folder they are replaced one by one, in their order; where there is none to replace, nothing is written.

    Raises
    ------
    SessionLockedError, SessionError, DiskError
        As `edit_session`.
    """
    path = path.absolute()
    try:
        if path.is_dir():
            return _edit_folder(path, change)
        return _edit_archive(path, change, progress)
    except OSError as error:
        raise DiskError(f"{path.name} was not changed: {error.strerror or error}") from error


def _check(changes: Mapping[str, str]) -> None:
    for field, text in changes.items():
        if field in _FIXED or not field:
            raise ConfigError(f"{field!r} of a session cannot be edited; name, subject, task, take and notes can")
        try:
            (field + text).encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"{field!r} is to be {text!r}, which is no text that a file can hold") from error
        if field == "take" and text and not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
            raise ConfigError(f"take is {text!r}; give a whole number from 1 on")


def _edit_folder(folder: Path, change: Callable[[ReadFile], dict[str, bytes]]) -> Path:
    if folder_state(folder) == "recording":
        raise SessionLockedError(f"{folder.name} is being recorded; stop it first")
    if folder_state(folder) not in WHOLE_STATES:
        raise SessionError(f"{folder.name} is not finished; `myogestic-tui recover` finishes one that was cut off")
    with lock_session(folder, purpose="editing"):
        for key, data in change(partial(_read, folder)).items():
            if _read(folder, key) != data:
                replace_file(folder / key, data)
    return folder


def _read(folder: Path, key: str) -> bytes | None:
    try:
        return read_regular(folder / key)
    except FileNotFoundError:
        return None


def changed_meta(meta: Meta, changes: Mapping[str, str]) -> Meta:
    """A copy with the changes, and a line in ``edits`` that says when they were made."""
    meta = msgspec.structs.replace(meta, extra=dict(meta.extra), notes=list(meta.notes))
    for field, text in changes.items():
        if field in _TEXTS:
            setattr(meta, field, text)
        elif field == "take":
            meta.take = int(text) if text else None
        elif field == NOTE:
            meta.notes.append(Note(_clock_now(meta), text))
        elif text:
            meta.extra[field] = text
        else:
            meta.extra.pop(field, None)
    edit = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "fields": sorted(changes)}
    earlier = meta.extra.get(EDITS)
    meta.extra[EDITS] = [*(earlier if isinstance(earlier, list) else []), edit]
    return meta


def _clock_now(meta: Meta) -> float:
    """Now on the clock that the session was recorded by, through its last anchor; 0 where it has none."""
    if not meta.anchors:
        return 0.0
    anchor = meta.anchors[-1]
    try:
        return anchor.lsl + (datetime.now(UTC) - datetime.fromisoformat(anchor.utc)).total_seconds()
    except (TypeError, ValueError):  # another recorder's, without a time zone or no date at all
        return 0.0


# ---------------------------------------------------------------- archives


def _edit_archive(path: Path, change: Callable[[ReadFile], dict[str, bytes]], progress: Progress | None) -> Path:
    opened = path.stat()
    size = opened.st_size
    if shutil.disk_usage(path.parent).free < 2 * size:
        raise DiskError(f"changing {path.name} needs {2 * size / 1e6:.0f} MB beside it for a while; it stays as it is")
    ticker = Ticker(3 * size, progress)
    with Archive(path) as archive:
        if MANIFEST not in archive:
            raise SessionError(f"{path.name} is no archive of ours; open it and record it again to change it")
        name = ManifestReader(archive.blocks(MANIFEST)).head.session
        with work_folder(path.parent, EDITING, name) as folder:
            if not (path.exists() and os.path.samestat(opened, path.stat())):
                raise SessionLockedError(f"{path.name} has just been changed by somebody else; look at it again")
            files = change(lambda key: archive.read(key) if key in archive else None)
            if not files:
                return path
            _unpack(archive, folder, ticker)
            for key, data in files.items():
                (folder / key).write_bytes(data)
            was, now = (decode_meta(data).name for data in (archive.read(META), files[META]))
            target = path if was == now else path.with_name(archive_name(name, now))
            new = target if target == path else free_path(target)
            with replacing(folder, path, new):
                write_archive(new, source_of(folder, name), ticker.tick)
                if new != path:
                    path.unlink()
                    sync_folder(path.parent)
    return new


def _unpack(archive: Archive, folder: Path, ticker: Ticker) -> None:
    """Every member as a file, each held against the manifest."""
    import hashlib

    digests = {line.name: line.sha256 for line in ManifestReader(archive.blocks(MANIFEST)).lines()}
    unlisted = next((key for key in archive.names() if key not in digests and key != MANIFEST), "")
    if unlisted:
        raise SessionDamagedError(
            f"{unlisted} of the archive is not listed in {MANIFEST}; `myogestic-tui verify` tells"
        )
    for key, sha256 in digests.items():
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        found = hashlib.sha256()
        with open(file, "xb") as out:
            for block in archive.blocks(key):
                found.update(block)
                out.write(block)
                ticker.tick(len(block))
        if found.hexdigest() != sha256:
            raise SessionDamagedError(f"{key} of the archive is damaged; `myogestic-tui salvage` saves the rest")
