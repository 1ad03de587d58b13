"""Signal quality of a stream's newest second, measured once a second while somebody asks for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .quality import Quality, measure_quality, quality_samples

if TYPE_CHECKING:
    from ..info import StreamInfo
    from .ring import RingBuffer

_ASKED_SECONDS = 3.0
"""What nobody has asked for in this time is measured no more, until somebody asks again."""
_RECENT_SECONDS = 2.0


class LiveQuality:
    """Measures what is in a stream's ring; all times are on the recorder's clock, in seconds.

    Parameters
    ----------
    info
        Layout of the stream.
    ring
        Its newest samples.
    """

    def __init__(self, info: StreamInfo, ring: RingBuffer) -> None:
        self._info, self._ring = info, ring
        self._newest: tuple[Quality, ...] = ()
        self._asked_at = -math.inf

    def tick(self, now: float, arrived_at: float) -> None:
        """Once a second: measure where that is asked for; ``arrived_at`` is when the newest sample came."""
        if now - self._asked_at < _ASKED_SECONDS:
            self._measure(now, arrived_at)

    def ask(self, now: float, arrived_at: float) -> tuple[Quality, ...]:
        """A `Quality` for each channel; empty until there is a second of samples, and while none come."""
        waited, self._asked_at = now - self._asked_at, now
        if waited >= _ASKED_SECONDS:
            self._measure(now, arrived_at)
        return self._newest

    def _measure(self, now: float, arrived_at: float) -> None:
        wanted = quality_samples(self._info)
        enough = wanted and now - arrived_at < _RECENT_SECONDS and self._ring.written >= wanted
        self._newest = measure_quality(self._ring.newest(wanted)[0], self._info.fs) if enough else ()
