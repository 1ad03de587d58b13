"""The directory of a zip as a compact index, with everything a hostile file may claim checked before it is believed."""

from __future__ import annotations

import re
import stat
import struct
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from ...errors import SessionDamagedError
from ..archive import zip_format as zb

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from numpy.typing import NDArray

MAX_MEMBERS = 1_000_000
"""Members that an archive may have (14 hours of ten streams); more is refused, so that the index stays bounded."""

MAX_DIRECTORY = 128 << 20
"""Bytes of central directory that are read into memory."""

MAX_NAME = 1024
"""Bytes that a member's name may have."""

_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
_NOT_PLAIN = (b"//", b"/.", b"/\n", b"\n/", b"\n.", b"\n\n")
_FORBIDDEN = re.compile(rb"\\|\x00|^[A-Za-z]:|^/|(?:^|/)\.{0,2}(?:/|$)")

_ENTRY = np.dtype(
    [
        ("magic", "S4"),
        ("versions", "<u2", 2),
        ("flags", "<u2"),
        ("method", "<u2"),
        ("time", "<u4"),
        ("crc", "<u4"),
        ("stored_size", "<u4"),
        ("size", "<u4"),
        ("lengths", "<u2", 3),
        ("disk", "<u2"),
        ("internal", "<u2"),
        ("mode", "<u4"),
        ("offset", "<u4"),
    ]
)
"""One entry of a central directory, of which the name, the extra field and the comment follow."""

_LENGTHS, _LENGTHS_AT = struct.Struct("<3H"), 28
_BIG = 0xFFFFFFFF
_ROWS = 1 << 14


