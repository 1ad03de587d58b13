"""The schedule of a recorded stream: which samples are due when, read from disk as they come due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..session.signal.gapless_runs import find_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..session.signal.streamdata import StreamData

    Batch = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]


class Playback:
    """Samples of a stream in their order, with the seconds from the start at which each is due.

    Parameters
    ----------
    stream
        The recorded stream.
    origin
        Corrected time that is second 0; None: that of the stream's first sample.
    close_gaps
        Let the samples after a gap follow as if none were missing.
    """

    def __init__(self, stream: StreamData, origin: float | None = None, *, close_gaps: bool) -> None:
        self._stream = stream
        self._origin = _first_time(stream) if origin is None else origin
        self._closed = _gap_ends(stream) if close_gaps else (np.empty(0, np.intp), np.empty(0))
        self._latest = 0.0
        self.rewind()

    def rewind(self) -> None:
        """Begin again."""
        self._blocks: Iterator[Batch] = self._read()
        self._batch: Batch | None = None
        self._latest = 0.0

    def due(self, until: float) -> Batch | None:
        """The next samples up to second ``until``, at most a block of about 4 s; None at the end of the stream.

        Returns
        -------
        data
            ``(n, n_channels)``, maybe without rows.
        offsets
            ``(n,)`` seconds from the start at which they are due, never falling.
        recorded
            ``(n,)`` their raw time stamps.
        """
        if self._batch is None or not len(self._batch[1]):
            self._batch = next(self._blocks, None)
        if self._batch is None:
            return None
        count = int(np.searchsorted(self._batch[1], until, side="right"))
        due = self._batch[0][:count], self._batch[1][:count], self._batch[2][:count]
        self._batch = self._batch[0][count:], self._batch[1][count:], self._batch[2][count:]
        return due

    def length(self) -> float:
        """Seconds from the start to where the sample after the last one would be due; reads all time stamps once."""
        last, count = 0.0, 0
        for batch in self._times():
            last, count = float(batch[1][-1]), count + len(batch[1])
        fs = self._stream.info.fs
        period = 1.0 / fs if fs > 0 else last / max(1, count - 1)
        return last + period if count else 0.0

    def _read(self) -> Iterator[Batch]:
        for start, rows in self._stream.data_blocks():
            raw = self._stream.raw_times(start, start + len(rows))
            yield rows, self._offsets(start, self._stream.timeline.corrected(raw, start)), raw

    def _times(self) -> Iterator[tuple[int, NDArray[np.float64]]]:
        self._latest = 0.0
        for start, n in self._stream.blocks():
            yield start, self._offsets(start, self._stream.corrected(start, start + n))
        self.rewind()

    def _offsets(self, start: int, times: NDArray[np.float64]) -> NDArray[np.float64]:
        ends, seconds = self._closed
        lost = np.concatenate(([0.0], np.cumsum(seconds)))
        skipped = lost[np.searchsorted(ends, np.arange(start, start + len(times)), side="right")]
        # A sample without a time, or stamped earlier than the one before it, goes out with that one.
        offsets = np.fmax.accumulate(np.concatenate(([self._latest], times - self._origin - skipped)))[1:]
        self._latest = float(offsets[-1])
        return offsets


def _first_time(stream: StreamData) -> float:
    for start, n in stream.blocks():
        times = stream.corrected(start, start + n)
        known = times[np.isfinite(times)]
        if len(known):
            return float(known[0])
    return 0.0


def _gap_ends(stream: StreamData) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """First sample after each gap or jump of the clock, and the time that lies before it beyond a sample's."""
    fs = stream.info.fs
    if fs <= 0:
        return np.empty(0, np.intp), np.empty(0)
    ends = [run.start for run in find_runs(stream) if run.start > 0]
    steps = [float(np.diff(stream.corrected(end - 1, end + 1))[0]) - 1.0 / fs for end in ends]
    return np.array(ends, np.intp), np.nan_to_num(np.array(steps, np.float64))
