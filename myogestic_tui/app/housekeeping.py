"""What is looked after twice a second while the recorder runs, each part guarded on its own."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = logging.getLogger(__name__)
_SECONDS = 0.5
_JOIN_SECONDS = 5.0


class Housekeeping:
    """Runs its parts in a thread of its own; one that fails is reported, once, and the others continue.

    Parameters
    ----------
    parts
        By name: what is called twice a second.
    at_start
        By name: what is called once, in another thread: a folder on a disk that hangs, or with thousands of sessions,
        keeps nobody from watching the recording.
    tell
        Called with what is wrong.
    """

    def __init__(
        self,
        parts: Mapping[str, Callable[[], None]],
        at_start: Mapping[str, Callable[[], None]],
        tell: Callable[[str], None],
    ) -> None:
        self._parts = parts
        self._at_start = at_start
        self._tell = tell
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._troubles: dict[str, str] = {}

    def start(self) -> None:
        """Start both threads."""
        self._ending.clear()
        self._threads = [
            threading.Thread(target=self._repeat, name="housekeeper", daemon=True),
            threading.Thread(target=self._run_all, args=(self._at_start,), name="take-up", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both; one that hangs is waited for a few seconds."""
        self._ending.set()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def _repeat(self) -> None:
        while not self._ending.wait(_SECONDS):
            self._run_all(self._parts)

    def _run_all(self, parts: Mapping[str, Callable[[], None]]) -> None:
        for name, part in parts.items():
            try:
                part()
            except Exception as error:
                self._report(name, f"internal error while looking after {name}: {type(error).__name__}: {error}")
            else:
                self._troubles.pop(name, None)

    def _report(self, name: str, trouble: str) -> None:
        if self._troubles.get(name) != trouble:
            _log.exception("housekeeping: %s", name)
            self._tell(trouble)
        self._troubles[name] = trouble
