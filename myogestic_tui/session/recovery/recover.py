"""Recovery: what opening an unfinished folder shows, written down.

Nothing recorded is removed, whatever recovery cannot make use of: chunks that no array says it has, damaged segments
and metadata go to the trash (``NAME-damaged``).
"""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import DiskError, SessionDamagedError, SessionError
from ..format.arrays import StoredArray
from ..format.commit import Shape, commit
from ..format.conclude import conclusion, drop_journal
from ..format.events import SessionRecord
from ..format.findings import damage
from ..format.journal import EVENTS, SUFFIX, list_segments
from ..format.layout import BALLAST, FOLDER_STAMP, JOURNAL, LABELS, META, PARTIAL, is_session_folder
from ..format.lock import lock_session
from ..format.meta import SCHEMA_VERSION, sync_folder
from ..format.zarrs import encode_chunk, write_chunk
from ..reading.measured import measure_stream
from ..reading.states import WHOLE_STATES, folder_state, state_unlocked
from ..reading.view_folder import view_folder
from .trash import new_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..format.arrays import Rows
    from ..format.meta import StreamMeta
    from ..reading.view import SessionView, StreamView

_MOST_UNSAMPLED_S = 86_400.0
"""Seconds by which a session may be longer than its longest stream, for times to be believed."""


def recover_session(path: str | os.PathLike[str], *, leave_unusable: bool = False) -> Path:
    """Make a session folder whole that its recorder was cut off from, and return its path.

    Arrays are cut to what is committed, the journal's valid frames follow, metadata is computed anew. It may be
    killed anywhere and run again; on a folder that is whole it does nothing.

    Parameters
    ----------
    path
        The session folder.
    leave_unusable
        Leave an array that cannot be read as it is and recover the others, instead of refusing: for `salvage_session`.

    Raises
    ------
    SessionLockedError
        Another process holds the folder; the message names it.
    SessionDamagedError
        An array cannot be read, and nothing else tells how many samples it has; nothing was changed.
    SessionError
        There is no session.
    DiskError
        The disk refused; what was there is still there.
    """
    folder = Path(path)
    if not is_session_folder(folder):
        raise SessionError(f"{folder} is no session folder; `myogestic-tui sessions` lists those there are")
    if folder_state(folder) in WHOLE_STATES:
        return folder
    try:
        with lock_session(folder, purpose="recovering"):
            _tidy(folder)
            if state_unlocked(folder) not in WHOLE_STATES:
                _recover(folder, leave_unusable)
    except OSError as error:
        what = (
            "make room and try again" if error.errno == errno.ENOSPC else "it stays as it is; see what is wrong there"
        )
        raise DiskError(f"{folder} cannot be recovered: {error.strerror or error}; {what}") from error
    return folder


def _tidy(folder: Path) -> None:
    """Remove what was being written when the end came, and the room that was kept back."""
    (folder / BALLAST).unlink(missing_ok=True)
    shutil.rmtree(folder / (JOURNAL + PARTIAL), ignore_errors=True)
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(PARTIAL):
                os.unlink(os.path.join(where, name))


def _recover(folder: Path, leave_unusable: bool) -> None:
    view = view_folder(folder, own_lock=True)
    aside = _Aside(folder)
    try:
        if view.unusable and not leave_unusable:
            raise SessionDamagedError(
                f"{folder.name} cannot be recovered without loss: {view.unusable[0].text}; "
                "`myogestic-tui salvage` saves what can be read and keeps the rest"
            )
        left = {finding.stream for finding in view.unusable}
        _keep_segments(folder, view, left, aside)
        was_whole = view.meta.state in WHOLE_STATES
        usable = {stem: stream for stem, stream in view.streams.items() if stem not in left}
        shapes = [shape for stream in usable.values() for shape in _write_stream(folder, stream, aside)]
        record = view.record or SessionRecord(view.meta)
        streams = {stem: stream.meta for stem, stream in view.streams.items() if stem in left}
        for stem, stream in usable.items():
            measured = measure_stream(stream.meta, stream.stamps, stream.clock, partial(_note, view, stem))
            streams[stem] = msgspec.structs.replace(measured, gaps=record.with_reasons(stem, measured.gaps))
        if not was_whole:
            _complete(view, streams)
        state = view.meta.state if was_whole else "recovered"
        files = conclusion(view.meta, view.labels, streams, state)
        _keep_broken(folder, {finding.member for finding in view.findings if finding.kind == "damage"}, aside)
        if view.record is None:
            _keep_what_is_dropped(folder, files, aside)
        commit(folder, shapes, files)
    finally:
        view.close()
    drop_journal(folder)


def _note(view: SessionView, stem: str, text: str) -> None:
    view.findings.append(damage(f"{stem}: {text}", stream=stem))


