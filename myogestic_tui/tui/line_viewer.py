"""The viewer of a terminal that cannot place text (``TERM=dumb``, or none): a line per change, and the same keys."""

from __future__ import annotations

import codecs
import contextlib
import os
import queue
import re
import select
import sys
import termios
import threading
import time
import tty
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from ..app.interface import Acknowledge, AddLabel, AddNote, Discard, Recorder, Reply, Start, Stop, UndoLabel
from ..errors import ConfigError, MyoGesticError
from ..widgets.frame import take_text
from ..widgets.glyphs import to_ascii
from ..widgets.header import faults_line
from ..widgets.number_format import hms
from ..widgets.problem_list import problem_lines
from ..widgets.styled_lines import plain
from .key_timing import KeyTimes
from .recorder_feed import Feed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app.interface import AnyCommand
    from ..widgets.frame import Frame
    from .recorder_feed import Then
    from .viewer_options import ViewerOptions

_POLL_SECONDS = 0.25
_EVERY_SECONDS = 10.0
_LOOK_SECONDS = 0.25
_REST_SECONDS = 0.005
"""How long to wait for the rest of what a link hands out at once."""
_WIDTH = 160
"""A problem's text is cut there."""
_HINT = "TERM is {}: a line per change.  for the screens: export TERM=xterm-256color"
_KEYS = "keys: space start   x stop   1-9 0 A-Z label   e end label   u undo   n note   q leave   ? this line"


def run_plain(recorder: Recorder, options: ViewerOptions) -> int:
    """Run until the operator leaves; returns as `run_viewer` does."""
    return _Plain(recorder, options).run()


class _Plain:
    """State, labels and stop on one line each; nothing is ever redrawn."""

    def __init__(self, recorder: Recorder, options: ViewerOptions) -> None:
        if not sys.stdin.isatty():
            raise ConfigError("no terminal here for the screens; log in with `ssh -t`, or use the record command")
        self._options = options
        self._feed = Feed(recorder, f"tui {os.getpid()}", embedded=options.embedded, greeted=self._heard)
        self._feed.start(self._submit)
        self._gone = ""
        self._answers: dict[str, Callable[[], int | None]] = {}
        self._text: str | None = None
        self._note_key: TypedKey | None = None
        self._note_of: str | None = None
        self._printed: tuple[object, ...] = ()
        self._printed_at = 0.0
        self._problems: frozenset[tuple[str, str]] = frozenset()

    def run(self) -> int:
        """Loop over keys and changes."""
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        keys = KeyReader(descriptor)
        try:
            self._print(_HINT.format(os.environ.get("TERM") or "not set"))
            self._print(_KEYS)
            while True:
                self._follow_recorder()
                self._report()
                wait = _POLL_SECONDS
                while (key := keys.next(wait)) is not None:
                    wait = 0.0
                    code = self._key(key)
                    if code is not None:
                        return code
        except KeyboardInterrupt:
            return 130
        except (EOFError, OSError):  # the terminal hung up
            return 129
        finally:
            keys.close()
            with contextlib.suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def _print(self, text: str) -> None:
        begun = "\n" if self._text else ""
        print(begun + to_ascii(text), flush=True)

    def _frame(self) -> Frame:
        """The newest status; while no recorder answers, the last one."""
        return self._feed.poll("", 0.0)

    def _follow_recorder(self) -> None:
        """Offer another recorder in place of one that does not answer any more."""
        gone = self._frame().gone
        went, self._gone = bool(gone) and not self._gone, gone
        if went:
            self._offer_another(gone)

    def _offer_another(self, why: str) -> None:
        self._print(why)
        if self._options.reconnect is not None:
            self._text = None
            self._ask("the recorder has ended. enter starts it again and recovers, esc stays", {"\n": self._reconnect})

    def _reconnect(self) -> None:
        start = self._options.reconnect
        assert start is not None
        self._print("starting the recorder ...")
        try:
            self._feed.reconnect(start)
        except (MyoGesticError, OSError) as error:
            self._offer_another(f"failed: {error}")

    def _report(self) -> None:
        """A line where something changed, and every ten seconds of a recording."""
        frame = self._frame()
        streams = " ".join(f"{s.name}={s.state}" for s in frame.status.streams if s.record)
        stopped = frame.status.stopped
        message = (
            frame.status.message if stopped is None else f"STOPPED by the recorder: {stopped.text} (enter: understood)"
        )
        faults = plain(faults_line(frame)).strip()
        self._report_problems(frame)
        facts = (frame.status.state, frame.active, streams, faults, message, frame.gone)
        now = time.monotonic()
        due = frame.recording and now - self._printed_at > _EVERY_SECONDS
        if facts == self._printed and not due:
            return
        known = stopped is None and message in self._printed[4:5]
        self._printed, self._printed_at = facts, now
        session = frame.status.session
        state = f"* REC {hms(session.elapsed_s)}" if frame.recording and session is not None else "o IDLE"
        state = "x GONE" if frame.gone else state
        news = frame.gone or ("" if known else message)
        parts = (state, take_text(frame.take), f"[{frame.keyed(frame.active)}]", faults, streams, news)
        self._print("  ".join(part for part in parts if part))

    def _report_problems(self, frame: Frame) -> None:
        """A line for each problem that was not there before."""
        problems, before = frame.status.problems, self._problems
        self._problems = frozenset((one.severity, one.subject) for one in problems)
        new = [one for one in problems if (one.severity, one.subject) not in before]
        for row in problem_lines(new, _WIDTH, len(new)):
            self._print(plain(row).strip())

    def _key(self, typed: TypedKey) -> int | None:
        frame, key = self._frame(), typed.character
        if self._text is not None:
            self._type(key)
        elif key in frame.keys:
            self._label(frame.keys.index(key), typed)
        elif self._answers:
            return self._answer(key)
        else:
            return self._command(typed, frame)
        return None

    def _label(self, class_index: int, typed: TypedKey) -> None:
        self._send(AddLabel(class_index=class_index, timestamp=typed.at, uncertainty_s=typed.doubt))

    def _answer(self, key: str) -> int | None:
        answer = self._answers.get(key)
        if answer is None and key != "\x1b":
            return None
        self._answers = {}
        return answer() if answer is not None else None

    def _command(self, typed: TypedKey, frame: Frame) -> int | None:
        match typed.character:
            case " " if frame.gone:
                self._offer_another(frame.gone)
            case " " if not frame.recording or frame.status.stopping:
                self._send(Start())
            case "x" if frame.recording:
                this = frame.session_id or None
                answers: dict[str, Callable[[], int | None]] = {
                    "\n": lambda: self._send(Stop(session=this)),
                    "d": lambda: self._send(Discard(session=this)),
                }
                self._ask("stop? enter saves, d discards, esc continues", answers)
            case "\n" if frame.status.stopped is not None:
                self._send(Acknowledge())
            case "e":
                self._label(-1, typed)
            case "u":
                self._send(UndoLabel(session=frame.session_id or None))
            case "n":
                self._text, self._note_key, self._note_of = "", typed, frame.session_id or None
                self._print("note (gesture keys off), enter saves, esc cancels:")
            case "q" if not frame.recording:
                return 0
            case "q":
                self._ask(
                    "leave? enter keeps recording, x stops and saves, esc stays",
                    {"\n": lambda: 0, "x": self._stop_and_leave},
                )
            case "?":
                self._print(_KEYS)
        return None

    def _ask(self, question: str, answers: dict[str, Callable[[], int | None]]) -> None:
        self._print(question)
        self._answers = answers

    def _type(self, key: str) -> None:
        text = self._text or ""
        if key == "\x1b":
            self._text = None
            self._print("\nno note")
        elif key in "\r\n":
            self._text = None
            print(flush=True)
            if text and (typed := self._note_key) is not None:
                note = AddNote(text=text, timestamp=typed.at, uncertainty_s=typed.doubt, session=self._note_of)
                self._send(note)
        else:
            erases = key in "\x7f\b"
            self._text = text[:-1] if erases else text + key
            shown = "\b \b" if text else ""
            print(shown if erases else to_ascii(key), end="", flush=True)

    def _send(self, command: AnyCommand) -> None:
        self._feed.execute(command, self._heard)

    def _submit(self, command: AnyCommand, then: Then) -> None:
        try:
            then(command, self._feed.recorder.execute(command))
        except MyoGesticError as error:
            self._print(f"failed: {error}")

    def _heard(self, command: AnyCommand, reply: Reply) -> None:
        if reply.confirm:
            again = replace(command, confirmed=getattr(command, "confirmed", 0) + 1)
            self._ask(f"{reply.confirm} enter: yes, esc: no", {"\n": lambda: self._send(again)})
        else:
            self._print(("" if reply.ok else "refused: ") + reply.message)

    def _stop_and_leave(self) -> int:
        self._send(Stop())
        return 0


