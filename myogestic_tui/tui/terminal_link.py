"""The terminal as a link that may stall, hang up or be slow, and that is always given back as it was.

Standard library only. Textual writes to ``sys.__stderr__``; `Link` puts a file in its place that asks the terminal,
after every frame, where its cursor is. The answer tells that the frame has been taken, also where a kernel, sshd and
TCP would queue seconds of output without a word.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import sys
import termios
import threading
import time
from typing import IO, TYPE_CHECKING, Any, cast

from .key_timing import ASK, KeyTimes, answers_prove

if TYPE_CHECKING:
    from collections.abc import Iterator

HUNG_UP = 129
"""Exit code when the terminal went away."""
_RESTORE = (
    b"\x1b[?2026l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?2048l\x1b[?7h\x1b[<u\x1b[?1049l"
    b"\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""What Textual switches on, off again: mouse, paste, resize reports, wrap, kitty keys, other screen, cursor."""
_IN_FLIGHT = 2
"""Frames that may be under way at once; one alone once a frame has taken `_SLOW_SECONDS`."""
_SLOW_SECONDS = 0.25
_PICTURE_SECONDS = 0.4
"""A picture is sent in parts that the link takes in so long: a key waits for no more than that."""
_FIRST_PART, _LEAST_PART, _MOST_PART = 8_000.0, 2_000.0, 64_000.0
"""Bytes of a part before it is known what the link takes, and at least, and at most."""
_NO_ANSWER_SECONDS = 5.0
"""A terminal that has never answered by then does not answer; one that has may take as long as it stalls."""
_AGAIN_SECONDS = 1.0
"""It is asked once more after so long."""
_COLUMNS = 20
"""Columns that tell one question from another."""
_LOST_SECONDS = 15.0
"""An answer that has not come by then is taken for lost: a frame goes out again, and another one after as long."""
_STALL_SECONDS = 0.3
_SWALLOW_SECONDS = 0.15


