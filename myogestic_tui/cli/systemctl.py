"""Calls to systemd, which may not be there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import platformdirs

from ..errors import ControlError
from ..session.format.account import user_name
from .systemd_unit import UNIT

_SECONDS = 120.0
"""How long a call may take: a recorder that stops has 90."""
_SHOWN = ("LoadState", "ActiveState", "SubState", "MainPID", "NRestarts", "Result", "ExecMainStatus", "UnitFileState")


class NoSystemdError(ControlError):
    """There is no systemd here, or none that this user can reach."""


def unit_path() -> Path:
    """Where the unit file of this user is, or would be."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(config, "systemd", "user", UNIT)


def require_manager() -> None:
    """See that the user's systemd can be reached.

    Raises
    ------
    NoSystemdError
        It cannot, and why.
    """
    if shutil.which("systemctl") is None:
        raise NoSystemdError("there is no systemd here (no systemctl); start `myogestic-tui serve` some other way")
    done = run("systemctl", "--user", "show-environment")
    if done.returncode == 0:
        return
    if not Path("/run/systemd/system").exists():
        raise NoSystemdError(
            "this machine was not started with systemd (a container?); start `myogestic-tui serve` some other way"
        )
    user = user_name()
    raise NoSystemdError(
        f"the systemd of {user} cannot be reached ({done.stderr.strip() or 'no answer'}); log in as {user} itself, "
        f"by ssh or at the console, not with su or sudo, or run `sudo loginctl enable-linger {user}` and log in again"
    )


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Its output is text; one that hangs or is not there has failed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def systemctl(*words: str) -> None:
    """Have the user's systemd do something.

    Raises
    ------
    ControlError
        It failed; the message is systemd's own.
    """
    done = run("systemctl", "--user", *words)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        raise ControlError(f"systemctl --user {' '.join(words)}: {said}")


def show() -> dict[str, str]:
    """What systemd knows of the service, by systemd's names. Raises NoSystemdError."""
    require_manager()
    done = run("systemctl", "--user", "show", UNIT, "--property", ",".join(_SHOWN))
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def lingers() -> bool:
    """Whether the user's services run without a login."""
    return Path("/var/lib/systemd/linger", user_name()).exists()


def complaints(text: str) -> list[str]:
    """What ``systemd-analyze verify`` finds wrong with a unit; nothing where there is none of it."""
    if shutil.which("systemd-analyze") is None:
        return []
    with tempfile.TemporaryDirectory(prefix="myogestic-unit-") as folder:
        file = Path(folder, UNIT)
        file.write_text(text, "utf-8")
        # Without a run-time folder it looks at nothing: a user who is not logged in has none.
        runtime = os.environ.get("XDG_RUNTIME_DIR") or folder
        done = run("env", f"XDG_RUNTIME_DIR={runtime}", "systemd-analyze", "--user", "verify", str(file))
    return [line for line in done.stderr.splitlines() if UNIT in line]


def require_journal() -> str:
    """The program that reads the journal.

    Raises
    ------
    NoSystemdError
        There is none, or no systemd that would write one.
    """
    program = shutil.which("journalctl")
    if program is None or not Path("/run/systemd/journal").exists():
        logs = Path(platformdirs.user_state_dir("myogestic_tui"), "log")
        raise NoSystemdError(
            f"there is no journal here: no service runs; a recorder that a viewer started logs to {logs}"
        )
    return program
