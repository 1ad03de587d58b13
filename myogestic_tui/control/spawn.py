"""Finding the recorder of a sessions folder, or starting one that outlives whoever started it."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ControlError, NotAllowedError, RecorderGoneError
from ..session.format.account import user_name
from ..session.format.lock import recorder_of
from ..session.library.priority import score_before
from . import address
from .client import RecorderClient
from .logfile import log_path, tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.format.lock import Holder

RECORDER_NAME = "myogestic-tui-recorder"
"""What a recorder that a viewer started calls itself."""
START_SECONDS = 20.0
"""For a recorder to bind its socket, on a slow machine under load."""
END_SECONDS = 60.0
"""For a recorder that is ending to let go of its folder."""
_LOOK_SECONDS = 0.05
_READY_FD = 3


def find_recorder(sessions_dir: str | os.PathLike[str]) -> Path | None:
    """The socket of the recorder that runs on a sessions folder; None where none does.

    Raises
    ------
    RecorderGoneError
        Something holds the folder that has no socket (an `App` in a script); the message names it.
    """
    holder = _settled(Path(sessions_dir))
    if holder is None:
        return None
    if not holder.socket:
        raise RecorderGoneError(f"{sessions_dir} is held by {holder}, which nobody can attach to; stop it first")
    return Path(holder.socket)


def _settled(sessions_dir: Path, patience: float = 2.0) -> Holder | None:
    """The holder of the folder's lock; between taking it and binding the socket it gets a moment."""
    until = time.monotonic() + patience
    while (holder := recorder_of(sessions_dir)) is not None and not holder.socket and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    return holder


def locate(sessions_dir: Path) -> Path:
    """As `find_recorder`, but raises `RecorderGoneError` where there is none; clients ask it when they reconnect."""
    path = find_recorder(sessions_dir)
    if path is None:
        raise RecorderGoneError(f"no recorder runs on {sessions_dir}; start one with `myogestic-tui serve`")
    return path


def _is_there(sessions_dir: Path) -> bool:
    """True where a recorder answers; one that is just ending (it takes nobody new) is waited for."""
    until = time.monotonic() + END_SECONDS
    while (path := find_recorder(sessions_dir)) is not None and not address.answers(path):
        holder = recorder_of(sessions_dir)
        if holder is not None and holder.user not in ("", user_name()):
            raise NotAllowedError(
                f"the recorder of {sessions_dir} is {holder}; only {holder.user} can drive it: log in as {holder.user}"
            )
        if time.monotonic() > until:
            raise RecorderGoneError(f"the recorder of {sessions_dir} does not answer and does not end; look at its log")
        time.sleep(_LOOK_SECONDS)
    return path is not None


def attach(
    sessions_dir: str | os.PathLike[str],
    *,
    config_file: Path | None = None,
    start: bool = True,
    program: str = "tui",
    idle_s: float | None = None,
    on_update: Callable[[], object] = lambda: None,
) -> RecorderClient:
    """Attach to the recorder of a sessions folder, starting one where none runs.

    Parameters
    ----------
    sessions_dir
        The folder.
    config_file
        For a recorder that is started; one that runs keeps its own.
    start
        False: only attach.
    program
        What the recorder's log calls this program.
    idle_s
        Seconds without need after which a started recorder ends itself; None is its own default.
    on_update
        See `RecorderClient`.

    Raises
    ------
    RecorderGoneError
        None runs and none is to be started, or it did not start; the message holds the reason, or the log's end.
    ProtocolVersionError, NotAllowedError
        It refuses this program.
    """
    folder = Path(sessions_dir).resolve()
    if not _is_there(folder) and start:
        start_recorder(folder, config_file, idle_s=idle_s)
    return RecorderClient(lambda: locate(folder), program=program, on_update=on_update)


def attach_again(
    client: RecorderClient, sessions_dir: str | os.PathLike[str], *, config_file: Path | None = None
) -> None:
    """After the recorder of ``client`` was gone: attach it to the one that runs now, starting one where none does.

    Raises
    ------
    RecorderGoneError, ProtocolVersionError, NotAllowedError
        As `attach`.
    """
    folder = Path(sessions_dir).resolve()
    if not _is_there(folder):
        start_recorder(folder, config_file)
    client.reconnect()


def start_recorder(sessions_dir: Path, config_file: Path | None = None, *, idle_s: float | None = None) -> int:
    """Start a recorder in a session and process group of its own, wait until it can be attached to; return its pid.

    Raises
    ------
    RecorderGoneError
        It ended, or did not get that far in time. Another recorder that was faster is no error.
    """
    log = log_path(sessions_dir)
    ours, theirs = os.pipe()
    try:
        pid = _launch(_command(sessions_dir, config_file, idle_s), theirs)
    finally:
        os.close(theirs)
    try:
        said = _first_line(ours)
    finally:
        os.close(ours)
    if said != "ready" and recorder_of(sessions_dir) is None:
        reason = said or f"its log ends with\n{tail(log)}"
        raise RecorderGoneError(f"the recorder did not start: {reason}\n(log: {log})")
    return pid


def _command(sessions_dir: Path, config_file: Path | None, idle_s: float | None) -> list[str]:
    command = [sys.executable, "-P", "-m", "myogestic_tui.control.process", "--sessions", str(sessions_dir)]
    command += ["--ready-fd", str(_READY_FD)]
    if config_file is not None:
        command += ["--config", str(config_file.resolve())]
    if idle_s is not None:
        command += ["--idle", str(idle_s)]
    if (score := score_before()) is not None:  # a viewer's: memory that runs out must not end its recorder first
        command += ["--oom-score", str(score)]
    return command


def _launch(command: list[str], ready: int) -> int:
    """Start a process that no terminal, signal group or pipe ties to this one; a thread reaps it."""
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_DUP2, ready, _READY_FD),
    ]
    try:
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True, setsigmask=())
    except OSError as error:
        raise ControlError(f"cannot start a recorder: {error.strerror}: {command[0]}") from error
    threading.Thread(target=_reap, args=(pid,), name=f"reap-{pid}", daemon=True).start()
    return pid


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _first_line(descriptor: int) -> str:
    """What the process says first: ready, or why not; empty where it says nothing in time, or ends."""
    said = b""
    until = time.monotonic() + START_SECONDS
    while b"\n" not in said:
        left = until - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            break
        chunk = os.read(descriptor, 4096)
        if not chunk:
            break
        said += chunk
    return said.decode("utf-8", "replace").strip()
