"""Runs programs for the recorder, in a process of its own: the recorder only sends a datagram, and waits for nothing.

Started as a file with nothing but the standard library; its standard input is a socket. A request is JSON: ``id``,
``arguments`` and ``limit_s``. An answer is ``id`` and ``outcome``, empty where the program ended well. When the
recorder goes, what runs is left its time limit.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_RUNNING = 8
"""Programs at once; a request beyond that is refused."""
MOST_BYTES = 1 << 16
_LOOK_S = 0.1
_SUBREAPER = 36


def stand_back() -> None:
    """Let everything else go first, and be the parent of what programs leave behind."""
    with contextlib.suppress(OSError):
        os.nice(19)
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("1000")
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


class Programs:
    """The programs that run, each the leader of a session of its own."""

    def __init__(self, answer: Callable[[int, str], None]) -> None:
        self._answer = answer
        self._running: dict[int, tuple[int, subprocess.Popen[bytes], float, float]] = {}
        self._strays: dict[int, float] = {}
        self._limit_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._running or self._strays)

    def start(self, request: dict[str, Any]) -> None:
        """Run what a request asks for."""
        number, arguments, limit_s = request["id"], request["arguments"], request["limit_s"]
        if len(self._running) >= MOST_RUNNING:
            self._answer(number, f"not run: {MOST_RUNNING} programs are running already")
            return
        nothing = subprocess.DEVNULL
        try:
            program = subprocess.Popen(arguments, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
        except (OSError, ValueError) as error:
            self._answer(number, f"cannot be run: {getattr(error, 'strerror', None) or error}")
            return
        self._limit_s = max(self._limit_s, limit_s)
        self._running[program.pid] = number, program, time.monotonic() + limit_s, limit_s

    def look(self) -> None:
        """Answer for those that have ended, and end those that take too long."""
        now = time.monotonic()
        for pid, (number, program, due, limit_s) in list(self._running.items()):
            code = program.poll()
            if code is None and now < due:
                continue
            kill_group(pid)
            program.wait()
            del self._running[pid]
            self._answer(number, f"killed after {limit_s:g} s" if code is None else outcome(code))
        self._end_strays(now)

    def _end_strays(self, now: float) -> None:
        """What programs left behind in sessions of their own: reaped, and killed after the time limit."""
        children = children_of_this()
        self._strays = {pid: self._strays.get(pid, now) for pid in children if pid not in self._running}
        for pid, since in self._strays.items():
            if now > since + self._limit_s:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.waitpid(pid, os.WNOHANG)


def children_of_this() -> list[int]:
    """Process ids of all children of this process, adopted ones too."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:
            return [int(pid) for pid in listed.read().split()]
    except OSError:
        return []


def kill_group(pid: int) -> None:
    """End a program with everything in its process group."""
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def outcome(code: int) -> str:
    """What an exit code says; empty where all is well."""
    return "" if code == 0 else f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def main() -> None:
    """Run programs until the recorder has gone and nothing runs any more."""
    stand_back()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    channel = socket.socket(fileno=0)
    channel.set_inheritable(False)

    def answer(number: int, text: str) -> None:
        with contextlib.suppress(OSError):
            channel.send(json.dumps({"id": number, "outcome": text}).encode(), socket.MSG_DONTWAIT)

    programs, alive = Programs(answer), True
    while alive or programs:
        wait_s = _LOOK_S if programs else None
        if alive and select.select([channel], [], [], wait_s)[0]:
            data = channel.recv(MOST_BYTES)
            alive = bool(data)
            if data:
                programs.start(json.loads(data))
        elif not alive:
            time.sleep(_LOOK_S)
        programs.look()


if __name__ == "__main__":
    main()
