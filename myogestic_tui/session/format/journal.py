"""The journal: append-only files that hold what has not reached Zarr yet, one frame per chunk.

A frame is a header, then its payload, all little-endian::

    magic  b"MGJ1"     4
    kind               uint32     1 numbers, 2 text, 3 event, 4 numbers and 5 text with their arrival
    index              uint64     first sample of the frame; number of the event
    count              uint32     samples
    size               uint32     bytes of payload
    crc                uint32     CRC-32 of the header up to here and the payload
    payload            numbers: time stamps (count,) float64, then samples (count, n_channels)
                       text: time stamps, then each text as uint32 length and UTF-8
                       with their arrival: the recorder's clock when they were read, float64, then the same
                       event: JSON

A frame of no samples says that until its arrival no more had come. Kinds 1 and 2 are those of earlier recorders.

Each stream has segments ``<stem>.<number>.journal``; events have the one file ``@events.journal``. A file ends at its
first frame that is not whole: torn by a kill, or damaged.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .crc import crc32
from .layout import JOURNAL
from .regular_files import is_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ...info import StreamInfo

MAGIC = b"MGJ1"
NUMBERS, TEXT, EVENT, ARRIVED_NUMBERS, ARRIVED_TEXT = 1, 2, 3, 4, 5
ARRIVAL = struct.Struct("<d")
HEADER = struct.Struct("<4sIQIII")
UNSIGNED = struct.Struct("<4sIQII")
"""The header without its CRC."""

MAX_PAYLOAD = 64 * 2**20
"""Bytes; larger chunks are split, larger claims are damage."""

SUFFIX = ".journal"
EVENTS = "@events" + SUFFIX
_BLOCK = 2 * 2**20
_PAGE = 4096


class Frame(NamedTuple):
    """One whole frame: where it stands, what it says."""

    kind: int
    first: int
    n: int
    offset: int
    """Of the header within the file."""
    payload: memoryview

    @property
    def end(self) -> int:
        """Offset of what follows it."""
        return self.offset + HEADER.size + len(self.payload)


def frame_header(kind: int, index: int, count: int, *parts: Any) -> bytes:
    """Header of the frame whose payload is ``parts``, which are buffers of bytes."""
    size = sum(memoryview(part).nbytes for part in parts)
    head = UNSIGNED.pack(MAGIC, kind, index, count, size)
    crc = crc32(head)
    for part in parts:
        crc = crc32(part, crc)
    return head + crc.to_bytes(4, "little")


class FrameReader:
    """Iterates over the whole frames of a file, up to the first that is not; reads it in blocks.

    Parameters
    ----------
    fd
        The file; its position is neither used nor moved.
    at
        Offset of the first frame.
    size
        Bytes of the file that are looked at; None is as many as it has now. A recorder may be writing more.
    """

    def __init__(self, fd: int, at: int = 0, size: int | None = None) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size if size is None else size
        self.end = at
        """Offset behind the last whole frame so far."""
        self._buffer = memoryview(b"")
        self._base = at

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._frame_at(self.end)) is not None:
            self.end = frame.end
            yield frame

    def _frame_at(self, at: int) -> Frame | None:
        head = self._bytes(at, HEADER.size)
        if head is None or head[:4] != MAGIC:
            return None
        _, kind, index, count, size, crc = HEADER.unpack(head)
        if size > MAX_PAYLOAD:
            return None
        whole = self._bytes(at, HEADER.size + size)
        if whole is None:
            return None
        payload = whole[HEADER.size :]
        if crc32(payload, crc32(whole[: UNSIGNED.size])) != crc:
            return None
        return Frame(kind, index, count, at, payload)

    def _bytes(self, at: int, size: int) -> memoryview | None:
        start = at - self._base
        if start < 0 or start + size > len(self._buffer):
            data = os.pread(self._fd, max(0, min(max(_BLOCK, size), self._size - at)), at)
            self._buffer, self._base, start = memoryview(data), at, 0
        part = self._buffer[start : start + size]
        return part if len(part) == size else None

    def ending(self) -> Literal["clean", "torn", "hole", "damaged"]:
        """Why the file ends where it does, once all frames are read.

        A frame that a kill cut short is torn; one that is there in its whole length and differs from its CRC, or
        with whole frames behind it, is damaged. Where a whole page of it is zeros, that was never written: what a power
        cut leaves of writes that were not synced yet, a hole where whole frames come behind it.
        """
        rest = self._size - self.end
        if rest <= 0:
            return "clean"
        following = next(self.rest(), None)
        if following is not None:
            return "hole" if self._has_empty_page(self.end, following.offset) else "damaged"
        head = os.pread(self._fd, min(HEADER.size, rest), self.end)
        if not any(head) or len(head) < HEADER.size:
            return "torn"  # after a power cut a file may end in zeros that were never written
        claimed = HEADER.unpack(head)[4]
        is_short = rest - HEADER.size < claimed <= MAX_PAYLOAD or self._has_empty_page(self.end, self._size)
        return "torn" if head[:4] == MAGIC and is_short else "damaged"

    def _has_empty_page(self, start: int, stop: int) -> bool:
        first = -(-start // _PAGE) * _PAGE
        pages = range(first, stop if stop == self._size else stop - _PAGE + 1, _PAGE)
        return any(not any(os.pread(self._fd, _PAGE, at)) for at in pages)

    def rest(self) -> Iterator[Frame]:
        """Whole frames that stand behind the damage at `end`, found by their magic; none where the tail was torn."""
        at = self._find_magic(self.end + 1)
        while at is not None:
            frame = self._frame_at(at)
            if frame is not None:
                yield frame
            at = self._find_magic(at + 1 if frame is None else frame.end)

    def _find_magic(self, at: int) -> int | None:
        while at < self._size:
            try:
                at = os.lseek(self._fd, at, os.SEEK_DATA)
            except OSError:
                return None  # nothing but a hole is left
            block = os.pread(self._fd, max(0, min(_BLOCK, self._size - at)), at)
            hit = block.find(MAGIC)
            if hit >= 0:
                return at + hit
            at += max(1, len(block) - len(MAGIC) + 1)
        return None


def arrival_of(frame: Frame) -> float | None:
    """When the samples of a frame were read (recorder's clock, s); None where it does not say."""
    timed = frame.kind in (ARRIVED_NUMBERS, ARRIVED_TEXT) and len(frame.payload) >= ARRIVAL.size
    return ARRIVAL.unpack_from(frame.payload)[0] if timed else None


def _samples_at(frame: Frame) -> int:
    """Where in the payload the time stamps begin."""
    return ARRIVAL.size if frame.kind in (ARRIVED_NUMBERS, ARRIVED_TEXT) else 0


def fits(frame: Frame, info: StreamInfo) -> bool:
    """Whether a frame can be one of a stream with this layout, from its kind and size."""
    size, stamps_size, n_values = len(frame.payload) - _samples_at(frame), 8 * frame.n, frame.n * info.n_channels
    if info.is_string:
        return frame.kind in (TEXT, ARRIVED_TEXT) and size >= stamps_size + 4 * n_values
    return frame.kind in (NUMBERS, ARRIVED_NUMBERS) and size == stamps_size + n_values * info.np_dtype.itemsize


def samples_of(frame: Frame, info: StreamInfo) -> tuple[NDArray[np.float64], NDArray[Any]] | None:
    """Time stamps ``(count,)`` and samples ``(count, n_channels)`` of a frame, views of it where they can be.

    None where the frame is none of a stream with this layout.
    """
    if not fits(frame, info):
        return None
    at = _samples_at(frame)
    stamps = np.frombuffer(frame.payload, "<f8", frame.n, at)
    if info.is_string:
        texts = _texts_of(frame, info.n_channels)
        return None if texts is None else (stamps, texts)
    data = np.frombuffer(frame.payload, info.np_dtype.newbyteorder("<"), offset=at + 8 * frame.n)
    return stamps, data.reshape(frame.n, info.n_channels)


def encode_texts(texts: NDArray[Any]) -> bytes:
    """Texts as length-prefixed UTF-8; a lone surrogate that stands for an undecodable byte becomes that byte again."""
    parts = []
    for text in texts.ravel():
        raw = _utf8(str(text))
        parts += [len(raw).to_bytes(4, "little"), raw]
    return b"".join(parts)


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _texts_of(frame: Frame, n_channels: int) -> NDArray[Any] | None:
    raw, at = frame.payload, _samples_at(frame) + 8 * frame.n
    texts = np.empty(frame.n * n_channels, object)
    for number in range(len(texts)):
        size = int.from_bytes(raw[at : at + 4], "little")
        # Zarr's texts are valid UTF-8: a byte that is none is stored as \xNN, which every reader can show.
        texts[number] = bytes(raw[at + 4 : at + 4 + size]).decode("utf-8", "backslashreplace")
        at += 4 + size
    return texts.reshape(frame.n, n_channels) if at == len(raw) else None


def segment_path(folder: Path, stem: str, number: int) -> Path:
    """File of a stream's segment within a session folder."""
    return folder / JOURNAL / f"{stem}.{number:08d}{SUFFIX}"


def is_first(segment: Path) -> bool:
    """Whether a segment is its stream's first, so that the journal has the stream from its beginning on."""
    return segment.name.removesuffix(SUFFIX).endswith(".00000001")


def list_segments(folder: Path) -> dict[str, list[Path]]:
    """Segment files by stem, in order; empty where the folder has no journal."""
    found: dict[str, list[Path]] = {}
    try:
        names = sorted(entry.name for entry in os.scandir(folder / JOURNAL) if _is_file(entry))
    except (FileNotFoundError, NotADirectoryError):
        return found
    for name in names:
        stem, _, number = name.removesuffix(SUFFIX).rpartition(".")
        if name.endswith(SUFFIX) and stem and number.isdigit():
            found.setdefault(stem, []).append(folder / JOURNAL / name)
    return found


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it was a file when it was listed: one that a recorder drops meanwhile must be missed, not overlooked."""
    return entry.is_file(follow_symlinks=False) or (entry.is_symlink() and is_regular(entry.path))
