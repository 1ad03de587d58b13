"""Room where sessions go: how much there is, how long it lasts, and the reserve that ends a recording."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..session.recording.disk_reserve import byte_rate
from .interface import DiskStatus

if TYPE_CHECKING:
    from ..config import DiskConfig
    from .recording import Recordings
    from .streams import StreamTable

_COPIES = 2.0
"""A session stands on the disk twice while it is packed."""


class DiskRoom:
    """Measures the file system of the folder that is, or would be, recorded into.

    Parameters
    ----------
    sessions_dir
        Where sessions go unless told otherwise.
    config
        The reserve that is kept free.
    recordings, streams
        What is recorded, and at which rate.
    """

    def __init__(self, sessions_dir: Path, config: DiskConfig, recordings: Recordings, streams: StreamTable) -> None:
        self._sessions_dir = sessions_dir
        self._config = config
        self._recordings = recordings
        self._streams = streams
        self._status: DiskStatus | None = None

    @property
    def byte_rate(self) -> float:
        """Bytes per second that the selected streams bring, before compression."""
        return byte_rate(stream.info for stream in self._streams.selected() if stream.info is not None)

    @property
    def status(self) -> DiskStatus:
        """What was measured last; the disk itself is asked only where nothing was measured yet."""
        return self._status or self.measure()

    def measure(self) -> DiskStatus:
        """Ask the disk; it may take its time."""
        session, rate = self._recordings.running, self.byte_rate
        folder = self._sessions_dir if session is None else Path(session.path).parent
        self._status = disk_status(folder, rate, self._config.reserve_bytes(rate))
        return self._status

    def shortage(self) -> str:
        """Why the recording has to end; empty while there is room."""
        disk = self.measure()
        if disk.free_bytes >= disk.reserve_bytes:
            return ""
        return f"the disk reached its reserve of {disk.reserve_bytes / 1e6:.0f} MB; free some space"


def disk_status(folder: Path, rate: float, reserve: int) -> DiskStatus:
    """Free bytes where ``folder`` is (or will be), and how long ``rate`` bytes/s continue until ``reserve`` bytes."""
    free = _free_bytes(folder)
    left = max(0.0, (free - reserve) / (rate * _COPIES)) if rate > 0 else None
    return DiskStatus(free_bytes=free, reserve_bytes=reserve, left_s=left)


def _free_bytes(folder: Path) -> int:
    """Of its file system, or of the one that it will be made in."""
    try:
        return shutil.disk_usage(folder).free
    except FileNotFoundError:
        if folder == folder.parent:
            raise
        return _free_bytes(folder.parent)
