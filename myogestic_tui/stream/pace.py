"""How often a stream's samples are read: the one place that decides it.

A worker looks for samples five times a second, or more often where somebody watches. What a read costs is for the most
part waking up with cold caches. So while only the recording wants a stream, and all is well with it, its samples wait
in the source for up to a second. The looks between show that more came, and when, at next to no cost: what is known of
a silence, and when it is known, does not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock.local import next_second
from .source import WaitingSource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .source import Source

TOGETHER_BYTES = 2_000_000
"""A second of a stream that is more than this is cheaper to read in pieces, which the processor's caches hold."""
PROMPT_SECONDS = 0.5
"""Where samples arrive so long after their stamps, or before them, each arrival tells something."""
_SPREAD_SECONDS = 0.1
_GOLDEN = 0.618


class Pace:
    """Decides for one stream whether its samples may wait; used by its worker alone.

    Parameters
    ----------
    source
        Where they come from; they never wait in one that is no `WaitingSource`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source if isinstance(source, WaitingSource) else None
        self._possible = self._calm = self._prompt = False
        self._due = self._came_at = self._phase = 0.0
        self._n_waiting = 0

    def prepare(self, info: StreamInfo) -> None:
        """The stream has this layout: only numbers at a moderate rate may wait."""
        self._possible = info.is_regular and not info.is_string
        self._possible &= info.fs * (8 + info.n_channels * info.np_dtype.itemsize) <= TOGETHER_BYTES

    def lets_wait(self, now: float) -> bool:
        """Whether what came by ``now`` (recorder's clock, s) need not be read yet; it has to be more each time."""
        n_waiting = self._source.waiting() if self._calm and self._source is not None and now < self._due else None
        if n_waiting is None or n_waiting <= self._n_waiting:
            return False
        self._n_waiting, self._came_at = n_waiting, now
        return True

    def date(self, n_read: int, now: float) -> float:
        """When the last of ``n_read`` samples came that were just read, at ``now`` (recorder's clock, s)."""
        return self._came_at if n_read <= self._n_waiting else now

    def compare(self, times: NDArray[np.float64] | None, arrived: float) -> None:
        """Samples were read; ``times`` ``(n,)`` is when they were taken (recorder's clock, s), where that is known."""
        self._prompt = times is not None and abs(arrived - times[-1]) <= PROMPT_SECONDS

    def follow(self, now: float, *, calm: bool) -> None:
        """A read is over; ``calm`` says whether those that come next may wait, for all that the stream knows."""
        self._calm = calm and self._possible and self._prompt
        self._prompt, self._n_waiting = False, 0
        # Not at the same place between two of its packets each time, if it sends ten a second.
        self._phase = (self._phase + _GOLDEN) % 1.0
        self._due = next_second(now) + _SPREAD_SECONDS * self._phase

    def hurry(self) -> None:
        """Read at the next look."""
        self._calm = False

    def until_look(self, seconds: float, now: float) -> float:
        """Seconds from ``now`` (recorder's clock, s) to the next look, which is due in ``seconds`` at the latest."""
        return max(0.0, min(seconds, self._due - now)) if self._calm else seconds
