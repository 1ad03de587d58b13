"""When samples were taken, as far as that can be told while they come in: it decides which a recording gets."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .live_offsets import OffsetHistory

FOREIGN_SECONDS = 60.0
"""Stamps further than this from their arrival are in another clock."""

_NEWEST_READS = 16


class SampleTimes:
    """A stream's stamps on the recorder's clock, where they can be believed.

    Parameters
    ----------
    clock
        The comparisons of the source's clock with the recorder's.
    compared
        Whether there will be any; until the first one nothing is known of a clock that is compared.
    """

    def __init__(self, clock: OffsetHistory, *, compared: bool) -> None:
        self._clock = clock
        self._compared = compared
        self._lags: deque[float] = deque(maxlen=_NEWEST_READS)

    @property
    def lag_s(self) -> float:
        """How long after they were taken the newest samples arrived, at least; 0 where that is not known."""
        return max(0.0, min(self._lags, default=0.0))

    def restart(self) -> None:
        """The source reconnected: how late it was before no longer counts."""
        self._lags.clear()

    def of(self, timestamps: NDArray[np.float64], arrived: float) -> NDArray[np.float64] | None:
        """Times ``(n,)``, n > 0, of samples that arrived at ``arrived`` (recorder's clock, s).

        None where the stamps are in a clock that is not, or not yet, known: then the arrival is all there is.
        """
        if self._compared and self._clock.newest is None:
            return None
        times = self._clock.correct(timestamps)
        lag = arrived - float(times[-1])
        if not abs(lag) <= FOREIGN_SECONDS:
            self._lags.clear()
            return None
        self._lags.append(lag)
        return times
