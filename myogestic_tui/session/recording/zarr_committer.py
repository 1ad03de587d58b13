"""From journal to Zarr: follows one stream's journal, and writes each chunk as it becomes whole."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clock import Evidence, Follower, Timeline
from ...clock.counter import CounterTrack
from ...errors import DiskError
from ..format.arrays import StoredArray, overview_row
from ..format.arrival_record import ArrivalRows
from ..format.commit import Shape
from ..format.journal import FrameReader, arrival_of, samples_of
from ..format.layout import array_name
from ..format.zarr_format import RAW_LEVEL, ZSTD_LEVEL, ArraySpec, encode_chunk, write_chunk
from ..reading.session_files import FolderMembers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...clock import Sketch
    from ...clock.counter import Counts
    from ...clock.irregular import EventSketch
    from ..format.journal import Frame
    from .journal_writer import Segment, StreamJournal

_log = logging.getLogger(__name__)
_ROTATE_CHUNKS = 8
_ROTATE_FRAMES = 256
"""What a segment holds before the next one is begun, of which at least one chunk is committed: all of it is read
when the session is opened or recovered."""


_FOLLOWED_CHUNKS = 8


class StreamCommitter:
    """Follows one stream's journal, and writes each chunk as it becomes whole; for the checkpointer's thread only.

    Memory is one chunk: what waits, waits in the journal.
    """

    def __init__(self, journal: StreamJournal) -> None:
        info = journal.info
        self.journal = journal
        self.stem = journal.stem
        self.data_spec, self.stamps_spec = ArraySpec.data(info), ArraySpec.timestamps(info)
        self.overview_spec = None if info.is_string else ArraySpec.overview(info)
        self._follower = Follower(info.fs)
        self._unfollowed: list[NDArray[np.float64]] = []
        self._counter = None if info.counter is None else CounterTrack()
        self.timeline = Timeline(0, info.fs)
        """Of the whole chunks so far, as the last `look` found it."""
        self.n_read = 0
        """Samples taken from the journal."""
        self.published = 0
        """Rows that the arrays say they have."""
        self.last_timestamp: float | None = None
        self._length = info.chunk_length
        self._data: NDArray[Any] = np.empty(self.data_spec.chunk_shape, self.data_spec.np_dtype)
        self._stamps: NDArray[np.float64] = np.empty(self._length)
        self._overview: list[NDArray[np.float32]] = []
        self._overview_done = 0
        """Rows of the overview that are written in whole chunks; `_overview` holds those after them."""
        self._overview_published = 0
        self._arrivals = ArrivalRows(journal.began)
        self._arrivals_done = 0
        """Rows of the arrival record in whole chunks, which are no longer in memory."""
        self._arrivals_published: tuple[int, list[float] | None] = 0, None
        self._unwritten = False
        """The chunk in memory is whole and not in its file."""
        self._segment: Segment | None = None
        self._offset = 0

    @property
    def n_whole(self) -> int:
        """Samples that fill whole chunks."""
        return self.n_read - self.n_read % self._length

    # ------------------------------------------------------------ reading the journal

    def pump(self) -> None:
        """Take in what the journal has by now, and write the chunks that it completes.

        Raises
        ------
        DiskError
            The journal reads back otherwise than it was written.
        OSError
            The disk refused.
        """
        if self._unwritten:
            self._write_whole_chunk()
        for segment in self.journal.segments:
            if self._segment is None or segment.first > self._segment.first or segment is self._segment:
                self._read_segment(segment)
        self._sum_up()

    def _read_segment(self, segment: Segment) -> None:
        if segment is not self._segment:
            self._segment, self._offset = segment, 0
        size = segment.size
        if self._offset >= size:
            return
        frames = FrameReader(segment.fd, self._offset, size)
        for frame in frames:
            self._take(frame)
            self._offset = frames.end
        if self._offset != size:
            raise DiskError(
                f"{self.stem}: the journal cannot be read back behind sample {self.n_read - 1}; the disk is failing"
            )

    def _take(self, frame: Frame) -> None:
        samples = samples_of(frame, self.journal.info)
        # A frame whose chunk the disk refused comes again; what was taken of it is skipped.
        at = self.n_read - frame.first
        if samples is None or not 0 <= at <= frame.n:
            raise DiskError(
                f"{self.stem}: the journal reads back wrong behind sample {self.n_read - 1}; the disk is failing"
            )
        arrived = arrival_of(frame)
        if arrived is not None and at == 0:
            self._arrivals.feed(frame.first, frame.n, arrived)
        stamps, data = samples
        while at < frame.n:
            fill = self.n_read % self._length
            n = min(frame.n - at, self._length - fill)
            self._stamps[fill : fill + n] = stamps[at : at + n]
            self._data[fill : fill + n] = data[at : at + n]
            self.n_read += n
            at += n
            if fill + n == self._length:
                self._unwritten = True
                self._write_whole_chunk()

    # ------------------------------------------------------------ writing chunks

    def _write_whole_chunk(self) -> None:
        """Write the chunk in memory; where the disk refuses, nothing changes, so that it can be tried again."""
        self._write_chunk(self._length)
        overview = self._overview
        if self.overview_spec is not None:
            overview = [*overview, overview_row(self._data)]
            if len(overview) == self.overview_spec.chunk_length:
                self._write_overview(overview)
                self._overview_done += len(overview)
                overview = []
        self._overview = overview
        self._unwritten = False
        self._follow(self._length)
        self.last_timestamp = float(self._stamps[-1])

    def _follow(self, fill: int) -> None:
        self._unfollowed.append(self._stamps[:fill].copy())
        if len(self._unfollowed) == _FOLLOWED_CHUNKS:
            self._sum_up()
        if self._counter is not None:
            self._counter.feed(self._data[:fill, self.journal.info.counter])

    def _sum_up(self) -> None:
        """Stamps of several chunks at once cost as much as those of one, and come to the same."""
        if self._unfollowed:
            self._follower.feed(np.concatenate(self._unfollowed))
            self._unfollowed = []

    @property
    def counts(self) -> Counts | None:
        """What the counter channel did so far; None where there is none."""
        return None if self._counter is None else self._counter.counts

    def _write_chunk(self, fill: int) -> None:
        number = (self.n_read - 1) // self._length
        level = ZSTD_LEVEL if self.journal.info.is_string else RAW_LEVEL
        self._write("", self.data_spec, number, self._data[:fill], level)
        self._write("_timestamps", self.stamps_spec, number, self._stamps[:fill])

    def _write_overview(self, rows: list[NDArray[np.float32]]) -> None:
        assert self.overview_spec is not None, "only streams of numbers have one"
        number = self._overview_done // self.overview_spec.chunk_length
        self._write("_overview", self.overview_spec, number, np.stack(rows))

    def _write(self, derived: str, spec: ArraySpec, number: int, rows: NDArray[Any], level: int = ZSTD_LEVEL) -> None:
        name = array_name(self.stem, derived)
        write_chunk(self.journal.folder, name, spec, number, encode_chunk(spec, rows, level))

    def write_tail(self) -> None:
        """Write the chunks that are not whole yet; what follows will replace them."""
        fill = self.n_read % self._length
        if fill:
            self._write_chunk(fill)
        rows = self._tail_overview()
        if rows:
            self._write_overview(rows)

    def _tail_overview(self) -> list[NDArray[np.float32]]:
        fill = self.n_read % self._length
        if self.overview_spec is None:
            return []
        return [*self._overview, *([overview_row(self._data[:fill])] if fill else [])]

    def end(self) -> None:
        """No more will come."""
        self._arrivals.end()
        fill = self.n_read % self._length
        if fill:
            self._follow(fill)
            self._sum_up()
            self.last_timestamp = float(self._stamps[fill - 1])

    # ------------------------------------------------------------ the arrival record

    def write_arrivals(self, *, tail: bool) -> Shape | None:
        """Write the rows that the journal is about to lose, or all of them; None where there are none to publish."""
        rows, spec = self._arrivals.table(), ArraySpec.arrival()
        state = self._arrivals_done + len(rows), rows[-1].tolist() if len(rows) else None
        if not (tail or self.journal.would_drop(self.n_whole)) or state == self._arrivals_published:
            return None
        for first in range(0, len(rows), spec.chunk_length):
            number = (self._arrivals_done + first) // spec.chunk_length
            self._write("_arrival", spec, number, rows[first : first + spec.chunk_length])
        whole = self._arrivals.n_chosen // spec.chunk_length * spec.chunk_length
        self._arrivals.forget(whole)
        self._arrivals_done += whole
        self._arrivals_published = state
        return Shape(array_name(self.stem, "_arrival"), spec, state[0])

    @property
    def sketch(self) -> Sketch | EventSketch:
        """What the time model keeps of the stamps in whole chunks; after `end`, of all of them."""
        return self._follower.sketch

    def look(self, offsets: NDArray[np.float64] | None) -> None:
        """Bring `timeline` up to date, with the clock offsets so far; it is for show, and ends no recording."""
        recent = Evidence(arrivals=self._arrivals.table(), offsets=offsets, counts=self.counts)
        try:
            self.timeline = self._follower.analyse(recent)
        except Exception:
            _log.exception("%s: what its time stamps tell cannot be worked out; its samples are recorded", self.stem)

    def arrivals(self) -> NDArray[np.float64]:
        """The arrival record so far, ``(k, 2)``."""
        name, spec = array_name(self.stem, "_arrival"), ArraySpec.arrival()
        rows = self._arrivals.table()
        if not self._arrivals_done:
            return rows
        stored = StoredArray.assumed(FolderMembers(self.journal.folder), name, spec, self._arrivals_done)
        return np.concatenate((stored.rows(0, self._arrivals_done), rows))

    # ------------------------------------------------------------ publishing

    def _n_next(self, *, tail: bool) -> int:
        """Rows to publish; what a flush published of a chunk stays published while the chunk fills up."""
        return self.n_read if tail else max(self.n_whole, self.published)

    def shapes(self, *, tail: bool) -> list[Shape]:
        """What the arrays hold once committed: whole chunks, or all after `write_tail`."""
        n = self._n_next(tail=tail)
        found = [
            Shape(array_name(self.stem), self.data_spec, n),
            Shape(array_name(self.stem, "_timestamps"), self.stamps_spec, n),
        ]
        if n == self.published:
            found = []
        n_overview = self._overview_done + (len(self._tail_overview()) if tail else 0)
        if self.overview_spec is not None and n_overview > self._overview_published:
            found.append(Shape(array_name(self.stem, "_overview"), self.overview_spec, n_overview))
        return found

    def committed(self, *, tail: bool, last: bool = False) -> None:
        """The `shapes` are on the disk: drop what the journal has of whole chunks; begin a new segment at times.

        After the last time there is nothing to begin, and a disk that is full now has all that there was.
        """
        self.published = self._n_next(tail=tail)
        n_overview = self._overview_done + (len(self._tail_overview()) if tail else 0)
        self._overview_published = max(n_overview, self._overview_published)
        self.journal.drop(self.n_whole)
        if last:
            return
        newest = self.journal.segments[-1]
        n_chunks = (self.n_whole - newest.first) // self._length
        if n_chunks >= _ROTATE_CHUNKS or (n_chunks > 0 and newest.n_frames >= _ROTATE_FRAMES):
            self.journal.rotate()