class Index:
    """Where each member of a zip is; about 200 bytes for each, names without the single top-level folder.

    Parameters
    ----------
    pread
        ``pread(size, offset) -> bytes`` of the file.
    file_size
        Its size in bytes.
    label
        What messages call the file.

    Raises
    ------
    SessionDamagedError
        It is no zip, is cut, has bytes before or behind it, or a member has an impossible name, place or size.
    """

    def __init__(self, pread: Callable[[int, int], bytes], file_size: int, label: str) -> None:
        self._pread = pread
        self._label = label
        self._read_end(file_size)
        names = self._read_directory()
        self.prefix = single_folder(names)
        """The single top-level folder with its slash, or nothing."""
        self.rows = {name[len(self.prefix) :]: row for row, name in enumerate(names)}
        """Row in the columns by key, in the order of the directory."""

    comment: bytes
    """The archive's comment."""
    directory_offset: int
    """Where the central directory begins, in bytes: the end of the members' data."""

    def members(self) -> Iterator[zb.Member]:
        """All members, in the order of the central directory."""
        return (self._member(key, row) for key, row in self.rows.items())

    def member(self, key: bytes) -> zb.Member:
        """The member of that key; KeyError where there is none."""
        return self._member(key, self.rows[key])

    def _member(self, key: bytes, row: int) -> zb.Member:
        crc, stored_size, size, offset = (int(column[row]) for column in self._columns)
        return zb.Member(self.prefix + key, int(self._method[row]), crc, stored_size, size, offset)

    def _refuse(self, what: str) -> SessionDamagedError:
        return SessionDamagedError(f"{self._label}: {what}; `myogestic-tui salvage` saves what can still be read")

    def _read_end(self, file_size: int) -> None:
        tail = read_tail(self._pread, file_size)
        at = find_end(tail)
        if at < 0:
            raise self._refuse("no archive ends where the file ends (it was cut, or bytes were put behind it)")
        end_at = file_size - len(tail) + at
        _, disk, first_disk, here, count, size, offset, _ = zb.END.unpack_from(tail, at)
        self.comment = tail[at + zb.END.size :]
        if 0xFFFF in (here, count) or 0xFFFFFFFF in (size, offset):
            end_at, here, count, size, offset = self._read_end64(end_at)
        if disk or first_disk or here != count:
            raise self._refuse("it is one part of a split archive")
        if offset + size != end_at:
            raise self._refuse("its directory is not where the end record says (bytes are missing or too many)")
        if count > MAX_MEMBERS or size > MAX_DIRECTORY or count * zb.CENTRAL.size > size:
            raise self._refuse(f"its end record claims {count} members in a directory of {size} bytes")
        self.directory_offset, self._directory_size, self._count = offset, size, count

    def _read_end64(self, end_at: int) -> tuple[int, int, int, int, int]:
        at = end_at - zb.LOCATOR64.size - zb.END64.size
        records = self._pread(zb.END64.size + zb.LOCATOR64.size, max(0, at))
        if at < 0 or records[:4] != zb.END64_MAGIC or records[zb.END64.size :][:4] != zb.LOCATOR64_MAGIC:
            raise self._refuse("its zip64 end record is missing")
        fields = zb.END64.unpack_from(records)
        return at, fields[6], fields[7], fields[8], fields[9]

    def _read_directory(self) -> list[bytes]:
        data = self._pread(self._directory_size, self.directory_offset)
        starts = self._entry_starts(data)
        entries = _entries(data, starts)
        names_at = starts + _ENTRY.itemsize
        ends = names_at + entries["lengths"][:, 0]
        names = [data[at:end] for at, end in zip(names_at.tolist(), ends.tolist(), strict=True)]
        self._refuse_any(entries["magic"] != zb.CENTRAL_MAGIC, names, "has a damaged directory entry")
        self._check_names(names)
        self._refuse_any(entries["mode"] >> 28 == stat.S_IFLNK >> 12, names, "is a symbolic link")
        places = self._places(data, entries, ends, names)
        self._check_places(entries, places, names)
        folders = np.fromiter((name.endswith(b"/") for name in names), bool, len(names))
        self._method = entries["method"][~folders].astype(np.uint8)
        self._columns = (entries["crc"][~folders], *(column[~folders] for column in places))
        return [name for name in names if not name.endswith(b"/")] if folders.any() else names

    def _entry_starts(self, data: bytes) -> NDArray[np.int64]:
        """Where each entry of the directory begins in `data`."""
        starts = np.empty(self._count, np.int64)
        at = 0
        for number in range(self._count):
            if at + _ENTRY.itemsize > len(data):
                break
            starts[number] = at
            at += _ENTRY.itemsize + sum(_LENGTHS.unpack_from(data, at + _LENGTHS_AT))
        else:
            if at == len(data):
                return starts
        raise self._refuse(f"its directory is not that of {self._count} members")

    def _check_names(self, names: list[bytes]) -> None:
        if not _all_plain(names):
            for name in names:
                if not is_safe_name(name.removesuffix(b"/")):
                    raise self._refuse(f"member {shown(name)} has a name that could leave the archive")
        if len(set(names)) < len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise self._refuse(f"member {shown(twice)} is there twice")

    def _places(
        self, data: bytes, entries: NDArray[np.void], ends: NDArray[np.int64], names: list[bytes]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Stored size, size and offset of each member."""
        stored_size, size, offset = (entries[field].astype(np.int64) for field in ("stored_size", "size", "offset"))
        for row in np.flatnonzero((stored_size == _BIG) | (size == _BIG) | (offset == _BIG)).tolist():
            extra = data[ends[row] : ends[row] + int(entries["lengths"][row, 1])]
            wide = zb.wide_values(extra, (int(size[row]), int(stored_size[row]), int(offset[row])))
            if wide is None or max(wide) >= 1 << 61:
                raise self._refuse(f"member {shown(names[row])} lacks its zip64 sizes")
            size[row], stored_size[row], offset[row] = wide
        return stored_size, size, offset

    def _check_places(
        self,
        entries: NDArray[np.void],
        places: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
        names: list[bytes],
    ) -> None:
        stored_size, size, offset = places
        method, strange = entries["method"], entries["flags"] & zb.ENCRYPTED_FLAG != 0
        strange |= (method != zb.STORED) & (method != zb.DEFLATED)
        self._refuse_any(strange, names, "is encrypted, or packed in a way that is not read here")
        # The local extra field is not known here, so the end is a lower bound.
        ends = offset + entries["lengths"][:, 0] + stored_size + zb.LOCAL.size
        self._refuse_any(ends > self.directory_offset, names, "reaches beyond the data of the file")
        different = (method == zb.STORED) & (size != stored_size)
        self._refuse_any(different, names, "is stored as it is, but with two different sizes")
        order = np.argsort(offset, kind="stable")
        overlapping = np.zeros(len(names), bool)
        overlapping[order[1:]] = ends[order[:-1]] > offset[order[1:]]
        self._refuse_any(overlapping, names, "overlaps another")

    def _refuse_any(self, where: NDArray[np.bool_], names: list[bytes], what: str) -> None:
        if where.any():
            raise self._refuse(f"member {shown(names[int(np.argmax(where))])} {what}")


def _entries(data: bytes, starts: NDArray[np.int64]) -> NDArray[np.void]:
    """The fixed part of each directory entry."""
    raw, entries = np.frombuffer(data, np.uint8), np.empty(len(starts), _ENTRY)
    for first in range(0, len(starts), _ROWS):
        bytes_of = starts[first : first + _ROWS, None] + np.arange(_ENTRY.itemsize)
        entries[first : first + _ROWS] = raw[bytes_of].view(_ENTRY)[:, 0]
    return entries


def is_safe_name(name: bytes) -> bool:
    """Whether a member of that name stays within the folder that an archive is unpacked to."""
    return len(name) <= MAX_NAME and not _FORBIDDEN.search(name)


def _all_plain(names: list[bytes]) -> bool:
    """Whether all names are safe beyond doubt, told at once for the thousands that an archive has."""
    lines = b"\n%b\n" % b"\n".join(names)
    return (
        not lines.translate(None, _PLAIN + b"\n")
        and lines.count(b"\n") == len(names) + 1
        and not any(pair in lines for pair in _NOT_PLAIN)
        and max(map(len, names), default=0) <= MAX_NAME
    )


def single_folder(names: Collection[bytes]) -> bytes:
    """The one top-level folder, with its slash, that all names begin with; empty where there is none."""
    first = next(iter(names), b"")
    folder = first[: first.find(b"/") + 1]
    if folder.endswith(b".zarr/") or not all(name.startswith(folder) for name in names):
        return b""
    return folder


def shown(name: bytes) -> str:
    """A member's name for a message, whatever bytes it holds, not longer than a line."""
    text = repr(name.decode("utf-8", "backslashreplace"))
    return text if len(text) <= 200 else f"{text[:200]}…"


def read_tail(pread: Callable[[int, int], bytes], file_size: int) -> bytes:
    """The end of the file that holds the end record: one small read, a second where the comment is longer."""
    for size in (8192, zb.END.size + zb.MAX_COMMENT):
        tail = pread(size, max(0, file_size - size))
        if find_end(tail) >= 0:
            break
    return tail


def find_end(tail: bytes) -> int:
    """Where in `tail` the end record begins whose comment reaches exactly to the end; -1 if nowhere."""
    at = tail.rfind(zb.END_MAGIC, 0, len(tail) - zb.END.size + 4)
    while at >= 0:
        if at + zb.END.size + zb.END.unpack_from(tail, at)[7] == len(tail):
            return at
        at = tail.rfind(zb.END_MAGIC, 0, at + 3)
    return -1
