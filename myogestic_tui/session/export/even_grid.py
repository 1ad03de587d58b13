"""A stream on the even grid that most formats want: gaps are filled with zeros and marked; time continues in them."""

from __future__ import annotations

import math
from functools import cached_property
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clock.thresholds import rate_differs
from ...errors import ConfigError
from ...plural import count_of
from ..reading.trials import first_at
from .common import Exported, class_label, label_spans, session_end, tell_about_clock, text_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData
    from .common import Span

    Note = tuple[float, float, str]

SKIP = "BAD_ACQ_SKIP"
"""What MNE calls time without samples; anything that begins with BAD is left out of analyses there."""


FILL_SECONDS = 60.0
"""A longer gap is filled only if that is asked for: it would be more zeros than anybody expects."""


class Grid:
    """Places of a stream's samples on a grid of ``1 / fs`` that begins with the first of them.

    The grid follows the samples, not the clock: an annotation lands on the samples it belongs to, however far the
    device's real rate is from its nominal one.

    Parameters
    ----------
    stream
        A stream of numbers with a rate.
    part
        First sample, and one past the last, of those that are on the grid; None is all.
    """

    def __init__(self, stream: StreamData, part: tuple[int, int] | None = None) -> None:
        self.stream = stream
        self.fs = stream.info.fs
        self.first, self.stop = part or (0, stream.n_samples)
        gaps = [gap for gap in stream.timeline.lost if self.first < gap.index < self.stop]
        self._ends = np.array([gap.index for gap in gaps], np.int64)
        missing = np.array([round(gap.seconds * self.fs) for gap in gaps], np.int64)
        self._shifts = np.concatenate(([0], np.cumsum(missing)))
        self.gaps = [(int(self.place(gap.index)) - int(n), int(n)) for gap, n in zip(gaps, missing, strict=True)]
        """Place and length of each gap, in samples."""

    @property
    def length(self) -> int:
        """Samples of the grid."""
        return self.stop - self.first + int(self._shifts[-1])

    @property
    def missing(self) -> int:
        """Samples of the grid that are filled."""
        return int(self._shifts[-1])

    def place(self, index: int) -> int:
        """Place of a sample."""
        return index - self.first + int(self._shifts[np.searchsorted(self._ends, index, side="right")])

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Samples block by block: place of the first, and ``(rows, n_channels)``; nothing for gaps."""
        edges = [self.first, *self._ends.tolist(), self.stop]
        for start, stop in pairwise(edges):
            for at, rows in self.stream.data_blocks(start, stop):
                yield self.place(at), rows

    def seconds_at(self, times: Sequence[float]) -> list[float]:
        """Seconds from the start of the grid at which corrected times lie; never outside it."""
        indices = first_at(self.stream, list(times))
        return [self._seconds(time, max(self.first, indices[time])) for time in times]

    def holds(self, start: float, stop: float) -> bool:
        """Whether something from ``start`` to ``stop`` happened in the time of the grid; both are corrected times."""
        if self.stop <= self.first:
            return False
        first, last = self._times_of_ends
        return (stop > first or start >= first) and start < last + 1 / self.fs

    @cached_property
    def _times_of_ends(self) -> tuple[float, float]:
        first, last = (float(self.stream.times(n, n + 1)[0]) for n in (self.first, self.stop - 1))
        return first, last

    def _seconds(self, time: float, index: int) -> float:
        n = self.stop
        if index >= n:
            after = time - float(self.stream.times(n - 1, n)[0]) if n > self.first else 0.0
            return min((self.place(n - 1) / self.fs if n > self.first else 0.0) + after, self.length / self.fs)
        seconds = self.place(index) / self.fs - (float(self.stream.times(index, index + 1)[0]) - time)
        least = self.place(index - 1) / self.fs if index > self.first else 0.0
        return max(seconds, least)


def check_fill(grid: Grid, fill: float | None) -> None:
    """Raise ConfigError where gaps are so long that zeros would swamp the samples, unless that was asked for.

    Parameters
    ----------
    fill
        Seconds of the longest gap that may be filled; None is `FILL_SECONDS`, and no more zeros than samples.
    """
    longest = max((n for _, n in grid.gaps), default=0)
    seconds = longest / grid.fs
    samples = grid.stop - grid.first
    if seconds <= (FILL_SECONDS if fill is None else fill) and (fill is not None or grid.missing <= samples):
        return
    name = grid.stream.name
    if seconds <= (FILL_SECONDS if fill is None else fill):
        what = f"{count_of(len(grid.gaps), 'gap')} would add {grid.missing:,} zeros to {samples:,} samples"
    else:
        what = f"a gap of {seconds:.{0 if seconds >= 60 else 2}f} s would add {longest:,} zeros to {samples:,} samples"
    raise ConfigError(f"{name}: {what}. --fill {math.ceil(seconds)} does it, --split writes one file per part")


def parts_of(stream: StreamData) -> list[tuple[int, int]]:
    """First sample, and one past the last, of each part of a stream without a gap, a leap or repeated samples."""
    return list(pairwise([*stream.timeline.edges, stream.n_samples]))


def grids_of(session: SessionReader, names: Sequence[str], *, split: bool) -> list[Grid]:
    """A grid for each stream, or with ``split`` for each of its parts."""
    streams = [session.stream_data(name) for name in names]
    return [Grid(stream, part) for stream in streams for part in (parts_of(stream) if split else [None])]


def in_parts(
    session: SessionReader, files: Sequence[Path], names: Sequence[str], suffix: str, split: bool
) -> list[Path]:
    """The files, or with ``split`` one for each part of each stream: ``NAME_part-1.edf`` and so on."""
    if not split:
        return list(files)
    return [
        file.with_name(f"{file.name.removesuffix(suffix)}_part-{number}{suffix}")
        for file, name in zip(files, names, strict=True)
        for number in range(1, len(parts_of(session.stream_data(name))) + 1)
    ]


def start_of(session: SessionReader, grid: Grid) -> float:
    """When a grid's first sample was taken, on the recorder's clock, where its time stamps may tell the date.

    Stamps that are placed by arrival or not at all do not: then that is the session's start, and the grid's place in
    the stream.
    """
    if grid.stream.timeline.basis in ("lsl", "uncompared"):
        return float(grid.stream.times(grid.first, grid.first + 1)[0])
    anchors = session.meta.anchors
    head = grid.stream.timeline.head
    return (anchors[0].lsl if anchors else 0.0) + (head.seconds if head else 0.0) + grid.first / grid.fs


def marks(session: SessionReader, grid: Grid) -> list[Note]:
    """What is to be marked on a grid: ``(onset, duration, text)`` in seconds, in order.

    Labels with their spans (``BAD`` before the name of a bad trial), gaps as `SKIP`, notes, and streams of text as
    ``stream: text``; nothing of what was before the first sample or after the last one (`tell_unmarked`).
    """
    found = [(place / grid.fs, n / grid.fs, SKIP) for place, n in grid.gaps]
    found += [
        (grid.place(leap.index) / grid.fs, 0.0, f"time stamps leap {leap.seconds:+.6g} s")
        for leap in grid.stream.timeline.leaps
        if grid.first < leap.index < grid.stop
    ]
    if grid.stream.timeline.basis == "none":
        return sorted(found)
    spans = [span for span in _spans(session) if grid.holds(span.start, span.stop)]
    starts, stops = (grid.seconds_at([getattr(span, end) for span in spans]) for end in ("start", "stop"))
    for span, start, stop in zip(spans, starts, stops, strict=True):
        name = class_label(session, span.event.class_index)
        found.append((start, max(0.0, stop - start), f"BAD {name}" if span.event.bad else name))
    texts = [(at, text) for at, text in _texts(session) if grid.holds(at, at)]
    found += [(at, 0.0, text) for at, (_, text) in zip(grid.seconds_at([t for t, _ in texts]), texts, strict=True)]
    return sorted(found)


def tell_unmarked(session: SessionReader, grids: Sequence[Grid], out: Exported) -> None:
    """Note how many labels, notes and texts none of a stream's grids has the time of."""
    times = [(span.start, span.stop) for span in _spans(session)] + [(at, at) for at, _ in _texts(session)]
    for name, parts in groupby(grids, key=lambda grid: grid.stream.name):
        own = list(parts)
        if own[0].stream.timeline.basis == "none":
            continue
        if lost := sum(not any(grid.holds(*time) for grid in own) for time in times):
            out.remark(f"{name}: {lost} of labels, notes and texts lie where it has no samples, and are left out")


