"""Whether an array on the disk is what its stream's metadata says, and what counts of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import ConfigError, SessionDamagedError
from ..format.arrays import ListedArray, Rows, StoredArray

if TYPE_CHECKING:
    from ...info import StreamInfo
    from ..format.meta import StreamMeta
    from ..format.zarr_format import ArraySpec


def are_stamps(array: StoredArray, start: int, stop: int) -> bool:
    """Whether rows of an array were written, and are not what a chunk is filled up with: no clock stands at 0."""
    try:
        return bool((array.rows(start, stop) != 0.0).all())
    except SessionDamagedError:
        return False


def is_laid_out(spec: ArraySpec, info: StreamInfo) -> bool:
    """Whether the samples' array has rows as the stream's; how long its chunks are another recorder may choose."""
    return (spec.dtype, spec.row_shape) == (info.dtype, (info.n_channels,))


def at_rate_of(declared: StreamMeta, inferred: StreamInfo) -> StreamInfo:
    """An inferred layout, with the declared rate where that is possible and fits: arrays know whole Hertz only."""
    try:
        info = replace(inferred, fs=declared.fs)
    except ConfigError:
        return inferred
    return info if info.chunk_length == inferred.chunk_length else inferred


def first_rows(stored: StoredArray | None, spec: ArraySpec, n_rows: int) -> Rows:
    """The first ``n_rows`` rows of an array; none where there is no array."""
    if stored is None:
        return ListedArray(spec, [])
    stored.n_rows = stored.n_stored = n_rows
    return stored


def can_be_times(spec: ArraySpec) -> bool:
    """Whether an array holds one number for each sample."""
    return spec.row_shape == () and not spec.is_string
