"""The subject's screen: shows the cues of whichever recorder runs, and drives nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import events

from ..app.protocol import foreseen
from ..app.recorder import Status
from ..clock import local_clock
from ..control.follow import Follower
from ..widgets.cue import cue_rows
from ..widgets.frame import Frame
from ..widgets.rows import Rows
from .base import TerminalApp
from .bell import CueBell
from .stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from .options import ViewerOptions
    from .terminal import KeyBurst

_IDLE_SECONDS = 1.0
"""Nothing moves by itself then; a status that says something new is drawn at once."""
_LEAVE = ("q", "ctrl+c", "ctrl+q")


class CueScreen(TerminalApp, inherit_bindings=False):
    """The cue, as large as the terminal.

    Parameters
    ----------
    sessions_dir
        Whose recorder is followed; none is ever started.
    options
        Theme, glyphs and frames per second.
    bell
        Ring the terminal's bell at each cue.
    """

    def __init__(self, sessions_dir: Path, options: ViewerOptions, *, bell: bool = False) -> None:
        super().__init__(options.theme, options.glyphs)
        self._sessions_dir = sessions_dir
        self._seconds = 1.0 / options.fps
        self._bell = CueBell() if bell else None
        self._wake = asyncio.Event()
        self._follower: Follower | None = None
        self.frame = Frame(Status(at=local_clock()))

    def compose(self) -> ComposeResult:
        """Rows, and nothing else."""
        self.rows = Rows()
        yield self.rows

    def on_mount(self) -> None:
        """Follow the recorder from now on."""
        loop = asyncio.get_running_loop()
        self._follower = Follower(
            self._sessions_dir, program="cue", on_update=lambda: loop.call_soon_threadsafe(self._wake.set)
        )
        self.run_worker(self._watch(), name="watcher", exit_on_error=True)

    async def _watch(self) -> None:
        while True:
            if self.caught_up():
                self.look()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), self._due())
            except TimeoutError:
                continue

    def _due(self) -> float:
        """Seconds to the next frame: a cue is shown when it begins, not when a frame is due."""
        protocol = self.frame.status.protocol
        if protocol is None or protocol.state not in ("lead-in", "running"):
            return _IDLE_SECONDS
        left = protocol.cue_seconds - protocol.cue_elapsed_s
        return min(self._seconds, left) if left > 0 else self._seconds

    def look(self) -> None:
        """Draw the newest status as it stands at this moment."""
        assert self._follower is not None
        status, why = self._follower.look()
        if status is None:
            self.frame = Frame(self.frame.status, gone=why)
        else:
            self.frame = Frame(foreseen(status, local_clock()))
            if self._bell is not None and self._bell.began(self.frame.status.protocol):
                self.bell()
        self.draw()

    def draw(self) -> None:
        """Write what changed."""
        size = self.rows.size
        self.rows.show(cue_rows(self.frame, size.width, size.height, ascii_only=self.ascii_only))
        if isinstance(self.screen, Stage):
            self.screen.paint()

    # ---------------------------------------------------------------- keys, resize, the end

    async def on_event(self, event: events.Event) -> None:
        """No key does anything but leave; nothing is pasted or clicked."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._press(event)
        elif not isinstance(event, events.Paste):
            await super().on_event(event)

    def on_key_burst(self, message: KeyBurst) -> None:
        """Keys of one read, one after the other."""
        for key in message.keys:
            self._press(key)

    def _press(self, key: events.Key) -> None:
        if key.key in _LEAVE:
            self.exit(0)

    def on_resize(self) -> None:
        """Another size, other letters."""
        self.call_after_refresh(self.draw)

    def on_unmount(self) -> None:
        """Detach."""
        if self._follower is not None:
            self._follower.close()
