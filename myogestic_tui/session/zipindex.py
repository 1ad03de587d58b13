"""The directory of a zip as a compact index, with everything a hostile file may claim checked before it is believed."""

from __future__ import annotations

import re
import stat
from array import array
from typing import TYPE_CHECKING

import numpy as np

from ..errors import SessionDamagedError
from . import zipbytes as zb

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

MAX_MEMBERS = 1_000_000
"""Members that an archive may have (14 hours of ten streams); more is refused, so that the index stays bounded."""

MAX_DIRECTORY = 128 << 20
"""Bytes of central directory that are read into memory."""

MAX_NAME = 1024
"""Bytes that a member's name may have."""

_PLAIN_NAME = re.compile(rb"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_FORBIDDEN = re.compile(rb"\\|\x00|^[A-Za-z]:|^/|(?:^|/)\.{0,2}(?:/|$)")


class Index:
    """Where each member of a zip is; about 250 bytes for each, names without the single top-level folder.

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
        self.prefix = b""
        """The single top-level folder with its slash, or nothing."""
        self.rows: dict[bytes, int] = {}
        self._method, self._crc = array("B"), array("I")
        self._stored_size, self._size, self._offset = array("Q"), array("Q"), array("Q")
        self._read_end(file_size)
        self._read_directory()
        self._check_overlap()
        self._strip_folder()

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
        sizes = self._stored_size[row], self._size[row]
        return zb.Member(self.prefix + key, self._method[row], self._crc[row], *sizes, self._offset[row])

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

    def _read_directory(self) -> None:
        data = self._pread(self._directory_size, self.directory_offset)
        at = 0
        for _ in range(self._count):
            at = self._read_entry(data, at)
        if at != len(data):
            raise self._refuse(f"its directory has {len(data) - at} bytes too many")

    def _read_entry(self, data: bytes, at: int) -> int:
        start = at + zb.CENTRAL.size
        if data[at : at + 4] != zb.CENTRAL_MAGIC or start > len(data):
            raise self._refuse(f"entry {len(self.rows)} of its directory is damaged")
        fields = zb.CENTRAL.unpack_from(data, at)
        flags, method, crc = fields[3], fields[4], fields[7]
        stored_size, size, name_size, extra_size, comment_size = fields[8:13]
        name = data[start : start + name_size]
        end = int(start + name_size + extra_size + comment_size)
        if end > len(data):
            raise self._refuse(f"entry {len(self.rows)} of its directory reaches beyond it")
        extra = data[start + name_size : start + name_size + extra_size]
        sizes = zb.wide_values(extra, (size, stored_size, fields[16]))
        if sizes is None:
            raise self._refuse(f"member {shown(name)} lacks its zip64 sizes")
        self._check_name(name, fields[15] >> 16)
        if not name.endswith(b"/"):
            self._check_place(name, flags, method, sizes)
            self._add(name, method, crc, sizes)
        return end

    def _check_name(self, name: bytes, mode: int) -> None:
        if not is_safe_name(name[:-1] if name.endswith(b"/") else name):
            raise self._refuse(f"member {shown(name)} has a name that could leave the archive")
        if stat.S_ISLNK(mode):
            raise self._refuse(f"member {shown(name)} is a symbolic link")
        if name in self.rows:
            raise self._refuse(f"member {shown(name)} is there twice")

    def _check_place(self, name: bytes, flags: int, method: int, sizes: tuple[int, int, int]) -> None:
        size, stored_size, offset = sizes
        if flags & zb.ENCRYPTED_FLAG or method not in (zb.STORED, zb.DEFLATED):
            raise self._refuse(f"member {shown(name)} is encrypted, or packed in a way that is not read here")
        if offset + zb.LOCAL.size + len(name) + stored_size > self.directory_offset:
            raise self._refuse(f"member {shown(name)} reaches beyond the data of the file")
        if method == zb.STORED and size != stored_size:
            raise self._refuse(f"member {shown(name)} is stored as it is, but with two different sizes")

    def _add(self, name: bytes, method: int, crc: int, sizes: tuple[int, int, int]) -> None:
        self.rows[name] = len(self._crc)
        self._method.append(method)
        self._crc.append(crc)
        for column, value in zip((self._size, self._stored_size, self._offset), sizes, strict=True):
            column.append(value)

    def _check_overlap(self) -> None:
        """Members that share bytes make a bomb; the local extra field is not known here, so this is a lower bound."""
        if not self.rows:
            return
        starts = np.frombuffer(self._offset, np.uint64).astype(np.int64)
        names = np.fromiter(map(len, self.rows), np.int64, len(starts))
        ends = starts + names + np.frombuffer(self._stored_size, np.uint64).astype(np.int64) + zb.LOCAL.size
        order = np.argsort(starts, kind="stable")
        bad = np.flatnonzero(ends[order][:-1] > starts[order][1:])
        if len(bad):
            raise self._refuse(f"member {shown(list(self.rows)[int(order[bad[0] + 1])])} overlaps another")

    def _strip_folder(self) -> None:
        self.prefix = single_folder(self.rows)
        if self.prefix:
            self.rows = {name[len(self.prefix) :]: row for name, row in self.rows.items()}


def is_safe_name(name: bytes) -> bool:
    """Whether a member of that name stays within the folder that an archive is unpacked to."""
    if len(name) > MAX_NAME:
        return False
    return bool(_PLAIN_NAME.fullmatch(name)) or not _FORBIDDEN.search(name)


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
