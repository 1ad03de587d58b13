"""From what is kept of a stream's stamps, and what else is known, to its `Timeline`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .counter import counted
from .deviation import follow, tells_rate
from .evidence import Arrivals, Evidence, believable
from .gap_or_step import Judge, Verdict
from .irregular import EventSketch, place_events
from .offsets import clean_estimates, offset_lines
from .pieces import pieces_of
from .placement import nothing_yet, nowhere
from .sketch import Sketch
from .spacing import segments_of
from .stamp_sanity import why_unusable
from .steps import beside, find_moves
from .thresholds import ARRIVAL_ERROR, ARRIVAL_GAP, gap_threshold, rate_differs
from .timeline import Gap, Leap, Piece, Repeat, Segment, Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from .cells import Cells
    from .deviation import Course
    from .offsets import OffsetLine

_BLOCK = 1 << 20
_DRAINED, _REQUESTED = 2.0, 1.0
"""Silence at the ends of a session that says nothing; the stop used to be noted after the streams were drained."""
_UNNAMED_ENDS = 30.0


def sketch_for(fs: float) -> Sketch | EventSketch:
    """What takes the stamps of a stream of nominal rate ``fs`` Hz (0: irregular)."""
    return Sketch(fs) if fs > 0 else EventSketch()


def timeline_of(stamps: ArrayLike, fs: float, evidence: Evidence | None = None) -> Timeline:
    """The timeline of a whole stream: raw stamps ``(n,)`` in seconds, nominal rate in Hz (0: irregular)."""
    sketch, given = sketch_for(fs), np.asarray(stamps, dtype=np.float64)
    for start in range(0, len(given), _BLOCK):
        sketch.feed(given[start : start + _BLOCK])
    return analyse(sketch, evidence)


def find_gaps(timestamps: ArrayLike, fs: float) -> list[Gap]:
    """The gaps that raw stamps ``(n,)`` of nominal rate ``fs`` Hz show by themselves; see `timeline_of`."""
    return list(timeline_of(timestamps, fs).lost)


def analyse(sketch: Sketch | EventSketch, evidence: Evidence | None = None, *, since: int = 0) -> Timeline:
    """What is known of a stream by now.

    Parameters
    ----------
    sketch
        All stamps so far. It may be fed further afterwards.
    evidence
        What else is known.
    since
        Look at the samples from this number on only; what lies before it is taken to be settled.
    """
    with np.errstate(all="ignore"):
        return _analyse(sketch, evidence or Evidence(), since)


def _analyse(sketch: Sketch | EventSketch, evidence: Evidence, since: int) -> Timeline:
    evidence = believable(evidence, sketch.n_samples, sketch.fs, sketch.stamped_s)
    estimates = clean_estimates(evidence.offsets)
    lines = offset_lines(estimates)
    evidence = _with_ends(evidence, lines)
    arrivals = Arrivals(evidence.arrivals, sketch.n_samples)
    if isinstance(sketch, EventSketch):
        found = place_events(sketch, arrivals, lines, evidence)
    else:
        cells = sketch.cells(since)
        found = _regular(cells, arrivals, lines, evidence, since)
        found = _with_coverage(found, cells, evidence, beginning=not since)
    if evidence.counts is not None and found.period_s > 0:
        found = counted(found, evidence.counts, since)
    if evidence.clock_error_s:
        wider = (replace(piece, error_s=piece.error_s + evidence.clock_error_s) for piece in found.pieces)
        found = replace(found, pieces=tuple(wider))
    return replace(
        found,
        scatter_s=max((line.error for line in lines), default=0.0),
        n_offsets=len(estimates),
        delivered_fs=_delivered(sketch.n_samples, evidence),
    )


def _with_ends(evidence: Evidence, lines: Sequence[OffsetLine]) -> Evidence:
    """Where the session's ends are not known, the clock was compared about then."""
    if evidence.start is not None or not lines:
        return evidence
    start, stop = lines[0].start - _UNNAMED_ENDS, lines[-1].end + _UNNAMED_ENDS
    return replace(evidence, start=start, stop=stop, ends_known=False)


def _delivered(n: int, evidence: Evidence) -> float | None:
    if evidence.start is None or evidence.stop is None or not evidence.ends_known:
        return None
    seconds = evidence.stop - evidence.start
    return n / seconds if seconds > 0 and n else None


def _regular(
    cells: Cells, arrivals: Arrivals, lines: Sequence[OffsetLine], evidence: Evidence, since: int = 0
) -> Timeline:
    found = Timeline(cells.n_samples, cells.fs, 1.0 / cells.fs, bad_stamps=cells.n_bad)
    if cells.n_samples == 0:
        return replace(found, pieces=(nothing_yet(),))
    reason = why_unusable(cells, arrivals)
    if reason:
        return _by_count(replace(found, unusable=reason), arrivals, since)
    course = follow(cells)
    verdicts = Judge(course, evidence, arrivals, lines).judge(find_moves(course))
    found = _with_events(found, course, verdicts)
    return replace(found, pieces=pieces_of(course, verdicts, arrivals, lines, evidence))


