"""The child's side of a job: low priority, progress out, commands in. See `jobs`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import MyoGesticError
from .job_kinds import KINDS, Kind
from .priority import lower_priority

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = __name__.partition(".")[0]
_EVERY_S = 0.2
_SMOOTHING_S = 3.0


class Cancelled(BaseException):
    """The job was asked to stop; not an `Exception`, so that nothing takes it for a failure to be handled."""


class Control:
    """What a job's function talks to.

    Parameters
    ----------
    outlives_parent
        See `job_kinds.Kind`.
    """

    def __init__(self, *, outlives_parent: bool) -> None:
        self._parent = None if outlives_parent else os.getppid()
        self._cancelled = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._limit = 0.0
        self._told_at = time.monotonic()
        self._done = self._told = 0
        self._rate = 0.0

    def progress(self, done: int, total: int) -> None:
        """Tell how many bytes are done of how many; waits while the job is paused or ahead of its limit.

        Raises
        ------
        Cancelled
            The job is to stop.
        """
        self._heed(done - self._done)
        self._done = done
        now = time.monotonic()
        if now - self._told_at >= _EVERY_S or done >= total:
            self._tell(done, total, now)

    def _heed(self, n_bytes: int) -> None:
        if self._limit > 0:
            self._cancelled.wait(n_bytes / self._limit)
        while not self._running.wait(_EVERY_S) and not self._cancelled.is_set():
            self._check_parent()
        self._check_parent()
        if self._cancelled.is_set():
            raise Cancelled

    def _check_parent(self) -> None:
        if self._parent is not None and os.getppid() != self._parent:
            self._cancelled.set()

    def _tell(self, done: int, total: int, now: float) -> None:
        seconds = max(now - self._told_at, 1e-6)
        weight = 1.0 if not self._told else min(1.0, seconds / _SMOOTHING_S)
        self._rate += weight * ((done - self._told) / seconds - self._rate)
        self._told, self._told_at = done, now
        left = (total - done) / self._rate if self._rate > 0 else None
        write_line({"fraction": done / max(total, 1), "bytes_per_s": self._rate, "left_s": left})

    def cancel(self, *_: object) -> None:
        """Stop at the next progress."""
        self._cancelled.set()

    def listen(self) -> None:
        """Take commands from stdin until it ends; without a parent there is nobody to make room for."""
        for line in _lines(0):
            match line.split():
                case ["pause"]:
                    self._running.clear()
                case ["resume"]:
                    self._running.set()
                case ["rate", value] if value.isdecimal():
                    self._limit = float(value)
        self._limit = 0.0
        self._running.set()


def _lines(fd: int) -> Iterator[str]:
    """Lines of a file descriptor. Not `sys.stdin`: a thread that waits in it keeps the interpreter from ending."""
    rest = b""
    with suppress(OSError):
        while block := os.read(fd, 4096):
            *lines, rest = (rest + block).split(b"\n")
            yield from (line.decode("ascii", "replace") for line in lines)


def write_line(value: Any) -> None:
    """Print a JSON line; a parent that has gone does not hear it, which is no reason to stop."""
    with suppress(OSError):
        os.write(1, msgspec.json.encode(value) + b"\n")


def main(arguments: list[str]) -> int:
    """Do one job; exit code 0 for done, 1 for failed or cancelled, 2 for wrong arguments."""
    try:
        kind, path, options = _parse(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    lower_priority()
    control = Control(outlives_parent=kind.outlives_parent)
    signal.signal(signal.SIGTERM, control.cancel)
    signal.signal(signal.SIGINT, control.cancel)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=control.listen, name="job-commands", daemon=True).start()
    module, _, function = kind.target.partition(":")
    try:
        result = getattr(import_module(f"{_ROOT}.{module}"), function)(path, options, control)
    except Cancelled:
        return 1
    except (MyoGesticError, OSError) as error:
        write_line({"error": {"type": type(error).__name__, "message": str(error)}})
        return 1
    except Exception as error:
        message = f"{error!r} (an error of this program)\n{traceback.format_exc()}"
        write_line({"error": {"type": "SessionError", "message": message}})
        return 1
    write_line({"result": result})
    return 0


def _parse(arguments: list[str]) -> tuple[Kind, Path, dict[str, str]]:
    usage = f"usage: python -m {__package__}.jobs {{{','.join(KINDS)}}} PATH [--option KEY=VALUE ...]"
    if len(arguments) < 2 or arguments[0] not in KINDS or len(arguments) % 2:
        raise ValueError(usage)
    options = {}
    for flag, option in zip(arguments[2::2], arguments[3::2], strict=True):
        key, equals, value = option.partition("=")
        if flag != "--option" or not equals:
            raise ValueError(usage)
        options[key] = value
    return KINDS[arguments[0]], Path(arguments[1]), options
