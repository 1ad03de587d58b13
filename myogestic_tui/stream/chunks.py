"""Samples of one read, and the check that they are what their source said they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import SourceError, StreamChangedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo

_LAYOUT = ("n_channels", "fs", "dtype", "channel_names", "units")


class Chunk(NamedTuple):
    """Samples that one read brought, raw.

    Attributes
    ----------
    data, timestamps
        ``(n, n_channels)`` and ``(n,)``.
    times
        ``(n,)`` when they were taken, on the recorder's clock (s); None where that is not known: the arrival counts.
    read_at, arrived
        When the source was asked for them, and when they were there (recorder's clock, s).
    """

    data: NDArray[Any]
    timestamps: NDArray[np.float64]
    times: NDArray[np.float64] | None
    read_at: float
    arrived: float

    @property
    def n_samples(self) -> int:
        """How many samples it has."""
        return len(self.timestamps)

    def part(self, which: slice) -> Chunk:
        """Some of its samples."""
        times = None if self.times is None else self.times[which]
        return Chunk(self.data[which], self.timestamps[which], times, self.read_at, self.arrived)


def check_chunk(name: str, info: StreamInfo, data: Any, timestamps: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Data ``(n, n_channels)`` and time stamps ``(n,)`` as arrays, if they are what `StreamInfo` says.

    Nothing is cast, turned or filled in: a chunk that does not fit is refused whole.

    Raises
    ------
    SourceError
        Wrong shape, dtype or count; the message names the stream and says what to return instead.
    """
    samples = np.asarray(data, dtype=object) if info.is_string else np.asarray(data)
    stamps = np.asarray(timestamps)
    wanted = f"(n_samples, {info.n_channels}) of {info.dtype}"
    if samples.size == 0 and stamps.size == 0:
        return np.empty((0, info.n_channels), info.np_dtype), np.empty(0)
    if samples.ndim != 2:
        raise SourceError(f"{name}: read() gave {samples.ndim}-D data of shape {samples.shape}; return {wanted}")
    if samples.shape[1] != info.n_channels:
        turned = samples.shape[0] == info.n_channels
        hint = "it is transposed: return data.T" if turned else f"return {wanted}"
        raise SourceError(f"{name}: read() gave data of shape {samples.shape}; {hint}")
    if not info.is_string and samples.dtype != info.np_dtype:
        raise SourceError(f"{name}: read() gave {samples.dtype} samples, but connect() said {info.dtype}")
    if stamps.shape != (len(samples),):
        raise SourceError(f"{name}: read() gave {stamps.shape} time stamps for {len(samples)} samples; one each")
    if stamps.dtype.kind not in "fiu":
        raise SourceError(f"{name}: read() gave time stamps of {stamps.dtype}; return seconds as float64")
    return samples, stamps.astype(np.float64, copy=False)


def check_same_layout(name: str, before: StreamInfo, now: StreamInfo) -> None:
    """A stream that comes back must be as it was.

    Raises
    ------
    StreamChangedError
        Channel count, rate, dtype, labels or units differ; the message says which, and from what to what.
    """
    changed = [field for field in _LAYOUT if getattr(before, field) != getattr(now, field)]
    if changed:
        told = ", ".join(f"{field} {getattr(before, field)} → {getattr(now, field)}" for field in changed)
        raise StreamChangedError(f"{name} came back changed ({told}); it is not recorded. Connect it as a new stream")


def n_bytes(data: NDArray[Any]) -> int:
    """Size of samples ``(n, n_channels)`` in bytes; of text, as UTF-8."""
    return sum(len(text.encode()) for text in data.flat) if data.dtype == object else data.nbytes