def _with_events(found: Timeline, course: Course, verdicts: Sequence[Verdict]) -> Timeline:
    cells, period = course.cells, course.period
    gaps: list[Gap] = []
    leaps: list[Leap] = []
    repeated: list[Repeat] = []
    least = cells.threshold - 0.25 / cells.fs
    for one in verdicts:
        index = cells.sample(one.move.cell)
        if one.leap and course.packet and gaps and index - gaps[-1].index < beside(course):
            gaps.pop()  # a packet that the leap cut short
        if one.leap:
            leaps.append(Leap(index, one.leap, one.gap is not None))
        if one.gap is not None and one.gap >= least:
            gaps.append(Gap(index, one.gap, round(one.gap / period)))
        elif not one.leap and one.move.seconds < 0:
            repeated.append(Repeat(index, round(-one.move.seconds / period)))
    segments = segments_of(course, (one.move.cell for one in verdicts))
    return replace(
        found,
        period_s=period,
        measured_fs=1.0 / period if tells_rate(cells) else None,
        packet_s=course.packet,
        gaps=tuple(gaps),
        leaps=tuple(leaps),
        repeated=tuple(repeated),
        segments=segments,
        late_at_end_s=_late_at_end(course, segments[-1].offsets.min() - cells.origin),
    )


def _late_at_end(course: Course, floor: float) -> float:
    cells = course.cells
    last = course.y[max(cells.seek(len(cells) - 1, -1.5 * course.packet), 0) :]
    late = float(last.min()) - floor
    return float(late) if late >= max(cells.threshold, 4.0 * course.noise) else 0.0


def _by_count(found: Timeline, arrivals: Arrivals, since: int) -> Timeline:
    """Stamps tell nothing: each sample from ``since`` on is stamped with its arrival, and the same rules decide."""
    if arrivals.rate is None:
        return replace(found, pieces=(nowhere(),))
    by_arrival = _arrived(arrivals, found.fs, since)
    if by_arrival.unusable:  # so much faster than it says that it seems to come at once
        by_arrival = _arrived(arrivals, arrivals.rate, since)
    rate = by_arrival.measured_fs
    if rate_differs(rate, found.fs, found.n_samples, by_arrival=True) and rate is not None:
        by_arrival = _arrived(arrivals, rate, since)  # far off the nominal rate it is but an estimate
    if by_arrival.unusable:
        return replace(found, pieces=(nowhere(),))
    at, times = [], []
    bounds = [one.start for one in by_arrival.segments] + [found.n_samples]
    for segment, stop in zip(by_arrival.segments, bounds[1:], strict=True):
        number = np.unique(np.clip([segment.start, *segment.at, stop - 1], segment.start, stop - 1))
        at.append(number)
        times.append(number * by_arrival.period_s + np.interp(number, segment.at, segment.offsets))
    piece = Piece(0, "count", np.concatenate(at), np.concatenate(times), ARRIVAL_ERROR + 0.05)
    return replace(
        found,
        period_s=by_arrival.period_s,
        measured_fs=by_arrival.measured_fs,
        packet_s=0.0,
        gaps=by_arrival.gaps,
        pieces=(piece,),
    )


def _arrived(arrivals: Arrivals, fs: float, since: int) -> Timeline:
    sketch = Sketch(fs, max(ARRIVAL_GAP, gap_threshold(fs)))
    for stamps in arrivals.of_each(since):
        sketch.feed(stamps)
    found = _regular(sketch.cells(), Arrivals(None, 0), (), Evidence())
    earlier = since * found.period_s
    return replace(
        found,
        segments=tuple(Segment(one.start + since, one.at + since, one.offsets - earlier) for one in found.segments),
        gaps=tuple(replace(gap, index=gap.index + since) for gap in found.gaps),
    )


def _with_coverage(found: Timeline, cells: Cells, evidence: Evidence, *, beginning: bool) -> Timeline:
    """Head and tail: what of the session the stream does not cover."""
    start, stop = evidence.start, evidence.stop
    if start is None or stop is None or not evidence.ends_known or stop <= start:
        return found
    n, fs, period = found.n_samples, found.fs, found.period_s
    least = max(_REQUESTED if evidence.stop_requested else _DRAINED, 3.0 * found.packet_s, 5.0 * period)
    if n == 0:
        whole = Gap(0, stop - start, round((stop - start) * fs), "head")
        return replace(found, gaps=(whole,)) if stop - start > least else found
    if found.basis == "none":
        return found
    first = float(found.corrected([cells.first_stamp])[0]) - period - start
    last = stop - float(found.corrected([cells.last_stamp], n - 1)[0])
    if max(first, last) > stop - start:
        return found  # the session's ends are of another clock than the corrected stamps
    head = (Gap(0, first, round(first / period), "head"),) if beginning and first > least else ()
    tail = (Gap(n, last, round(last / period), "tail"),) if last > least else ()
    return replace(found, gaps=(*head, *found.gaps, *tail))
