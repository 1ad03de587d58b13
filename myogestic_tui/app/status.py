"""Puts a `Status` together from what streams, session, disk and jobs know."""

from __future__ import annotations

import math
import os
import socket
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ..clock import local_clock
from ..config import GESTURE_KEYS
from ..session.format.meta import SET_ASIDE
from ..session.reading.label_counts import Tally, tally
from . import interface as r
from .envelope_views import label_status
from .from_config import protocol_names
from .live_time_remarks import remarks
from .mvc import mvc_of
from .streams import RUN_KEY, SEEN_KEY, SLOW_SHARE, stream_state

if TYPE_CHECKING:
    from ..info import StreamInfo
    from ..session.format.meta import Meta
    from ..session.recording.progress import SessionSnapshot, StreamProgress
    from ..sources.discovery import Seen
    from ..stream import Stream
    from ..stream.quality import Quality
    from .app import App

_UNSYNCED_SECONDS = 2.0
"""The journal is brought to the disk each second."""
_NEWEST_LABELS = 200
_NEWEST_NOTES = 20
_SLOW_FOR = 5
"""Seconds below its nominal rate before a stream is reported for it."""
_NOTHING_FOR = "nothing for "
_NEWEST_EVENTS = 50
_STALL_SECONDS = 1.0
"""A disk that takes longer than this for one chunk stalls."""


def build_status(app: App) -> r.Status:
    """One snapshot of the whole app."""
    now = local_clock()
    recording = app.ctx.state == "recording"
    snapshot = app.ctx.session.snapshot() if app.ctx.session is not None else None
    count = _count(app, now, snapshot)
    streams = tuple(_stream_rows(app, snapshot))
    disk, jobs = app.disk(), app.jobs.statuses()
    session = _session(app, now, count, snapshot, streams)
    return r.Status(
        at=now,
        state=app.ctx.state,
        stopping=app.recordings.state == "stopping",
        stopped=app.stopped,
        take_exists=not recording and app.takes.exists(),
        message=app.ctx.status_message,
        host=socket.gethostname(),
        app_name=app.name,
        version=_version(),
        pid=os.getpid(),
        sessions_dir=str(app.sessions_dir),
        current_label=app.ctx.current_label,
        gestures=_gestures(app, count),
        session=session,
        take=app.take,
        streams=streams,
        problems=(
            *_unsynced_problems(session),
            *_in_the_way(session, recording),
            *_problems(app, streams, disk, jobs, recording, now),
        ),
        disk=disk,
        protocol=app.protocol.status() if app.protocol is not None else None,
        protocols=protocol_names(app),
        jobs=jobs,
        jobs_waiting=app.jobs.n_waiting,
        unfinished=app.jobs.unfinished,
        generator=app.generators.running,
        viewers=app.viewers,
    )


def _version() -> str:
    from .. import __version__

    return __version__


def _count(app: App, now: float, snapshot: SessionSnapshot | None) -> Tally:
    session = app.ctx.session
    if session is None or snapshot is None:
        return Tally()
    until = now if app.ctx.state == "recording" else app.started_at + snapshot.elapsed_s
    return tally(list(session.label_track), app.started_at, until)


