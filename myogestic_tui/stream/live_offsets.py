"""The clock offsets of one stream as they come in, and the line through the newest of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from ..clock.offsets import OffsetLine, clean_estimates, offset_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .source import ClockEstimate

KEPT_ESTIMATES = 60
"""Estimates that a session gets at its start: five minutes of them."""
_FITTED_ESTIMATES = 200
_DRIFT_SECONDS = 30.0


class OffsetHistory:
    """The newest estimates; written by the worker, read by anyone."""

    def __init__(self) -> None:
        self._estimates: deque[ClockEstimate] = deque(maxlen=_FITTED_ESTIMATES)
        self._line: OffsetLine | None = None
        self.rows: NDArray[np.float64] = np.empty((0, 4))
        """``(k, 4)``: collected at, offset, uncertainty, source's time, in seconds; replaced, never changed."""

    def add(self, estimates: Iterable[ClockEstimate]) -> None:
        """Take new estimates, oldest first, and fit again."""
        self._estimates.extend(estimates)
        rows = [(one.collected_at, one.offset, one.uncertainty, one.remote_time) for one in self._estimates]
        self.rows = clean_estimates(rows)
        lines = offset_lines(self.rows)
        self._line = lines[-1] if lines else None

    @property
    def estimates(self) -> list[ClockEstimate]:
        """The newest ones, oldest first."""
        return list(self._estimates)[-KEPT_ESTIMATES:]

    @property
    def newest(self) -> ClockEstimate | None:
        """The newest estimate; None where there is none."""
        return self._estimates[-1] if self._estimates else None

    @property
    def drift_ppm(self) -> float | None:
        """Drift of the source's clock; None until a minute tells something about it."""
        line = self._line
        if line is None or line.last - line.first < _DRIFT_SECONDS or len(line.at) < 2:
            return None
        return float((line.offsets[-1] - line.offsets[0]) / (line.at[-1] - line.at[0])) * 1e6

    @property
    def residual(self) -> float | None:
        """Scatter of the estimates about the line, in seconds."""
        return None if self._line is None else self._line.error

    @property
    def offset(self) -> float:
        """``recorder time = stamp + offset`` by now, in seconds; 0 where nothing is known."""
        line = self._line
        return 0.0 if line is None else float(line.offset(np.array([line.last]))[0])

    def correct(self, timestamps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Stamps ``(n,)`` of samples that came just now, on the recorder's clock."""
        return timestamps if self._line is None else timestamps + self._line.offset(timestamps)
