"""The files of a damaged archive: by its directory as far as that helps, else by a search for their local headers.

An archive that was cut has no directory; one with a flipped bit may have lost a name, an offset or a checksum in one of
the two places where each stands. What is handed out has passed a CRC-32, of the one place or the other.
"""

from __future__ import annotations

import errno
import os
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from ...errors import DiskError, SessionDamagedError
from ..archive import zip_format as zb
from ..archive.archive import Archive
from ..archive.tree import MAX_MEMBER
from ..archive.zip_index import MAX_MEMBERS, is_safe_name, single_folder
from ..format.crc import crc32
from ..format.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 4 << 20
_PAGE = 4096
_LONGEST_HEADER = zb.LOCAL.size + 2 * 0xFFFF
_NEXT = (zb.LOCAL_MAGIC, zb.CENTRAL_MAGIC)


class _Place(NamedTuple):
    """Where a local header says its member's data is."""

    at: int
    stored_size: int
    size: int
    crc: int
    method: int


_PACKED = struct.Struct("<3QIH")


class Wreck:
    """As `archive.Archive`, but reads what it can, from wherever it can."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[bytes, bytearray] | None = None
        self._fd = open_regular(path)
        self.file_size = os.fstat(self._fd).st_size
        self._archive: Archive | None = None
        try:
            self._archive = Archive(path)
        except (SessionDamagedError, DiskError):
            self._search()

    def close(self) -> None:
        """Close the file."""
        if self._archive is not None:
            self._archive.close()
        os.close(self._fd)

    @property
    def comment(self) -> bytes:
        """The archive's comment, if its end can be read."""
        return self._archive.comment if self._archive is not None else b""

    def names(self) -> Iterator[str]:
        """Keys of all files that the directory lists, or where there is none, that were found."""
        if self._archive is not None:
            return self._archive.names()
        return (name.decode("utf-8", "surrogateescape") for name in self._found or {})

    def read(self, key: str, limit: int = MAX_MEMBER) -> bytes:
        """A whole file that passes its checksum.

        Raises
        ------
        KeyError
            There is no trace of it.
        SessionDamagedError
            There is, but what is left of it does not pass.
        """
        failure: Exception = KeyError(key)
        if self._archive is not None:
            try:
                return self._archive.read(key, limit)
            except (KeyError, SessionDamagedError, DiskError) as error:
                failure = error
        for place in self._places(key):
            data = self._read_place(place, limit)
            if data is not None:
                return data
            if isinstance(failure, KeyError):
                failure = SessionDamagedError(f"{self.path.name}: member {key!r} differs from its checksum")
        raise failure

    def read_unchecked(self, key: str, limit: int) -> bytes:
        """What is left of a file whose checksum differs; KeyError where nothing is."""
        for place in self._places(key):
            if place.method == zb.STORED and place.stored_size <= limit:
                return read_some(self._fd, place.stored_size, place.at)
        raise KeyError(key)

    def _places(self, key: str) -> Iterator[_Place]:
        if self._archive is not None and key in self._archive:
            member = self._archive.member(key)
            at = member.offset + zb.local_size(member.name, member.size)
            yield _Place(at, member.stored_size, member.size, member.crc, member.method)
        if self._found is None:
            self._search()
        packed = (self._found or {}).get(key.encode("utf-8", "surrogateescape"), b"")
        yield from (_Place(*fields) for fields in _PACKED.iter_unpack(packed))

    def _read_place(self, place: _Place, limit: int) -> bytes | None:
        if max(place.size, place.stored_size) > limit:
            return None
        data = read_some(self._fd, place.stored_size, place.at)
        if place.method == zb.DEFLATED:
            try:
                data = zlib.decompressobj(-15).decompress(data, place.size + 1)
            except zlib.error:
                return None
        return data if len(data) == place.size and crc32(data) == place.crc else None

    def _search(self) -> None:
        found: dict[bytes, bytearray] = {}
        at = 0
        while (at := self._next_header(at)) >= 0 and len(found) < MAX_MEMBERS:
            at = self._take(at, found)
        folder = len(single_folder(found))
        self._found = {name[folder:]: places for name, places in found.items()}

    def _next_header(self, at: int) -> int:
        """Where the next local header begins, from byte `at` on; -1 behind the last."""
        while at < self.file_size:
            block = read_some(self._fd, _BLOCK, at)
            hit = block.find(zb.LOCAL_MAGIC)
            if hit >= 0:
                return at + hit
            at = max(at + len(block) - len(zb.LOCAL_MAGIC) + 1, at + 1) if block else next_page(at)
        return -1

    def _take(self, at: int, found: dict[bytes, bytearray]) -> int:
        """Note the member whose local header may begin at `at`; returns where to search on."""
        head = read_some(self._fd, _LONGEST_HEADER, at)
        if len(head) < zb.LOCAL.size:
            return at + 1
        _, _, _, method, _, _, crc, stored_size, size, name_size, extra_size = zb.LOCAL.unpack_from(head)
        name = head[zb.LOCAL.size : zb.LOCAL.size + name_size]
        extra = head[zb.LOCAL.size + name_size : zb.LOCAL.size + name_size + extra_size]
        sizes = zb.wide_values(extra, (size, stored_size, 0))
        if sizes is None or not name or not is_safe_name(name) or method not in (zb.STORED, zb.DEFLATED):
            return at + 1
        start = at + zb.LOCAL.size + name_size + extra_size
        if start + sizes[1] > self.file_size:
            return at + 1
        found.setdefault(name, bytearray()).extend(_PACKED.pack(start, sizes[1], sizes[0], crc, method))
        end = start + sizes[1]
        return end if read_some(self._fd, 4, end) in _NEXT else at + 1


def read_some(fd: int, size: int, at: int) -> bytes:
    """Up to `size` bytes of a file from byte `at` on; none where the disk cannot read there: a bad sector."""
    try:
        return os.pread(fd, size, at)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def next_page(at: int) -> int:
    """Where the disk may be able to read again."""
    return at - at % _PAGE + _PAGE
