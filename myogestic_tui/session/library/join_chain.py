"""A chain as one session: its samples, stamps, arrivals, clock offsets and labels behind one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ...errors import ConfigError, SessionDamagedError
from ..format.chain import CHAIN, SEGMENT_SOURCE
from ..format.meta import CONTINUED_BY, CONTINUES, ENDED_BY, EVENTS_FIELD
from ..format.xdf_time import SessionTime, StreamTime
from ..imported_time import ImportedTime, set_imported_time
from ..packing.work_folder import JOINING, add_archive, room_for_session
from ..reading.reader import open_session_store
from ..recording.session import Session
from .chain import chain_members, link_findings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from numpy.typing import NDArray

    from ..format.meta import Meta
    from ..format.progress import Progress
    from ..format.time_records import GapRecord
    from ..reading.reader import SessionReader
    from .chain import Member

JOINED = "joined"
"""Further field: names of the sessions that this one was joined from."""
_BLOCK = 1 << 14
_NOT_OF_THE_WHOLE = {CHAIN, CONTINUES, CONTINUED_BY, ENDED_BY, EVENTS_FIELD}


class _Estimate:
    def __init__(self, row: NDArray[np.float64]) -> None:
        self.collected_at, self.offset, self.uncertainty, self.remote_time = map(float, row)


@dataclass
class _Stream:
    """What is joined so far of one stream."""

    n_samples: int = 0
    joined_at: float | None = None
    counter: int | None = None
    collected_at: float = -np.inf
    gaps: list[GapRecord] = field(default_factory=list)
    arrivals: list[NDArray[np.float64]] = field(default_factory=list)

    def time(self) -> ImportedTime:
        rows = np.concatenate(self.arrivals) if self.arrivals else None
        return ImportedTime(StreamTime(gaps=self.gaps, joined_at=self.joined_at, counter=self.counter), rows)


def join_chain(path: Path, base_path: str | PathLike[str], progress: Progress | None = None) -> Path:
    """Make one packed session of a chain. The chain stays as it is.

    Time is continuous over the changes of session: no gap and no window's edge is there. The labels that a session
    began with only because the one before ended are left out.

    Parameters
    ----------
    path
        Any session of the chain, or a folder that holds one chain.
    base_path
        Where the session goes.
    progress
        Called with the sessions done, and those there are.

    Returns
    -------
    path
        The archive's.

    Raises
    ------
    ConfigError
        It is no chain.
    SessionDamagedError
        A session of it is missing, or not the one that was recorded.
    StreamChangedError
        A stream has another layout in a later session.
    SessionError, DiskError
        A session cannot be read, or the new one not be written.
    """
    members = chain_members(path)
    if not members:
        raise ConfigError(f"{path.name} belongs to no chain; `myogestic-tui info` tells")
    for finding in (finding for found in link_findings(members).values() for finding in found):
        if finding.kind == "damage":
            raise SessionDamagedError(f"the chain cannot be joined: {finding.text}")
    with room_for_session(Path(base_path), JOINING) as folder:
        session = Session(folder, fields=_fields(members))
        try:
            streams = _append_all(session, members, progress or _ignore)
            session.finish()
            _set_time(session, members, streams)
            folder_name = session.path.name
            return add_archive(session.pack_to_zip(), Path(base_path), folder_name, session.name)
        except BaseException:
            session.discard()
            raise


def _ignore(done: int, total: int) -> None:
    pass


def _fields(members: list[Member]) -> dict[str, Any]:
    first = members[0].meta
    own = {key: getattr(first, key) for key in ("app_name", "name", "subject", "task", "take", "class_names")}
    further = {key: value for key, value in first.extra.items() if key not in _NOT_OF_THE_WHOLE}
    return {**further, **own, JOINED: [member.folder_name for member in members]}


def _append_all(session: Session, members: list[Member], progress: Progress) -> dict[str, _Stream]:
    streams: dict[str, _Stream] = {}
    for done, member in enumerate(members):
        with open_session_store(member.path) as reader:
            for stem in reader.streams:
                name = reader.stream(stem).meta.name or stem
                _append_stream(session, name, reader, stem, streams.setdefault(name, _Stream()), first=done == 0)
            _append_told(session, reader)
        progress(done + 1, len(members))
    return streams


def _append_stream(session: Session, name: str, reader: SessionReader, stem: str, to: _Stream, *, first: bool) -> None:
    stream = reader.stream(stem)
    start = reader.meta.anchors[0].lsl if reader.meta.anchors else None
    if not session.n_samples(name) and not to.arrivals:
        to.joined_at = stream.meta.joined_at if first or stream.meta.joined_at is not None else start
        to.counter = stream.info.counter
    session.init_stream(name, stream.info)
    for gap in reader.measured(stem).gaps:
        if gap.reason and gap.kind != "tail":
            to.gaps.append(msgspec.structs.replace(gap, index=gap.index + to.n_samples))
    if stream.clock is not None:
        rows = stream.clock.rows(0, stream.clock.n_rows)
        new = rows[rows[:, 0] > to.collected_at]
        session.add_clock_estimates(name, [_Estimate(row) for row in new])
        to.collected_at = max(to.collected_at, float(rows[-1, 0])) if len(rows) else to.collected_at
    if stream.arrival is not None and stream.arrival.n_rows:
        to.arrivals.append(_later(stream.arrival.rows(0, stream.arrival.n_rows), to))
    for at in range(0, stream.n_samples, _BLOCK):
        until = min(at + _BLOCK, stream.n_samples)
        session.append(name, stream.data.rows(at, until), stream.stamps.rows(at, until))
    for channel in reader.meta.bad_channels.get(stem, ()):
        session.mark_channel(name, channel)
    to.n_samples += stream.n_samples


def _later(rows: NDArray[np.float64], to: _Stream) -> NDArray[np.float64]:
    """Arrivals of a later session, counted on; none that is said already, none before what is known."""
    rows = rows + np.array([to.n_samples, 0.0])
    if not to.arrivals:
        return rows
    last = to.arrivals[-1][-1]
    later: NDArray[np.float64] = np.maximum(rows, last)[~(rows == last).all(axis=1)]
    return later


def _append_told(session: Session, reader: SessionReader) -> None:
    for label in reader.label_track:
        if label.source == SEGMENT_SOURCE:
            continue
        session.add_label(label.class_index, label.timestamp, source=label.source, uncertainty_s=label.uncertainty_s)
        if label.bad:
            times = [one.timestamp for one in session.label_track]
            session.mark_trial(len(times) - 1 - times[::-1].index(label.timestamp))
    for note in reader.notes:
        session.add_note(note.text, note.timestamp, uncertainty_s=note.uncertainty_s)
    for event in reader.meta.events:
        session.add_event(event.kind, event.text, who=event.who, stream=event.stream, timestamp=event.timestamp)


def _set_time(session: Session, members: list[Member], streams: dict[str, _Stream]) -> None:
    first, last = members[0].meta, members[-1].meta
    anchors = [*first.anchors[:1], *last.anchors[1:]]
    duration = anchors[-1].lsl - anchors[0].lsl if len(anchors) == 2 else _sum(member.meta for member in members)
    stems = {meta.name: stem for stem, meta in session.meta.all_streams.items()}
    told = {stems[name]: stream.time() for name, stream in streams.items()}
    time = SessionTime(anchors, first.recorder, duration)
    set_imported_time(session.path, time, told, created=first.created, duration_s=duration)


def _sum(metas: Iterable[Meta]) -> float:
    return sum(meta.duration_s or 0.0 for meta in metas)
