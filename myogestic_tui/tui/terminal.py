"""The terminal as the viewer needs it: one that may stall, hang up or paste, and is always given back as it was."""

from __future__ import annotations

import fcntl
import os
import selectors
import sys
import termios
import time
from codecs import getincrementaldecoder
from typing import IO, TYPE_CHECKING, Any, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from .curtain import OTHER_SCREEN, Hanging, take_over
from .keytimes import ASK, KeyTimes, answers_prove, put_in_doubt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_RESTORE = (
    "\x1b[?2026l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l"
    "\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""What Textual switches on, off again: mouse, paste, resize reports, wrap, kitty keys, other screen, cursor."""

_LAST_ANSWER_SECONDS = 0.4
_SLOW_WRITE = 0.3
"""Seconds: a write that takes longer means that the link stalled."""


_KEPT = "OPbf"
"""Second characters of longer sequences (ESC O, ESC P), and of the word keys of some keyboards (ESC b, ESC f)."""


class KeyParser(XTermParser):
    """Textual's parser, to which ESC and a letter or digit in one read are two keys.

    tmux, screen and slow links glue a quick ``esc 2`` together, and Textual would read some of those as accents.
    """

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if len(sequence) == 2 and sequence[0] == "\x1b" and sequence[1].isalnum() and sequence[1] not in _KEPT:
            yield events.Key("escape", "\x1b")
            yield events.Key(sequence[1], sequence[1])
        else:
            yield from super()._sequence_to_key_events(sequence, alt)


class KeyBurst(Message):
    """Keys of one read: pressed while the link stalled, or pasted into a terminal without bracketed paste."""

    def __init__(self, keys: tuple[events.Key, ...]) -> None:
        super().__init__()
        self.keys = keys


class HungUp(Message):
    """The terminal is gone: nothing can be read from it any more."""


class Output:
    """The file that Textual's writer thread writes to: knows whether all is written, and survives a hang-up."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.pending = False
        self.gone = False
        self.written = 0
        self.busy_since: float | None = None
        self.last_stall = (0.0, 0.0)

    def announce(self) -> None:
        """Something is about to be queued."""
        if not self.pending:
            self.busy_since = time.monotonic()
            self.pending = True

    def write(self, text: str) -> int:
        """Write; a terminal that is gone swallows everything."""
        if self.gone:
            return len(text)
        try:
            self.written += len(text.encode("utf-8", "replace"))
            return self._file.write(text)
        except OSError:
            self.gone = True
            return len(text)

    def flush(self) -> None:
        """Called by the writer thread once its queue is empty."""
        try:
            if not self.gone:
                self._file.flush()
        except OSError:
            self.gone = True
        now = time.monotonic()
        if self.busy_since is not None and now - self.busy_since > _SLOW_WRITE:
            self.last_stall = (self.busy_since, now)
        self.busy_since, self.pending = None, False

    def fileno(self) -> int:
        """Of the terminal."""
        return self._file.fileno()


class ViewerDriver(LinuxDriver):
    """Textual's Linux driver, which also tells bursts of keys, a hang-up and a stalled link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stdout = sys.__stdout__
        self.output = Output(stdout if stdout is not None and stdout.isatty() else cast("IO[str]", self._file))
        self._file = cast("Any", self.output)
        self._settings: list[Any] | None = None
        self.key_times = KeyTimes(time.monotonic(), proving=answers_prove())
        self.asks = False

    @property
    def busy(self) -> bool:
        """Whether earlier output still waits for the link; draw only when it does not."""
        return self.output.pending

    def terminal_size(self) -> tuple[int, int]:
        """Columns and lines now; ``COLUMNS`` and ``LINES`` do not count, since they do not follow a resize."""
        try:
            return os.get_terminal_size(self.output.fileno())
        except OSError:
            return super()._get_terminal_size()

    def _get_terminal_size(self) -> tuple[int, int]:
        return self.terminal_size()

    def _stalled_since(self, at: float) -> float | None:
        """Since when output is not taken, or was not until just before ``at``; None where it is."""
        since = self.output.busy_since
        if since is not None and at - since > _SLOW_WRITE:
            return since
        start, end = self.output.last_stall
        return start if at - end < 1.0 and at >= start else None

    def write(self, data: str) -> None:
        """Queue output."""
        if data == OTHER_SCREEN and (curtain := take_over()) is not None:
            self._behind(curtain)
            return  # the curtain opened it; a second time would forget where the cursor was before
        self.output.announce()
        super().write(data)

    def _behind(self, curtain: Hanging) -> None:
        """Keys that were pressed while the curtain hung are read now: their times are as uncertain as after a stall."""
        self._settings = curtain.settings
        waiting = fcntl.ioctl(self.fileno, termios.FIONREAD, b"\0" * 4)
        if any(waiting):
            self.key_times.opened(curtain.since)

    def start_application_mode(self) -> None:
        """Take the terminal; it is given back as it was before a curtain hung."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._settings is not None:
            self.attrs_before = self._settings

    def run_input_thread(self) -> None:
        """Read keys until told to stop; keys of one read stay together."""
        parser = KeyParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                self._ask(time.monotonic())
                batch: list[Message] = []
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        self.output.gone = True
                        self.send_message(HungUp())
                        return
                    text = decode(data)
                    batch += parser.feed(text) if text else ()
                batch += parser.tick()
                self._deliver(batch)

    def _ask(self, now: float) -> None:
        """Ask the terminal for a sign of life, where it is time; the reader looks for keys from now on."""
        self.key_times.looking(now)
        if self.asks and self._writer_thread is not None and self.key_times.due(now):
            self.key_times.asked(now)
            self.write(ASK)

    def disable_input(self) -> None:
        """Stop reading, once the terminal has answered: a shell would take that for keys."""
        self.asks = False
        until = time.monotonic() + _LAST_ANSWER_SECONDS
        while self.key_times.waits and time.monotonic() < until:
            time.sleep(0.01)
        super().disable_input()

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _deliver(self, batch: Sequence[Message]) -> None:
        keys = [message for message in batch if isinstance(message, events.Key)]
        if keys:
            at = keys[-1].time
            put_in_doubt(keys, self.key_times.doubt(at, len(keys), stalled_since=self._stalled_since(at)))
        keys = []
        for message in batch:
            if isinstance(message, events.CursorPosition):
                self.key_times.answered(time.monotonic())
                continue
            if isinstance(message, events.Key):
                keys.append(message)
                continue
            self._deliver_keys(keys)
            keys = []
            self.process_message(message)
        self._deliver_keys(keys)

    def _deliver_keys(self, keys: list[events.Key]) -> None:
        if len(keys) == 1:
            self.process_message(keys[0])
        elif keys:
            self.process_message(KeyBurst(tuple(keys)))

    def give_back(self) -> None:
        """Restore the terminal directly, without a thread or a queue, and without waiting for a stalled link."""
        try:
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            descriptor = self.output.fileno()
            blocking = os.get_blocking(descriptor)
            os.set_blocking(descriptor, False)
            try:
                os.write(descriptor, _RESTORE.encode())
            finally:
                os.set_blocking(descriptor, blocking)
        except (OSError, termios.error):
            return
