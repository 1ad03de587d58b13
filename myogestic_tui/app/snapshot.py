"""Builds a `Status` from what the parts know; no disk is touched, no stream waited for."""

from __future__ import annotations

import math
import os
import socket
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ..clock import local_clock
from ..clock.local import clock_id
from ..config import GESTURE_KEYS
from ..montage import picture, placed_labels
from ..session.format.chain import chain_link
from ..session.format.seconds_before import before_s
from ..session.reading.label_counts import Tally, tally
from ..version import __version__
from . import interface as r
from .envelope_views import label_status
from .live_time_remarks import remarks
from .problems import find_problems
from .streams import RUN_KEY, SEEN_KEY, stream_state

if TYPE_CHECKING:
    from ..info import StreamInfo
    from ..montage import ChannelGrid, Places
    from ..session.format.meta import Meta
    from ..session.recording.progress import SessionSnapshot, StreamProgress
    from ..sources.discovery import Seen
    from ..stream import Stream
    from .parts import Parts

_NEWEST_LABELS = 200
_NEWEST_NOTES = 20
_NEWEST_EVENTS = 50


def build_status(parts: Parts) -> r.Status:
    """One snapshot of the whole app."""
    now = local_clock()
    recording = parts.recordings.running is not None
    snapshot = parts.recordings.session.snapshot() if parts.recordings.session is not None else None
    count = _count(parts, now, snapshot)
    streams = tuple(_stream_rows(parts, snapshot))
    session = _session(parts, now, count, snapshot, streams)
    return r.Status(
        at=now,
        state="recording" if recording else "idle",
        stopping=parts.recordings.state == "stopping",
        stopped=parts.recorder.stopped,
        take_exists=not recording and parts.takes.exists(),
        message=parts.message.text,
        host=socket.gethostname(),
        app_name=parts.name,
        version=__version__,
        pid=os.getpid(),
        sessions_dir=str(parts.sessions_dir),
        clock=_clock(),
        label_source=parts.label_outlet.source_id,
        current_label=parts.labels.current,
        gestures=_gestures(parts, count),
        session=session,
        take=parts.takes.sheet,
        streams=streams,
        problems=find_problems(parts, session, streams, now),
        disk=parts.disk.status,
        protocol=parts.protocols.status(),
        protocols=parts.protocols.names,
        jobs=parts.jobs.statuses(),
        jobs_waiting=parts.jobs.n_waiting,
        unfinished=parts.jobs.unfinished,
        generator=parts.generators.running,
        viewers=parts.viewers,
    )


_clock = lru_cache(clock_id)


def _count(parts: Parts, now: float, snapshot: SessionSnapshot | None) -> Tally:
    session = parts.recordings.session
    if session is None or snapshot is None:
        return Tally()
    until = now if parts.recordings.running is not None else parts.recordings.started_at + snapshot.elapsed_s
    return tally(list(session.label_track), parts.recordings.started_at, until)


def _gestures(parts: Parts, count: Tally) -> tuple[r.GestureStatus, ...]:
    keys = parts.labels.keys or GESTURE_KEYS
    rows = []
    for index, name in enumerate(parts.labels.class_names):
        of_class = count.classes.get(index)
        row = r.GestureStatus(name=name, key=keys[index] if index < len(keys) else "")
        if of_class is not None:
            row = msgspec.structs.replace(row, trials=of_class.trials, seconds=of_class.seconds, bad=of_class.bad)
        rows.append(row)
    return tuple(rows)


def _total(snapshot: SessionSnapshot, streams: tuple[r.StreamStatus, ...], field: str) -> int:
    """Of all streams of the session: as health has it of those that are recorded, which is a few seconds ahead."""
    live: dict[str, int] = {row.name: getattr(row, field) for row in streams if row.recording}
    return sum(live.get(name, getattr(stream, field)) for name, stream in snapshot.streams.items())


def _session(
    parts: Parts, now: float, count: Tally, snapshot: SessionSnapshot | None, streams: tuple[r.StreamStatus, ...]
) -> r.SessionStatus | None:
    session = parts.recordings.session
    if session is None or snapshot is None:
        return None
    track, meta = list(session.label_track), session.meta
    link = chain_link(meta)
    return r.SessionStatus(
        path=str(session.path),
        id=parts.recordings.id,
        name=session.name,
        subject=meta.subject,
        task=meta.task,
        take=meta.take,
        expected=parts.recordings.expected,
        events=_events(meta),
        ended_by=meta.ended_by,
        started_at=parts.recordings.started_at,
        segment=link.segment if link is not None else 0,
        before_s=before_s(meta),
        elapsed_s=now - parts.recordings.started_at if parts.recordings.running is not None else snapshot.elapsed_s,
        bytes=snapshot.bytes,
        n_labels=len(track),
        label_seconds=count.active_s,
        unlabelled_s=count.unlabelled_s,
        labels=tuple(label_status(label) for label in track[-_NEWEST_LABELS:]),
        notes=tuple(
            r.NoteStatus(timestamp=note.timestamp, text=note.text, uncertainty_s=note.uncertainty_s)
            for note in session.notes[-_NEWEST_NOTES:]
        ),
        gaps=_total(snapshot, streams, "gaps"),
        lost_samples=_total(snapshot, streams, "lost_samples"),
        backlog_s=snapshot.backlog_s,
        unsynced_s=snapshot.unsynced_s,
    )


