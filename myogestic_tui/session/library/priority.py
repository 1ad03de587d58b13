"""What makes room for the recorder: its jobs and viewers, when the processor, the disk or memory gets scarce."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NICE = 10
"""How much less a job counts than the recorder, for the processor."""
EXPENDABLE = 800
"""``oom_score_adj`` of jobs and viewers: when memory runs out the kernel ends them long before the recorder."""

_SCORE = Path("/proc/self/oom_score_adj")
_before: int | None = None


def lower_priority() -> None:
    """Let every other process go first: processor, disk, and memory."""
    import psutil

    with suppress(OSError, psutil.Error):
        os.nice(NICE)
    with suppress(OSError, psutil.Error, AttributeError, ValueError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    be_expendable()


def be_expendable() -> None:
    """When memory runs out, be ended before the recorder; the programs that this one starts inherit that."""
    global _before
    with suppress(OSError, ValueError):
        now = oom_score()
        if now < EXPENDABLE:
            _SCORE.write_text(str(EXPENDABLE))
            _before = now


def oom_score() -> int:
    """Return ``oom_score_adj`` of this process, -1000 to 1000; OSError or ValueError where there is none."""
    return int(_SCORE.read_text())


def score_before() -> int | None:
    """What the score was before `be_expendable` raised it: for a recorder that this program starts. None: as it is."""
    return _before


def set_oom_score(score: int) -> None:
    """Set the score, where that is permitted: back down to where it was before it was raised always is."""
    with suppress(OSError):
        _SCORE.write_text(str(score))
