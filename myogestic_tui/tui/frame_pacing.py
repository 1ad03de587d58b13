"""How often to draw: as often as wanted, less where the loop runs late or the link is busy."""

from __future__ import annotations

LEAST_FPS = 1.0
_LATE_SHARE = 0.5
"""A frame that wakes later than this share of its period is late."""
_PATIENCE = 3
"""Late or skipped frames in a row before the rate falls."""
_RECOVERY = 20
"""Frames in time before the rate rises again."""


class Pacer:
    """Frame rate by what became of the last frames.

    Parameters
    ----------
    fps
        Frames per second at most.
    """

    def __init__(self, fps: float) -> None:
        self.most = max(fps, LEAST_FPS)
        self.fps = self.most
        self._late = 0
        self._good = 0

    @property
    def slowed(self) -> bool:
        """Whether the rate is below what was asked for."""
        return self.fps < 0.95 * self.most

    def woke(self, late: float, *, busy: bool) -> None:
        """Say how late (s) a frame's turn came, and whether the link still had the frame before it."""
        if busy or late > _LATE_SHARE / self.fps:
            self._late, self._good = self._late + 1, 0
            if self._late >= _PATIENCE:
                self.fps, self._late = max(self.fps * 0.7, LEAST_FPS), 0
            return
        self._late, self._good = 0, self._good + 1
        if self.fps < self.most and self._good >= _RECOVERY:
            self.fps, self._good = min(self.fps * 1.3, self.most), 0