_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O[A-Za-z])")
"""What arrows and other keys send that are no character: none of it is a command, and no capital in it a gesture."""


class TypedKey(NamedTuple):
    """A character from the terminal."""

    character: str
    at: float
    """When it was read, monotonic seconds."""
    doubt: float
    """How much earlier (s) it may have been pressed."""


class KeyReader:
    """Reads a terminal in a thread of its own.

    Parameters
    ----------
    descriptor
        Of a terminal that gives characters one by one.
    """

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self._times = KeyTimes(time.monotonic(), proving=False)
        self._keys: queue.SimpleQueue[TypedKey | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)
        self._thread.start()

    def next(self, seconds: float) -> TypedKey | None:
        """The next key; None where none comes in time.

        Raises
        ------
        EOFError
            The terminal is gone.
        """
        try:
            key = self._keys.get(timeout=seconds)
        except queue.Empty:
            return None
        if key is None:
            raise EOFError
        return key

    def close(self) -> None:
        """Read no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        try:
            while not self._ending.is_set():
                self._times.reading(time.monotonic())
                if self._waits(_LOOK_SECONDS):
                    self._hand_on(decode(self._read()))
        except (EOFError, OSError):
            self._keys.put(None)

    def _waits(self, seconds: float) -> bool:
        return bool(select.select([self._fd], [], [], seconds)[0])

    def _read(self) -> bytes:
        data = b""
        while not data or self._waits(_REST_SECONDS):
            more = os.read(self._fd, 1024)
            if not more:
                if data:
                    return data
                raise EOFError
            data += more
        return data

    def _hand_on(self, text: str) -> None:
        at, text = time.monotonic(), _SEQUENCE.sub("", text)
        doubt = self._times.doubt(at, len(text)) if text else 0.0
        for character in text:
            self._keys.put(TypedKey(character, at, doubt))
