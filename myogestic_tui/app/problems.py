"""What needs the operator: every problem of a status, the most urgent parts first."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from ..plural import count_of
from ..session.format.meta import SET_ASIDE
from ..sources.selection import ON_THE_NETWORK
from . import interface as r
from .live_time_remarks import NO_DATA_FOR
from .streams import SLOW_SHARE

if TYPE_CHECKING:
    from .parts import Parts

_UNSYNCED_SECONDS = 2.0
"""The journal is brought to the disk each second."""
_STALL_SECONDS = 1.0
"""A disk that takes longer than this for one chunk stalls."""
_SLOW_FOR = 5
"""Seconds below its nominal rate before a stream is reported for it."""


def find_problems(
    parts: Parts, session: r.SessionStatus | None, streams: tuple[r.StreamStatus, ...], now: float
) -> tuple[r.Problem, ...]:
    """All that is wrong at ``now`` (recorder's clock, s), of the session, the streams, the disk and the jobs."""
    recording = parts.recordings.running is not None
    rows = _unsynced_problems(session) + _in_the_way(session, recording)
    rows += _recording_problems(parts, streams, now) if recording else []
    rows += [problem for row in streams for problem in _stream_problems(row, recording)]
    rows += _montages_of_no_stream(parts, streams)
    if parts.streams.discovery_error:
        rows.append(r.Problem(severity="error", subject="network", text=parts.streams.discovery_error))
    rows += _disk_problems(parts.disk.status, recording)
    rows += _unnamed_labels(session, len(parts.labels.class_names)) if recording and session else []
    rows += _unfinished_problems(parts)
    failed = (job for job in parts.jobs.statuses() if job.state == "failed")
    return (*rows, *(r.Problem(severity="error", subject=job.kind, text=job.message) for job in failed))


def _montages_of_no_stream(parts: Parts, streams: tuple[r.StreamStatus, ...]) -> list[r.Problem]:
    """Told once some stream is connected: without any, nobody knows yet what streams will be called."""
    names = [row.name for row in streams if row.state != "seen"]
    unknown = parts.montages.without_stream(names) if names else []
    text = "no stream is called so; [[montage]] of the configuration names it"
    return [r.Problem(severity="warning", subject=f"montage {name}", text=text) for name in unknown]


def _disk_problems(disk: r.DiskStatus, recording: bool) -> list[r.Problem]:
    if disk.free_bytes < disk.reserve_bytes:
        below = f"{disk.free_bytes / 1e6:.0f} MB free, below the reserve of {disk.reserve_bytes / 1e6:.0f} MB"
        text = f"{below}: free some space"
        return [r.Problem(severity="error", subject="disk", text=text)]
    if recording and disk.free_bytes < 2 * disk.reserve_bytes:
        text = f"{disk.free_bytes / 1e6:.0f} MB free; recording stops at {disk.reserve_bytes / 1e6:.0f} MB"
        return [r.Problem(severity="warning", subject="disk", text=text)]
    return []


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


def _recording_problems(parts: Parts, streams: tuple[r.StreamStatus, ...], now: float) -> list[r.Problem]:
    """What is selected and does not get to the disk."""
    rows = [
        r.Problem(severity="error", subject=name, text=f"live, and not recorded for {now - since:.0f} s")
        for name, since in parts.watch.not_recorded.items()
    ]
    for stream in parts.streams.streams.values():
        since = stream.writing_since
        if since is not None and now - since > _STALL_SECONDS:
            text = f"has not answered for {now - since:.0f} s; samples of {stream.name} wait to be written"
            rows.append(r.Problem(severity="error", subject="disk", text=text))
    if not parts.recordings.expected and not any(row.record for row in streams):
        rows.append(r.Problem(severity="error", subject="session", text="no stream is selected: nothing is recorded"))
    elif not any(row.recording for row in streams):
        rows.append(r.Problem(severity="error", subject="session", text="nothing is recorded: no stream is left in it"))
    return rows


def _unnamed_labels(session: r.SessionStatus, named: int) -> list[r.Problem]:
    """Labels of classes that have no name: they would be mere numbers in the session."""
    unnamed = sorted({label.class_index for label in session.labels if label.class_index >= named})
    if not unnamed:
        return []
    numbers = ", ".join(map(str, unnamed))
    text = f"no name for class {numbers}: give names by [[gestures]], `ctl gestures` or app.ctx.class_names"
    return [r.Problem(severity="warning", subject="labels", text=text)]


def _unfinished_problems(parts: Parts) -> list[r.Problem]:
    """One for each folder that has any: the screens repair only what is in theirs."""
    found = []
    for folder, number in Counter(os.path.dirname(path) for path in parts.jobs.unfinished).items():
        text = count_of(number, "unfinished session")
        here = folder == str(parts.sessions_dir.resolve())
        text += ": f on the Sessions screen repairs" if here else f" in {folder}: recover there"
        found.append(r.Problem(severity="warning", subject="sessions", text=text))
    return found


def _stream_problems(row: r.StreamStatus, recording: bool) -> list[r.Problem]:
    """What a stream needs the operator for: how it is, and remarks on its time."""
    time = [r.Problem(severity=one.severity, subject=row.name, text=one.text) for one in row.remarks]
    time = [one for one in time if one.severity != "info"]
    if row.state == "lost":
        silence = [one for one in time if row.silent_s and one.text.startswith(NO_DATA_FOR)]
        said = row.message.partition("; ")[2] if silence and row.message.startswith(NO_DATA_FOR) else row.message
        where = f" on {row.hostname}" if row.hostname else ""
        first = silence[0].text if silence else f"{NO_DATA_FOR}{row.age_s or 0.0:.1f} s"
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
        said = row.message.partition(f"; {ON_THE_NETWORK}")[0]  # what is there stands in the list of streams
        text = said or ("not there yet" if recording else "not on the network")
        severity: r.Severity = "error" if row.required else "warning" if row.record else "info"
        return r.Problem(severity=severity, subject=row.name, text=text)
    if row.message:
        return r.Problem(severity="warning", subject=row.name, text=row.message)
    if row.state == "slow" and row.measured_fs and not has_rate and _stays_slow(row):
        text = f"{row.measured_fs:.1f} Hz, {100.0 * (1.0 - row.measured_fs / row.fs):.1f} % under nominal"
        return r.Problem(severity="warning", subject=row.name, text=text)
    left = next((one.text for one in row.remarks if one.text.startswith("taken out at ")), "")
    return r.Problem(severity="info", subject=row.name, text=left) if left else None
