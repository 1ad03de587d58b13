"""Checks every byte of an archive that this package wrote: each header is written again and compared.

With checksums of members alone, a quarter of all bit flips, those in headers, would go unseen.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from ...errors import SessionDamagedError
from ..archive import zip_format as zb
from ..archive.manifest import ManifestReader
from ..archive.tree import MAX_MEMBER
from ..archive.zip_index import shown
from ..format.crc import crc32
from ..format.findings import damage
from ..format.layout import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.archive import Archive
    from ..archive.manifest import Line
    from ..format.findings import Finding

_SLICE = 4 << 20


class Checked(NamedTuple):
    """One file that was read: its content if it can be trusted and fits into memory, else why it cannot."""

    key: str
    data: bytes | None
    problem: str = ""
    findings: tuple[Finding, ...] = ()
    """About the archive, since the file before."""


def is_sealed(archive: Archive) -> bool:
    """Whether this package wrote the archive; one that another program packed again has neither comment nor root."""
    return MANIFEST in archive and bool(archive.comment) and not archive.prefix


class SealCheck:
    """Reads an archive from its first byte to its last, once.

    Parameters
    ----------
    archive
        It has a manifest.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._findings: list[Finding] = []
        self._sha256 = hashlib.sha256()
        self._at = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of all that was read so far: of the whole file, once `members` has ended."""
        return self._sha256.hexdigest()

    def members(self) -> Iterator[Checked]:
        """Every member, in order, checked; at last, without a key, the end of the file."""
        lines = self._manifest_lines()
        for key, member in zip(self._archive.names(), self._archive.members(), strict=True):
            line = next(lines, None) if key != MANIFEST else None
            yield self._with_findings(self._member(key, member, line))
        if next(lines, None) is not None:
            self._damage(f"{MANIFEST} lists members that are not there", MANIFEST)
        self._check_directory()
        yield self._with_findings(Checked("", None))

    def _with_findings(self, checked: Checked) -> Checked:
        findings, self._findings = tuple(self._findings), []
        return checked._replace(findings=findings)

    def _manifest_lines(self) -> Iterator[Line]:
        try:
            yield from ManifestReader(self._archive.blocks(MANIFEST)).lines()
        except SessionDamagedError as error:
            self._damage(str(error), MANIFEST)

    def _member(self, key: str, member: zb.Member, line: Line | None) -> Checked:
        header = zb.local_header(member.name, member.crc, member.size)
        is_header = self._archive.pread(len(header), self._at)
        misplaced = member.offset != self._at
        self._at += len(header)
        self._sha256.update(is_header)
        crc, sha256, data = self._read(member.size)
        if crc != member.crc:
            return Checked(key, None, f"checksum of member {shown(member.name)} differs")
        if key != MANIFEST and line != (key, member.size, sha256):
            return Checked(key, None, self._against_manifest(member, line))
        if is_header != header or misplaced:
            self._damage(f"the zip header of member {shown(member.name)} is damaged; its content is intact", key)
        return Checked(key, data)

    def _against_manifest(self, member: zb.Member, line: Line | None) -> str:
        if line is None or line.name.encode() != member.name:
            return f"member {shown(member.name)} is not where {MANIFEST} lists it"
        return f"member {shown(member.name)} differs from its SHA-256 in {MANIFEST}"

    def _read(self, size: int) -> tuple[int, str, bytes | None]:
        crc, sha256, parts, left = 0, hashlib.sha256(), [], size
        while left:
            part = self._archive.pread(min(_SLICE, left), self._at)
            if not part:
                break
            crc = crc32(part, crc)
            sha256.update(part)
            self._sha256.update(part)
            if size <= MAX_MEMBER:
                parts.append(part)
            self._at += len(part)
            left -= len(part)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        return crc, sha256.hexdigest(), data if size <= MAX_MEMBER else None

    def _check_directory(self) -> None:
        start = self._archive.directory_offset
        if self._at != start:
            self._damage(f"{start - self._at} bytes lie between the last member and the directory")
        is_bytes = memoryview(self._archive.pread(self._archive.file_size - start, start))
        self._sha256.update(is_bytes)
        at = 0
        for key, member in zip(self._archive.names(), self._archive.members(), strict=True):
            entry = zb.central_entry(member)
            if is_bytes[at : at + len(entry)] != entry:
                self._damage(f"the directory entry of member {shown(member.name)} is damaged", key)
            at += len(entry)
        if is_bytes[at:] != zb.end_records(len(self._archive), at, start, self._archive.comment):
            self._damage("the end record of the archive is damaged")

    def _damage(self, text: str, member: str = "") -> None:
        self._findings.append(damage(text, member=member))
