"""zstd frames: compress, decompress, and how large one claims to be before it is decoded (RFC 8878, section 3.1.1).

A decoder allocates what the frame declares; a broken or hostile chunk may declare 100 GB.
"""

from __future__ import annotations

_MAGIC = b"\x28\xb5\x2f\xfd"
_SIZE_BYTES = (0, 2, 4, 8)
_DICTIONARY_BYTES = (0, 1, 2, 4)
_MAX_BLOCK = 128 * 1024
_RAW, _RLE, _COMPRESSED = 0, 1, 2


def compress(data: bytes | memoryview, level: int) -> bytes:
    """One frame, with its size and checksum."""
    import zstandard

    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(data)


def decompress(data: bytes) -> bytes:
    """Decode a frame whose `decoded_bound` was found to be acceptable.

    Raises
    ------
    ValueError
        It is damaged, or not one frame.
    """
    import zstandard

    try:
        # Where the frame does not declare its size, the bound is what may be allocated.
        return zstandard.ZstdDecompressor().decompress(data, decoded_bound(data) or 0, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def decoded_bound(data: bytes | memoryview) -> int | None:
    """Bytes that the frame ``data`` decodes to, or an upper bound where it does not say; None if it is no one frame.

    A decoder continues to what follows the frame, so a second one behind it would be decoded unasked.
    """
    if len(data) < 6 or bytes(data[:4]) != _MAGIC:
        return None
    descriptor = data[4]
    single_segment = bool(descriptor & 0x20)
    n_size = _SIZE_BYTES[descriptor >> 6] or int(single_segment)
    at = 5 + (not single_segment) + _DICTIONARY_BYTES[descriptor & 3]
    if len(data) < at + n_size:
        return None
    end, bound = _blocks(data, at + n_size)
    if end + (4 if descriptor & 4 else 0) != len(data):
        return None
    if n_size:
        return int.from_bytes(data[at : at + n_size], "little") + (256 if n_size == 2 else 0)
    return bound


def _blocks(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Where the blocks that begin at ``at`` end (-1 if they are broken), and how much they decode to at most."""
    total, last = 0, False
    while not last:
        if len(data) < at + 3:
            return -1, 0
        header = int.from_bytes(data[at : at + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        if kind > _COMPRESSED:
            return -1, 0
        total += _MAX_BLOCK if kind == _COMPRESSED else size
        at += 3 + (1 if kind == _RLE else size)
    return at, total
