"""What a process does whose terminal goes away: it writes on into a log file."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LOG = "after-hangup.log"


class TerminalLeash:
    """Notices that the terminal is gone, and keeps ``print`` in a script's hooks from failing for it.

    Parameters
    ----------
    sessions_dir
        Standard output and error go on in ``.myogestic/after-hangup.log`` in it, or nowhere if that cannot be.
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
            return os.open(self._folder / STATE_FOLDER / _LOG, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        return os.open(os.devnull, os.O_RDWR)