def _events(meta: Meta) -> tuple[r.EventStatus, ...]:
    return tuple(
        r.EventStatus(timestamp=one.timestamp, kind=one.kind, text=one.text, who=one.who, stream=one.stream)
        for one in meta.newest_events(_NEWEST_EVENTS)
    )


# ---------------------------------------------------------------- streams


def _stream_rows(parts: Parts, snapshot: SessionSnapshot | None) -> list[r.StreamStatus]:
    recorded = snapshot.streams if snapshot is not None else {}
    rows = [
        _connected(parts, stream, recorded.get(stream.name) if _is_recorded(parts, stream) else None)
        for stream in parts.streams.streams.values()
    ]
    return rows + [_seen(one) for one in parts.streams.seen()]


def _is_recorded(parts: Parts, stream: Stream) -> bool:
    session = parts.recordings.running
    return session is not None and stream.recorded_into(session)


def _connected(parts: Parts, stream: Stream, recorded: StreamProgress | None) -> r.StreamStatus:
    info, health, condition = stream.info, stream.health(), stream.condition()
    row = r.StreamStatus(
        key=RUN_KEY + stream.name,
        name=stream.name,
        state=stream_state(stream),
        record=stream.record,
        recording=recorded is not None,
        required=stream.required,
        message=stream.message or condition.message,
    )
    if info is None:
        return row
    return msgspec.structs.replace(
        row,
        type=info.type,
        source_id=info.source_id,
        hostname=info.hostname,
        uid=info.uid,
        n_channels=info.n_channels,
        dtype=info.dtype,
        fs=info.fs,
        channel_names=_channel_names(info),
        units=info.units or (),
        measured_fs=health.measured_fs,
        mean_fs=health.mean_fs,
        rate_trace=health.rate_trace,
        jitter_s=health.jitter_s,
        n_samples=recorded.n_samples if recorded is not None else health.n_samples,
        backlog=recorded.backlog if recorded is not None else 0,
        n_bytes=health.n_bytes,
        gaps=health.gaps,
        lost_samples=health.lost_samples,
        lost_s=health.lost_s,
        age_s=health.age_s,
        clock_offset=health.clock_offset,
        clock_uncertainty=health.clock_uncertainty,
        clock_drift_ppm=health.clock_drift_ppm,
        silent_s=health.silent_s,
        lag_s=health.lag_s,
        packet_s=health.time.packet_s,
        leaps=len(health.time.leaps),
        repeated_samples=sum(one.samples for one in health.time.repeated),
        time_basis=health.time.basis if health.time.n_samples else "",
        time_error_s=health.time.error_s if math.isfinite(health.time.error_s) else None,
        remarks=remarks(
            stream, health, started_at=parts.recordings.started_at if parts.recordings.running is not None else None
        ),
        places=_places(info.channel_grids),
        grid_labels=_grid_labels(info.channel_grids),
        montage=_montage_words(info.channel_grids),
        quality=parts.quality_rows.of(stream, frozenset(parts.labels.bad_channels.get(stream.name, ()))),
        mvc=parts.mvc.of(stream.name, info),
    )


@lru_cache(maxsize=64)
def _channel_names(info: StreamInfo) -> tuple[str, ...]:
    return info.names


@lru_cache(maxsize=64)
def _places(grids: tuple[ChannelGrid, ...] | None) -> Places:
    return picture(grids or ())


@lru_cache(maxsize=64)
def _grid_labels(grids: tuple[ChannelGrid, ...] | None) -> tuple[tuple[str, int, int], ...]:
    return placed_labels(grids or (), _places(grids))


@lru_cache(maxsize=64)
def _montage_words(grids: tuple[ChannelGrid, ...] | None) -> tuple[str, ...]:
    return tuple(grid.words() for grid in grids or ())


def _seen(one: Seen) -> r.StreamStatus:
    return r.StreamStatus(
        key=SEEN_KEY + one.uid,
        name=one.name,
        state="seen",
        type=one.type,
        source_id=one.source_id,
        hostname=one.hostname,
        uid=one.uid,
        n_channels=one.n_channels,
        dtype=one.dtype,
        fs=one.fs,
    )
