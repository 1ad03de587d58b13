"""The journal: append-only files that hold what has not reached Zarr yet, one frame per chunk.

A frame is a header, then its payload, all little-endian::

    magic  b"MGJ1"     4
    kind               uint32     1 numbers, 2 text, 3 event
    index              uint64     first sample of the frame; number of the event
    count              uint32     samples
    size               uint32     bytes of payload
    crc                uint32     CRC-32 of the header up to here and the payload
    payload            numbers: time stamps (count,) float64, then samples (count, n_channels)
                       text: time stamps, then each text as uint32 length and UTF-8
                       event: JSON

Each stream has segments ``<stem>.<number>.journal``; events have the one file ``@events.journal``. A file ends at its
first frame that is not whole: torn by a kill, or damaged.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .layout import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ..info import StreamInfo

MAGIC = b"MGJ1"
NUMBERS, TEXT, EVENT = 1, 2, 3
HEADER = struct.Struct("<4sIQIII")
UNSIGNED = struct.Struct("<4sIQII")
"""The header without its CRC."""

MAX_PAYLOAD = 64 * 2**20
"""Bytes; larger chunks are split, larger claims are damage."""

SUFFIX = ".journal"
EVENTS = "@events" + SUFFIX
_BLOCK = 2 * 2**20


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
    crc = zlib.crc32(head)
    for part in parts:
        crc = zlib.crc32(part, crc)
    return head + crc.to_bytes(4, "little")


class FrameReader:
    """Iterates over the whole frames of a file, up to the first that is not; reads it in blocks.

    Parameters
    ----------
    fd
        The file; its position is neither used nor moved.
    at
        Offset of the first frame.
    """

    def __init__(self, fd: int, at: int = 0) -> None:
        self._fd = fd
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
        if zlib.crc32(payload, zlib.crc32(whole[: UNSIGNED.size])) != crc:
            return None
        return Frame(kind, index, count, at, payload)

    def _bytes(self, at: int, size: int) -> memoryview | None:
        start = at - self._base
        if start < 0 or start + size > len(self._buffer):
            data = os.pread(self._fd, max(_BLOCK, size), at)
            self._buffer, self._base, start = memoryview(data), at, 0
        part = self._buffer[start : start + size]
        return part if len(part) == size else None

    def ending(self) -> Literal["clean", "torn", "damaged"]:
        """Why the file ends where it does, once all frames are read.

        A frame that a kill cut short is torn; one that is there in its whole length and differs from its CRC, or
        with whole frames behind it, is damaged.
        """
        rest = os.fstat(self._fd).st_size - self.end
        if rest <= 0:
            return "clean"
        if next(self.rest(), None) is not None:
            return "damaged"
        head = os.pread(self._fd, HEADER.size, self.end)
        if not any(head):
            return "torn"  # after a power cut a file may end in zeros that were never written
        if len(head) == HEADER.size and (head[:4] != MAGIC or HEADER.unpack(head)[4] <= rest - HEADER.size):
            return "damaged"
        return "torn"

    def rest(self) -> Iterator[Frame]:
        """Whole frames that stand behind the damage at `end`, found by their magic; none where the tail was torn."""
        size = os.fstat(self._fd).st_size
        at = self._find_magic(self.end + 1, size)
        while at is not None:
            frame = self._frame_at(at)
            if frame is not None:
                yield frame
            at = self._find_magic(at + 1 if frame is None else frame.end, size)

    def _find_magic(self, at: int, size: int) -> int | None:
        while at < size:
            block = os.pread(self._fd, _BLOCK, at)
            hit = block.find(MAGIC)
            if hit >= 0:
                return at + hit
            if len(block) < len(MAGIC):
                return None
            at += len(block) - len(MAGIC) + 1
        return None


def samples_of(frame: Frame, info: StreamInfo) -> tuple[NDArray[np.float64], NDArray[Any]] | None:
    """Time stamps ``(count,)`` and samples ``(count, n_channels)`` of a frame, views of it where they can be.

    None where the frame is none of a stream with this layout.
    """
    stamps_size = 8 * frame.n
    if info.is_string:
        texts = _texts_of(frame, info.n_channels) if frame.kind == TEXT else None
        if texts is None:
            return None
        return np.frombuffer(frame.payload[:stamps_size], "<f8"), texts
    dtype = info.np_dtype.newbyteorder("<")
    if frame.kind != NUMBERS or len(frame.payload) != stamps_size + frame.n * info.n_channels * dtype.itemsize:
        return None
    data = np.frombuffer(frame.payload, dtype, offset=stamps_size)
    return np.frombuffer(frame.payload, "<f8", frame.n), data.reshape(frame.n, info.n_channels)


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
    raw, at = frame.payload, 8 * frame.n
    texts = np.empty(frame.n * n_channels, object) if len(raw) >= at + 4 * frame.n * n_channels else None
    if texts is None:
        return None
    for number in range(len(texts)):
        size = int.from_bytes(raw[at : at + 4], "little")
        # Zarr's texts are valid UTF-8: a byte that is none is stored as \xNN, which every reader can show.
        texts[number] = bytes(raw[at + 4 : at + 4 + size]).decode("utf-8", "backslashreplace")
        at += 4 + size
    return texts.reshape(frame.n, n_channels) if at == len(raw) else None


def segment_path(folder: Path, stem: str, number: int) -> Path:
    """File of a stream's segment within a session folder."""
    return folder / JOURNAL / f"{stem}.{number:08d}{SUFFIX}"


def list_segments(folder: Path) -> dict[str, list[Path]]:
    """Segment files by stem, in order; empty where the folder has no journal."""
    found: dict[str, list[Path]] = {}
    try:
        names = sorted(entry.name for entry in os.scandir(folder / JOURNAL))
    except FileNotFoundError:
        return found
    for name in names:
        stem, _, number = name.removesuffix(SUFFIX).rpartition(".")
        if name.endswith(SUFFIX) and stem and number.isdigit():
            found.setdefault(stem, []).append(folder / JOURNAL / name)
    return found
