"""Packing: a finished session folder becomes one ``.session.zip``, read back from the disk before the folder goes.

At any instant there is the folder, or the checked archive, or both. The steps, each of which a kill may interrupt::

    NAME.session.zip.tmp     written (raw chunks compressed), fsynced, dropped from memory, read back, compared with
                             the folder: the same bytes, or what a raw chunk decodes to
    NAME.session.zip         renamed into place, the rename fsynced
    .myogestic/packed/NAME   where the folder is renamed to, all at once
    (gone)                   deleted there, at leisure

`interrupted_work` takes each on to the end: an archive beside its folder is compared with it and, if equal, the folder
goes; otherwise it is packed again.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ...errors import DiskError, SessionDamagedError, SessionError, SessionLockedError
from ..archive.archive import Archive
from ..archive.raw_chunks import RawChunks
from ..archive.summary_comment import comment_bytes
from ..archive.tree import list_files
from ..archive.zip_index import MAX_MEMBERS, is_safe_name
from ..format.layout import (
    ARCHIVE_SUFFIX,
    MANIFEST,
    META,
    STATE_FOLDER,
    archive_name,
    check_usable,
    free_path,
    is_session_folder,
    is_storable,
    printable,
    remove_folder,
    sync_folder,
)
from ..format.lock import lock_session, session_holder
from ..format.meta import decode_meta
from ..format.progress import Ticker
from ..format.regular_files import read_regular
from ..format.trash_slots import make_folder
from ..reading.archive_of import archives_of, packed_path
from ..reading.reader import SessionReader
from ..reading.session_states import WHOLE_STATES, state_unlocked
from ..reading.view_folder import view_folder
from ..recovery.recover import recover_session
from .chain_hash import store_previous_hash
from .zip_writer import Sealer, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..format.progress import Progress

PARKED = "packed"
"""Folder in ``.myogestic`` for session folders whose archive is in place."""

GONE = ".packed"
"""Suffix of their names there: what is called otherwise is somebody else's, and stays."""

_SPARE = 1 << 20
_PACKED_ELSEWHERE_SECONDS = 0.05


def pack_session(
    folder: str | os.PathLike[str],
    progress: Progress | None = None,
    should_pause: Callable[[], bool] | None = None,
    *,
    keep_free: int = 0,
) -> Path:
    """Pack a session folder, after recovering it if it was cut off; where it has been packed already, nothing is done.

    Parameters
    ----------
    folder
        The session folder.
    progress
        Called with the bytes done and the bytes in all (twice the folder's size: written, and read back). What it
        raises ends the packing, with the folder untouched and nothing left over.
    should_pause
        Packing waits while it returns True.
    keep_free
        Bytes of disk space that are not to be used.

    Returns
    -------
    path
        The archive.

    Raises
    ------
    FileNotFoundError
        Neither the folder nor its archive is there.
    SessionLockedError
        It is being recorded, recovered or packed by somebody else.
    DiskError
        There is no room for a second copy, or the disk refused; the folder stays as it is.
    SessionError
        It is no session.
    """
    folder = Path(folder).absolute()
    if folder.is_file() and folder.name.endswith(ARCHIVE_SUFFIX):
        raise SessionError(f"{folder.name} is packed already")
    if not folder.is_dir():
        check_usable(folder)
        return _packed_before(folder)
    if not is_session_folder(folder):
        check_usable(folder)
        raise SessionError(f"{folder} is no session folder")
    if not is_storable(folder.name):
        raise SessionError(f"{printable(folder.name)} is no name that an archive can hold; rename the folder")
    try:
        if state_unlocked(folder) not in WHOLE_STATES:
            recover_session(folder)
        with lock_session(folder, purpose="packing"):
            return _pack(folder, progress, should_pause, keep_free)
    except (OSError, DiskError) as error:
        if not folder.is_dir():
            return _packed_before(folder)
        if isinstance(error, DiskError):
            raise
        raise DiskError(f"cannot pack {folder.name}: {error.strerror or error}; it stays as a folder") from error


def pack_when_free(session: Path) -> Path:
    """As `pack_session`, after whoever packs it now; its path then. An archive stays as it is.

    Raises
    ------
    SessionLockedError
        Somebody records or edits it.
    """
    while not (session := packed_path(session) if not session.exists() else session).is_file():
        try:
            session = pack_session(session)
        except SessionLockedError:
            holder = session_holder(session)
            if holder is not None and holder.purpose != "packing":
                raise
            time.sleep(_PACKED_ELSEWHERE_SECONDS)
    return session


def _pack(folder: Path, progress: Progress | None, should_pause: Callable[[], bool] | None, keep_free: int) -> Path:
    if state_unlocked(folder) not in WHOLE_STATES:
        raise SessionError(f"{folder} was taken up again while it was to be packed; try again once it is stopped")
    store_previous_hash(folder)
    archive = next((path for path in archives_of(folder) if _holds(path, folder)), None)
    if archive is None:
        source, before = source_of(folder)._replace(compress_raw=True), _as_it_is(folder)
        _check_space(source, keep_free)
        archive = free_path(folder.with_name(archive_name(folder.name, _session_name(folder))))
        write_archive(archive, source, Ticker(2 * source.content_size, progress, should_pause).tick)
        if _as_it_is(folder) != before:
            archive.unlink()
            raise SessionError(f"{folder.name} was changed while it was being packed; it stays as it is: pack it again")
    _remove(folder)
    return archive


