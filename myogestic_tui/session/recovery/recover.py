"""Recovery: what opening an unfinished folder shows, written down.

Nothing recorded is removed, whatever recovery cannot make use of: chunks that no array says it has, damaged segments
and metadata go to the trash (``NAME-damaged``).
"""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...errors import DiskError, SessionDamagedError, SessionError
from ..format.arrays import OverviewArray, StoredArray
from ..format.commit import Shape, commit
from ..format.consolidated import consolidate
from ..format.events import SessionRecord
from ..format.finalize import conclusion, drop_journal
from ..format.findings import damage, observation
from ..format.layout import (
    BALLAST,
    FOLDER_STAMP,
    JOURNAL,
    LABELS,
    META,
    PARTIAL,
    check_usable,
    is_session_folder,
    remove_folder,
)
from ..format.lock import lock_session
from ..format.meta import RECOVERY, SCHEMA_VERSION
from ..format.zarr_format import encode_chunk, write_chunk
from ..reading.session_states import WHOLE_STATES, folder_state, state_unlocked
from ..reading.timelines import Timelines
from ..reading.view_folder import view_folder
from .foreign_files import misplaced_in
from .quarantine import Aside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..format.arrays import Rows
    from ..format.findings import Finding
    from ..format.meta import StreamMeta
    from ..reading.session_view import SessionView, StreamView

_MOST_UNSAMPLED_S = 86_400.0
"""Seconds by which a session may be longer than its longest stream, for times to be believed."""


def recover_session(path: str | os.PathLike[str], *, leave_unusable: bool = False) -> Path:
    """Make a session folder whole that its recorder was cut off from, and return its path.

    Arrays are cut to what is committed, the journal's valid frames follow, metadata is computed again. It may be
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
        An array cannot be read, and nothing else tells how many samples it has, or a part of the session is a link to
        elsewhere; nothing was changed.
    SessionError
        There is no session.
    DiskError
        The disk refused; what was there is still there.
    """
    folder = Path(path)
    if not is_session_folder(folder):
        check_usable(folder)
        raise SessionError(f"{folder} is no session folder; `myogestic-tui sessions` lists those there are")
    try:
        if folder_state(folder) in WHOLE_STATES and not misplaced_in(folder):
            return folder
        with lock_session(folder, purpose="recovering"):
            aside = Aside(folder)
            cleared = _clear(folder, aside, leave_unusable)
            _tidy(folder)
            if state_unlocked(folder) not in WHOLE_STATES:
                _recover(folder, aside, cleared, leave_unusable)
    except OSError as error:
        what = (
            "free some space and try again" if error.errno == errno.ENOSPC else "see what is wrong there, and try again"
        )
        where = f" ({error.filename})" if error.filename else ""
        raise DiskError(f"{folder} cannot be recovered: {error.strerror or error}{where}; {what}") from error
    return folder


def _clear(folder: Path, aside: Aside, leave_unusable: bool) -> list[Finding]:
    """Set aside what is in the way, whatever it is, and tell; links to data of the session are left to a person."""
    found = misplaced_in(folder)
    link = next((one for one in found if one.leads), None)
    if link is not None and not leave_unusable:
        raise SessionDamagedError(
            f"{folder.name} cannot be recovered without loss: {link.key} is {link.what}; put that itself in its place, "
            "or let `myogestic-tui salvage` save the rest"
        )
    for one in found:
        aside.move(one.key)
    return [(damage if one.is_loss else observation)(one.text, member=one.key) for one in found]


def _tidy(folder: Path) -> None:
    """Remove what was being written when the end came, and the room that was kept back."""
    (folder / BALLAST).unlink(missing_ok=True)
    remove_folder(folder / (JOURNAL + PARTIAL))
    for array in folder.glob("*.zarr"):
        for where, _, names in os.walk(array):
            for name in names:
                if name.endswith(PARTIAL):
                    os.unlink(os.path.join(where, name))
    for name in (META, LABELS):
        (folder / (name + PARTIAL)).unlink(missing_ok=True)


