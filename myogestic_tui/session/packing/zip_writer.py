"""Writes a session folder as one canonical archive, and reads it back from the disk against its source.

See `zip_format` for the form. Two threads read, compress and hash ahead of the writer: that takes longer than writing.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ...errors import DiskError
from ..archive import zip_format as zb
from ..archive.manifest import Line, head_bytes, line_bytes, manifest_bytes
from ..archive.raw_chunks import RawChunks
from ..archive.tree import BLOCK, File
from ..format.crc import crc32
from ..format.layout import MANIFEST
from ..format.regular_files import open_regular, read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

Result = TypeVar("Result")

_WHOLE = 8 << 20
_AHEAD = 4
_AHEAD_BYTES = 32 << 20
"""Files that are read ahead have this much in all, unless one alone has more: chunks may be of hundreds of MB."""
_GIVE_OUT = 16 << 20
_THREADS = 2

_PER_MEMBER = zb.LOCAL.size + zb.CENTRAL.size + 120
"""Bytes that a member takes beyond its content and three times its name."""


class Source(NamedTuple):
    """What is packed: the files of `folder`, the manifest's facts about them, and the archive's comment."""

    folder: Path
    files: list[File]
    samples: dict[str, int]
    """Sample count by stem."""
    comment: bytes
    session: str
    """What the manifest calls it: the name of the folder that it was recorded in."""
    compress_raw: bool = False
    """Whether chunks that were stored raw are compressed; what was packed before stays as it was."""

    @property
    def content_size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def archive_size(self) -> int:
        """Bytes that the archive takes at most."""
        names = sum(len(file.key.encode()) for file in self.files)
        return self.content_size + 3 * names + _PER_MEMBER * (len(self.files) + 10) + zb.MAX_COMMENT


class _Digest(NamedTuple):
    size: int
    crc: int
    sha256: str
    data: bytes | None
    """The file itself, unless it is too large to be held."""


class Sealer:
    """Writes and checks one archive.

    Parameters
    ----------
    fd
        An empty file, open for reading and writing.
    source
        What goes into it.
    tick
        Called with the bytes done since the last call; may wait, may raise. The sum is twice the content's size.
    """

    def __init__(self, fd: int, source: Source, tick: Callable[[int], None]) -> None:
        self._fd = fd
        self._source = source
        self._tick = tick
        self._raw_chunks = RawChunks(lambda key: read_regular(source.folder / key))
        self._members: list[zb.Member] = []
        self._manifest = self._end = b""
        self._given_out = 0

    def write(self) -> None:
        """Write the archive, onto the disk.

        Raises
        ------
        OSError
            The disk refused.
        """
        at, lines = 0, []
        with open(self._fd, "wb", buffering=BLOCK, closefd=False) as out, ThreadPoolExecutor(_THREADS) as pool:
            for file, digest in _ahead(pool, self._digest, self._source.files):
                member = zb.Member(file.key.encode(), zb.STORED, digest.crc, digest.size, digest.size, at)
                out.write(zb.local_header(member.name, member.crc, member.size))
                at += zb.local_size(member.name, member.size) + member.size
                for block in [digest.data] if digest.data is not None else self._blocks_of(member):
                    out.write(block)
                lines.append(line_bytes(Line(file.key, digest.size, digest.sha256)))
                self._members.append(member)
                self._begin_writing_out(at)
                self._tick(file.size)
            head = head_bytes(self._source.session, self._source.samples, self._source.comment)
            self._manifest = manifest_bytes(head, lines)
            self._write_end(out.write, at)
        os.fsync(self._fd)

    def _begin_writing_out(self, at: int) -> None:
        """Let the disk begin while the rest is being hashed; it would wait for `fsync` otherwise."""
        if at - self._given_out >= _GIVE_OUT:
            os.posix_fadvise(self._fd, self._given_out, at - self._given_out, os.POSIX_FADV_DONTNEED)
            self._given_out = at

    def _write_end(self, write: Callable[[bytes], int], at: int) -> None:
        name, size = MANIFEST.encode(), len(self._manifest)
        member = zb.Member(name, zb.STORED, crc32(self._manifest), size, size, at)
        self._members.append(member)
        write(zb.local_header(name, member.crc, size) + self._manifest)
        at += zb.local_size(name, size) + size
        directory = b"".join(map(zb.central_entry, self._members))
        self._end = directory + zb.end_records(len(self._members), len(directory), at, self._source.comment)
        write(self._end)

    def check(self) -> None:
        """Read the archive back from the disk, not from memory, and compare all of it with the source.

        Raises
        ------
        DiskError
            Something differs: the disk does not hold what it was given, or the source changed.
        OSError
            The disk refused.
        """
        os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
        members = {member.name.decode(): member for member in self._members}
        manifest = File(MANIFEST, len(self._manifest))
        with ThreadPoolExecutor(_THREADS) as pool:
            work = lambda file: self._is_same(file, members[file.key])  # noqa: E731
            for file, same in _ahead(pool, work, [*self._source.files, manifest]):
                if not same:
                    raise DiskError(
                        f"{file.key} reads back from the disk differently than it was written; "
                        "the folder stays as it is: check the disk"
                    )
                self._tick(file.size)
        last = self._members[-1]
        at = last.offset + zb.local_size(last.name, last.size) + last.size
        if os.pread(self._fd, len(self._end) + 1, at) != self._end:
            raise DiskError("the archive's directory reads back from the disk differently; check the disk")

    def _is_chunk(self, file: File) -> bool:
        return self._source.compress_raw and self._raw_chunks.spec_of(file.key, file.size) is not None

    def _digest(self, file: File) -> _Digest:
        if self._is_chunk(file):
            packed = self._raw_chunks.packed(file.key, read_regular(self._source.folder / file.key))
            return _Digest(len(packed), crc32(packed), hashlib.sha256(packed).hexdigest(), packed)
        crc, sha256, size, data = 0, hashlib.sha256(), 0, b""
        for block in _blocks(self._source.folder / file.key, file.size):
            crc = crc32(block, crc)
            sha256.update(block)
            size += len(block)
            data = block
        return _Digest(size, crc, sha256.hexdigest(), data if len(data) == size else None)

    def _is_same(self, file: File, member: zb.Member) -> bool:
        header = zb.local_header(member.name, member.crc, member.size)
        if os.pread(self._fd, len(header), member.offset) != header:
            return False
        at = member.offset + len(header)
        if self._is_chunk(file):
            return self._holds_chunk(file, member, at)
        end = at + member.size
        source = iter([self._manifest]) if member is self._members[-1] else self._blocks_of(member)
        for block in source:
            if os.pread(self._fd, len(block), at) != block:
                return False
            at += len(block)
        return at == end

    def _holds_chunk(self, file: File, member: zb.Member, at: int) -> bool:
        """Whether what the disk holds at ``at`` is what was written, and decodes to what the source decodes to."""
        archived, recorded = os.pread(self._fd, member.size, at), read_regular(self._source.folder / file.key)
        return crc32(archived) == member.crc and self._raw_chunks.holds(file.key, archived, recorded)

    def _blocks_of(self, member: zb.Member) -> Iterator[bytes]:
        return _blocks(self._source.folder / member.name.decode(), member.size)


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    """A file of about `size` bytes: whole, or in large pieces."""
    fd = open_regular(path)
    try:
        while block := os.read(fd, min(size + 1, _WHOLE)):
            yield block
    finally:
        os.close(fd)


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[File], Result], files: Iterable[File]
) -> Iterator[tuple[File, Result]]:
    """``work`` on each file, in order, a few files ahead of the caller."""
    waiting: deque[tuple[File, Future[Result]]] = deque()
    n_bytes = 0
    for file in files:
        while waiting and (len(waiting) > _AHEAD or n_bytes + file.size > _AHEAD_BYTES):
            done, future = waiting.popleft()
            n_bytes -= done.size
            yield done, future.result()
        waiting.append((file, pool.submit(work, file)))
        n_bytes += file.size
    for done, future in waiting:
        yield done, future.result()
