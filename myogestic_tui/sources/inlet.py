"""One subscription to one outlet: samples, header and clock offsets, straight from liblsl."""

from __future__ import annotations

import threading
import time
from ctypes import byref, c_double, c_uint32, c_void_p, memset, sizeof, string_at
from typing import TYPE_CHECKING, Any

import numpy as np

from ..allocator import return_large_blocks
from ..errors import StreamNotFoundError
from ..stream.source import ClockEstimate
from .liblsl import LOST, SUFFIXES, InfoHandle, error_slot, liblsl
from .stream_header import read_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .discovery import Seen

    Chunk = tuple[NDArray[Any], NDArray[np.float64]]

BUFFER_SECONDS = 360.0
"""How long samples wait for us in the inlet."""

BUFFER_BYTES = 512 << 20
"""The most that they may take there."""

IRREGULAR_PER_SECOND = 100.0
"""Samples per second that an irregular stream's buffer allows for, as liblsl itself has it."""

SAMPLE_OVERHEAD = 48
"""Bytes that liblsl adds to each buffered sample."""

READ_BYTES = 64 << 20
"""The most that one read takes, so that catching up after a stall does not double the memory."""

PULL_BYTES = 4 << 20
"""The most that liblsl is asked for at once."""

_SPARE_ROWS, _TEXT_ROWS = 64, 16
_IN_SAMPLES = 1
"""liblsl's ``transp_bufsize_samples``: the buffer length is given in samples, not seconds."""


def buffer_samples(n_channels: int, fs: float, itemsize: int) -> int:
    """Length of the inlet's buffer: 360 s, or what 512 MB hold."""
    wanted = BUFFER_SECONDS * (fs or IRREGULAR_PER_SECOND)
    return int(max(16, min(wanted, BUFFER_BYTES / (n_channels * itemsize + SAMPLE_OVERHEAD))))


class Inlet:
    """A subscription.

    liblsl recovers a broken connection to the same outlet by itself, and never moves on to another one.

    Parameters
    ----------
    seen
        The outlet, as discovery saw it.
    handle
        Its header with where it is now, if that is known better: `asking.resolve` asks.
    """

    def __init__(self, seen: Seen, handle: InfoHandle | None = None) -> None:
        self._library = liblsl()
        return_large_blocks()
        self._seen = seen
        itemsize = 8 if seen.dtype == "string" else np.dtype(seen.dtype).itemsize
        length = buffer_samples(seen.n_channels, seen.fs, itemsize)
        self._pointer = self._library.lsl_create_inlet_ex((handle or seen.handle).pointer, length, 0, 1, _IN_SAMPLES)
        if not self._pointer:
            raise StreamNotFoundError(f"{seen.name}: liblsl cannot subscribe to it")
        self._lock = threading.Lock()
        self._puller = _TextPuller(seen) if seen.dtype == "string" else _NumberPuller(seen)
        self._last_estimate: tuple[float, float] | None = None
        self.buffer_s = length / (seen.fs or IRREGULAR_PER_SECOND)
        """Seconds of samples that wait in it at most."""
        self.lost = False

    def open(self, timeout: float) -> StreamInfo:
        """Subscribe: samples flow from here on. Says what the stream's full header holds.

        Raises
        ------
        StreamNotFoundError
            It does not answer within ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        code, slot = error_slot()
        self._library.lsl_open_stream(self._pointer, timeout, slot)
        if code.value == 0:
            left = max(0.2, end - time.monotonic())
            pointer = self._library.lsl_get_fullinfo(self._pointer, left, slot)
            if code.value == 0 and pointer:
                return read_header(InfoHandle(pointer))
        raise StreamNotFoundError(
            f"{self._seen.name} on {self._seen.hostname} was seen, but does not answer; is a firewall closed to TCP?"
        )

    def pull(self) -> Chunk:
        """Everything that waits: ``(n_samples, n_channels)`` and ``(n_samples,)``, copies. Never waits itself."""
        with self._lock:
            if not self._pointer or self.lost:
                return self._puller.empty()
            parts = self._pull_parts()
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _pull_parts(self) -> list[Chunk]:
        parts, taken = [], 0
        while True:
            code, slot = error_slot()
            rows = self._puller.fit(int(self._library.lsl_samples_available(self._pointer)))
            part = self._puller.pull(self._pointer, rows, slot)
            parts.append(part)
            taken += part[0].nbytes
            self.lost = code.value == LOST
            if len(part[1]) < rows or taken >= READ_BYTES:
                return parts

    @property
    def waiting(self) -> int:
        """How many samples wait to be pulled."""
        with self._lock:
            return int(self._library.lsl_samples_available(self._pointer)) if self._pointer else 0

    @property
    def has_clock(self) -> bool:
        """True once the outlet's clock was compared with ours."""
        return self._last_estimate is not None

    def clock_estimate(self) -> ClockEstimate | None:
        """A new comparison of the clocks, or None; the first call begins them.

        liblsl measures in a thread of its own, about every 2 s, and the time-out here is zero: this never waits, and
        on a handle of our own it holds back no pull. An outlet that is gone leaves the old value in place.
        """
        remote, uncertainty = c_double(), c_double()
        code, slot = error_slot()
        with self._lock:
            if not self._pointer:
                return None
            offset = self._library.lsl_time_correction_ex(self._pointer, byref(remote), byref(uncertainty), 0.0, slot)
        if code.value or (offset, remote.value) == self._last_estimate:
            return None
        self._last_estimate = (offset, remote.value)
        return ClockEstimate(time.monotonic(), offset, uncertainty.value, remote.value)

    def close(self) -> None:
        """Unsubscribe; what was not pulled is gone. Takes up to half a second. May be called twice."""
        with self._lock:
            pointer, self._pointer = self._pointer, None
        if pointer:
            self._library.lsl_destroy_inlet(pointer)


