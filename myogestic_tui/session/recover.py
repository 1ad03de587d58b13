"""Recovery: what opening an unfinished folder shows, written down. And the states that a session can be in."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..errors import DiskError, SessionError
from .arrays import StoredArray
from .commit import Shape, commit
from .conclude import conclusion, drop_journal
from .events import SessionRecord
from .journal import SUFFIX
from .layout import (
    ARCHIVE_SUFFIX,
    BALLAST,
    FOLDER_STAMP,
    JOURNAL,
    LABELS,
    META,
    PARTIAL,
    STATE_FOLDER,
    TRASH,
    is_session_folder,
)
from .lock import lock_session, session_holder
from .measure import measure_stream
from .meta import SCHEMA_VERSION, decode_meta, sync_folder
from .view_folder import view_folder
from .zarrs import encode_chunk, write_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arrays import Rows
    from .meta import StreamMeta
    from .view import SessionView, StreamView

WHOLE_STATES = ("finished", "recovered", "salvaged")
"""What ``meta.json`` says of a session that needs no recovery."""

_MOST_UNSAMPLED_S = 86_400.0
"""Seconds by which a session may be longer than its longest stream, for times to be believed."""


def session_state(path: str | os.PathLike[str], view: SessionView | None = None) -> str:
    """State of the session at ``path``.

    Returns
    -------
    state
        ``"recording"`` or ``"packing"`` while a process is at it, ``"unfinished"`` where recovery would make a folder
        whole, ``"finished"``, ``"recovered"`` or ``"salvaged"`` for a whole folder that is not packed, ``"packed"``
        for an archive, ``"damaged"`` for an archive that cannot be read.
    """
    where = Path(path)
    if not where.is_dir():
        return _archive_state(where, view)
    holder = session_holder(where)
    if holder is not None and holder.purpose in ("recording", "packing"):
        return holder.purpose
    if (where / JOURNAL).exists():
        return "unfinished"
    state = view.meta.state if view is not None else _stored_state(where)
    return state if state in WHOLE_STATES else "unfinished"


def _archive_state(path: Path, view: SessionView | None) -> str:
    if view is not None:
        return "packed"
    from .view_archive import view_archive

    try:
        view_archive(path).close()
    except SessionError:
        return "damaged"
    return "packed"


def _stored_state(folder: Path) -> str:
    try:
        return decode_meta((folder / META).read_bytes()).state
    except (OSError, SessionError):
        return ""


def list_sessions(sessions_dir: str | os.PathLike[str]) -> list[Path]:
    """Folders and archives of sessions in ``sessions_dir``, oldest name first; empty where there is no such folder."""
    return sorted(_sessions_in(Path(sessions_dir)), key=lambda path: path.name)


def _sessions_in(folder: Path) -> Iterator[Path]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name == STATE_FOLDER:
            continue
        if entry.name.endswith(ARCHIVE_SUFFIX) or (entry.is_dir() and is_session_folder(path)):
            yield path


def unfinished_sessions(sessions_dir: str | os.PathLike[str]) -> list[Path]:
    """Session folders that a recorder was cut off from and nobody holds, oldest first."""
    return _folders_in_state(sessions_dir, {"unfinished"})


def unpacked_sessions(sessions_dir: str | os.PathLike[str]) -> list[Path]:
    """Whole session folders that were not packed yet and nobody holds, oldest first."""
    return _folders_in_state(sessions_dir, set(WHOLE_STATES))


def _folders_in_state(sessions_dir: str | os.PathLike[str], states: set[str]) -> list[Path]:
    return [path for path in list_sessions(sessions_dir) if path.is_dir() and session_state(path) in states]


def recover_session(path: str | os.PathLike[str]) -> Path:
    """Make a session folder whole that its recorder was cut off from, and return its path.

    Arrays are cut to what is committed, the journal's valid frames follow, metadata is computed anew. It may be
    killed anywhere and run again; on a folder that is whole it does nothing. What cannot be made use of stays:
    damaged segments and metadata go to the trash folder.

    Raises
    ------
    SessionLockedError
        Another process holds the folder; the message names it.
    SessionError
        There is no session.
    DiskError
        The disk refused; what was there is still there.
    """
    folder = Path(path)
    if not is_session_folder(folder):
        raise SessionError(f"{folder} is no session folder; `myogestic-tui sessions` lists those there are")
    if session_state(folder) in WHOLE_STATES:
        return folder
    try:
        with lock_session(folder, purpose="recovering"):
            _tidy(folder)
            if session_state_unlocked(folder) not in WHOLE_STATES:
                _recover(folder)
    except OSError as error:
        raise DiskError(f"{folder} cannot be recovered: {error.strerror or error}; make room and try again") from error
    return folder


def session_state_unlocked(folder: Path) -> str:
    """State of a folder whose lock the caller holds."""
    return "unfinished" if (folder / JOURNAL).exists() else _stored_state(folder)


def _tidy(folder: Path) -> None:
    """Remove what was being written when the end came, and the room that was kept back."""
    (folder / BALLAST).unlink(missing_ok=True)
    shutil.rmtree(folder / (JOURNAL + PARTIAL), ignore_errors=True)
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(PARTIAL):
                os.unlink(os.path.join(where, name))


def _recover(folder: Path) -> None:
    view = view_folder(folder, own_lock=True)
    try:
        was_whole = view.meta.state in WHOLE_STATES
        shapes = [shape for stream in view.streams.values() for shape in _write_stream(folder, stream)]
        record = view.record or SessionRecord(view.meta)
        streams = {}
        for stem, stream in view.streams.items():
            measured = measure_stream(stream.meta, stream.stamps)
            streams[stem] = msgspec.structs.replace(measured, gaps=record.with_reasons(stem, measured.gaps))
        if not was_whole:
            _complete(view, streams)
        state = view.meta.state if was_whole else "recovered"
        _keep_broken(folder, {finding.member for finding in view.findings if finding.kind == "damage"})
        commit(folder, shapes, conclusion(view.meta, view.labels, streams, state))
    finally:
        view.close()
    drop_journal(folder)


def _write_stream(folder: Path, stream: StreamView) -> Iterator[Shape]:
    for name, rows in stream.arrays().items():
        (folder / name).mkdir(exist_ok=True)
        _write_chunks(folder, name, rows)
        _remove_chunks_behind(folder / name, rows)
        if not isinstance(rows, StoredArray) or rows.n_rows != rows.n_published:
            yield Shape(name, rows.spec, rows.n_rows)


def _write_chunks(folder: Path, name: str, rows: Rows) -> None:
    spec = rows.spec
    if rows.n_rows > rows.n_stored:
        for number in range(rows.n_stored // spec.chunk_length, spec.n_chunks(rows.n_rows)):
            first = number * spec.chunk_length
            chunk = rows.rows(first, min(first + spec.chunk_length, rows.n_rows))
            write_chunk(folder, name, spec, number, encode_chunk(spec, chunk))


def _remove_chunks_behind(array: Path, rows: Rows) -> None:
    """Chunks that were written and never published: what is valid of them was in the journal."""
    most = rows.spec.n_chunks(rows.n_rows)
    for entry in os.scandir(array / "c") if (array / "c").is_dir() else ():
        if entry.name.isdigit() and int(entry.name) >= most:
            shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)


def _complete(view: SessionView, streams: dict[str, StreamMeta]) -> None:
    """Fill in what a recorder enters at the end, and say what was found."""
    meta = view.meta
    if view.record is not None and meta.schema_version is None:
        meta.schema_version = SCHEMA_VERSION
    meta.created = meta.created or _created(view.path)
    meta.duration_s = _duration(view, streams)
    findings = [msgspec.to_builtins(finding) for finding in view.findings]
    meta.extra = {**meta.extra, "recovery": {"at": datetime.now(UTC).isoformat(), "findings": findings}}


def _created(folder: Path) -> str:
    try:
        at = datetime.strptime(folder.name[:19], FOLDER_STAMP)
    except ValueError:
        at = datetime.fromtimestamp(folder.stat().st_mtime)
    return at.astimezone().isoformat(timespec="seconds")


def _duration(view: SessionView, streams: dict[str, StreamMeta]) -> float:
    """Until the last thing that is known to have happened; what came between that and the end nobody knows."""
    sampled = max(
        (stream.n_samples / stream.info.fs for stream in view.streams.values() if stream.info.fs), default=0.0
    )
    if not view.meta.anchors:
        return sampled
    start = view.meta.anchors[0].lsl
    ends = [label.timestamp for label in view.labels] + [note.timestamp for note in view.meta.notes]
    for stem, stream in streams.items():
        clock = view.streams[stem].clock
        offset = float(clock.rows(clock.n_rows - 1, clock.n_rows)[0, 1]) if clock is not None and clock.n_rows else 0.0
        ends.append((stream.last_timestamp or 0.0) + offset)
    # A source whose clock was never compared may be years away from the recorder's.
    seconds = [end - start for end in ends if 0 <= end - start <= sampled + _MOST_UNSAMPLED_S]
    return max([*seconds, 0.0]) or sampled


def _keep_broken(folder: Path, members: set[str]) -> None:
    """Damaged segments and metadata go to the trash folder: they may hold what could not be made use of."""
    broken = [folder / JOURNAL / member for member in members if member.endswith(SUFFIX)]
    broken += [folder / member for member in members & {META, LABELS}]
    broken = [path for path in broken if path.exists()]
    if not broken:
        return
    trash = folder.parent / STATE_FOLDER / TRASH
    trash.mkdir(parents=True, exist_ok=True)
    aside = trash / f"{folder.name}-damaged-{datetime.now():%Y%m%d%H%M%S%f}"
    aside.mkdir()
    for path in broken:
        shutil.copy2(path, aside / path.name)
    sync_folder(aside)
