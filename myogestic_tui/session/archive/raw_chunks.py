"""Chunks that were stored raw while recording, and what they become when the session is packed.

A recorder may store a chunk as a zstd frame of raw blocks with its checksum: a valid chunk to every reader, which takes
hardly any time. An archive holds such a chunk compressed where that is worth it; what it decodes to is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import SessionError
from ..format.layout import ZARR_JSON
from ..format.zarr_format import LEAST_SAVING, ZSTD_LEVEL, check_declared_size, parse_array_json
from ..format.zstd_frame import compress, decompress

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..format.zarr_format import ArraySpec

_OVERHEAD = 1024
"""Bytes by which a raw frame is longer than its content, but for a 64th of it, at most."""


class RawChunks:
    """Which files of a session are chunks of numbers, and what they become. Any thread may ask.

    Parameters
    ----------
    read
        Content of a file of the session by its key. Where it raises KeyError, OSError or the package's errors on an
        array's metadata, the chunks of that array stay as they are.
    """

    def __init__(self, read: Callable[[str], bytes]) -> None:
        self._read = read
        self._specs: dict[str, ArraySpec | None] = {}

    def spec_of(self, key: str, size: int) -> ArraySpec | None:
        """Layout of the array that a file of ``size`` bytes may be a chunk of numbers of; None for any other file.

        Whether it was stored raw does not show: of silence even the encoder that looks for nothing finds some.
        """
        array, chunk, _ = key.partition("/c/")
        if not chunk:
            return None
        if array not in self._specs:
            self._specs[array] = self._parse(array)
        spec = self._specs[array]
        if spec is None or spec.is_string:
            return None
        return spec if size <= spec.chunk_nbytes + spec.chunk_nbytes // 64 + _OVERHEAD else None

    def _parse(self, array: str) -> ArraySpec | None:
        try:
            return parse_array_json(self._read(f"{array}/{ZARR_JSON}"), where=array)[0]
        except (KeyError, OSError, SessionError):
            return None

    def packed(self, key: str, data: bytes) -> bytes:
        """What a file becomes in an archive, the same each time: a chunk of numbers compressed, any other as it is.

        A chunk that is damaged stays as it is, so that verifying finds it; one of which compression saves less than
        `LEAST_SAVING` as well, because it was compressed before or does not shrink.
        """
        spec = self.spec_of(key, len(data))
        content = None if spec is None else _content(spec, key, data)
        if content is None:
            return data
        encoded = compress(content, ZSTD_LEVEL)
        return encoded if len(encoded) <= (1.0 - LEAST_SAVING) * len(data) else data

    def holds(self, key: str, archived: bytes, recorded: bytes) -> bool:
        """Whether a member of an archive holds what was recorded: the same bytes, or a chunk's same content."""
        if archived == recorded:
            return True
        spec = self.spec_of(key, len(recorded))
        content = None if spec is None else _content(spec, key, recorded)
        return spec is not None and content is not None and _content(spec, key, archived) == content


def _content(spec: ArraySpec, key: str, data: bytes) -> bytes | None:
    """What a chunk decodes to, its checksum compared; None where it is damaged or of another size."""
    try:
        check_declared_size(spec, data, where=key)
        content = decompress(data)
    except (SessionError, ValueError, MemoryError):
        return None
    return content if len(content) == spec.chunk_nbytes else None
