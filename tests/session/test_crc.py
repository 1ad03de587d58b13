"""What is journalled and archived has the CRC-32 that every zip program and every zlib finds."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from myogestic_tui.session.format.crc import crc32

BYTES = np.random.default_rng(0).integers(0, 256, 1 << 20, dtype=np.uint8)


@pytest.mark.parametrize("n", [*range(70), 255, 4095, 4096, 4097, 1 << 20])
def test_it_is_that_of_zlib_for_any_length_start_and_beginning(n: int):
    for first in range(min(17, len(BYTES) - n + 1)):
        part = BYTES[first : first + n]
        for begun in (0, 1, 0xDEADBEEF, 0xFFFFFFFF):
            assert crc32(part, begun) == zlib.crc32(part, begun)


def test_it_takes_whatever_a_frame_is_made_of():
    samples = BYTES[:4096].view(np.float32).reshape(-1, 64)
    assert crc32(samples) == zlib.crc32(samples)
    assert crc32(memoryview(samples)[2:]) == zlib.crc32(samples[2:])
    assert crc32(np.empty((0, 64)), 7) == crc32(b"", 7) == 7
