"""Commands that every screen has: start, stop, leave, notes, undo, help, palette."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..app.recorder import AddNote, AnyCommand, Discard, Reply, SetGestures, Start, Status, Stop
from ..errors import MyoGesticError
from .greeting import greeting
from .prompt import Ask, Entry, TypeLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from .app import Viewer


class Actions:
    """The methods ``do_…`` by the ids of `keys.COMMANDS`; ``at`` is when the key was pressed (monotonic seconds)."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self.at = 0.0
        self.doubt = 0.0
        self._stopped = ""

    def greet(self, now: Status, before: Status | None) -> None:
        """A recorder answers, the first or another one in its place; see `greeting`."""
        viewer = self._viewer
        for command in greeting(now, before, viewer.actor, embedded=viewer.options.embedded):
            viewer.execute(command, (lambda _, __: None) if isinstance(command, SetGestures) else None)

    # ---------------------------------------------------------------- start and stop

    def do_start(self) -> None:
        """Start; where an expected stream is missing it asks first."""
        viewer = self._viewer
        frame = viewer.frame
        if frame.gone:
            self.recorder_gone(frame.gone)
            return
        if frame.recording and not self.stopping:
            viewer.say("recording already; x stops")
        elif frame.recording:
            viewer.say("starts as soon as the last take is saved …")
            viewer.execute(Start(actor=viewer.actor))
        else:
            self.when_ready(self._start)

    @property
    def stopping(self) -> bool:
        """Whether the recording on the screen is being stopped, by whomever."""
        frame = self._viewer.frame
        return frame.status.stopping or (frame.session_id != "" and frame.session_id == self._stopped)

    def when_ready(self, start: Callable[[], None]) -> None:
        """Start a recording; where a stream is missing that would be in it, only if the operator says so."""
        frame = self._viewer.frame
        missing = [s.name for s in frame.status.streams if (s.record or s.required) and s.state not in ("live", "slow")]
        if not any(s.state in ("live", "slow") for s in frame.ticked):
            self._ask_start("No connected streams to record; they would join as they connect.", start)
        elif missing:
            live = len(frame.ticked) - len(missing)
            self._ask_start(f"{live} of {len(frame.ticked)} streams, missing {', '.join(missing[:3])}.", start)
        else:
            start()

    def _ask_start(self, why: str, start: Callable[[], None]) -> None:
        self._viewer.ask(Ask(why, {"enter": ("start anyway", start)}, close="wait"))

    def _start(self) -> None:
        self._viewer.say("starting …")
        self._viewer.execute(Start(actor=self._viewer.actor))

    def do_stop(self) -> None:
        """Open the stop line: two different keys, so that a repeat cannot stop."""
        viewer = self._viewer
        if not viewer.frame.recording:
            viewer.say("nothing is being recorded; space on Live or Record starts")
            return
        this = viewer.frame.session_id
        answers = {"enter": ("save", lambda: self._stop(this)), "d": ("discard", lambda: self._discard(this))}
        viewer.ask(Ask(f"stop take {viewer.frame.take.take:02d}?", answers, session=this))

    def _stop(self, session: str) -> None:
        self._stopped = session
        self._viewer.say("stopping: draining the streams …")
        self._viewer.execute(Stop(session=session or None, actor=self._viewer.actor))

    def _discard(self, session: str) -> None:
        self._stopped = session
        self._viewer.say("moving the take to the trash …")
        self._viewer.execute(Discard(session=session or None, actor=self._viewer.actor))

    # ---------------------------------------------------------------- leaving

    def do_quit(self) -> None:
        """Leave; while recording it asks what becomes of the recording."""
        viewer = self._viewer
        if not viewer.frame.recording:
            viewer.exit(0)
            return
        this = viewer.frame.session_id
        answers = {
            "enter": ("keep recording", lambda: viewer.exit(0)),
            "x": ("stop and save", lambda: self._stop_and_leave(this)),
        }
        viewer.ask(Ask("leave?", answers, close="stay", session=this))

    def _stop_and_leave(self, session: str) -> None:
        def then(_: AnyCommand, reply: Reply) -> None:
            if reply.ok:
                self._viewer.exit(0)
            else:
                self._viewer.say(reply.message, bad=True)

        self._viewer.say("stopping: draining the streams …")
        self._viewer.execute(Stop(session=session or None, actor=self._viewer.actor), then)

    def recorder_gone(self, why: str) -> None:
        """The recorder does not answer any more: say so, and offer to start it again."""
        viewer = self._viewer
        if viewer.options.reconnect is None:
            viewer.say(why, bad=True)
            return
        viewer.ask(
            Ask("the recorder has ended.", {"enter": ("start it again and recover", viewer.reconnect)}, close="stay")
        )

    # ---------------------------------------------------------------- labels and notes

    def do_undo(self) -> None:
        """Take the last label back."""
        if self._viewer.frame.recording:
            self._viewer.labeller.undo()
        else:
            self._viewer.say("nothing to undo: not recording")

    def do_end_label(self) -> None:
        """End the label: nothing is labelled from the key on."""
        viewer = self._viewer
        viewer.labeller.press(-1, self.at, viewer.frame, doubt=self.doubt)

    def do_note(self) -> None:
        """Type a note; its time is when the key was pressed."""
        viewer, at, this = self._viewer, self.at, self._viewer.frame.session_id
        if not viewer.frame.recording:
            viewer.say("notes belong to a recording; on Sessions, n adds one to a finished session")
            return

        def save(texts: list[str]) -> None:
            if texts[0]:
                viewer.execute(AddNote(text=texts[0], timestamp=at, session=this or None, actor=viewer.actor))

        viewer.type_line(TypeLine([Entry("note")], save))

    # ---------------------------------------------------------------- help

    def run_doctor(self) -> None:
        """Show what the doctor finds; it may take seconds, so it runs in a thread."""
        viewer = self._viewer
        doctor = viewer.options.doctor
        if doctor is None:
            viewer.say("the doctor is a command: myogestic-tui doctor")
            return

        def examine() -> None:
            try:
                lines = list(doctor())
            except (MyoGesticError, OSError) as error:
                lines = [str(error)]
            viewer.call_from_thread(viewer.show_text, "doctor", lines)

        viewer.say("looking at network, liblsl, terminal, disk and clock …")
        threading.Thread(target=examine, name="viewer-doctor", daemon=True).start()

    def do_help(self) -> None:
        """All keys."""
        self._viewer.show_help()

    def do_history(self) -> None:
        """What was said so far."""
        self._viewer.show_history()

    def do_palette(self) -> None:
        """Find a command by its words."""
        viewer = self._viewer
        at = self.at
        palette = viewer.open_palette()

        def run(_: list[str]) -> None:
            if chosen is not None:
                viewer.run_command(chosen.id, at)

        chosen = palette.chosen

        def find(text: str) -> None:
            nonlocal chosen
            palette.find(text)
            chosen = palette.chosen

        def move(step: int) -> None:
            nonlocal chosen
            palette.move(step)
            chosen = palette.chosen

        keys = {"up": lambda: move(-1), "down": lambda: move(1), "tab": lambda: move(1)}
        viewer.type_line(TypeLine([Entry(":")], run, changed=find, extra_keys=keys))
