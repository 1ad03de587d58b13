"""Room in the sessions folder: how much there is, and how long it lasts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .interface import DiskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..info import StreamInfo

_COPIES = 2.0
"""A session stands on the disk twice while it is packed."""


def byte_rate(infos: Iterable[StreamInfo]) -> float:
    """Bytes per second that the streams bring: samples and their time stamps, before compression."""
    return sum(info.fs * (info.n_channels * (16 if info.is_string else info.np_dtype.itemsize) + 8) for info in infos)


def disk_status(folder: Path, rate: float, reserve: int) -> DiskStatus:
    """Free bytes where ``folder`` is (or will be), and how long ``rate`` bytes/s continue until ``reserve`` bytes."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    left = max(0.0, (free - reserve) / (rate * _COPIES)) if rate > 0 else None
    return DiskStatus(free_bytes=free, reserve_bytes=reserve, left_s=left)