def _gestures(app: App, count: Tally) -> tuple[r.GestureStatus, ...]:
    keys = app.gesture_keys or GESTURE_KEYS
    rows = []
    for index, name in enumerate(app.ctx.class_names):
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
    app: App, now: float, count: Tally, snapshot: SessionSnapshot | None, streams: tuple[r.StreamStatus, ...]
) -> r.SessionStatus | None:
    session = app.ctx.session
    if session is None or snapshot is None:
        return None
    track, meta = list(session.label_track), session.meta
    return r.SessionStatus(
        path=str(session.path),
        id=app.recordings.id,
        name=session.name,
        subject=meta.subject,
        task=meta.task,
        take=meta.take,
        expected=app.recordings.expected,
        events=_events(meta),
        ended_by=meta.ended_by,
        started_at=app.started_at,
        elapsed_s=now - app.started_at if app.ctx.state == "recording" else snapshot.elapsed_s,
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


def _stream_rows(app: App, snapshot: SessionSnapshot | None) -> list[r.StreamStatus]:
    recorded = snapshot.streams if snapshot is not None else {}
    rows = [
        _connected(app, stream, recorded.get(stream.name) if _is_recorded(app, stream) else None)
        for stream in app.table.streams.values()
    ]
    return rows + [_seen(one) for one in app.table.seen()]


def _is_recorded(app: App, stream: Stream) -> bool:
    session = app.recordings.running
    return session is not None and stream.recorded_into(session)


def _connected(app: App, stream: Stream, recorded: StreamProgress | None) -> r.StreamStatus:
    info, health, condition = stream.info, stream.health(), stream.condition()
    row = r.StreamStatus(
        key=RUN_KEY + stream.name,
        name=stream.name,
        state=stream_state(stream),
        record=stream.record,
        recording=recorded is not None,
        required=stream.required,
        grid=stream.grid,
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
        remarks=remarks(stream, health, started_at=app.started_at if app.ctx.state == "recording" else None),
        quality=app.quality_rows.of(stream, frozenset(app.bad_channels.get(stream.name, ()))),
        mvc=mvc_of(app, stream.name, info),
    )


@lru_cache(maxsize=64)
def _channel_names(info: StreamInfo) -> tuple[str, ...]:
    return info.names


class QualityRows:
    """Every stream's quality as a `Status` carries it, made once for each measurement: one second, not one frame."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[Quality, ...], frozenset[int], tuple[r.ChannelQuality, ...]]] = {}

    def of(self, stream: Stream, bad: frozenset[int]) -> tuple[r.ChannelQuality, ...]:
        """The rows of a stream whose channels ``bad`` are marked."""
        measured = stream.quality()
        kept = self._kept.get(stream.name)
        if kept is None or kept[0] is not measured or kept[1] != bad:
            kept = self._kept[stream.name] = (measured, bad, _quality(measured, bad))
        return kept[2]


def _quality(rows: tuple[Quality, ...], bad: frozenset[int]) -> tuple[r.ChannelQuality, ...]:
    return tuple(
        r.ChannelQuality(rms=one.rms, peak=one.peak, mains=one.mains, flags=one.flags + ("x" if index in bad else ""))
        for index, one in enumerate(rows)
    )


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


# ---------------------------------------------------------------- what needs the operator


def _problems(
    app: App,
    streams: tuple[r.StreamStatus, ...],
    disk: r.DiskStatus,
    jobs: tuple[r.JobStatus, ...],
    recording: bool,
    now: float,
) -> list[r.Problem]:
    rows = _recording_problems(app, streams, now) if recording else []
    rows += [problem for row in streams for problem in _stream_problems(row, recording)]
    if app.table.discovery_error:
        rows.append(r.Problem(severity="error", subject="network", text=app.table.discovery_error))
    if disk.free_bytes < disk.reserve_bytes:
        text = f"{disk.free_bytes / 1e6:.0f} MB free, below the reserve of {disk.reserve_bytes / 1e6:.0f} MB: make room"
        rows.append(r.Problem(severity="error", subject="disk", text=text))
    elif recording and disk.free_bytes < 2 * disk.reserve_bytes:
        text = f"{disk.free_bytes / 1e6:.0f} MB free; recording stops at {disk.reserve_bytes / 1e6:.0f} MB"
        rows.append(r.Problem(severity="warning", subject="disk", text=text))
    rows += _unnamed_labels(app) if recording else []
    rows += _unfinished_problems(app)
    rows += [r.Problem(severity="error", subject=job.kind, text=job.message) for job in jobs if job.state == "failed"]
    return rows


def _unsynced_problems(session: r.SessionStatus | None) -> list[r.Problem]:
    """A disk that is too slow to have all but the last two seconds."""
    if session is None or session.unsynced_s <= _UNSYNCED_SECONDS:
        return []
    text = f"slow: the last {session.unsynced_s:.0f} s are not on it yet; a power cut now would take them"
    return [r.Problem(severity="warning", subject="disk", text=text)]


def _in_the_way(session: r.SessionStatus | None, recording: bool) -> list[r.Problem]:
    """What others put into the folder of the running recording."""
    found = [event.text for event in session.events if event.kind == SET_ASIDE] if session and recording else []
    more = f" (and {len(found) - 1} more before it)" if len(found) > 1 else ""
    return [r.Problem(severity="warning", subject="session", text=found[-1] + more)] if found else []


def _recording_problems(app: App, streams: tuple[r.StreamStatus, ...], now: float) -> list[r.Problem]:
    """What is selected and does not get to the disk."""
    rows = [
        r.Problem(severity="error", subject=name, text=f"live, and not recorded for {now - since:.0f} s")
        for name, since in app.watch.not_recorded.items()
    ]
    for stream in app.table.streams.values():
        since = stream.writing_since
        if since is not None and now - since > _STALL_SECONDS:
            text = f"has not answered for {now - since:.0f} s; samples of {stream.name} wait to be written"
            rows.append(r.Problem(severity="error", subject="disk", text=text))
    if not app.recordings.expected and not any(row.record for row in streams):
        rows.append(r.Problem(severity="error", subject="session", text="no stream is selected: nothing is recorded"))
    elif not any(row.recording for row in streams):
        rows.append(r.Problem(severity="error", subject="session", text="nothing is recorded: no stream is left in it"))
    return rows


def _unnamed_labels(app: App) -> list[r.Problem]:
    """Labels of classes that have no name: they would be mere numbers in the session."""
    track = app.ctx.session.label_track if app.ctx.session is not None else []
    named = len(app.ctx.class_names)
    unnamed = sorted({label.class_index for label in track[-_NEWEST_LABELS:] if label.class_index >= named})
    if not unnamed:
        return []
    numbers = ", ".join(map(str, unnamed))
    text = f"no name for class {numbers}: give names by [[gestures]], `ctl gestures` or app.ctx.class_names"
    return [r.Problem(severity="warning", subject="labels", text=text)]


def _unfinished_problems(app: App) -> list[r.Problem]:
    """One for each folder that has any: the screens repair only what is in theirs."""
    found = []
    for folder, number in Counter(os.path.dirname(path) for path in app.jobs.unfinished).items():
        text = f"{number} unfinished session{'s' if number > 1 else ''}"
        here = folder == str(app.sessions_dir.resolve())
        text += ": f on the Sessions screen repairs" if here else f" in {folder}: recover there"
        found.append(r.Problem(severity="warning", subject="sessions", text=text))
    return found


def _stream_problems(row: r.StreamStatus, recording: bool) -> list[r.Problem]:
    """What a stream needs the operator for: how it is, and what is to be said of its time."""
    time = [r.Problem(severity=one.severity, subject=row.name, text=one.text) for one in row.remarks]
    time = [one for one in time if one.severity != "info"]
    if row.state == "lost":
        silence = [one for one in time if row.silent_s and one.text.startswith(_NOTHING_FOR)]
        said = row.message.partition("; ")[2] if silence and row.message.startswith(_NOTHING_FOR) else row.message
        where = f" on {row.hostname}" if row.hostname else ""
        first = silence[0].text if silence else f"nothing for {row.age_s or 0.0:.1f} s"
        text = (f"{first}; {said}" if silence else said) if said else f"{first}; searching{where}"
        return [
            r.Problem(severity="error", subject=row.name, text=text),
            *(one for one in time if one not in silence),
        ]
    own = _own_problem(row, recording, has_rate=any(one.text.startswith("sends ") for one in time))
    return [*time, own] if own is not None else time


def _stays_slow(row: r.StreamStatus) -> bool:
    """Whether it was slow for some seconds: a loss of a second or two, which is reported as such, makes it so too."""
    newest = row.rate_trace[-_SLOW_FOR:]
    return len(newest) == _SLOW_FOR and max(newest) < SLOW_SHARE * row.fs


def _own_problem(row: r.StreamStatus, recording: bool, *, has_rate: bool) -> r.Problem | None:
    if row.state == "refused":
        return r.Problem(severity="error", subject=row.name, text=row.message)
    if row.state == "wanted":
        text = row.message or ("not there yet" if recording else "not on the network")
        severity: r.Severity = "error" if row.required else "warning" if row.record else "info"
        return r.Problem(severity=severity, subject=row.name, text=text)
    if row.message:
        return r.Problem(severity="warning", subject=row.name, text=row.message)
    if row.state == "slow" and row.measured_fs and not has_rate and _stays_slow(row):
        text = f"{row.measured_fs:.1f} Hz, {100.0 * (1.0 - row.measured_fs / row.fs):.1f} % under nominal"
        return r.Problem(severity="warning", subject=row.name, text=text)
    left = next((one.text for one in row.remarks if one.text.startswith("taken out at ")), "")
    return r.Problem(severity="info", subject=row.name, text=left) if left else None
