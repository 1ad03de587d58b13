"""Long work on sessions in a child process: niced, with progress, paused on request, cancelled without a trace.

The child is ``python -m myogestic_tui.session.library.jobs KIND PATH [--option KEY=VALUE …]``. It prints JSON lines:
progress (``{"fraction": 0.4, "bytes_per_s": 1.2e8, "left_s": 3.1}``), and at its end ``{"result": …}`` or
``{"error": {"type": …, "message": …}}``. On stdin it takes the lines ``pause``, ``resume`` and ``rate BYTES_PER_S``,
where 0 is no limit. SIGTERM cancels. It outlives its parent if it makes something (see `job_kinds`), and can be killed
at any time: the next start takes up what it left.
"""

from __future__ import annotations

import builtins
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ... import errors
from ...errors import ConfigError, MyoGesticError, SessionError
from ...msgspec_types import prepared
from .job_kinds import KINDS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

JobState = Literal["running", "paused", "done", "failed", "cancelled"]

CANCEL_S = 10.0
"""How long a job has to clean up behind itself before it is killed."""


class JobProgress(Struct, frozen=True, kw_only=True):
    """How far a job is, or how it ended."""

    state: JobState = "running"
    fraction: float = 0.0
    bytes_per_s: float = 0.0
    left_s: float | None = None
    result: Any = None
    """Of a job that is done: plain JSON; ``{"path": …}`` for those that make a session, a verification's outcome."""
    error: str = ""
    """Of a job that failed: the name of the exception."""
    message: str = ""
    """Of a job that failed: what happened, to what, and what to do."""


class Job:
    """A child process at work on one session; `start_job` makes one. All methods return at once, but for `wait`."""

    def __init__(self, kind: str, path: Path, command: list[str]) -> None:
        self.kind = kind
        self.path = path
        self._progress = JobProgress()
        self._lock = threading.Lock()
        self._kill_at: float | None = None
        # A session of its own: ctrl+c and a closed terminal end the recorder's screens, not a job.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, name=f"job-{kind}-{self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def poll(self) -> JobProgress:
        """How far it is. A job that does not heed `cancel` is killed here when its time is up."""
        if self._kill_at is not None and time.monotonic() > self._kill_at and self._process.poll() is None:
            self._process.kill()
        with self._lock:
            return self._progress

    def pause(self) -> None:
        """Hold it, before its next file, while a recording needs the disk."""
        self._tell("pause", "paused")

    def resume(self) -> None:
        """Let it continue."""
        self._tell("resume", "running")

    def limit(self, bytes_per_s: float) -> None:
        """Let it do no more than this; 0 for no limit."""
        self._tell(f"rate {bytes_per_s:.0f}", None)

    def cancel(self) -> None:
        """Ask it to stop and to take away what it has made so far."""
        if self._process.poll() is None:
            self._kill_at = self._kill_at or time.monotonic() + CANCEL_S
            self._process.terminate()

    def wait(self, timeout: float | None = None) -> Any:
        """Wait for the end; returns the result, None for a cancelled job.

        Raises
        ------
        TimeoutError
            It is still at work.
        MyoGesticError
            It failed, with what it failed with.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._reader.is_alive():
            left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError(f"{self.kind} of {self.path.name} is still running")
            self._reader.join(left)
            self.poll()
        end = self.poll()
        if end.state == "failed":
            raise _error(end)
        return end.result

    def _tell(self, line: str, state: Literal["paused", "running"] | None) -> None:
        assert self._process.stdin is not None
        with self._lock, suppress(OSError, ValueError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
            if state and self._progress.state in ("running", "paused"):
                self._progress = replace(self._progress, state=state)

    def _read(self) -> None:
        assert self._process.stdout is not None
        last: dict[str, Any] = {}
        for line in self._process.stdout:
            with suppress(msgspec.DecodeError):
                last = msgspec.json.decode(line, type=prepared(dict[str, Any]))
                self._take(last)
        code = self._process.wait()
        with self._lock:
            self._progress = self._ended(last, code)
            with suppress(OSError):
                self._process.stdout.close()
                self._process.stdin.close()  # type: ignore[union-attr]

    def _take(self, line: dict[str, Any]) -> None:
        if "fraction" in line:
            with self._lock:
                known = {key: line[key] for key in ("fraction", "bytes_per_s", "left_s") if key in line}
                self._progress = replace(self._progress, **known)

    def _ended(self, last: dict[str, Any], code: int) -> JobProgress:
        if "result" in last:
            return replace(self._progress, state="done", fraction=1.0, left_s=0.0, result=last["result"])
        if self._kill_at is not None:
            return replace(self._progress, state="cancelled", left_s=None)
        error = last.get("error") or {"type": "SessionError", "message": _killed(self.kind, self.path, code)}
        return replace(self._progress, state="failed", error=error["type"], message=error["message"])


def start_job(kind: str, path: str | os.PathLike[str], options: Mapping[str, str] | None = None) -> Job:
    """Start work of a `kind` (see `job_kinds.KINDS`) on the session at `path`, in a child process of low priority.

    Raises
    ------
    ConfigError
        There is no such kind.
    """
    if kind not in KINDS:
        raise ConfigError(f"no job is called {kind!r}; there are: {', '.join(KINDS)}")
    path = Path(path).absolute()
    command = [sys.executable, "-P", "-m", __name__, kind, str(path)]
    for key, value in (options or {}).items():
        command += ["--option", f"{key}={value}"]
    return Job(kind, path, command)


def _killed(kind: str, path: Path, code: int) -> str:
    how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"
    return f"{kind} of {path.name} {how}; nothing is lost, start it again"


def _error(end: JobProgress) -> Exception:
    known = getattr(errors, end.error, None) or getattr(builtins, end.error, None)
    if isinstance(known, type) and issubclass(known, (MyoGesticError, OSError)):
        return known(end.message)
    return SessionError(end.message)


if __name__ == "__main__":
    from ...stdio import exit_with
    from .job_process import main

    exit_with(main(sys.argv[1:]))
