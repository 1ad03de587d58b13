"""The bytes of an archive's headers are those that the zip standard and the format's own rules say, field by field."""

from __future__ import annotations

import pytest

from myogestic_tui.session.archive.zip_format import (
    STORED,
    Member,
    central_entry,
    end_records,
    local_header,
    local_size,
    wide_values,
)

CRC = 0xA1B2C3D4
BIG = 0xFFFFFFFF


def test_a_local_header():
    fields = "504b0304 1400 0008 0000 0000 2100 d4c3b2a1 05000000 05000000 0300 0000"
    assert local_header(b"a/b", CRC, 5) == bytes.fromhex(fields) + b"a/b"


@pytest.mark.parametrize("size", [BIG, BIG + 1, 1 << 40])
def test_a_local_header_of_a_large_member(size: int):
    fields = "504b0304 2d00 0008 0000 0000 2100 d4c3b2a1 ffffffff ffffffff 0300 1400"
    extra = bytes.fromhex("0100 1000") + size.to_bytes(8, "little") * 2
    assert local_header(b"a/b", CRC, size) == bytes.fromhex(fields) + b"a/b" + extra


@pytest.mark.parametrize("size", [0, 5, BIG - 1, BIG, 1 << 40])
def test_the_size_of_a_local_header_is_known_before_it_is_made(size: int):
    assert local_size(b"a/b", size) == len(local_header(b"a/b", CRC, size))


def test_a_directory_entry():
    fields = (
        "504b0102 1403 1400 0008 0000 0000 2100 d4c3b2a1 05000000 05000000 0300 0000 0000 0000 0000 0000a481 11000000"
    )
    assert central_entry(Member(b"a/b", STORED, CRC, 5, 5, 0x11)) == bytes.fromhex(fields) + b"a/b"


@pytest.mark.parametrize(
    ("size", "offset", "shown", "wide"),
    [
        (BIG, 7, "ffffffff ffffffff 0300 1400 0000 0000 0000 0000a481 07000000", [BIG, BIG]),
        (5, BIG, "05000000 05000000 0300 0c00 0000 0000 0000 0000a481 ffffffff", [BIG]),
        (1 << 33, 1 << 34, "ffffffff ffffffff 0300 1c00 0000 0000 0000 0000a481 ffffffff", [1 << 33, 1 << 33, 1 << 34]),
    ],
)
def test_a_directory_entry_of_a_large_member(size: int, offset: int, shown: str, wide: list[int]):
    entry = central_entry(Member(b"a/b", STORED, CRC, size, size, offset))
    head = bytes.fromhex("504b0102 2d03 2d00 0008 0000 0000 2100 d4c3b2a1" + shown)
    values = b"".join(value.to_bytes(8, "little") for value in wide)
    extra = b"\x01\0" + len(values).to_bytes(2, "little") + values
    assert entry == head + b"a/b" + extra
    assert wide_values(extra, (min(size, BIG), min(size, BIG), min(offset, BIG))) == (size, size, offset)


def test_the_end_of_an_archive():
    end = bytes.fromhex("504b0506 0000 0000 0200 0200 64000000 e8030000 0200")
    assert end_records(2, 100, 1000, b"hi") == end + b"hi"


@pytest.mark.parametrize(
    ("count", "size", "offset", "shown"),
    [
        (0xFFFF, 100, 1000, "ffff ffff 64000000 e8030000"),
        (2, BIG, 1000, "0200 0200 ffffffff e8030000"),
        (2, 100, BIG, "0200 0200 64000000 ffffffff"),
        (0x10000, 1 << 33, 1 << 34, "ffff ffff ffffffff ffffffff"),
    ],
)
def test_the_end_of_a_large_archive(count: int, size: int, offset: int, shown: str):
    wide = (count, count, size, offset)
    end64 = bytes.fromhex("504b0606 2c00000000000000 2d03 2d00 00000000 00000000") + b"".join(
        value.to_bytes(8, "little") for value in wide
    )
    locator = bytes.fromhex("504b0607 00000000") + (size + offset).to_bytes(8, "little") + bytes.fromhex("01000000")
    end = bytes.fromhex("504b0506 0000 0000" + shown + "0200")
    assert end_records(count, size, offset, b"hi") == end64 + locator + end + b"hi"


def test_zip64_fields_stand_for_the_values_that_need_them_and_no_others():
    other = bytes.fromhex("7875 0200 abcd")
    field = bytes.fromhex("0100 0800") + (1 << 40).to_bytes(8, "little")
    for extra in (field, other + field, field + other):
        assert wide_values(extra, (BIG, 5, 6)) == (1 << 40, 5, 6)
        assert wide_values(extra, (4, 5, BIG)) == (4, 5, 1 << 40)
        assert wide_values(extra, (BIG, BIG, 6)) is None
    assert wide_values(b"", (4, 5, 6)) == (4, 5, 6)
    assert wide_values(field[:-1], (BIG, 5, 6)) is None