def marks_by_time(session: SessionReader, stream: StreamData) -> list[tuple[float, float, str, int]]:
    """Labels, notes and texts by the corrected times of a stream: seconds from its first sample, length, text, sample.

    A label that holds at the first sample begins with it; what is over before, or begins after the last one, is none of
    this stream. Nothing where nothing tells how its times lie to the labels.
    """
    if stream.timeline.basis == "none" or not stream.n_samples:
        return []
    times = stream.times(0, stream.n_samples)
    first, last, grid = float(times[0]), float(times[-1]), Grid(stream)
    spans = _spans(session)
    found = [(span.start, span.stop, class_label(session, span.event.class_index), span.event.bad) for span in spans]
    found += [(at, at, text, False) for at, text in _texts(session)]
    rows = []
    for start, stop, text, bad in found:
        if not grid.holds(start, stop):
            continue
        start, stop = max(start, first), min(stop, last)
        sample = int(np.clip(np.searchsorted(times, start), 0, len(times) - 1))
        rows.append((start - first, max(0.0, stop - start), f"BAD {text}" if bad else text, sample))
    return sorted(rows)


def _spans(session: SessionReader) -> list[Span]:
    return label_spans(session, session_end(session))


def _texts(session: SessionReader) -> list[tuple[float, str]]:
    """Notes and texts of marker streams, with their times on the recorder's clock."""
    return [(note.timestamp, f"note: {note.text}") for note in session.notes] + _markers(session)


