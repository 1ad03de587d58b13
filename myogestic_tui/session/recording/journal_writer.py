"""The writing side of a stream's journal: one `writev` per chunk, segments that are dropped once they are in Zarr."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...clock import local_clock
from ...errors import DiskError, SourceError
from ..format.crc import crc32
from ..format.create_file import new_file_of
from ..format.journal import (
    ARRIVAL,
    ARRIVED_NUMBERS,
    ARRIVED_TEXT,
    HEADER,
    MAGIC,
    MAX_PAYLOAD,
    UNSIGNED,
    encode_texts,
    segment_path,
)
from ..format.layout import JOURNAL, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...info import StreamInfo

_FLAGS = os.O_RDWR | os.O_APPEND
_STAMP = np.dtype("<f8")


@dataclass(slots=True, eq=False)
class Segment:
    """One journal file of a stream."""

    path: Path
    fd: int
    first: int
    """Index of its first sample."""
    end: int
    """One past the last sample in it."""
    size: int = 0
    """Bytes of whole frames."""
    n_frames: int = 0
    synced: int = 0
    """Bytes of them that `fdatasync` has returned for."""


class StreamJournal:
    """Takes a stream's chunks, in one thread at a time, and hands them to the checkpointer in another.

    Parameters
    ----------
    folder
        The session's folder.
    stem
        What the stream's files are called.
    info
        Its layout.
    began
        When its recording began (recorder's clock, s).
    """

    def __init__(self, folder: Path, stem: str, info: StreamInfo, began: float) -> None:
        self.folder = folder
        self.stem = stem
        self.info = info
        self.n_samples = 0
        self.n_bytes = 0
        self.first_timestamp: float | None = None
        self.closed: Exception | None = None
        """What `append` raises from now on."""
        self._dtype = info.np_dtype
        self._row_nbytes = 8 + info.n_channels * self._dtype.itemsize
        self._most_rows = max(1, MAX_PAYLOAD // 2 // self._row_nbytes)
        self._lock = threading.Lock()
        self._files_lock = threading.Lock()  # held while a file is synced or closed, never by append
        self._number = 0
        self._segments = [self._new_segment()]
        self.began = self._arrived = began
        self._marked = False

    def append(self, data: NDArray[Any], timestamps: NDArray[np.float64], arrived: float | None = None) -> int:
        """Write one chunk, ``(n, n_channels)`` with ``(n,)`` seconds, and return how many samples there are now.

        ``arrived`` is when it was read (recorder's clock, s), not before what came before it; None is now.

        Once it has returned, a kill of this process does not lose the chunk.

        Raises
        ------
        SourceError
            Wrong shape or dtype; nothing is written.
        SessionClosedError
            The session is finished.
        DiskError
            The disk refused; what was written of the chunk's frame is cut back.
        """
        if not (
            type(data) is type(timestamps) is np.ndarray and data.dtype == self._dtype and timestamps.dtype == _STAMP
        ):
            data, timestamps = self._conform(data, timestamps)
        if data.ndim != 2 or data.shape[1] != self.info.n_channels or timestamps.shape != data.shape[:1]:
            raise self._wrong_shape(data, timestamps)
        n = len(data)
        with self._lock:
            if self.closed is not None:
                raise type(self.closed)(*self.closed.args)
            if n:
                self._note_arrival(arrived)
            if 0 < n <= self._most_rows:
                self._write(data, timestamps)
            else:
                for at in range(0, n, self._most_rows):
                    rows = slice(at, at + self._most_rows)
                    self._write(data[rows], timestamps[rows])
            return self.n_samples

    def mark(self, arrived: float | None = None) -> None:
        """Note that by an instant (recorder's clock, s; None is now) no more samples had come; DiskError."""
        nothing = np.empty((0, self.info.n_channels), self._dtype), np.empty(0)
        with self._lock:
            if self.closed is None:
                self._note_arrival(arrived)
                self._write(*nothing)
                self._marked = True

    def mark_end(self, arrived: float) -> None:
        """`mark` the end of the recording, unless it was marked since the last sample."""
        if not self._marked:
            self.mark(arrived)

    def _note_arrival(self, arrived: float | None) -> None:
        arrived = local_clock() if arrived is None else arrived
        self._arrived = arrived if self._arrived < arrived < np.inf else self._arrived
        self._marked = False

    def _conform(self, data: Any, timestamps: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
        data = np.asarray(data, object if self.info.is_string else None)
        if data.dtype != self._dtype:
            raise SourceError(f"{self.stem}: a chunk came as {data.dtype}; the stream is {self.info.dtype}")
        try:
            return data, np.asarray(timestamps, _STAMP)
        except (TypeError, ValueError) as error:
            raise SourceError(f"{self.stem}: time stamps are no numbers: {error}") from error

    def _wrong_shape(self, data: NDArray[Any], timestamps: NDArray[Any]) -> SourceError:
        return SourceError(
            f"{self.stem}: a chunk came with data {data.shape} and time stamps {timestamps.shape}; "
            f"expected (n, {self.info.n_channels}) and (n,)"
        )

    def _write(self, data: NDArray[Any], timestamps: NDArray[np.float64]) -> None:
        segment, n = self._segments[-1], len(data)
        stamps: Any = timestamps if timestamps.flags.c_contiguous else np.ascontiguousarray(timestamps)
        payload: Any = data if data.flags.c_contiguous else np.ascontiguousarray(data)
        kind, size = ARRIVED_NUMBERS, ARRIVAL.size + n * self._row_nbytes
        if self.info.is_string:
            payload = encode_texts(payload)
            kind, size = ARRIVED_TEXT, ARRIVAL.size + 8 * n + len(payload)
            if size > MAX_PAYLOAD:
                self._write_halves(data, timestamps)
                return
        head = UNSIGNED.pack(MAGIC, kind, self.n_samples, n, size)
        arrived = ARRIVAL.pack(self._arrived)
        crc = crc32(payload, crc32(stamps, crc32(head + arrived)))
        try:
            written = os.writev(segment.fd, (head, crc.to_bytes(4, "little"), arrived, stamps, payload))
        except OSError as error:
            raise self._cut_back(segment, error) from error
        if written != HEADER.size + size:
            raise self._cut_back(segment, None)
        segment.size += written
        segment.n_frames += 1
        if self.first_timestamp is None and n:
            self.first_timestamp = float(stamps[0])
        self.n_bytes += size - ARRIVAL.size
        self.n_samples += n
        segment.end = self.n_samples

    def _write_halves(self, data: NDArray[Any], timestamps: NDArray[np.float64]) -> None:
        half = len(data) // 2
        if half == 0:
            raise SourceError(f"{self.stem}: a text of more than {MAX_PAYLOAD} bytes cannot be recorded")
        self._write(data[:half], timestamps[:half])
        self._write(data[half:], timestamps[half:])

    def _cut_back(self, segment: Segment, error: OSError | None) -> DiskError:
        """After a short write nothing may follow half a frame: readers would stop there for good."""
        full = error is None or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        self.closed = DiskError(
            f"{self.stem}: the disk refused a write ({error.strerror if error else 'no space left on it'}) after "
            f"sample {self.n_samples}; what came before is safe{'' if full else ', but for what it had not stored yet'}"
        )
        # Where even this fails, the segment is closed all the same, and recovery drops half a frame at its end.
        with suppress(OSError):
            os.ftruncate(segment.fd, segment.size)
        return self.closed

    # ------------------------------------------------------------ for the background threads

    def close(self, reason: Exception) -> None:
        """Refuse further chunks with ``reason``; waits for the one that is being written."""
        with self._lock:
            if self.closed is None:
                self.closed = reason

    def rotate(self) -> None:
        """Continue in a new segment, so that the present one can be dropped."""
        segment = self._new_segment()
        try:
            sync_folder(segment.path.parent)
        except OSError as error:
            os.close(segment.fd)
            raise DiskError(f"{self.stem}: cannot continue in a new journal segment: {error.strerror}") from error
        with self._lock:
            segment.first = segment.end = self.n_samples
            self._segments = [*self._segments, segment]

    def _new_segment(self) -> Segment:
        self._number += 1
        path = segment_path(self.folder, self.stem, self._number)
        try:
            fd = new_file_of(self.folder, f"{JOURNAL}/{path.name}", _FLAGS)
        except OSError as error:
            raise DiskError(f"{self.stem}: cannot continue in a new journal segment: {error.strerror}") from error
        return Segment(path, fd, self.n_samples, self.n_samples)

    @property
    def segments(self) -> list[Segment]:
        """The segments that are still there, oldest first; a list that is replaced, never changed."""
        return self._segments

    @property
    def is_unsynced(self) -> bool:
        """Whether a power cut would take something of it."""
        return any(segment.size != segment.synced for segment in self._segments)

    def sync(self) -> None:
        """`fdatasync` what is not yet on the disk.

        Raises
        ------
        DiskError
            The disk refused. The segment is closed: what a second `fdatasync` would return means nothing.
        """
        with self._files_lock:
            for segment in self._segments:
                size = segment.size
                if size == segment.synced:
                    continue
                try:
                    os.fdatasync(segment.fd)
                except OSError as error:
                    failure = DiskError(f"{self.stem}: the disk failed to store the journal: {error.strerror}")
                    self.close(failure)
                    raise failure from error
                segment.synced = size

    def would_drop(self, committed: int) -> bool:
        """Whether `drop` would remove a segment."""
        return any(segment.end <= committed for segment in self._segments[:-1])

    def drop(self, committed: int) -> None:
        """Remove the segments whose samples all stand before ``committed``, a whole number of chunks."""
        with self._files_lock:
            gone = [segment for segment in self._segments[:-1] if segment.end <= committed]
            with self._lock:
                self._segments = [segment for segment in self._segments if segment not in gone]
            for segment in gone:
                with suppress(OSError):  # what stands there now may be somebody else's
                    segment.path.unlink()
                os.close(segment.fd)

    def release(self) -> None:
        """Close the files; the journal stays on the disk."""
        with self._files_lock:
            for segment in self._segments:
                os.close(segment.fd)
            self._segments = []
