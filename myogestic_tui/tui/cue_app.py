"""The subject's screen: shows the cues of whichever recorder runs, and drives nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..app.interface import Status
from ..app.protocol import foreseen
from ..clock import local_clock
from ..control.follow_recorder import Follower
from ..widgets.cue_display import cue_rows
from ..widgets.frame import Frame
from ..widgets.strip_widget import Lines
from .keys import command
from .recorder_feed import CueBell
from .terminal_app import TerminalApp

if TYPE_CHECKING:
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from .terminal_link import Link
    from .viewer_options import ViewerOptions

_IDLE_SECONDS = 1.0
"""Nothing moves by itself then; a status that says something new is drawn at once."""


class CueScreen(TerminalApp):
    """The cue, as large as the terminal.

    Parameters
    ----------
    sessions_dir
        Whose recorder is followed; none is ever started.
    options
        Theme, glyphs and frames per second.
    bell
        Ring the terminal's bell at each cue.
    link
        The terminal; None in tests.
    """

    CSS = "Screen { background: $background; } Lines { height: 100%; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [command("q,ctrl+c,ctrl+q", "leave", "leave", id="cue.leave")]

    def __init__(
        self, sessions_dir: Path, options: ViewerOptions, *, bell: bool = False, link: Link | None = None
    ) -> None:
        super().__init__(options.theme, options.glyphs, options.fps, link)
        self._sessions_dir = sessions_dir
        self._cue_bell = CueBell() if bell else None
        self._follower: Follower | None = None
        self.frame = Frame(Status(at=local_clock()))

    def compose(self) -> ComposeResult:
        self.rows = Lines()
        yield self.rows

    def on_mount(self) -> None:
        self._follower = Follower(self._sessions_dir, program="cue", on_update=self.wake_soon)

    def rate(self) -> float:
        """A cue is shown when it begins, not when a frame is due."""
        protocol = self.frame.status.protocol
        if protocol is None or protocol.state not in ("lead-in", "running"):
            return 1.0 / _IDLE_SECONDS
        left = protocol.cue_seconds - protocol.cue_elapsed_s
        return max(self.pacer.fps, min(1.0 / left, 100.0)) if left > 0 else self.pacer.fps

    def frame_due(self) -> None:
        """Draw the newest status as it stands at this moment."""
        assert self._follower is not None
        status, why = self._follower.newest()
        if status is None:
            self.frame = Frame(self.frame.status, gone=why)
        else:
            self.frame = Frame(foreseen(status, local_clock()))
            if self._cue_bell is not None and self._cue_bell.began(self.frame.status.protocol):
                self.bell()
        self.draw()

    def draw(self) -> None:
        size = self.rows.size
        self.rows.put(cue_rows(self.frame, size.width, size.height, ascii_only=self.ascii_only))

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self.draw)

    def action_leave(self) -> None:
        self.leave(0)

    def on_unmount(self) -> None:
        if self._follower is not None:
            self._follower.close()
