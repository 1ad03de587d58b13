"""Zarr's codec ``vlen-utf8``: the number of texts, then each text's number of bytes and its bytes, little-endian."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIZE = struct.Struct("<I")


def encode_vlen_utf8(texts: NDArray[Any]) -> bytes:
    """Encode ``texts`` ``(n,)``."""
    parts = [_SIZE.pack(len(texts))]
    for text in texts.tolist():
        encoded = text.encode()
        parts += (_SIZE.pack(len(encoded)), encoded)
    return b"".join(parts)


def decode_vlen_utf8(data: bytes, n_texts: int) -> NDArray[Any]:
    """Decode ``n_texts`` texts: ``(n_texts,)`` of dtype object.

    Raises
    ------
    ValueError
        It holds another number of texts, is cut short or too long, or is not UTF-8.
    """
    if len(data) < _SIZE.size or _SIZE.unpack_from(data)[0] != n_texts:
        raise ValueError("it holds another number of texts than a chunk has")
    texts = np.empty(n_texts, object)
    at = _SIZE.size
    for number in range(n_texts):
        start = at + _SIZE.size
        if start > len(data):
            raise ValueError(f"it is cut short at text {number}")
        at = start + _SIZE.unpack_from(data, at)[0]
        if at > len(data):
            raise ValueError(f"text {number} is cut short")
        texts[number] = data[start:at].decode()
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes follow the last text")
    return texts