class Output:
    """The file that Textual's writer thread writes to."""

    def __init__(self, file: IO[str], link: Link) -> None:
        self._file = file
        self._link = link
        self._unasked = 0

    def write(self, text: str) -> int:
        """Write; a terminal that is gone swallows everything."""
        self._unasked += len(text)
        with self._link.writing, contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Called once the queue of the writer thread is empty: what has been written is a frame."""
        with self._link.writing, contextlib.suppress(OSError):
            if self._unasked > len(ASK) and self._link.asks:
                self._file.write(self._link.asked(self._unasked))
            self._unasked = 0
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Link:
    """The terminal that Textual writes to (stderr) and reads from (stdin).

    Attributes
    ----------
    asks
        Whether the terminal is asked for its cursor after each frame.
    last_stall
        When the last stall of the link began and ended (monotonic seconds).
    began
        Since when keys may wait to be read (monotonic seconds).
    times
        How uncertain the times of keys are.
    writing
        Held while something is written.
    """

    def __init__(self) -> None:
        self._file = _terminal() if "TEXTUAL_DRIVER" not in os.environ else None
        self._fd = self._file.fileno() if self._file is not None else -1
        self._settings = termios.tcgetattr(self._fd) if self._fd >= 0 else None
        self.asks = False
        self.last_stall = (0.0, 0.0)
        self.began = _process_began()
        self.times = KeyTimes(time.monotonic(), proving=answers_prove())
        self.writing = threading.Lock()
        self._since: float | None = None
        self._flying: list[tuple[float, int, int]] = []
        self._tells = False
        self._answers = 0
        self._asked = 0
        self._took = 0.0
        self._trip = 1.0
        self._part = _FIRST_PART

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Textual writes through this link within."""
        before = sys.__stderr__
        if self._file is not None:
            setattr(sys, "__stderr__", Output(self._file, self))  # noqa: B010 (typed as final)
        try:
            yield
        finally:
            setattr(sys, "__stderr__", before)  # noqa: B010

    # ---------------------------------------------------------------- what the terminal says

    def asked(self, n_bytes: int = 0) -> str:
        """A question to be written, mostly after a frame of so many bytes; a column makes its answer known."""
        now = time.monotonic()
        self.times.asked(now)
        self._asked += 1
        number = self._asked % _COLUMNS
        self._flying.append((now, n_bytes, number))
        return f"\x1b7\x1b[1;{number + 1}H{ASK}\x1b8"

    def ask(self) -> None:
        """Ask without a frame, where nothing else is being written."""
        if self.asks and not self.busy:
            self._write_question()

    def ask_again(self) -> None:
        """Ask once more where a frame's answer is overdue: one that was lost would hold all frames back."""
        flying = self._flying[-1:]
        if self.asks and self._answers and flying and flying[0][1] and time.monotonic() - flying[0][0] > _AGAIN_SECONDS:
            self._write_question()

    def _write_question(self) -> None:
        if self._file is None or not self.writing.acquire(blocking=False):
            return
        try:
            if select.select([], [self._fd], [], 0)[1]:
                with contextlib.suppress(OSError):
                    self._file.write(self.asked())
                    self._file.flush()
        finally:
            self.writing.release()

    def answered(self, column: int = -1) -> int:
        """The terminal told where its cursor is: it has taken what was under way; how many questions that answers.

        An answer with the ``column`` of a question answers those before it, too; any other one answers the oldest.
        """
        self._answers += 1
        known = next((i for i, one in enumerate(self._flying) if one[2] == column), None)
        if known is None and self._tells:
            return 0  # of a question that was given up
        self._tells = known is not None
        answered = self._flying[: (known or 0) + 1]
        del self._flying[: len(answered)]
        if answered:
            at, n_bytes, _ = answered[-1]
            self._took = max(time.monotonic() - at, 1e-4)
            self._learn(n_bytes)
        return max(len(answered), 1)

    def _learn(self, n_bytes: int) -> None:
        """How much the link takes in `_PICTURE_SECONDS`: at least what it did, and less only if that took longer."""
        self._trip = min(self._trip * 1.05, self._took)
        if n_bytes:
            takes = n_bytes * _PICTURE_SECONDS / max(self._took - self._trip, 1e-4)
            if takes > self._part or self._took - self._trip > _PICTURE_SECONDS:
                self._part = min(max(takes, _LEAST_PART), _MOST_PART)

    @property
    def picture_bytes(self) -> float:
        """Bytes of pictures that a frame may have."""
        return self._part if self.asks else math.inf

    @property
    def busy(self) -> bool:
        """Whether nothing may be drawn now: the kernel's buffer is full, or two frames are under way."""
        if self._fd < 0:
            return False
        busy = not select.select([], [self._fd], [], 0)[1] or self._unanswered()
        now = time.monotonic()
        if busy and self._since is None:
            self._since = self._flying[0][0] if self._flying else now
        elif not busy and self._since is not None:
            if now - self._since > _STALL_SECONDS:
                self.last_stall = (self._since, now)
            self._since = None
        return busy

    def _unanswered(self) -> bool:
        flying = self._flying[:]
        if not self._answers and flying and time.monotonic() - flying[0][0] > _NO_ANSWER_SECONDS:
            self.asks = False  # it is a terminal that does not answer
            self._flying.clear()
        elif flying and time.monotonic() - flying[0][0] > _LOST_SECONDS:
            self._flying.pop(0)
            flying.pop(0)
        most = 1 if self._took > _SLOW_SECONDS else _IN_FLIGHT
        return bool(self._answers or self._asked == 1) and len(flying) >= most

    @property
    def gone(self) -> bool:
        """Whether the terminal was closed."""
        if self._fd < 0:
            return False
        poll = select.poll()
        poll.register(self._fd, 0)
        return any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in poll.poll(0))

    @property
    def waits_for_answers(self) -> bool:
        """Whether the terminal has yet to answer, and usually does."""
        return bool(self._answers and self._flying)

    def size(self) -> tuple[int, int] | None:
        """Columns and lines of the terminal; None where there is none."""
        if self._fd < 0:
            return None
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self._fd)
            return (columns, lines) if columns and lines else None
        return None

    def stalled_since(self, at: float) -> float | None:
        """Since when output is not taken, or was not until just before ``at``; None where it is."""
        since = self._since
        if since is not None and at - since > _STALL_SECONDS:
            return since
        start, end = self.last_stall
        return start if at - end < 1.0 and at >= start else None

    # ---------------------------------------------------------------- the end

    def swallow_answers(self) -> None:
        """Read what the terminal still answers, where screens ended without waiting: a shell would take it for keys."""
        if self._fd < 0 or not self.waits_for_answers:
            return
        with contextlib.suppress(OSError, termios.error):
            time.sleep(_SWALLOW_SECONDS)
            termios.tcflush(self._fd, termios.TCIFLUSH)

    def give_back(self) -> None:
        """Restore the terminal directly, without waiting for a link that stalls: what it has not taken is dropped."""
        if self._fd < 0:
            return
        with contextlib.suppress(OSError, termios.error):
            blocking = os.get_blocking(self._fd)
            os.set_blocking(self._fd, False)
            try:
                self._write_restore()
            finally:
                os.set_blocking(self._fd, blocking)
            termios.tcsetattr(self._fd, termios.TCSANOW, cast("Any", self._settings))

    def _write_restore(self) -> None:
        for _ in range(10):
            if not select.select([], [self._fd], [], 0)[1]:
                termios.tcflush(self._fd, termios.TCOFLUSH)
                _wake_writers()
                time.sleep(0.02)
            with contextlib.suppress(BlockingIOError):
                if os.write(self._fd, b"\x18" + _RESTORE) > len(_RESTORE):
                    return


def _terminal() -> IO[str] | None:
    """Standard output where it is a terminal, so that a log may be made of standard error; else the latter."""
    files = (sys.__stdout__, sys.__stderr__)
    return next((file for file in files if file is not None and not file.closed and file.isatty()), None)


def _process_began() -> float:
    """When this process began (monotonic s), as nearly as can be known: nobody has read the terminal since."""
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - max(age, 0.0)
    return time.monotonic()


def _wake_writers() -> None:
    """Interrupt a write that waits in another thread: it finds the descriptor non-blocking, and gives up."""
    if signal.getsignal(signal.SIGUSR1) in (signal.SIG_DFL, None):
        return
    for thread in threading.enumerate():
        if thread.ident is not None and thread is not threading.current_thread():
            signal.pthread_kill(thread.ident, signal.SIGUSR1)