def _recover(folder: Path, aside: Aside, cleared: list[Finding], leave_unusable: bool) -> None:
    view = view_folder(folder, own_lock=True)
    view.findings += cleared
    try:
        if view.unusable and not leave_unusable:
            raise SessionDamagedError(
                f"{folder.name} cannot be recovered without loss: {view.unusable[0].text}; "
                "`myogestic-tui salvage` saves what can be read and keeps the rest"
            )
        left = {finding.stream for finding in view.unusable}
        aside.copy_segments(view, left)
        was_whole = view.meta.state in WHOLE_STATES
        usable = {stem: stream for stem, stream in view.streams.items() if stem not in left}
        shapes = [shape for stream in usable.values() for shape in _write_stream(view, stream, aside)]
        record = view.record or SessionRecord(view.meta)
        streams = {stem: stream.meta for stem, stream in view.streams.items() if stem in left}
        timelines = Timelines(view.meta, usable, partial(_note, view))
        for stem in usable:
            measured = timelines.measured(stem)
            streams[stem] = msgspec.structs.replace(measured, gaps=record.with_reasons(stem, measured.gaps))
        if not was_whole:
            _complete(view, streams)
        state = view.meta.state if was_whole else "recovered"
        files = conclusion(view.meta, view.labels, streams, state)
        aside.take_broken({finding.member for finding in view.findings if finding.kind == "damage"})
        if view.record is None:
            aside.copy_what_says_more(files)
        commit(folder, shapes, files)
        consolidate(folder)
    finally:
        view.close()
    drop_journal(folder)


def _note(view: SessionView, stem: str, text: str) -> None:
    view.findings.append(damage(f"{stem}: {text}", stream=stem))


def _write_stream(view: SessionView, stream: StreamView, aside: Aside) -> Iterator[Shape]:
    folder = view.path
    for name, rows in stream.arrays().items():
        if rows is stream.overview:
            _make_again(rows)
        elif rows is not stream.stamps:  # those are read when they are measured
            _check_stored(stream, name, rows, partial(_note, view, stream.stem))
        n_chunks = rows.spec.n_chunks(rows.n_rows)
        if stream.contradicted:
            aside.copy_chunks(name, rows.spec, range(rows.n_stored // rows.spec.chunk_length, n_chunks))
        _write_chunks(folder, name, rows, partial(_note, view, stream.stem))
        aside.move_chunks_from(name, n_chunks)
        if not isinstance(rows, StoredArray) or rows.n_rows != rows.n_published:
            yield Shape(name, rows.spec, rows.n_rows)


def _make_again(overview: Rows) -> None:
    """Have the rows of an overview computed from where what is stored of them cannot be read."""
    assert isinstance(overview, OverviewArray), "the overview of a folder"
    overview.drop_unreadable()


def _check_stored(stream: StreamView, name: str, rows: Rows, note: Callable[[str], None]) -> None:
    """Say which of the samples that count cannot be read, so that a session is never called whole that is not."""
    length, lost = rows.spec.chunk_length, list[tuple[int, int, str]]()
    for first in range(0, rows.n_stored, length):
        stop = min(first + length, rows.n_stored)
        try:
            rows.rows(first, stop)
        except SessionError as error:
            before = lost.pop() if lost and lost[-1][1] == first else (first, stop, str(error))
            lost.append((before[0], stop, before[2]))
    for first, stop, reason in lost:
        what = f"samples {first} to {stop - 1}" if rows is stream.data else f"rows {first} to {stop - 1} of {name}"
        note(f"{what} cannot be read: {reason}")


def _write_chunks(folder: Path, name: str, rows: Rows, note: Callable[[str], None]) -> None:
    """Chunks from the journal; one that continues from a stored part which cannot be read stays as it is."""
    spec = rows.spec
    if rows.n_rows > rows.n_stored:
        for number in range(rows.n_stored // spec.chunk_length, spec.n_chunks(rows.n_rows)):
            first = number * spec.chunk_length
            try:
                chunk = rows.rows(first, min(first + spec.chunk_length, rows.n_rows))
            except SessionError as error:
                note(str(error))
                continue
            write_chunk(folder, name, spec, number, encode_chunk(spec, chunk))


def _complete(view: SessionView, streams: dict[str, StreamMeta]) -> None:
    """Fill in what a recorder enters at the end, and say what was found."""
    meta = view.meta
    if view.record is not None and meta.schema_version is None:
        meta.schema_version = SCHEMA_VERSION
    meta.created = meta.created or _created(view.path)
    stopped = view.record.stopped if view.record is not None else None
    if stopped is not None and meta.anchors:
        meta.anchors, meta.duration_s = [meta.anchors[0], stopped], stopped.lsl - meta.anchors[0].lsl
    else:
        meta.duration_s = _duration(view, streams)
    findings = [msgspec.to_builtins(finding) for finding in view.findings]
    meta.extra = {**meta.extra, RECOVERY: {"at": datetime.now(UTC).isoformat(), "findings": findings}}


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
    ends += [stream.time.last_at for stream in streams.values() if stream.time is not None and stream.time.last_at]
    # A source whose clock was never compared may be years away from the recorder's.
    seconds = [end - start for end in ends if 0 <= end - start <= sampled + _MOST_UNSAMPLED_S]
    return max([*seconds, 0.0]) or sampled
