"""The Record screen, which answers: am I recording, what is the subject doing now, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..app.protocol import parse_steps
from ..app.recorder import AbortProtocol, Acknowledge, MarkTrial, PauseProtocol, SetTake, SkipCue, StartProtocol
from ..errors import ConfigError
from ..widgets.record import record_rows, trial_rows
from ..widgets.spans import BLANK, Row, row, rule
from ..widgets.streams import needs_you, quality_summary
from .prompt import Ask, Entry, TypeLine
from .view import WIDE, Body

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..widgets.frame import Frame
    from .app import Viewer
    from .strip import SignalStrip

_TALL = 34
"""From this height on the signal is shown, in the rows below the first ``_TALL - _STRIP_ROWS``."""
_STRIP_ROWS = 10
_HIGH, _MORE_ROWS = 48, 4
"""From this height on the rows above the signal get some of the room."""
_LETTERS, _NEW = "abcfghijklmop", "n"
"""What chooses a protocol, and what makes one up."""


class RecordBody(Body):
    """Now, gestures, timeline, counters, notes; beside them signal quality, where there is room."""

    name_of = "record"
    lively = True
    has_side = True

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._strip: SignalStrip | None = None
        self._typed: tuple[str, str, str] | None = None

    def main_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """All of it, and on a tall terminal the signal."""
        alone, ascii_only = self.viewer.size.width < WIDE, self.viewer.ascii_only
        if height < _TALL:
            return record_rows(frame, width, height, problems=alone, ascii_only=ascii_only)
        top = _TALL - _STRIP_ROWS + min(max(height - _HIGH, 0), _MORE_ROWS)
        rows = record_rows(frame, width, top, problems=alone, ascii_only=ascii_only)
        rows += [BLANK] * (top - len(rows) + 1)
        return [*rows, *self._signal(frame, width, height - len(rows))]

    def _signal(self, frame: Frame, width: int, height: int) -> list[Row]:
        if self._strip is None:
            from .strip import SignalStrip  # numpy is not needed before

            self._strip = SignalStrip(self.viewer)
        return self._strip.rows(frame, width, height)

    def side_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """The trials, the quality of each stream, and what needs the operator."""
        rows: list[Row] = [BLANK, *trial_rows(frame, width, height // 2), BLANK, rule("signal quality", width)]
        for stream in frame.live:
            rows.append(row((f" {stream.name}", "strong" if stream.record else "dim")))
            rows.append((*row("   "), *quality_summary(stream)))
        return [*rows, BLANK, *needs_you(frame.status.problems, width, max(height - len(rows) - 1, 0))]

    # ---------------------------------------------------------------- commands

    def do_bad(self) -> None:
        """Mark the running trial bad, or good again; where none runs, the last one."""
        viewer = self.viewer
        if not viewer.frame.recording:
            viewer.say("no trial to mark: not recording")
            return
        viewer.execute(MarkTrial(bad=None, session=viewer.frame.session_id or None, actor=viewer.actor))

    def do_acknowledge(self) -> None:
        """Take note that the recorder ended the last recording."""
        if self.viewer.frame.status.stopped is not None:
            self.viewer.execute(Acknowledge(actor=self.viewer.actor))

    def do_protocol(self) -> None:
        """Choose a protocol and start it; end the one that runs."""
        viewer = self.viewer
        status = viewer.frame.status
        running = viewer.frame.protocol
        if running is not None:
            answers = {"enter": ("end it; the recording goes on", self._abort)}
            viewer.ask(Ask(f"end protocol {running.name}?", answers, session=viewer.frame.session_id))
        else:
            answers = {
                letter: (name, self._starter(StartProtocol(name=name, actor=viewer.actor)))
                for letter, name in zip(_LETTERS, status.protocols, strict=False)
            }
            answers[_NEW] = ("another", self._type_protocol)
            viewer.ask(Ask("protocol:", answers, close="none"))

    def _starter(self, command: StartProtocol) -> Callable[[], None]:
        """Starting one starts the recording where idle, and asks as the recording's own key does."""

        def start() -> None:
            if self.viewer.frame.recording:
                self.viewer.execute(command)
            else:
                self.viewer.actions.when_ready(lambda: self.viewer.execute(command))

        return start

    def _type_protocol(self) -> None:
        """Make one up: its steps, how often, and the seed of a shuffle; the line keeps what was typed last."""
        viewer = self.viewer
        names = [gesture.name for gesture in viewer.frame.status.gestures]
        steps, repeats, seed = self._typed or (",".join(f"{name}:3" for name in names), "3", "")
        entries = [Entry("steps", steps), Entry("repeats", repeats), Entry("shuffle seed", seed)]

        def save(texts: list[str]) -> None:
            self._typed = texts[0], texts[1], texts[2]
            try:
                command = self._typed_protocol(*self._typed)
            except ConfigError as error:
                viewer.say(str(error), bad=True)
                return
            self._starter(command)()

        viewer.type_line(TypeLine(entries, save))

    def _typed_protocol(self, steps: str, repeats: str, seed: str) -> StartProtocol:
        """The command; gestures may be named by their keys, and ``-`` is no label. Raises `ConfigError`."""
        frame = self.viewer.frame
        names = {gesture.name.casefold(): gesture.name for gesture in frame.status.gestures}
        keys = {key: frame.gesture(index) for index, key in enumerate(frame.keys)}
        known = {"-": "", **keys}
        if not repeats.isdigit() or (seed and not seed.isdigit()):
            raise ConfigError("repeats and the seed are whole numbers; without a seed the steps come in order")
        return StartProtocol(
            name="typed",
            steps=tuple((names.get(name.casefold(), known.get(name, name)), s) for name, s in parse_steps(steps)),
            repeats=int(repeats),
            shuffle=bool(seed),
            seed=int(seed) if seed else None,
            actor=self.viewer.actor,
        )

    def _abort(self) -> None:
        self.viewer.execute(AbortProtocol(actor=self.viewer.actor))

    def do_pause(self) -> None:
        """Pause the protocol, or go on."""
        protocol = self.viewer.frame.protocol
        if protocol is None:
            self.viewer.say("no protocol runs; c starts one")
            return
        self.viewer.execute(PauseProtocol(paused=protocol.state != "paused", actor=self.viewer.actor))

    def do_skip(self) -> None:
        """On to the next cue."""
        self.viewer.execute(SkipCue(actor=self.viewer.actor))

    def do_take(self) -> None:
        """Fill in the take sheet: it sticks, the number counts up, and begins anew with another subject or task."""
        viewer = self.viewer
        take = viewer.frame.status.take
        entries = [
            Entry("subject", take.subject),
            Entry("task", take.task),
            Entry("take", str(take.take)),
            Entry("name", take.name),
            *(Entry(title, text) for title, text in take.fields.items()),
        ]

        def save(texts: list[str]) -> None:
            subject, task, number, name, *more = texts
            if not number.isdigit() or int(number) < 1:
                viewer.say(f"take {number!r}: give a whole number from 1 on", bad=True)
                return
            viewer.execute(
                SetTake(
                    subject=subject,
                    task=task,
                    take=None if number == str(take.take) else int(number),
                    name=name,
                    fields=dict(zip(take.fields, more, strict=True)),
                    actor=viewer.actor,
                )
            )

        viewer.type_line(TypeLine(entries, save))
