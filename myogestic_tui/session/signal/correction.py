"""From a source's clock to the recorder's, for any part of a stream without the whole of it in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...clock.fit import meeting_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...clock import ClockFit
    from ..format.arrays import Rows

_BLOCK = 1 << 18


class Correction:
    """Corrected times of the samples of one stream.

    Parameters
    ----------
    fit
        The stream's clock offsets as lines.
    stamps
        ``(n_samples,)`` raw time stamps. They are looked through once if the clock was set while recording: that
        shows where one line ends and the next begins.
    """

    def __init__(self, fit: ClockFit, stamps: Rows) -> None:
        self._segments = fit.segments
        self._starts = _segment_starts(fit, stamps)

    def __call__(self, raw: NDArray[np.float64], start: int) -> NDArray[np.float64]:
        """Corrected times, ``(k,)`` seconds, of ``k`` samples from number ``start`` on, whose raw stamps are given."""
        if not self._segments:
            return raw
        corrected = np.empty_like(raw)
        ends = [*self._starts[1:], start + len(raw)]
        for segment, first, last in zip(self._segments, self._starts, ends, strict=True):
            part = slice(max(first - start, 0), max(min(last - start, len(raw)), 0))
            corrected[part] = segment.correct(raw[part])
        return corrected


def _segment_starts(fit: ClockFit, stamps: Rows) -> list[int]:
    """Number of the first sample of each segment, as `ClockFit.correct` finds them, block by block."""
    starts = [0]
    for first in range(0, stamps.n_rows if len(fit.segments) > 1 else 0, _BLOCK):
        # With the sample before the block, so that a step between two blocks is seen.
        base = max(first - 1, 0)
        block = stamps.rows(base, min(first + _BLOCK, stamps.n_rows)).astype(np.float64, copy=False)
        while len(starts) < len(fit.segments):
            at = max(starts[-1] - base, 0)
            stop = at + meeting_point(block[at:], fit.segments[len(starts) - 1], fit.segments[len(starts)])
            if stop == len(block):
                break
            starts.append(base + stop)
    return starts + [stamps.n_rows] * (len(fit.segments) - len(starts))
