"""Remarks on a stream's time: one set of sentences for `info`, `sessions`, `record`, `verify` and the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock.hosts import is_remote
from ...clock.thresholds import rate_differs
from ...plural import count_of
from .time_summary import lost_gaps, n_lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .meta import StreamMeta
    from .time_records import GapRecord, TimeMeta

_SCATTER = 0.005
_MOST_NAMED = 3
_COUNTS_WITHIN = 1000


def time_remarks(meta: StreamMeta, duration_s: float, recorder_host: str = "") -> list[str]:
    """What a person should know about the time of a stream as measured, a sentence each, without its name.

    Parameters
    ----------
    meta
        The stream as measured.
    duration_s
        Of the session.
    recorder_host
        See `time_summary.recorder_host`.
    """
    time = meta.time
    found = [*_lost(meta), *_counter(meta), *_ends(meta, duration_s)]
    if time is not None and meta.n_samples:
        found += [*clock_remarks(meta, recorder_host), *_events(meta, time), *_rate(meta, time)]
    return found


def time_details(meta: StreamMeta) -> list[str]:
    """What is worth knowing where somebody looks closely: packets, few clock comparisons."""
    time = meta.time
    if time is None:
        return []
    found = []
    if time.packet_s > 0 and meta.fs > 0:
        found.append(f"in packets of {count_of(round(time.packet_s * (time.measured_fs or meta.fs)), 'sample')}")
    if 0 < time.n_offsets < 6:
        found.append(f"{count_of(time.n_offsets, 'clock comparison')}: the offset is their median")
    return found


def _lost(meta: StreamMeta) -> Iterator[str]:
    gaps, lost = lost_gaps(meta.gaps), n_lost(meta)
    if gaps:
        share = 100.0 * lost / (lost + (meta.n_samples or 0)) if lost else 0.0
        yield f"{count_of(len(gaps), 'gap')}, {count_of(lost, 'sample')} lost ({share:.2g} %)"


def _counter(meta: StreamMeta) -> Iterator[str]:
    if meta.counter is not None and meta.counts is None and (meta.n_samples or 0) > _COUNTS_WITHIN:
        yield f"channel {meta.counter + 1} should count samples but does not; losses are found by time stamps"


def _ends(meta: StreamMeta, duration_s: float) -> Iterator[str]:
    for gap in meta.gaps:
        why = f" ({gap.reason})" if gap.reason else ""
        if gap.kind == "head":
            yield f"came {gap.seconds:.1f} s after the start{why}" if meta.n_samples else f"sent no sample{why}"
        elif gap.kind == "tail":
            last = f"last sample at {max(0.0, duration_s - gap.seconds):.1f} s of {duration_s:.1f} s"
            yield f"ended {gap.seconds:.1f} s before the stop ({last}){why}"


def clock_remarks(meta: StreamMeta, recorder_host: str = "") -> Iterator[str]:
    """What a stream's times rest on, and how far wrong they may be: nothing where there is no doubt."""
    time = meta.time
    if time is None or not meta.n_samples:
        return
    within = "" if time.error_s is None else f"±{time.error_s:.2g} s"
    if time.basis == "count":
        yield f"{time.unusable}; time by arrival, {within}"
    elif not_compared(meta, recorder_host):
        yield not_compared(meta, recorder_host)
    elif time.basis == "arrival":
        yield f"time by arrival, {within} (its time stamps are in another clock)"
    elif time.basis == "wall":
        yield f"time by the session's wall-clock time, {within} (its time stamps are in UTC)"
    elif time.basis == "none" and time.unusable:
        yield f"{time.unusable}, and nothing tells when its samples came"
    elif time.basis == "none":
        yield "its time stamps are in another clock and cannot be aligned with labels"
    if time.scatter_s > _SCATTER and time.basis == "lsl":
        yield f"clock offsets scatter by {time.scatter_s * 1e3:.0f} ms: alignment between computers is no better"
    if time.bad_stamps and time.basis != "count" and not time.unusable:
        are = "is no number" if time.bad_stamps == 1 else "are no numbers"
        yield f"{time.bad_stamps} of {meta.n_samples} time stamps {are}"


def not_compared(meta: StreamMeta, recorder_host: str) -> str:
    """What the time of a stream of another computer rests on whose clock was never compared; empty for all others."""
    time = meta.time
    if time is None or not meta.n_samples or time.n_offsets:
        return ""
    if meta.placed.basis not in ("uncompared", "none") if meta.placed else not is_remote(meta.hostname, recorder_host):
        return ""
    how = {
        "uncompared": f"its time stamps are taken as they are, ±{time.error_s or 0.0:.2g} s",
        "arrival": f"time by arrival, ±{time.error_s or 0.0:.2g} s",
        "none": "nothing tells how its time stamps lie to the recorder's clock: they cannot be aligned with labels",
    }.get(time.basis, "")
    return f"no clock comparison with {meta.hostname or 'its computer'}: {how}" if how else ""


def _events(meta: StreamMeta, time: TimeMeta) -> Iterator[str]:
    gaps = {gap.index: gap for gap in lost_gaps(meta.gaps)}
    yield from _restarts(gaps, time)
    still = [leap for leap in time.leaps if leap.known and leap.index not in gaps]
    if still:
        sizes = ", ".join(f"{leap.seconds:+.6g} s" for leap in still[:_MOST_NAMED])
        more = ", …" if len(still) > _MOST_NAMED else ""
        times = "once" if len(still) == 1 else f"{len(still)} times"
        yield f"time stamps leap {times} ({sizes}{more}), nothing lost"
    for leap in [leap for leap in time.leaps if not leap.known][:_MOST_NAMED]:
        way = "back" if leap.seconds < 0 else "ahead"
        yield (
            f"time stamps go {way} by {abs(leap.seconds):.6g} s at sample {leap.index}; how much time passed there is "
            "not known"
        )
    for repeat in time.repeated[:_MOST_NAMED]:
        yield f"{count_of(repeat.samples, 'sample')} came twice before sample {repeat.index}"
    if time.late_at_end_s:
        yield f"at the end {time.late_at_end_s:.1f} s late or lost: that cannot be told"


def _restarts(gaps: dict[int, GapRecord], time: TimeMeta) -> Iterator[str]:
    for leap in [leap for leap in time.leaps if leap.index in gaps][:_MOST_NAMED]:
        yield f"clock restarted at sample {leap.index}; gap {gaps[leap.index].seconds:.3f} s"


def _rate(meta: StreamMeta, time: TimeMeta) -> Iterator[str]:
    by_arrival = time.basis == "count"
    if rate_differs(time.measured_fs, meta.fs, meta.n_samples or 0, by_arrival=by_arrival):
        yield f"{time.measured_fs:.1f} Hz (declared {meta.fs:g})"


def note_words(text: str, uncertainty_s: float) -> str:
    """A note, and how far off its time may be where that is more than nothing."""
    return f"{text} (±{uncertainty_s:.1f} s)" if uncertainty_s else text