def dispose(inlet: Inlet) -> None:
    """Close an inlet in the background, where liblsl's half second holds up nobody's samples."""
    try:
        threading.Thread(target=inlet.close, name="lsl-close").start()
    except RuntimeError:  # the interpreter is ending and starts no thread any more
        inlet.close()


class _NumberPuller:
    """Pulls numbers into arrays that are handed out, of which a few rows at the end may be left over."""

    def __init__(self, seen: Seen) -> None:
        self._n_channels, self._dtype = seen.n_channels, np.dtype(seen.dtype)
        self._most = max(_SPARE_ROWS, PULL_BYTES // (seen.n_channels * self._dtype.itemsize))
        self._pull = getattr(liblsl(), f"lsl_pull_chunk_{SUFFIXES[seen.dtype]}")

    def fit(self, n_waiting: int) -> int:
        """How many rows to ask for where so many wait; more may have come by then."""
        return min(n_waiting + _SPARE_ROWS, self._most)

    def empty(self) -> Chunk:
        return np.empty((0, self._n_channels), self._dtype), np.empty(0)

    def pull(self, pointer: int, rows: int, slot: Any) -> Chunk:
        data, stamps = np.empty((rows, self._n_channels), self._dtype), np.empty(rows)
        values = self._pull(pointer, data.ctypes.data, stamps.ctypes.data, data.size, rows, 0.0, slot)
        count = values // self._n_channels
        return data[:count], stamps[:count]


class _TextPuller:
    r"""Pulls strings by their length, so that an embedded zero byte does not end one.

    Bytes that are not UTF-8 stay as ``\xNN``: what is stored must itself be UTF-8, so surrogates will not do. A marker
    that spelled out ``\xNN`` in plain text reads the same.
    """

    def __init__(self, seen: Seen) -> None:
        self._n_channels = seen.n_channels
        self._texts = (c_void_p * (_TEXT_ROWS * seen.n_channels))()
        self._lengths = (c_uint32 * (_TEXT_ROWS * seen.n_channels))()
        self._stamps = np.empty(_TEXT_ROWS)
        self._library = liblsl()

    def fit(self, _: int) -> int:
        """Few, as liblsl allocates a string for each place, whether it is filled or not."""
        return _TEXT_ROWS

    def empty(self) -> Chunk:
        return np.empty((0, self._n_channels), object), np.empty(0)

    def pull(self, pointer: int, rows: int, slot: Any) -> Chunk:
        texts, lengths, stamps = self._texts, self._lengths, self._stamps
        memset(texts, 0, sizeof(texts))
        values = self._library.lsl_pull_chunk_buf(
            pointer, texts, lengths, stamps.ctypes.data, len(texts), rows, 0.0, slot
        )
        data = np.empty(values, object)
        for index, text in enumerate(texts):
            if text and index < values:
                data[index] = string_at(text, lengths[index]).decode("utf-8", "backslashreplace")
            self._library.lsl_destroy_string(text)
        data = data.reshape(-1, self._n_channels)
        return data, stamps[: len(data)].copy()
