"""Reading a ``.session.zip``: a compact index of its members, each read checked, hostile files refused by name.

Archives of this package are canonical (see `zip_format`). Plain zips from elsewhere open too: deflated members, foreign
headers, and everything inside one top-level folder.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DiskError, SessionDamagedError
from ..archive import zip_format as zb
from ..format.crc import crc32
from ..format.regular_files import open_regular
from .tree import BLOCK, MAX_MEMBER
from .zip_index import Index, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_EXTRA_GUESS = 64


class Archive:
    """The members of a zip, by key: the member's name without the single top-level folder, if there is one.

    Reads are positional, so threads may share one. Close it, or use it as a context manager.

    Parameters
    ----------
    path
        A ``.session.zip``, or any plain zip (stored or deflated, not encrypted, not split).

    Raises
    ------
    FileNotFoundError
        There is no such file.
    DiskError
        It cannot be read.
    SessionDamagedError
        It is no zip, is cut, has bytes before or behind it, or a member has an impossible name, place or size.
    """

    concurrent = True
    """Whether threads may share one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._fd = _open(self.path)
        try:
            self.file_size = os.fstat(self._fd).st_size
            self._index = Index(self.pread, self.file_size, self.path.name)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._index.rows)

    def __contains__(self, key: str) -> bool:
        return _raw(key) in self._index.rows

    def close(self) -> None:
        """Close the file; reads raise from now on."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @property
    def comment(self) -> bytes:
        """The archive's comment: of ours, a JSON summary."""
        return self._index.comment

    @property
    def directory_offset(self) -> int:
        """Where the central directory begins, in bytes: the end of the members' data."""
        return self._index.directory_offset

    @property
    def prefix(self) -> str:
        """The single top-level folder with its slash, or an empty string."""
        return _text(self._index.prefix)

    def names(self) -> Iterator[str]:
        """The members' keys, in the order of the central directory."""
        return map(_text, self._index.rows)

    def members(self) -> Iterator[zb.Member]:
        """The members as the central directory describes them, in its order."""
        return self._index.members()

    def member(self, key: str) -> zb.Member:
        """The member of that key; KeyError where there is none."""
        return self._index.member(_raw(key))

    def size(self, key: str) -> int:
        """Decoded size of a member in bytes, as the directory says."""
        return self.member(key).size

    def blocks(self, key: str) -> Iterator[bytes]:
        """The decoded bytes of a member, a piece at a time, not checked against its checksum.

        Raises
        ------
        SessionDamagedError
            It does not inflate, or to more than the directory says.
        """
        member = self.member(key)
        at = self.data_offset(member)
        end, left = at + member.stored_size, member.size
        inflater = zlib.decompressobj(-15) if member.method == zb.DEFLATED else None
        while at < end and (block := self.pread(min(BLOCK, end - at), at)):
            at += len(block)
            while block:
                piece, block = block, b""
                if inflater is not None:
                    try:
                        piece = inflater.decompress(piece, BLOCK)
                    except zlib.error as error:
                        raise self.damaged(member, f"does not inflate ({error})") from error
                    block = inflater.unconsumed_tail
                left -= len(piece)
                if left < 0:
                    raise self.damaged(member, "inflates to more than the directory says")
                yield piece

    def read(self, key: str, limit: int = MAX_MEMBER) -> bytes:
        """The decoded bytes of a member, checked against its size and its CRC-32.

        Raises
        ------
        KeyError
            There is no such member.
        SessionDamagedError
            It is damaged, or claims more than `limit` bytes.
        DiskError
            The disk refused the read.
        """
        member = self.member(key)
        claimed = max(member.size, member.stored_size)
        if claimed > limit:
            raise self.damaged(member, f"claims {claimed} bytes; more than {limit} are not read into memory")
        data = self._stored_bytes(member)
        if member.method == zb.DEFLATED:
            data = self._inflate(member, data)
        if len(data) != member.size:
            raise self.damaged(member, f"has {len(data)} bytes where the directory says {member.size}")
        if crc32(data) != member.crc:
            raise self.damaged(member, "differs from its checksum")
        return data

    def damaged(self, member: zb.Member, what: str) -> SessionDamagedError:
        """The error for a member: which archive, which member, what is wrong."""
        return SessionDamagedError(f"{self.path.name}: member {shown(member.name)} {what}")

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes of the file from byte `offset`; fewer at its end.

        Raises
        ------
        DiskError
            The disk refused the read, or the archive is closed.
        """
        try:
            return os.pread(self._fd, size, offset)
        except OSError as error:
            raise DiskError(f"{self.path}: cannot be read at byte {offset}: {error.strerror}") from error

    def data_offset(self, member: zb.Member) -> int:
        """Where a member's data begins in the file, by its local header.

        Raises
        ------
        SessionDamagedError
            The local header is not that of this member.
        """
        return self._data_offset(member, self.pread(zb.LOCAL.size + len(member.name), member.offset))

    def _data_offset(self, member: zb.Member, head: bytes) -> int:
        if len(head) < zb.LOCAL.size or head[:4] != zb.LOCAL_MAGIC:
            raise self.damaged(member, "has no local header where the directory says")
        fields = zb.LOCAL.unpack_from(head)
        name_size, extra_size = fields[9:]
        if head[zb.LOCAL.size : zb.LOCAL.size + name_size] != member.name or fields[3] != member.method:
            raise self.damaged(member, "has another name or method in its local header")
        return int(member.offset + zb.LOCAL.size + name_size + extra_size)

    def _stored_bytes(self, member: zb.Member) -> bytes:
        lead = zb.LOCAL.size + len(member.name)
        block = self.pread(lead + _EXTRA_GUESS + member.stored_size, member.offset)
        start = self._data_offset(member, block[:lead]) - member.offset
        if start + member.stored_size > len(block):
            return self.pread(member.stored_size, member.offset + start)
        return block[start : start + member.stored_size]

    def _inflate(self, member: zb.Member, data: bytes) -> bytes:
        try:
            return zlib.decompressobj(-15).decompress(data, member.size + 1)
        except zlib.error as error:
            raise self.damaged(member, f"does not inflate ({error})") from error


def _open(path: Path) -> int:
    try:
        return open_regular(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist") from error
    except OSError as error:
        raise DiskError(f"{path}: cannot be opened: {error.strerror}") from error


def _raw(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
