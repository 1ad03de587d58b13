"""What tests ask of processes that they started."""

from __future__ import annotations

import psutil


def has_ended(pid: int) -> bool:
    """True once a process is gone, or waits to be reaped."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