def _as_it_is(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a folder's files."""
    return [(file.key, file.size, (folder / file.key).stat().st_mtime_ns) for file in list_files(folder)]


def write_archive(
    path: Path, source: Source, tick: Callable[[int], None], approve: Callable[[Path], None] | None = None
) -> None:
    """Write `source` as the archive `path`, whole and checked, or not at all; `approve` may raise before it is named.

    Raises
    ------
    DiskError
        The disk does not hold what it was given.
    SessionDamagedError
        What was written could not be opened.
    SessionLockedError
        Somebody else is writing it.
    OSError
        The disk refused.
    """
    with temporary(path) as (tmp, fd):
        sealer = Sealer(fd, source, tick)
        sealer.write()
        sealer.check()
        Archive(tmp).close()
        if approve is not None:
            approve(tmp)
        tmp.rename(path)
        sync_folder(path.parent)


@contextmanager
def temporary(path: Path) -> Iterator[tuple[Path, int]]:
    """An empty file beside `path`, locked so that others see it is alive; gone again unless it was renamed."""
    tmp = path.with_name(f"{path.name}.tmp")
    fd = os.open(tmp, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SessionDamagedError(f"{tmp} is no regular file; move it out of there")
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not tmp.exists() or not os.path.samestat(os.fstat(fd), tmp.stat()):
            raise BlockingIOError  # somebody cleaned it up between the two lines above
        os.ftruncate(fd, 0)
        try:
            yield tmp, fd
        finally:
            tmp.unlink(missing_ok=True)
    except BlockingIOError as error:
        raise SessionLockedError(f"{tmp.name} is being written by another process; wait for it") from error
    finally:
        os.close(fd)


def source_of(folder: Path, name: str = "") -> Source:
    """What goes into the archive of a session folder, whose lock the caller holds.

    Parameters
    ----------
    folder
        All of it.
    name
        What the manifest is to call it, where the folder is only one to work in.

    Raises
    ------
    SessionError
        It cannot be read, or has more files than an archive may have, or one with an impossible name.
    """
    files = [file for file in list_files(folder) if file.key != MANIFEST]
    for file in files:
        if not is_safe_name(os.fsencode(file.key)) or os.fsencode(file.key) != file.key.encode("utf-8", "replace"):
            raise SessionError(f"{folder}: {file.key!r} is no name that an archive can hold; rename that file")
    if len(files) >= MAX_MEMBERS:
        raise SessionError(f"{folder} has {len(files)} files, more than an archive may have; it stays as a folder")
    with SessionReader(view_folder(folder, own_lock=True), "finished") as session:
        summary = session.summary()
        samples = {stem: session.n_samples(stem) for stem in session.streams}
    return Source(folder, files, samples, comment_bytes(replace(summary, state="packed")), name or folder.name)


def _check_space(source: Source, keep_free: int) -> None:
    room = os.statvfs(source.folder.parent)
    free, needed = room.f_bavail * room.f_frsize, source.archive_size + _SPARE + keep_free
    if free < needed:
        raise DiskError(
            f"packing {source.folder.name} needs {needed / 1e6:.0f} MB beside it, and {free / 1e6:.0f} MB are free; "
            "it stays as a folder until there is room"
        )


def _packed_before(folder: Path) -> Path:
    archives = archives_of(folder) if folder.parent.is_dir() else []
    if not archives:
        raise FileNotFoundError(f"{folder} does not exist, nor does an archive of it")
    return archives[0]


def _holds(path: Path, folder: Path) -> bool:
    """Whether an archive holds every file of a folder, to the bit: it was packed, and the folder was to go."""
    files = [file.key for file in list_files(folder) if file.key != MANIFEST]
    chunks = RawChunks(lambda key: read_regular(folder / key))
    try:
        with Archive(path) as archive:
            return [*archive.names()] == [*files, MANIFEST] and all(
                chunks.holds(key, archive.read(key), read_regular(folder / key)) for key in files
            )
    except SessionDamagedError:
        return False


def _session_name(folder: Path) -> str:
    try:
        return decode_meta(read_regular(folder / META)).name
    except (FileNotFoundError, SessionDamagedError):
        return ""


def _remove(folder: Path) -> None:
    """Take the folder away in one step, then delete it; what a kill leaves lies where nobody looks for sessions."""
    for parking in (PARKED, f"{PARKED}-{os.geteuid()}"):  # the first may be another user's
        parked_in = folder.parent / STATE_FOLDER / parking
        make_folder(parked_in)
        parked = free_path(parked_in / (folder.name + GONE))
        try:
            folder.rename(parked)
            break
        except PermissionError:
            if parking != PARKED:
                raise
    sync_folder(folder.parent)
    remove_folder(parked)  # what is left of it goes at the next start
