"""How hard a stream's chunks are compressed: what does not shrink is stored nearly as fast as it is copied."""

from __future__ import annotations

from ..format.zarr_format import LEAST_SAVING, ZSTD_LEVEL

FAST_LEVEL = -1
"""On noise as float32, of which `ZSTD_LEVEL` saves 8 %, this takes a fifth of the time and saves nothing."""
TRIED_EVERY = 16
"""Chunks; the signal may have changed."""


class CompressionLevel:
    """The zstd level of a stream's next chunk, by how far the last one shrank that was compressed for real."""

    def __init__(self) -> None:
        self._worthwhile = True

    def of(self, number: int) -> int:
        """The level for chunk ``number``."""
        return ZSTD_LEVEL if self._worthwhile or number % TRIED_EVERY == 0 else FAST_LEVEL

    def learn(self, level: int, decoded_bytes: int, encoded_bytes: int) -> None:
        """Take note of how far a chunk shrank at a level."""
        if level == ZSTD_LEVEL:
            self._worthwhile = encoded_bytes <= (1.0 - LEAST_SAVING) * decoded_bytes
