"""The first moment of a session: its folder, its lock, its journal; nothing is left where one of them is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import DiskError, SessionError
from ..format.layout import create_session_folder
from ..format.lock import lock_session
from .active_session import Recording
from .disk_reserve import check_room, discard_empty

if TYPE_CHECKING:
    from pathlib import Path

    from ..format.meta import Meta


def begin_session(base: Path, meta: Meta, reserve: int) -> Recording:
    """Make a new session folder in ``base`` and begin to record into it.

    Raises
    ------
    DiskError
        ``base`` cannot be written to, or fewer than ``reserve`` bytes are free.
    """
    folder = create_session_folder(base)
    lock = None
    try:
        check_room(folder, reserve)
        lock = lock_session(folder, purpose="recording")
        return Recording(folder, lock, meta)
    except (OSError, SessionError) as error:
        if lock is not None:
            lock.release()
        discard_empty(folder)
        if isinstance(error, SessionError):
            raise
        raise DiskError(f"cannot start a session in {base}: {error.strerror}") from error
