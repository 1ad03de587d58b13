"""The Record screen, which answers: am I recording, what is the subject doing now, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.widgets import Digits, ProgressBar

from ...app.interface import AbortProtocol, PauseProtocol, SetTake, SkipCue, StartProtocol
from ...app.protocol import parse_steps
from ...errors import ConfigError
from ...widgets.gestures import GestureList
from ...widgets.problem_list import needs_you, problem_lines, quality_lines
from ...widgets.record_panels import counter_line, note_lines, timeline_rows, trial_columns, trials_of
from ...widgets.record_status import now_of
from ...widgets.stable_table import Table
from ...widgets.strip_widget import Lines
from ...widgets.styled_lines import BLANK, Line, rule
from ..modals.forms import Form
from .key_bindings import RECORD
from .trial_editing import TrialEditing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from ...widgets.frame import Frame
    from ..modals.ask import Answers

_LETTERS, _NEW = "abcfghijklmop", "n"
"""What chooses a protocol, and what makes one up."""
_SIGNAL_FROM = 36
"""From this height on the signal is shown beneath."""
_MOST_PROBLEMS = 2
_ROWS = 10
"""All rows but those of gestures, signal and what is told."""
_BOTH_FROM = 72
"""From this width on gestures and trials stand beside each other; else the trials while one of them is chosen."""


class RecordScreen(TrialEditing):
    """Now, gestures and trials, timeline, counters, what needs the operator, notes."""

    name_of = "record"
    lively = True
    BINDINGS = RECORD

    def __init__(self) -> None:
        super().__init__()
        self._typed: dict[str, str] = {}

    def body(self) -> ComposeResult:
        self.now_lines, self.digits = Lines(id="now-lines"), Digits("", id="now-digits")
        self.progress = ProgressBar(total=1.0, show_percentage=False, show_eta=False, id="now-bar")
        self.gestures, self.trials = GestureList(id="gestures"), Table(cursor=False, id="trials")
        self.strip, self.counters, self.told = Lines(id="timeline"), Lines(id="counters"), Lines(id="told-lines")
        self.side = Lines(id="record-side")
        with Horizontal(id="now"):
            with Vertical():
                yield self.now_lines
                yield self.progress
            yield self.digits
        self.middle = Horizontal(id="middle")
        with self.middle:
            yield self.gestures
            yield self.trials
            yield self.side
        yield self.strip
        yield self.counters
        yield self.told
        self.signal_box = Vertical(id="record-signal")
        yield self.signal_box

    # ---------------------------------------------------------------- drawing

    def show(self, frame: Frame) -> None:
        width, height = self.width, self.size.height - 5
        self._show_now(frame, width)
        self.gestures.show(frame)
        wide = width >= 120
        self.side.display = wide
        signal = self._show_signal(frame, height)
        told = [] if wide else _what_is_wrong(frame, width, height - signal - len(frame.status.gestures) - _ROWS)
        told += note_lines(frame, width, max(1, min(3, height - 16 - len(told) - signal)))
        self.told.put(told)
        self.strip.put(timeline_rows(frame, width))
        self.counters.put([counter_line(frame, width)])
        self._show_trials(frame)
        if wide:
            self.side.put(self._side(frame, self.side.size.width, self.side.size.height))

    def _show_now(self, frame: Frame, width: int) -> None:
        now = now_of(frame, width - 20 if width >= 72 and frame.recording else width)
        self.digits.display = width >= 72 and bool(now.digits)
        self.now_lines.styles.height = len(now.rows)
        self.now_lines.put(now.rows)
        if self.digits.value != now.digits:
            self.digits.update(now.digits)
        self.progress.display = now.share is not None
        if now.share is not None:
            self.progress.update(progress=now.share)

    def _show_trials(self, frame: Frame) -> None:
        trials = trials_of(frame)
        if self.trial is not None and not any(one.place == self.trial for one in trials):
            self.trial = None
        self.trials.cursor_type = "row" if self.trial is not None else "none"
        narrow = self.width < _BOTH_FROM
        self.middle.set_class(narrow, "-narrow")
        self.trials.display = not narrow or self.trial is not None
        self.gestures.display = not narrow or self.trial is None
        before = len(self.trials.ordered_rows)
        columns = trial_columns(frame, max(self.trials.size.width - 1, 24))
        self.trials.put(columns, {str(one.place): one for one in trials})
        if self.trial is not None:
            self.trials.choose(str(self.trial))
        elif before != len(trials):
            self.trials.scroll_end(animate=False)

    def _side(self, frame: Frame, width: int, height: int) -> list[Line]:
        """What needs the operator, signal quality of each stream, what happened."""
        needs = needs_you(frame.status.problems, width, max(height // 3, 3))
        rows = [*needs, BLANK] if needs else []
        rows += [rule("signal quality", width), *quality_lines(frame.live, width, max(height // 3, 3))]
        return [*rows, BLANK, rule("events", width), *self.viewer.event_lines(frame, width)][: max(height, 0)]

    def _show_signal(self, frame: Frame, height: int) -> int:
        box = self.signal_box
        stream = next((s for s in frame.live if s.dtype != "string" and s.record), None)
        rows = 0 if stream is None or self.size.height < _SIGNAL_FROM else max(height // 3, 8)
        box.styles.height = rows
        if stream is None or not rows:
            return 0
        if not box.children:
            from ...widgets.signal_display import SignalView
            from ...widgets.view_settings import Lens

            box.mount(SignalView(self.viewer.feed.recorder, stream.name, lens=Lens()))
            return rows
        view = box.query("SignalView").first()
        view.recorder = self.viewer.feed.recorder  # type: ignore[attr-defined]
        view.show(frame)  # type: ignore[attr-defined]
        return rows

    # ---------------------------------------------------------------- protocol

    def action_protocol(self) -> None:
        viewer, running = self.viewer, self.frame.protocol
        if running is not None:
            answers: Answers = {"enter": ("end it; the recording continues", self._abort)}
            viewer.ask(f"end protocol {running.name}?", answers, session=self.frame.session_id)
            return
        answers = {
            letter: (name, self._starter(StartProtocol(name=name)))
            for letter, name in zip(_LETTERS, self.frame.status.protocols, strict=False)
        }
        answers[_NEW] = ("another", self._type_protocol)
        starts = "" if self.frame.recording else " (starts the recording)"
        viewer.ask(f"protocol{starts}:", answers, close="cancel")

    def _starter(self, command: StartProtocol) -> Callable[[], None]:
        """Starting one starts the recording where idle, and asks as the recording's own key does."""

        def start() -> None:
            if self.frame.recording:
                self.viewer.execute(command)
            else:
                question = f"record take {self.frame.status.take.take:02d} with protocol {command.name}?"
                self.viewer.when_ready(lambda: self.viewer.execute(command), question)

        return start

    def _type_protocol(self) -> None:
        """Make one up: its steps, how often, and the seed of a shuffle; the form keeps what was typed last."""
        names = [gesture.name for gesture in self.frame.status.gestures]
        steps = ",".join(f"{name}:3" for name in names)
        fields = self._typed or {"steps": steps, "repeats": "3", "shuffle seed": ""}

        def typed(values: dict[str, str] | None) -> None:
            if values is None:
                return
            self._typed = values
            try:
                command = self._typed_protocol(values["steps"], values["repeats"], values["shuffle seed"])
            except ConfigError as error:
                self.viewer.report(str(error), bad=True)
                return
            self._starter(command)()

        self.app.push_screen(Form("a protocol: gesture:seconds, …", fields, does="start"), typed)

    def _typed_protocol(self, steps: str, repeats: str, seed: str) -> StartProtocol:
        """The command; gestures may be named by their keys, and ``-`` is no label. Raises `ConfigError`."""
        frame = self.frame
        names = {gesture.name.casefold(): gesture.name for gesture in frame.status.gestures}
        known = {"-": "", **{key: frame.gesture(index) for index, key in enumerate(frame.keys)}}
        if not repeats.isdigit() or (seed and not seed.isdigit()):
            raise ConfigError("repeats and the seed are whole numbers; without a seed the steps come in order")
        return StartProtocol(
            name="typed",
            steps=tuple((names.get(name.casefold(), known.get(name, name)), s) for name, s in parse_steps(steps)),
            repeats=int(repeats),
            shuffle=bool(seed),
            seed=int(seed) if seed else None,
        )

    def _abort(self) -> None:
        self.viewer.execute(AbortProtocol(session=self.frame.session_id or None))

    def action_pause_protocol(self) -> None:
        protocol = self.frame.protocol
        if protocol is not None:
            session, paused = self.frame.session_id or None, protocol.state != "paused"
            self.viewer.execute(PauseProtocol(paused=paused, session=session))

    def action_skip(self) -> None:
        self.viewer.execute(SkipCue(session=self.frame.session_id or None))

    # ---------------------------------------------------------------- the take sheet

    def action_take(self) -> None:
        take = self.frame.status.take
        fields = {"subject": take.subject, "task": take.task, "take": str(take.take), "name": take.name, **take.fields}

        def typed(values: dict[str, str] | None) -> None:
            if values is None:
                return
            number = values["take"]
            if not number.isdigit() or int(number) < 1:
                self.viewer.report(f"take {number!r}: give a whole number from 1 on", bad=True)
                return
            command = SetTake(
                subject=values["subject"], task=values["task"], take=None if number == str(take.take) else int(number),
                name=values["name"], fields={name: values[name] for name in take.fields}
            )  # fmt: skip
            self.viewer.execute(command)

        self.app.push_screen(Form("take sheet", fields), typed)


def _what_is_wrong(frame: Frame, width: int, room: int) -> list[Line]:
    """The gravest problems, and the streams with faulty electrodes as far as there is room."""
    told = problem_lines(frame.status.problems, width, max(room, _MOST_PROBLEMS), _MOST_PROBLEMS)
    faulty = [stream for stream in frame.live if any(one.flags for one in stream.quality)]
    return told + (quality_lines(faulty, width, room - len(told)) if faulty and room > len(told) else [])
