"""What `ctl status` prints: a status of a running recorder as the facts that scripts share, and as lines."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from .output import duration, rate, size, table

if TYPE_CHECKING:
    from ..app.interface import SessionStatus, Status, StreamStatus


def facts(status: Status) -> dict[str, Any]:
    """``state``, ``session`` (the shared object, live, or None), ``streams`` (health by name) and ``jobs``."""
    recording = status.state == "recording" and status.session is not None
    return {
        "state": status.state,
        "message": status.message,
        "session": _session(status, status.session) if recording and status.session is not None else None,
        "streams": _by_name(status.streams),
        "take": msgspec.to_builtins(status.take),
        "problems": msgspec.to_builtins(status.problems),
        "jobs": msgspec.to_builtins(status.jobs),
        "recorder": {
            "pid": status.pid,
            "host": status.host,
            "version": status.version,
            "clock": status.clock,
            "label_source": status.label_source,
        },
    }


def _session(status: Status, session: SessionStatus) -> dict[str, Any]:
    from ..session.format.summary import StreamSummary, Summary, to_dict

    streams = {
        stream.name: StreamSummary(
            n_samples=stream.n_samples,
            n_channels=stream.n_channels,
            fs=stream.fs,
            dtype=stream.dtype,
            measured_fs=stream.measured_fs,
            gaps=stream.gaps,
            lost_samples=stream.lost_samples,
        )
        for stream in status.streams
        if stream.recording
    }
    summary = Summary(
        path=session.path,
        state="recording",
        name=session.name,
        created=(datetime.now().astimezone() - timedelta(seconds=session.elapsed_s)).isoformat(timespec="seconds"),
        duration_s=session.elapsed_s,
        bytes=session.bytes,
        before_s=session.before_s,
        streams=streams,
        labels=_labels(status, session),
    )
    return to_dict(summary)


def _labels(status: Status, session: SessionStatus) -> dict[str, int]:
    if status.gestures:
        return {gesture.name: gesture.trials for gesture in status.gestures}
    return dict(Counter(str(label.class_index) for label in session.labels if label.class_index >= 0))


def _by_name(streams: tuple[StreamStatus, ...]) -> dict[str, Any]:
    """Health by name; a stream that only shares its name with a connected one stands under its key."""
    named: dict[str, Any] = {}
    for stream in streams:
        named[stream.key if stream.name in named else stream.name] = _full(stream)
    return named


def _full(stream: StreamStatus) -> dict[str, Any]:
    """All fields, those at their default too, and ``quality`` counted: the rest is for screens."""
    row = {name: getattr(stream, name) for name in stream.__struct_fields__ if name not in ("quality", "rate_trace")}
    flags = Counter(flag for channel in stream.quality for flag in channel.flags)
    return {**msgspec.to_builtins(row), "quality": dict(flags)}


def lines(status: Status) -> str:
    """The same, to read."""
    return "\n".join(part for part in (_head(status), _streams(status), _needs(status)) if part)


def _head(status: Status) -> str:
    words = [status.state.upper() if status.state == "recording" else status.state]
    session = status.session
    if status.state == "recording" and session is not None:
        words += [duration(session.elapsed_s), session.path, size(session.bytes), f"{session.lost_samples} lost"]
        if status.gestures:
            words.append(", ".join(f"{gesture.name} {gesture.trials}" for gesture in status.gestures))
    words += [f"{job.kind} {job.fraction:.0%}" for job in status.jobs if job.state in ("waiting", "running")]
    head = "   ".join(words)
    return f"{head}\n{status.message}" if status.message else head


def _streams(status: Status) -> str:
    rows = [
        (
            "x" if one.record else "",
            one.state,
            one.name,
            one.hostname,
            one.n_channels,
            rate(one.fs),
            rate(one.measured_fs),
            one.gaps,
        )
        for one in status.streams
    ]
    numbers = ("CH", "NOM Hz", "NOW Hz", "GAPS")
    return table(("IN", "STATE", "STREAM", "HOST", *numbers), rows, right=numbers) if rows else "no streams"


def _needs(status: Status) -> str:
    return "\n".join(f"{problem.severity}: {problem.subject}: {problem.text}" for problem in status.problems)
