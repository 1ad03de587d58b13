"""What the screens have in common: header, body, message line, footer; and how a snapshot reaches them."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import Screen

from ...widgets.blank_box import Blank, BlankBox
from ...widgets.header import Header
from ...widgets.key_footer import KeyRow
from ...widgets.problem_list import REPORT_SECONDS, status_line
from ...widgets.stable_table import Table
from ...widgets.strip_widget import Lines
from ...widgets.styled_lines import BAD, OK, Line, fit, line

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from ...widgets.frame import Frame
    from ...widgets.gestures import GestureList
    from ..actions import Actions

_READ_SECONDS = 2.0
_NO_DIGITS = str.maketrans("", "", "0123456789")


class ViewerScreen(Blank, Screen[None], inherit_bindings=False):
    """Header, body, message line and footer; the keys of the screen are its ``BINDINGS``.

    A subclass composes its `body` and shows each snapshot in `show`.
    """

    AUTO_FOCUS = ""
    name_of: ClassVar[str] = ""
    lively: ClassVar[bool] = False
    """Drawn at the full frame rate while something moves."""
    ruled: ClassVar[bool] = True
    """Whether a rule stands under the header; else the body begins there."""

    def __init__(self) -> None:
        super().__init__()
        self.header = Header(self.name_of, ruled=self.ruled)
        self.message = Lines(id="message")
        self.composed = self._redraws = False

    @property
    def viewer(self) -> Actions:
        """The app."""
        return cast("Actions", self.app)

    @property
    def frame(self) -> Frame:
        """The newest snapshot."""
        return self.viewer.now()

    @property
    def width(self) -> int:
        """Columns of the body; the help takes some of the screen's."""
        return self.body_box.size.width or self.size.width

    def compose(self) -> ComposeResult:
        yield self.header
        self.body_box = BlankBox(id="body")
        with self.body_box:
            yield from self.body()
        yield self.message
        yield KeyRow()

    def body(self) -> ComposeResult:
        raise NotImplementedError

    def show(self, frame: Frame) -> None:
        """Show a snapshot in the body."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.composed = True
        self.redraw()
        self._redraw_soon()
        self.call_after_refresh(lambda: gc.freeze())  # widgets and styles stay: no collection need look through them

    def on_resize(self, _: events.Resize) -> None:
        self._redraw_soon()

    def on_screen_resume(self) -> None:
        self._redraw_soon()

    def _redraw_soon(self) -> None:
        """Redraw once the layout is done, however often that is asked for until then: a screen opens by many steps."""
        if not self._redraws:
            self._redraws = self.call_after_refresh(self._redraw_laid_out)

    def _redraw_laid_out(self) -> None:
        self._redraws = False
        self.redraw()

    def redraw(self) -> None:
        """Show the newest snapshot as things stand now: a key has changed what is shown of it."""
        self.frame_came(self.frame)

    def frame_came(self, frame: Frame) -> None:
        if not self.composed or not self.header.is_attached or not self.size:
            return
        self.header.show(frame)
        self.message.put([self.message_line(frame, self.width)])
        self.show(frame)

    def on_gesture_list_pressed(self, message: GestureList.Pressed) -> None:
        self.viewer.label(message.class_index, message.at, message.doubt)

    def action_row(self, step: int) -> None:
        """Move in the table."""
        self.query_one(Table).step(step)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Some need a recording, some that there is none; the keys that go back close the help first."""
        if action in ("back", "cancel") and self.query("HelpPanel"):
            return False
        return allowed(action, self.frame)

    def message_line(self, frame: Frame, width: int) -> Line:
        """What was just reported, until it has been read and things stand otherwise; else how they stand."""
        viewer, stands = self.viewer, status_line(frame, width)
        text, bad, until = viewer.reported
        words = "".join(part for part, _ in stands if part).translate(_NO_DIGITS)
        if text != viewer.reported_over[0]:
            viewer.reported_over = (text, words)
        now = time.monotonic()
        overtaken = not bad and words != viewer.reported_over[1] and now > until - REPORT_SECONDS + _READ_SECONDS
        if text and now < until and not overtaken:
            return line((fit(f" {text}", width), BAD if bad else OK))
        return stands


def allowed(action: str, frame: Frame) -> bool:
    """Whether a command makes sense now; some need a recording, some that there is none."""
    if action == "start":
        return not frame.recording
    if action in ("stop", "undo", "note", "bad_trial", "trial", "move"):
        return frame.recording
    if action in ("pause_protocol", "skip"):
        return frame.protocol is not None
    return True
