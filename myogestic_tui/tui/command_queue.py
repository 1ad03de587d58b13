"""Commands go to the recorder in order, from one thread, so that the event loop never waits for it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..app.interface import AnyCommand, Recorder, Reply
from ..errors import MyoGesticError

if TYPE_CHECKING:
    import asyncio

Then = Callable[[AnyCommand, Reply], None]


class CommandRunner:
    """Executes commands one at a time, in the order in which they were given.

    Parameters
    ----------
    recorder
        Who carries them out.
    loop
        The event loop that hears of the replies.
    """

    def __init__(self, recorder: Recorder, loop: asyncio.AbstractEventLoop) -> None:
        self.recorder = recorder
        self._loop = loop
        self._queue: queue.SimpleQueue[tuple[AnyCommand, Then] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="viewer-commands", daemon=True)
        self._thread.start()

    def submit(self, command: AnyCommand, then: Then) -> None:
        """Queue a command; ``then`` is called in the event loop with its reply. Never blocks."""
        self._queue.put((command, then))

    def close(self, timeout: float = 2.0) -> None:
        """Carry out what is queued, then end; waits at most ``timeout`` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            command, then = item
            try:
                reply = self.recorder.execute(command)
            except (MyoGesticError, OSError) as error:
                reply = Reply(ok=False, message=str(error))
            with contextlib.suppress(RuntimeError):  # the loop has ended; nobody is left to hear of it
                self._loop.call_soon_threadsafe(then, command, reply)
