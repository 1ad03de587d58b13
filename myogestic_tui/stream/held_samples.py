"""The newest samples of a stream, and since when they are held: a recording can begin before its key."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .recent_reads import RecentReads
from .ring import RingBuffer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..info import StreamInfo

_MARGIN_SECONDS = 2.0
"""What is kept beyond the seconds before a recording: samples come late, and devices send a little faster than told."""
MOST_HELD_BYTES = 512_000_000
"""Samples of one stream that are kept for the seconds before a recording; a faster stream joins it later."""


RESTING_SECONDS = 2.0
"""What a stream holds while it rests: enough for its quality, and for a recording that begins now."""
RESTING_BYTES = 8_000_000
"""A ring that takes no more than this is not made smaller."""


class HeldSamples:
    """What `Stream` holds in memory.

    Attributes
    ----------
    resting
        Nobody looks at it: of a fast stream, hold `RESTING_SECONDS` only. Any thread may set it.
    """

    def __init__(self) -> None:
        self.resting = False
        self.info: StreamInfo | None = None
        self.buffer_seconds = 10.0
        self.first_heard: float | None = None
        """When its very first sample was taken (recorder's clock, s); None without any."""
        self.left_at: float | None = None
        """When it was taken out of the recording, or that ended (recorder's clock, s); None while it is recorded."""
        self._hold_s = 0.0
        self._ring: RingBuffer | None = None
        self._reads = RecentReads()
        self._rested = False
        self._awake_rows = 0
        """What the ring holds while the stream does not rest."""
        self._n_recorded = 0
        """Samples of the ring's count that a recording has, or may have."""
        # Guards the take, and that ring and take get the same samples in the same order.
        self._cutting = threading.Lock()

    @property
    def n_received(self) -> int:
        """Samples that its source has given since it connected first."""
        return self._ring.written if self._ring is not None else 0

    def hold(self, seconds: float) -> None:
        """Keep so many seconds of samples, at most `MOST_HELD_BYTES`: a recording can begin that much earlier.

        Called before the stream is started. What a stream sends is more or less than its rate says: as many samples
        are kept as have come in that time.
        """
        self._hold_s = seconds

    @property
    def held_since(self) -> float | None:
        """Since when (recorder's clock, s) it holds all that came and that no recording has; None: nothing came yet."""
        info, first = self.info, self.first_heard
        if info is None or (info.is_regular and first is None):
            return None
        known = [self._reads.began, self.left_at, first if info.is_regular else None]
        return max(at for at in known if at is not None)

    def _make_ring(self, info: StreamInfo) -> RingBuffer:
        held = 0.0
        if self._hold_s and info.is_regular:
            held = min(self._hold_s + _MARGIN_SECONDS, _most_rows(info) / info.fs)
        ring = RingBuffer(info, max(self.buffer_seconds, held))
        self._awake_rows, self._rested = ring.capacity, False
        return ring

    def _fit(self, ring: RingBuffer, info: StreamInfo) -> None:
        """Hold less while it rests, and as much as before once it is looked at."""
        if self._hold_s or self.resting == self._rested:
            return  # what a recording may begin with is held in any case
        self._rested, rows = self.resting, self._awake_rows
        if self._rested:
            rows = min(rows, max(round(RESTING_SECONDS * info.fs), RESTING_BYTES // _row_bytes(info)))
        if rows != ring.capacity:
            ring.resize(rows)

    def _keep(self, data: NDArray[Any], timestamps: NDArray[np.float64], now: float) -> None:
        """Into the ring, which grows where it would lose what is to be held; the lock is held."""
        ring = self._ring
        assert ring is not None
        assert self.info is not None
        lost = self._reads.oldest_lost(ring.written + len(timestamps) - ring.capacity) if self._hold_s else None
        if lost is not None and lost > now - self._hold_s:
            wanted, most = ring.capacity + max(ring.capacity // 2, len(timestamps)), _most_rows(self.info)
            if ring.capacity < most:
                ring.resize(min(wanted, most))
        self._fit(ring, self.info)
        ring.write(data, timestamps)
        self._reads.add(ring.written, len(timestamps), now)
        self._reads.forget(ring.oldest)

    def forget_recorded(self) -> None:
        """The last recording was discarded: what it has may belong to the next one."""
        with self._cutting:
            self._n_recorded, self.left_at = 0, None


def _most_rows(info: StreamInfo) -> int:
    """How many samples `MOST_HELD_BYTES` are; of text, at a kilobyte each."""
    return MOST_HELD_BYTES // _row_bytes(info)


def _row_bytes(info: StreamInfo) -> int:
    """Of one sample and its stamp."""
    return 1024 * info.n_channels if info.is_string else 8 + info.n_channels * info.np_dtype.itemsize
