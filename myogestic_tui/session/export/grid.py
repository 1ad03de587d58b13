"""A stream on the even grid that most formats want: gaps are filled with zeros and marked; time goes on in them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..reading.trials import first_at
from .common import Exported, class_label, label_spans, session_end, text_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData

    Note = tuple[float, float, str]

SKIP = "BAD_ACQ_SKIP"
"""What MNE calls time without samples; anything that begins with BAD is left out of analyses there."""


class Grid:
    """Places of a stream's samples on a grid of ``1 / fs`` that begins with the first of them.

    The grid follows the samples, not the clock: an annotation lands on the samples it belongs to, however far the
    device's real rate is from its nominal one.
    """

    def __init__(self, stream: StreamData) -> None:
        self.stream = stream
        self.fs = stream.info.fs
        gaps = stream.timeline.lost
        self._ends = np.array([gap.index for gap in gaps], np.int64)
        missing = np.array([round(gap.seconds * self.fs) for gap in gaps], np.int64)
        self._shifts = np.concatenate(([0], np.cumsum(missing)))
        self.gaps = [(int(self.place(gap.index)) - int(n), int(n)) for gap, n in zip(gaps, missing, strict=True)]
        """Place and length of each gap, in samples."""

    @property
    def length(self) -> int:
        """Samples of the grid."""
        return self.stream.n_samples + int(self._shifts[-1])

    def place(self, index: int) -> int:
        """Place of a sample."""
        return index + int(self._shifts[np.searchsorted(self._ends, index, side="right")])

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Samples block by block: place of the first, and ``(rows, n_channels)``; nothing for gaps."""
        edges = [0, *self._ends.tolist(), self.stream.n_samples]
        for start, stop in pairwise(edges):
            for at, rows in self.stream.data_blocks(start, stop):
                yield self.place(at), rows

    def seconds_at(self, times: Sequence[float]) -> list[float]:
        """Seconds from the start of the grid at which corrected times lie; never outside it."""
        n = self.stream.n_samples
        indices = first_at(self.stream, list(times))
        return [self._seconds(time, indices[time], n) for time in times]

    def _seconds(self, time: float, index: int, n: int) -> float:
        if index >= n:
            after = time - float(self.stream.times(n - 1, n)[0]) if n else 0.0
            return min((self.place(n - 1) / self.fs if n else 0.0) + after, self.length / self.fs)
        seconds = self.place(index) / self.fs - (float(self.stream.times(index, index + 1)[0]) - time)
        least = self.place(index - 1) / self.fs if index else 0.0
        return max(seconds, least)


def marks(session: SessionReader, grid: Grid) -> list[Note]:
    """What is to be marked on a grid: ``(onset, duration, text)`` in seconds, in order.

    Labels with their spans (``BAD`` before the name of a bad trial), gaps as `SKIP`, notes, and streams of text as
    ``stream: text``.
    """
    found = [(place / grid.fs, n / grid.fs, SKIP) for place, n in grid.gaps]
    spans = label_spans(session, session_end(session))
    starts, stops = (grid.seconds_at([getattr(span, end) for span in spans]) for end in ("start", "stop"))
    for span, start, stop in zip(spans, starts, stops, strict=True):
        name = class_label(session, span.event.class_index)
        found.append((start, max(0.0, stop - start), f"BAD {name}" if span.event.bad else name))
    texts = [(note.timestamp, f"note: {note.text}") for note in session.notes] + _markers(session)
    found += [(at, 0.0, text) for at, (_, text) in zip(grid.seconds_at([t for t, _ in texts]), texts, strict=True)]
    return sorted(found)


def _markers(session: SessionReader) -> list[tuple[float, str]]:
    found = []
    for name in text_streams(session):
        stream, own_name = session.stream_data(name), session.stream(name).meta.name or name
        for start, rows in stream.data_blocks():
            for time, row in zip(stream.times(start, start + len(rows)).tolist(), rows.tolist(), strict=True):
                found.append((time, f"{own_name}: {', '.join(row)}"))
    return [(time, text) for time, text in found if np.isfinite(time)]


def tell_about_grid(grid: Grid, out: Exported) -> None:
    """Note what the grid cannot keep."""
    name = grid.stream.name
    if grid.gaps:
        lost = sum(n for _, n in grid.gaps)
        gaps = "1 gap" if len(grid.gaps) == 1 else f"{len(grid.gaps)} gaps"
        out.remark(f"{name}: {gaps} ({lost} samples), filled with zeros and marked {SKIP}")
    out.remark(f"{name}: the time stamps of single samples are replaced by an even grid at {grid.fs:g} Hz")