def _markers(session: SessionReader) -> list[tuple[float, str]]:
    found = []
    for name in text_streams(session):
        stream, own_name = session.stream_data(name), session.stream(name).meta.name or name
        for start, rows in stream.data_blocks():
            for time, row in zip(stream.times(start, start + len(rows)).tolist(), rows.tolist(), strict=True):
                found.append((time, f"{own_name}: {', '.join(row)}"))
    return [(time, text) for time, text in found if np.isfinite(time)]


def _tell_about_time(stream: StreamData, out: Exported) -> None:
    """Note what a grid does not fill, and how it is not as the device was."""
    name, found = stream.name, stream.timeline
    if found.head is not None:
        out.remark(f"{name} came {found.head.seconds:.1f} s after the start; not filled")
    if found.tail is not None:
        out.remark(f"{name} ends {found.tail.seconds:.1f} s early; not filled")
    if found.leaps:
        out.remark(f"{name}: time stamps leap; not filled")
    for repeat in found.repeated:
        out.remark(f"{name}: {count_of(repeat.samples, 'sample')} twice")
    if rate_differs(found.measured_fs, found.fs, found.n_samples, by_arrival=found.basis == "count"):
        out.remark(f"{name}: grid at {found.fs:g} Hz; device ran at {found.measured_fs:.1f}")


def tell_about_grid(session: SessionReader, grid: Grid, out: Exported) -> None:
    """Note what the grid cannot keep."""
    name = grid.stream.name
    tell_about_clock(session, name, out)
    if grid.gaps:
        lost = sum(n for _, n in grid.gaps)
        gaps = f"{count_of(len(grid.gaps), 'gap')} ({count_of(lost, 'sample')})"
        out.remark(f"{name}: {gaps} filled with zeros, marked {SKIP}")
    _tell_about_time(grid.stream, out)
    out.remark(f"{name}: the time stamps of single samples are replaced by an even grid at {grid.fs:g} Hz")
