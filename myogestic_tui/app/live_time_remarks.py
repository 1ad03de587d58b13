"""What a stream's time makes the operator be told while it comes in."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from ..clock.hosts import is_remote
from ..clock.thresholds import rate_differs
from ..plural import count_of
from .interface import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..clock import Timeline
    from ..info import StreamInfo
    from ..stream import Stream
    from ..stream.health import StreamHealth

NO_DATA_FOR = "no data for "
"""How it begins where a stream is silent, as its source says it, too."""
_LATE_SECONDS = 1.0
_SETTLED_SECONDS = 1.5
_SCATTER_SECONDS = 0.005
_WALL_CLOCK = 1e9
"""No machine has been up for so many seconds: such a stamp is wall-clock time."""


def remarks(stream: Stream, health: StreamHealth, *, started_at: float | None) -> tuple[Remark, ...]:
    """All remarks on the time of a stream now, the most severe first.

    ``started_at`` is when the session that is being recorded began (recorder's clock, s); None where none is.
    """
    info = stream.info
    if info is None:
        return ()
    found = [*_losses(health, stream.recording), *_clock(health.time, stream), *_course(health, info)]
    if stream.recording and info.is_regular and health.age_s is None:
        found.append(Remark(severity="warning", text="not there yet"))
    if (head := health.time.head) is not None and stream.recording:
        found.append(Remark(severity="info", text=f"came {head.seconds:.1f} s after the start"))
    if started_at is not None and stream.left_at is not None and started_at <= stream.left_at:
        found.append(Remark(severity="info", text=f"taken out at {_elapsed(stream.left_at - started_at)}"))
    order = ("error", "warning", "info")
    return tuple(sorted(found, key=lambda one: order.index(one.severity)))


def _losses(health: StreamHealth, recording: bool) -> Iterator[Remark]:
    if health.silent_s:
        lost_by_now = count_of(round(health.lost_samples), "sample", spec=",")
        counted = f", counted as lost ({lost_by_now} so far)" if recording else ""
        yield Remark(severity="error", text=f"{NO_DATA_FOR}{health.silent_s:.1f} s{counted}")
    found = health.time
    lost, restarts = found.lost, {leap.index for leap in found.leaps}
    gaps = [gap for gap in lost if gap.index not in restarts]
    if recording and gaps:
        samples, seconds = sum(gap.samples for gap in gaps), sum(gap.seconds for gap in gaps)
        text = f"{count_of(samples, 'sample', spec=',')} lost ({seconds:.2f} s)"
        if len(gaps) > 1:
            text = f"{len(gaps)} gaps, {text}, the last"
        at = "" if health.last_gap_s is None or gaps[-1] is not lost[-1] else f" at {_elapsed(health.last_gap_s)}"
        yield Remark(severity="error", text=f"{text}{at}" if at else text.removesuffix(", the last"))


def _clock(found: Timeline, stream: Stream) -> Iterator[Remark]:
    if found.n_samples < _SETTLED_SECONDS * found.fs:
        return  # what a clock does shows over some packets only
    pauses = {gap.index: gap.seconds for gap in found.lost}
    for leap in found.leaps[-1:]:
        more = f"; {len(found.leaps)} times so far" if len(found.leaps) > 1 else ""
        text = f"stamps leap by {leap.seconds:+.6g} s; samples continue without a pause; nothing lost"
        if leap.index in pauses:
            text = f"the sender's clock restarted (its computer rebooted?); {pauses[leap.index]:.2f} s without samples"
        elif not leap.known:
            text = f"stamps leap by {leap.seconds:+.6g} s; how much time passed there is not known"
        yield Remark(severity="warning", text=text + more)
    if found.unusable:
        yield Remark(severity="warning", text=_unusable(found))
    elif found.basis == "arrival" and found.pieces:
        newest = stream.get_timestamps(0.1)
        wall = len(newest) > 0 and newest[-1] > _WALL_CLOCK
        if wall or found.n_offsets or not _is_remote(stream):  # of a clock that was not compared its source tells
            text = f"stamps are in {'wall-clock time' if wall else 'another clock'}"
            yield Remark(severity="warning", text=f"{text}; aligned by arrival (±{found.error_s:.1g} s)")
    elif found.scatter_s > _SCATTER_SECONDS:
        ms = found.scatter_s * 1e3
        text = f"clock offsets scatter by {ms:.0f} ms: alignment between computers is no better"
        yield Remark(severity="info", text=text)


def _is_remote(stream: Stream) -> bool:
    return stream.info is not None and is_remote(stream.info.hostname, socket.gethostname())


def _unusable(found: Timeline) -> str:
    why = found.unusable
    for unit in ("milliseconds", "microseconds", "nanoseconds"):
        if unit in why:
            return f"stamps look like {unit}; send seconds (lsl local_clock); time by arrival"
    if found.bad_stamps > found.n_samples / 2:
        return f"{found.bad_stamps:,} of {found.n_samples:,} stamps are no numbers; time by arrival"
    return f"{why.removeprefix('the ')}; time by arrival"


def _course(health: StreamHealth, info: StreamInfo) -> Iterator[Remark]:
    found = health.time
    settled = found.measured_fs is not None or not info.is_regular  # a wrong rate looks like lag at first
    if health.lag_s > _LATE_SECONDS and settled:
        yield Remark(severity="warning", text=f"{health.lag_s:.1f} s behind (late, not lost so far)")
    if found.repeated:
        samples = sum(one.samples for one in found.repeated)
        yield Remark(severity="warning", text=f"{count_of(samples, 'sample', spec=',')} came twice")
    rate = found.measured_fs
    if rate_differs(rate, info.fs, found.n_samples, by_arrival=found.basis == "count"):
        yield Remark(severity="warning", text=f"sends {rate:.1f} Hz, declares {info.fs:g}")
    if found.packet_s:
        yield Remark(severity="info", text=f"packets of {found.packet_s:.2f} s")


def _elapsed(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
