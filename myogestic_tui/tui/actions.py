"""Commands that every screen has: start, stop, leave, labels, notes, undo, events, doctor."""

from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from ..app.interface import Acknowledge, AddLabel, AddNote, AnyCommand, Discard, Reply, Start, Stop, UndoLabel
from ..errors import MyoGesticError
from ..widgets.problem_list import REPORT_SECONDS
from ..widgets.styled_lines import BAD, DIM, OK, STRONG, Line, fit, line
from .modals.ask import Answers, Ask
from .modals.forms import Form
from .modals.text import TextScreen
from .terminal_app import TerminalApp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..widgets.frame import Frame
    from .recorder_feed import Feed, Then
    from .viewer_options import ViewerOptions

Result = TypeVar("Result")
_MARKS = {"lost": ("✗", BAD), "not recorded": ("✗", BAD), "stopped": ("■", STRONG), "back": ("●", OK)}
"""How an event of a kind begins."""


class Actions(TerminalApp):
    """The part of the viewer that commands the recorder."""

    options: ViewerOptions
    feed: Feed
    actor: str

    def prepare(self) -> None:
        """Called before the first screen."""
        self._labels_sent: list[int] = []
        self.stopped_session = ""
        self.reported: tuple[str, bool, float] = ("", False, 0.0)
        self.reported_over = ("", "")
        """The last message, and how things stood then."""
        self.history: deque[tuple[str, str, bool]] = deque(maxlen=100)

    def refresh_frame(self) -> None:
        """Take the newest snapshot, and show it."""
        raise NotImplementedError

    def now(self) -> Frame:
        """The newest snapshot."""
        return self.feed.frame

    # ---------------------------------------------------------------- what is sent, reported, asked

    def execute(self, command: AnyCommand, then: Then | None = None) -> None:
        """Send a command; its reply goes to ``then``, or else to the message line."""
        self.feed.execute(command, then or self._heard)

    def _heard(self, command: AnyCommand, reply: Reply) -> None:
        self.refresh_frame()
        if reply.confirm:
            self._confirm(command, reply.confirm)
        else:
            self.report(reply.message, bad=not reply.ok)

    def _confirm(self, command: AnyCommand, question: str) -> None:
        """The recorder asks before it carries out a command; a yes sends it again."""
        again = replace(command, confirmed=getattr(command, "confirmed", 0) + 1)
        self.ask(question, {"enter": ("yes", lambda: self.execute(again))}, close="no", session=self.now().session_id)

    def report(self, text: str, *, bad: bool = False) -> None:
        """Put a line before the operator for a while."""
        if text:
            self.history.append((time.strftime("%H:%M:%S"), text, bad))
        self.reported, self.reported_over = (text, bad, time.monotonic() + REPORT_SECONDS), ("", "")
        self.wake()

    def ask(
        self, question: str, answers: Answers, *, close: str = "continue", session: str = "",
        holds: Callable[[Frame], bool] | None = None,
    ) -> None:  # fmt: skip
        """Open a question; one about a recording (``session``) closes when that ends, and reports who ended it."""

        def same(frame: Frame) -> bool:
            return frame.session_id == session

        def answered(key: str | None) -> None:
            if key:
                answers[key][1]()
            elif session and not same(self.now()):
                last = self.now().status.session
                self.report((last.ended_by if last is not None else "") or "that recording has ended", bad=True)

        holds = same if session else holds
        self.push_screen(Ask(question, answers, close=close, holds=holds), answered)

    def type_line(
        self, title: str, then: Callable[[str], None], value: str = "", *,
        changed: Callable[[str], None] | None = None, cancelled: Callable[[], None] | None = None, does: str = "save",
    ) -> None:  # fmt: skip
        """Open a line for typing."""

        def typed(texts: dict[str, str] | None) -> None:
            if texts is not None:
                then(texts[""])
            elif cancelled is not None:
                cancelled()

        self.push_screen(Form(title, {"": value}, changed=changed, does=does), typed)

    def show_text(self, title: str, lines: Sequence[Line]) -> TextScreen:
        """A longer text over the screen."""
        screen = TextScreen(title, lines)
        self.push_screen(screen)
        return screen

    def in_background(self, name: str, work: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Call ``work`` in a thread that leaving does not wait for, and ``then`` with its result in the event loop.

        A failure is reported in place of that.
        """

        def run() -> None:
            try:
                call: Callable[[], object] = partial(then, work())
            except (MyoGesticError, OSError) as error:
                call = partial(self.report, str(error), bad=True)
            if self.is_running:
                self.call_from_thread(call)

        threading.Thread(target=run, name=f"viewer-{name}", daemon=True).start()

    # ---------------------------------------------------------------- start and stop

    @property
    def stopping(self) -> bool:
        """Whether the recording on the screen is being stopped, by whomever."""
        frame = self.now()
        return frame.status.stopping or (frame.session_id != "" and frame.session_id == self.stopped_session)

    def action_start(self) -> None:
        frame = self.now()
        if frame.gone:
            self.recorder_gone(frame.gone)
        elif frame.recording:
            self.report("starts as soon as the last take is saved …")
            self.execute(Start())
        else:
            self.when_ready(self._start)

    def when_ready(self, start: Callable[[], None], question: str = "") -> None:
        """Start a recording; where a stream is missing, or there is a ``question``, only if the operator says so."""
        frame = self.now()
        missing = [s.name for s in frame.awaited]
        if not any(s.state in ("live", "slow") for s in frame.selected):
            why = "No connected streams to record; they would join as they connect."
        elif missing:
            n_live = len(frame.selected) - len([s for s in frame.selected if s.name in missing])
            why = f"{n_live} of {len(frame.selected)} streams, missing {', '.join(missing[:3])}."
        elif question:
            why = question
        else:
            start()
            return
        self.ask(
            why,
            {"enter": ("start" if why == question else "start anyway", start)},
            close="wait",
            holds=lambda frame: not frame.recording,
        )

    def _start(self) -> None:
        self.report("starting …")
        self.execute(Start())

    def action_stop(self) -> None:
        frame = self.now()
        this = frame.session_id
        answers: Answers = {
            "enter": ("save", lambda: self.stop_session(this)),
            "d": ("discard", lambda: self._discard(this)),
        }
        self.ask(f"stop take {frame.take.take:02d}?", answers, session=this)

    def stop_session(self, session: str) -> None:
        """Stop and save a recording, and no other one."""
        self.stopped_session = session
        self.report("stopping: draining the streams …")
        self.execute(Stop(session=session or None))

    def _discard(self, session: str) -> None:
        self.stopped_session = session
        self.report("moving the take to the trash …")
        self.execute(Discard(session=session or None))

    # ---------------------------------------------------------------- leaving

    def ask_leave(self) -> None:
        """Leave; while recording it asks what becomes of the recording."""
        frame = self.now()
        if not frame.recording:
            self.leave(0)
            return
        this = frame.session_id
        answers: Answers = {
            "enter": ("keep recording", lambda: self.leave(0)),
            "x": ("stop and save", lambda: self._stop_and_leave(this)),
        }
        self.ask("leave?", answers, close="stay", session=this)

    def _stop_and_leave(self, session: str) -> None:
        def then(_: AnyCommand, reply: Reply) -> None:
            if reply.ok:
                self.leave(0)
            else:
                self.report(reply.message, bad=True)

        self.report("stopping: draining the streams …")
        self.execute(Stop(session=session or None), then)

    def recorder_gone(self, why: str) -> None:
        """The recorder does not answer any more: say so, and offer to start it again."""
        if self.options.reconnect is None:
            self.report(why, bad=True)
            return
        answers: Answers = {"enter": ("start it again and recover", self._reconnect)}
        self.ask("the recorder has ended.", answers, close="stay", holds=lambda frame: bool(frame.gone))

    def _reconnect(self) -> None:
        start = self.options.reconnect
        assert start is not None
        self.report("starting the recorder …")
        self.in_background("reconnect", partial(self.feed.reconnect, start), self._reconnected)

    def _reconnected(self, _: None) -> None:
        self.refresh_frame()
        self.report("a recorder answers again")

    # ---------------------------------------------------------------- labels and notes

    def action_label(self, class_index: int) -> None:
        self.label(class_index, self.key_time, self.key_doubt)

    def label(self, class_index: int, at: float, doubt: float = 0.0) -> None:
        """A gesture begins at ``at`` (recorder's clock, s), uncertain by ``doubt``; the active one does not again.

        Keys carry Textual's `event.time`: seconds on the monotonic clock, stamped in the input thread on arrival. On
        Linux that is the recorder's LSL clock as well (they agree within 5 µs).
        """
        frame, sent = self.now(), self._labels_sent
        if class_index == (sent[-1] if sent else frame.active):
            return
        sent.append(class_index)
        this = frame.session_id or None
        command = AddLabel(class_index=class_index, timestamp=at, uncertainty_s=doubt, source="key", session=this)
        self.execute(command, self._label_heard)

    def _label_heard(self, _: AnyCommand, reply: Reply) -> None:
        self.refresh_frame()
        if self._labels_sent:
            self._labels_sent.pop(0)
        if not reply.ok or not self.now().recording:
            self.report(reply.message, bad=not reply.ok)

    def action_undo(self) -> None:
        self.execute(UndoLabel(session=self.now().session_id or None))

    def action_note(self) -> None:
        at, doubt, this = self.key_time, self.key_doubt, self.now().session_id or None

        def save(text: str) -> None:
            if text:
                note = AddNote(text=text, timestamp=at, uncertainty_s=doubt, session=this)
                self.execute(note)

        self.type_line("note", save)

    # ---------------------------------------------------------------- what happened

    def event_lines(self, frame: Frame, width: int) -> list[Line]:
        """What happened to the recording, newest first; where nothing did, the messages."""
        session = frame.status.session
        found = [
            (
                frame.clock(one.timestamp),
                one.text if not one.who or one.who in one.text else f"{one.text} ({one.who})",
                one.kind,
            )
            for one in (session.events if session is not None else ())
        ]
        messages = [(clock, text, "lost" if bad else "") for clock, text, bad in self.history]
        rows = []
        for clock, text, kind in reversed(found or messages):
            mark, style = _MARKS.get(kind, ("·", DIM))
            rows.append(line((f" {clock} ", DIM), (f"{mark} ", style), fit(text, max(width - 13, 4))))
        return rows

    def action_acknowledge(self) -> None:
        """What stopped the recording was read."""
        if self.now().status.stopped is not None:
            self.execute(Acknowledge())

    def action_events(self) -> None:
        self.show_text("what happened, newest first", self._what_happened()).renew = self._what_happened

    def _what_happened(self) -> list[Line]:
        session = self.now().status.session
        lines: list[Line] = []
        if session is not None and session.events:
            lines += [line((" events of the recording", "bold")), *self.event_lines(self.now(), 400)]
            lines.append(line((" messages", "bold")))
        lines += [line((f" {clock}  ", DIM), (text, BAD if bad else "")) for clock, text, bad in reversed(self.history)]
        return lines or [line((" no message yet", DIM))]

    def action_doctor(self) -> None:
        """Show what the doctor finds; it may take seconds, so it runs in a thread."""
        doctor = self.options.doctor
        if doctor is None:
            self.report("the doctor is a command: myogestic-tui doctor")
            return

        def show(found: Sequence[str]) -> None:
            self.show_text("doctor", [line(f" {text}") for text in found])

        self.report("looking at network, liblsl, terminal, disk and clock …")
        self.in_background("doctor", doctor, show)
