"""The clock offsets of one stream as they come in, and the line through the newest of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..clock import ClockFit, fit_offsets

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from .source import ClockEstimate

KEPT_ESTIMATES = 60
"""Estimates that are fitted live, and that a session gets at its start: five minutes of them."""
_DRIFT_SECONDS = 30.0


class OffsetHistory:
    """The newest estimates; written by the worker, read by anyone."""

    def __init__(self) -> None:
        self._estimates: deque[ClockEstimate] = deque(maxlen=KEPT_ESTIMATES)
        self._fit = ClockFit()

    def add(self, estimates: Iterable[ClockEstimate]) -> None:
        """Take new estimates, oldest first, and fit anew."""
        self._estimates.extend(estimates)
        rows = [(one.collected_at, one.offset, one.uncertainty, one.remote_time) for one in self._estimates]
        self._fit = fit_offsets(rows)

    @property
    def estimates(self) -> list[ClockEstimate]:
        """What is kept, oldest first."""
        return list(self._estimates)

    @property
    def newest(self) -> ClockEstimate | None:
        """The newest estimate; None where there is none."""
        return self._estimates[-1] if self._estimates else None

    @property
    def drift_ppm(self) -> float | None:
        """Drift of the source's clock; None until half a minute tells something about it."""
        segment = self._fit.segments[-1] if self._fit.segments else None
        return None if segment is None or segment.end - segment.start < _DRIFT_SECONDS else segment.slope * 1e6

    @property
    def residual(self) -> float | None:
        """RMS that the line leaves of the estimates, in seconds."""
        return self._fit.residual if self._fit.segments else None

    @property
    def offset(self) -> float:
        """``recorder time = stamp + offset`` by now, in seconds; 0 where nothing is known."""
        if not self._fit.segments or self.newest is None:
            return 0.0
        segment = self._fit.segments[-1]
        return float(segment.offset(segment.end))

    def correct(self, timestamps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Stamps ``(n,)`` of samples that came just now, on the recorder's clock."""
        if not self._fit.segments:
            return timestamps
        return self._fit.segments[-1].correct(timestamps)
