"""What a process does whose terminal goes away: it writes on into a log file."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
"""The sessions folder is everybody's: nothing is written through a link, nobody waits for the reader of a FIFO."""
_LOG = "after-hangup.log"


class TerminalLeash:
    """Notices that the terminal is gone, and keeps ``print`` in a script's hooks from failing for it.

    Parameters
    ----------
    sessions_dir
        Standard output and error continue in ``.myogestic/after-hangup.log`` in it, or nowhere if that cannot be.
    """

    def __init__(self, sessions_dir: Path) -> None:
        self._folder = sessions_dir.resolve()
        self._standard = [descriptor for descriptor in (0, 1, 2) if os.isatty(descriptor)]

    def check(self) -> None:
        """Look whether the terminal is still there; called now and then."""
        gone = [descriptor for descriptor in self._standard if not os.isatty(descriptor)]
        if not gone:
            return
        self._standard = [descriptor for descriptor in self._standard if descriptor not in gone]
        target = self._open()
        for descriptor in gone:
            os.dup2(target, descriptor)
        os.close(target)

    def _open(self) -> int:
        from ..session.format.layout import STATE_FOLDER

        with contextlib.suppress(OSError):
            target = os.open(self._folder / STATE_FOLDER / _LOG, _FLAGS, 0o600)
            if stat.S_ISREG(os.fstat(target).st_mode):
                return target
            os.close(target)
        return os.open(os.devnull, os.O_RDWR)
