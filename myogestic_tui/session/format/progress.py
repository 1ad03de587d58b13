"""How far a long job is, and how it is held while a recording needs the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all. What it raises ends the job, and nothing half-done is left."""

_PAUSE_S = 0.1


class Ticker:
    """Counts what is done.

    Parameters
    ----------
    total
        Bytes in all.
    progress
        Who is told.
    should_pause
        The job waits while it returns True.
    """

    def __init__(self, total: int, progress: Progress | None, should_pause: Callable[[], bool] | None = None) -> None:
        self._total, self._done = total, 0
        self._progress, self._should_pause = progress, should_pause

    def tick(self, n_bytes: int) -> None:
        """Count `n_bytes` more as done; waits while the job is to pause."""
        while self._should_pause is not None and self._should_pause():
            time.sleep(_PAUSE_S)
        self._done += n_bytes
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total)
