"""A program in a real pseudo-terminal with a real screen (pyte) behind it; every wait is for something that is seen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import pyte

from myogestic_tui.widgets.blockletters import block_rows

KEYS = {
    "enter": b"\r",
    "escape": b"\x1b",
    "space": b" ",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "backspace": b"\x7f",
    "tab": b"\t",
}
"""What terminals send for keys that are no characters."""

_KITTY = re.compile(rb"\x1b\[[<>=][0-9;]*u|\x1b\[\?[0-9;]*\$p")
_CONTROL_STRING = re.compile(rb"\x1b\][^\a\x1b]*(?:\a|\x1b\\)")
_ASKED = b"\x1b[6n"
_UNFINISHED = re.compile(rb"\x1b[^a-zA-Z]{0,24}$")


class Terminal:
    """Spawn a program in a pty and watch its screen.

    Parameters
    ----------
    arguments
        Program and arguments.
    columns, lines
        Size of the terminal.
    environ
        Set on top of this process's environment; a value of None removes the name.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        environ: Mapping[str, str | None] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.columns, self.lines = columns, lines
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._changed = threading.Condition()
        self._flow = threading.Event()
        self._flow.set()
        self._rest = b""
        self.n_bytes = 0
        self.output = bytearray()
        self.hung_up = False
        self.n_answers = 0
        self.n_owed: int | None = None
        """Answers that are owed to the program since `owe`; None where it gets them at once."""
        self._master, slave = os.openpty()
        self._resize_to(columns, lines)
        self.attributes = termios.tcgetattr(slave)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            list(arguments),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=_environ(environ or {}),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        self._slave = slave
        self._reader = threading.Thread(target=self._read, name="terminal-reader", daemon=True)
        self._reader.start()

    @classmethod
    def python(cls, *arguments: str, **more: Any) -> Self:
        """Run this Python with arguments."""
        return cls([sys.executable, *arguments], **more)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---------------------------------------------------------------- what is seen

    def _read(self) -> None:
        while True:
            self._flow.wait()
            has_ended = self.process.poll() is not None  # first: its last words may come right before
            try:
                ready, _, _ = select.select([self._master], [], [], 0.2)
                if not ready:
                    if has_ended:
                        break
                    continue
                data = os.read(self._master, 65536)
            except (OSError, ValueError):
                break
            if not data:
                break
            with self._changed:
                self._take(data)
                self._changed.notify_all()
        with self._changed:
            self.hung_up = True
            self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        self.n_bytes += len(data)
        self.output += data
        data = _KITTY.sub(b"", self._rest + data)
        unfinished = _UNFINISHED.search(data)
        self._rest = data[unfinished.start() :] if unfinished else b""
        *asking, last = data[: len(data) - len(self._rest)].split(_ASKED)
        for part in asking:
            self._stream.feed(part)
            self._answer()
        self._stream.feed(last)

    def _answer(self) -> None:
        """Tell where the cursor is, as every terminal does when it is asked."""
        if self.n_owed is not None:
            self.n_owed += 1
            return
        cursor = self.screen.cursor
        self.n_answers += 1
        with contextlib.suppress(OSError):
            self.send(b"\x1b[%d;%dR" % (cursor.y + 1, cursor.x + 1))

    def owe(self) -> None:
        """Take all that comes, as queues on the way do, and answer nothing: whoever looks has not seen it yet."""
        with self._changed:
            self.n_owed = 0

    def pay(self) -> None:
        """Give the answers that are owed, and each at once from now on."""
        with self._changed:
            owed, self.n_owed = self.n_owed or 0, None
            for _ in range(owed):
                self._answer()

    def rows(self) -> list[str]:
        """The screen, row by row."""
        with self._changed:
            return list(self.screen.display)

    @property
    def text(self) -> str:
        """The screen as one string."""
        return "\n".join(self.rows())

    def wait_for(self, wanted: str | Callable[[str], object], timeout: float = 120.0) -> str:
        """Wait until a text (or what a function says of the screen) is there; returns the screen."""
        seen = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                text = "\n".join(self.screen.display)
                if seen(text):
                    return text
                left = deadline - time.monotonic()
                if left <= 0 or (self.hung_up and not self._changed.wait(0.01)):
                    raise AssertionError(
                        f"not seen in {timeout:.0f} s: {wanted!r}\n{text}\n{bytes(self.output[-800:])!r}"
                    )
                self._changed.wait(min(left, 1.0))

    def wait_gone(self, unwanted: str, timeout: float = 120.0) -> str:
        """Wait until a text is no longer there."""
        return self.wait_for(lambda text: unwanted not in text, timeout)

    def wait_output(self, wanted: bytes, timeout: float = 120.0) -> None:
        """Wait until bytes were written, whatever became of them on the screen."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while wanted not in self.output:
                left = deadline - time.monotonic()
                assert left > 0, f"not written: {wanted!r}\n{bytes(self.output[-800:])!r}"
                self._changed.wait(min(left, 1.0))

    def n_bells(self) -> int:
        """How often the bell rang; control strings end with the same byte, and do not count."""
        with self._changed:
            return _CONTROL_STRING.sub(b"", self.output).count(b"\a")

    def n_waiting(self) -> int:
        """Bytes that were written and not read yet."""
        return int(struct.unpack("i", fcntl.ioctl(self._master, termios.FIONREAD, b"\0" * 4))[0])

    def wait_full(self, timeout: float = 120.0) -> None:
        """Wait until nothing more is written to a stalled terminal: it is full, or its viewer waits for an answer."""
        deadline = time.monotonic() + timeout
        before = -1
        while (waiting := self.n_waiting()) == 0 or waiting != before:
            assert time.monotonic() < deadline, f"{waiting} bytes wait to be read"
            before = waiting
            time.sleep(0.5)

    def n_unread(self) -> int:
        """Bytes of keys that the program has not read yet."""
        return int(struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, b"\0" * 4))[0])

    def foreground(self) -> int:
        """The process group that the keys go to."""
        return os.tcgetpgrp(self._master)

    # ---------------------------------------------------------------- what is done

    def press(self, *keys: str) -> None:
        """Press keys, each in a write of its own: characters, or names of `KEYS`."""
        for key in keys:
            self.send(KEYS.get(key) or key.encode())

    def send(self, data: bytes) -> None:
        """Send bytes in one write."""
        os.write(self._master, data)

    def paste(self, text: str) -> None:
        """Paste as a terminal with bracketed paste does."""
        self.send(b"\x1b[200~" + text.encode() + b"\x1b[201~")

    def resize(self, columns: int, lines: int) -> None:
        """Change the terminal's size; the program is told by SIGWINCH."""
        with self._changed:
            self.columns, self.lines = columns, lines
            self.screen.resize(lines, columns)
        self._resize_to(columns, lines)

    def _resize_to(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def stall(self) -> None:
        """Stop reading, as a link that stalls."""
        self._flow.clear()

    def flow(self) -> None:
        """Read on."""
        self._flow.set()

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal, as an SSH link that drops."""
        self._flow.clear()
        os.close(self._slave)
        os.close(self._master)
        self._slave = self._master = -1
        self._flow.set()

    def wait_exit(self, timeout: float = 120.0) -> int:
        """Wait until the program ended; its exit code (negative: the signal that killed it)."""
        return self.process.wait(timeout)

    def is_restored(self) -> bool:
        """Whether the program left the terminal's settings as it found them."""
        return bool(termios.tcgetattr(self._slave) == self.attributes)

    def close(self) -> None:
        """End the program and close the terminal."""
        self._flow.set()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(120.0)
        self._reader.join(120.0)
        for descriptor in (self._slave, self._master):
            if descriptor >= 0:
                os.close(descriptor)
        self._slave = self._master = -1


def shows(word: str, columns: int) -> Callable[[str], bool]:
    """Whether a screen of so many columns shows a word in block letters, of whatever size."""
    drawn = {block_rows(word, columns - 4, height) for height in range(4, 60)} - {()}

    def seen(text: str) -> bool:
        rows = [row.strip() for row in text.splitlines()]
        return any(all(part.strip() in rows for part in parts) for parts in drawn)

    return seen


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _environ(changes: Mapping[str, str | None]) -> dict[str, str]:
    environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    for name in ("NO_COLOR", "LC_ALL", "LC_CTYPE", "TMUX", "STY", "ZELLIJ", "COLORFGBG", "COLUMNS", "LINES"):
        environ.pop(name, None)
    for name, value in changes.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
    return environ
