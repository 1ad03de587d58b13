"""The bytes of a session archive: a zip whose every header follows from its members' names, sizes and checksums.

Layout (PKWARE APPNOTE 6.3.9; little-endian)::

    local header, data          one pair per member, back to back from byte 0
    central directory           one entry per member, in the same order
    zip64 end record, locator   only where a count, size or offset does not fit the plain end record
    end record, comment         the comment reaches to the last byte of the file

Fixed everywhere: method 0 (stored), flag bit 11 (UTF-8 names), 1980-01-01 00:00:00, regular file 0644, no data
descriptors. A size or offset of 0xFFFFFFFF or more, a count of 0xFFFF or more, goes to a zip64 field, and only then.
So a verifier can write every header again and compare it with what the disk holds.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

STORED = 0
DEFLATED = 8
UTF8_FLAG = 0x0800
ENCRYPTED_FLAG = 0x0001
MAX_COMMENT = 0xFFFF

_BIG = 0xFFFFFFFF
_MANY = 0xFFFF
_DATE_1980 = 0x0021
_UNIX = 3 << 8
_FILE_0644 = 0o100644 << 16

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")

LOCAL_MAGIC = b"PK\x03\x04"
CENTRAL_MAGIC = b"PK\x01\x02"
END_MAGIC = b"PK\x05\x06"
END64_MAGIC = b"PK\x06\x06"
LOCATOR64_MAGIC = b"PK\x06\x07"


class Member(NamedTuple):
    """One member as the central directory describes it; sizes and the offset of its local header in bytes."""

    name: bytes
    method: int
    crc: int
    stored_size: int
    size: int
    offset: int


def local_header(name: bytes, crc: int, size: int) -> bytes:
    """The canonical local header of a stored member of `size` bytes."""
    extra = struct.pack("<2H2Q", 1, 16, size, size) if size >= _BIG else b""
    shown = min(size, _BIG)
    head = LOCAL.pack(
        LOCAL_MAGIC, _version(extra), UTF8_FLAG, STORED, 0, _DATE_1980, crc, shown, shown, len(name), len(extra)
    )
    return head + name + extra


def local_size(name: bytes, size: int) -> int:
    """Length in bytes of the canonical local header of a member of `size` bytes."""
    return LOCAL.size + len(name) + (20 if size >= _BIG else 0)


def central_entry(member: Member) -> bytes:
    """The canonical central directory entry of a member."""
    wide = [value for value in (member.size, member.size) if value >= _BIG]
    wide += [member.offset] if member.offset >= _BIG else []
    extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version, shown = _version(extra), min(member.size, _BIG)
    head = CENTRAL.pack(
        CENTRAL_MAGIC,
        _UNIX | version,
        version,
        UTF8_FLAG,
        STORED,
        0,
        _DATE_1980,
        member.crc,
        shown,
        shown,
        len(member.name),
        len(extra),
        0,
        0,
        0,
        _FILE_0644,
        min(member.offset, _BIG),
    )
    return head + member.name + extra


def end_records(count: int, directory_size: int, directory_offset: int, comment: bytes) -> bytes:
    """The canonical end of the file behind `count` directory entries, comment included."""
    records = b""
    if count >= _MANY or directory_size >= _BIG or directory_offset >= _BIG:
        at = directory_offset + directory_size
        records = END64.pack(
            END64_MAGIC, END64.size - 12, _UNIX | 45, 45, 0, 0, count, count, directory_size, directory_offset
        ) + LOCATOR64.pack(LOCATOR64_MAGIC, 0, at, 1)
    shown = min(count, _MANY)
    sizes = min(directory_size, _BIG), min(directory_offset, _BIG)
    return records + END.pack(END_MAGIC, 0, 0, shown, shown, *sizes, len(comment)) + comment


def wide_values(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """(size, stored size, offset) with zip64 fields in place of those that read 0xFFFFFFFF; None if one is missing."""
    if _BIG not in values:
        return values
    field = _extra_field(extra, 1)
    fields = [field[at : at + 8] for at in range(0, len(field), 8)]
    out = []
    for value in values:
        if value == _BIG:
            if not fields or len(fields[0]) < 8:
                return None
            value = int.from_bytes(fields.pop(0), "little")
        out.append(value)
    return out[0], out[1], out[2]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""


def _version(extra: bytes) -> int:
    return 45 if extra else 20