class _Aside:
    """Where what recovery cannot make use of goes: ``NAME-damaged`` in the trash, made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place: Path | None = None

    def has(self, key: str) -> bool:
        """Whether a file of that key was put there."""
        return self._place is not None and (self._place / key).exists()

    def place_for(self, key: str) -> Path:
        """Where a file of the session goes."""
        if self._place is None:
            self._place = new_place(self._folder.parent, f"{self._folder.name}-damaged")
        path = self._place / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _write_stream(folder: Path, stream: StreamView, aside: _Aside) -> Iterator[Shape]:
    for name, rows in stream.arrays().items():
        for place in (folder / name, folder / name / "c"):
            if place.exists() and not place.is_dir():
                place.rename(aside.place_for(str(place.relative_to(folder))))
        (folder / name).mkdir(exist_ok=True)
        if stream.contradicted:
            _keep_chunks(folder, name, rows, aside)
        _write_chunks(folder, name, rows)
        _move_chunks_behind(folder, name, rows, aside)
        if not isinstance(rows, StoredArray) or rows.n_rows != rows.n_published:
            yield Shape(name, rows.spec, rows.n_rows)


def _write_chunks(folder: Path, name: str, rows: Rows) -> None:
    spec = rows.spec
    if rows.n_rows > rows.n_stored:
        for number in range(rows.n_stored // spec.chunk_length, spec.n_chunks(rows.n_rows)):
            first = number * spec.chunk_length
            chunk = rows.rows(first, min(first + spec.chunk_length, rows.n_rows))
            write_chunk(folder, name, spec, number, encode_chunk(spec, chunk))


def _keep_chunks(folder: Path, name: str, rows: Rows, aside: _Aside) -> None:
    """Copies of the chunks that are going to be replaced."""
    for number in range(rows.n_stored // rows.spec.chunk_length, rows.spec.n_chunks(rows.n_rows)):
        key = f"{name}/{rows.spec.chunk_key(number)}"
        if (folder / key).is_file():
            shutil.copy2(folder / key, aside.place_for(key))


def _move_chunks_behind(folder: Path, name: str, rows: Rows, aside: _Aside) -> None:
    """Chunks that were written and never published, or that lack their partner in the other array."""
    most = rows.spec.n_chunks(rows.n_rows)
    chunks = folder / name / "c"
    for entry in os.scandir(chunks) if chunks.is_dir() else ():
        if entry.name.isdecimal() and int(entry.name) >= most:
            os.rename(entry.path, aside.place_for(f"{name}/c/{entry.name}"))


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


def _keep_segments(folder: Path, view: SessionView, left: set[str], aside: _Aside) -> None:
    """What the journal has of streams that are left as they are, frames that do not join on, and what is no journal."""
    used = {path for segments in list_segments(folder).values() for path in segments} | {folder / JOURNAL / EVENTS}
    kept = [path for stem, segments in list_segments(folder).items() if stem in left for path in segments]
    kept += [path for stream in view.streams.values() if stream.tail is not None for path in stream.tail.unused]
    kept += [path for path in (folder / JOURNAL).glob("*") if path not in used]
    for path in kept:
        place = aside.place_for(f"{JOURNAL}/{path.name}")
        shutil.copytree(path, place, symlinks=True) if path.is_dir() else shutil.copy2(
            path, place, follow_symlinks=False
        )
        sync_folder(place.parent)


def _keep_broken(folder: Path, members: set[str], aside: _Aside) -> None:
    """Keep damaged segments and metadata, before the ones go and the others are replaced."""
    broken = [f"{JOURNAL}/{member}" for member in members if member.endswith(SUFFIX)]
    broken += members & {META, LABELS}
    for key in broken:
        path = folder / key
        if path.is_dir():
            path.rename(aside.place_for(key))
        elif path.exists():
            copy = aside.place_for(key)
            shutil.copy2(path, copy)
            sync_folder(copy.parent)


def _keep_what_is_dropped(folder: Path, files: dict[str, bytes], aside: _Aside) -> None:
    """Copies of another recorder's files that say more than what replaces them."""
    for key, data in files.items():
        path = folder / key
        if path.is_file() and not aside.has(key) and not _holds(msgspec.json.decode(data), path.read_bytes()):
            shutil.copy2(path, aside.place_for(key))


def _holds(new: Any, old: bytes) -> bool:
    try:
        return _covers(new, msgspec.json.decode(old))
    except (msgspec.DecodeError, RecursionError):
        return False


def _covers(new: Any, old: Any) -> bool:
    """Whether every field of `old` is in `new`; null says nothing."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(_covers(new.get(key), value) for key, value in old.items())
    if isinstance(old, list):
        return isinstance(new, list) and len(new) == len(old) and all(map(_covers, new, old))
    return old is None or new == old
