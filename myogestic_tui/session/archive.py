"""Reading a ``.session.zip``: a compact index of its members, each read checked, hostile files refused by name.

Archives of this package are canonical (see `zipbytes`). Plain zips from elsewhere open too: deflated members, foreign
headers, and everything inside one top-level folder.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

from ..errors import DiskError, SessionDamagedError
from . import zipbytes as zb
from .zipindex import Index, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from typing import Self

    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

ARCHIVE_SUFFIX = ".session.zip"
"""What the file name of a packed session ends with."""

MAX_MEMBER = 160 << 20
"""Bytes of a member that are read into memory; one second of 1024 channels at 30 kHz in float32 has 118 MiB."""

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

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._fd = _open(self.path)
        try:
            self.size = os.fstat(self._fd).st_size
            self._index = Index(self.pread, self.size, self.path.name)
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
        if zlib.crc32(data) != member.crc:
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


class ArchiveStore(Store):
    """A read-only Zarr store over the members of an archive; every read is checked against size and CRC-32.

    Parameters
    ----------
    archive
        A path, or an open `Archive`, which this then closes.

    Raises
    ------
    FileNotFoundError, DiskError, SessionDamagedError
        As `Archive`; `SessionDamagedError` and `DiskError` also from each read.
    """

    supports_writes: bool = False
    supports_deletes: bool = False
    supports_listing: bool = True

    def __init__(self, archive: str | os.PathLike[str] | Archive) -> None:
        super().__init__(read_only=True)
        self.archive = archive if isinstance(archive, Archive) else Archive(archive)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArchiveStore) and other.archive.path == self.archive.path

    def __hash__(self) -> int:
        return hash(self.archive.path)

    def __repr__(self) -> str:
        return f"ArchiveStore({str(self.archive.path)!r})"

    def __reduce__(self) -> tuple[type[ArchiveStore], tuple[str]]:
        return ArchiveStore, (str(self.archive.path.absolute()),)

    def with_read_only(self, read_only: bool = False) -> Store:
        """Return this store, read-only as it is; ValueError where writing is asked for."""
        if not read_only:
            raise self._refusal()
        return self

    def close(self) -> None:
        """Close the archive."""
        super().close()
        self.archive.close()

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """The bytes of a member, or a part of them; None where there is no such member."""
        try:
            data = self.archive.read(key)
        except KeyError:
            return None
        return prototype.buffer.from_bytes(data if byte_range is None else _part(data, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Parts of several members, in the order asked for."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Whether there is a member of that key."""
        return key in self.archive

    async def getsize(self, key: str) -> int:
        """The decoded size of a member in bytes."""
        if key not in self.archive:
            raise FileNotFoundError(key)
        return self.archive.member(key).size

    async def list(self) -> AsyncIterator[str]:
        """All keys."""
        for key in self.archive.names():
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """All keys that begin with `prefix`."""
        for key in self.archive.names():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """The names directly below `prefix`."""
        folder = f"{prefix.rstrip('/')}/" if prefix else ""
        for name in {key[len(folder) :].split("/", 1)[0] for key in self.archive.names() if key.startswith(folder)}:
            yield name

    async def set(self, key: str, value: Buffer) -> None:  # noqa: ARG002
        """Refused: a packed session is never written to."""
        raise self._refusal()

    async def delete(self, key: str) -> None:  # noqa: ARG002
        """Refused: a packed session is never written to."""
        raise self._refusal()

    def _refusal(self) -> ValueError:
        return ValueError(f"{self.archive.path} is a packed session: it is never written to")


def _part(data: bytes, part: ByteRequest) -> bytes:
    match part:
        case RangeByteRequest(start, end):
            return data[start:end]
        case OffsetByteRequest(offset):
            return data[offset:]
        case SuffixByteRequest(suffix):
            return data[max(0, len(data) - suffix) :]


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DiskError(f"{path}: cannot be opened: {error.strerror}") from error


def _raw(key: str) -> bytes:
    return key.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
