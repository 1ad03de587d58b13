"""The text of the systemd user unit that runs the recorder of a sessions folder."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

from ..errors import ConfigError, DiskError
from .serve import HELD

UNIT = "myogestic.service"
WRITTEN_BY = "# Written by `myogestic-tui service install`; `myogestic-tui service remove` removes it."
_SESSIONS = "# Sessions folder: "
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
_TEMPLATE = """\
{written_by}
{sessions_line}

[Unit]
Description=Recorder of {described} (myogestic-tui)
# Killed so often within 5 minutes it stays ended: `myogestic-tui service status` says so.
StartLimitIntervalSec=300
StartLimitBurst=8

[Service]
Type=notify
WorkingDirectory=/
{environment}ExecStart=:{command}
Restart=on-failure
RestartSec=500ms
# A wrong command line or configuration, and a folder that another recorder has, stay wrong.
RestartPreventExitStatus=2 {held}
WatchdogSec=30
# The recorder gets SIGTERM and stops its own children; it needs this long at most.
KillMode=mixed
TimeoutStopSec=90
# When memory runs out, its jobs are ended first, and that does not end the recorder.
OOMPolicy=continue
OOMScoreAdjust=-500

[Install]
WantedBy=default.target
"""


def unit_text(program: list[str], sessions: Path, config: Path | None = None, mount: Path | None = None) -> str:
    """Write the unit: what it runs, on which folder, with which configuration, once which file system is mounted.

    Raises
    ------
    ConfigError
        A path holds what a unit file cannot.
    """
    # systemd takes no program with a quote or a backslash in its path; env does.
    through = ["/usr/bin/env"] if any(letter in program[0] for letter in "\"'\\") else []
    command = [*through, *program, "--sessions", str(sessions)]
    command += [] if config is None else ["--config", str(config)]
    command += ["serve", *([] if mount is None else ["--wait-for-mount", str(mount)])]
    lsl = os.environ.get("LSLAPICFG", "")
    setting = f"LSLAPICFG={os.path.abspath(os.path.expanduser(lsl))}"
    return _TEMPLATE.format(
        written_by=WRITTEN_BY,
        sessions_line=f"{_SESSIONS}{_writable(str(sessions))}",
        described=_writable(str(sessions)).replace("%", "%%"),
        environment=f"Environment={quoted(setting)}\n" if lsl else "",
        command=" ".join(quoted(word) for word in command),
        held=HELD,
    )


def sessions_of(text: str) -> Path | None:
    """The sessions folder of a unit that this program wrote; None of any other."""
    if not text.startswith(WRITTEN_BY):
        return None
    lines = [line for line in text.splitlines() if line.startswith(_SESSIONS)]
    return Path(lines[0].removeprefix(_SESSIONS)) if lines else None


def quoted(word: str) -> str:
    r"""One word of a command or setting, by the rules of systemd.syntax(7) and systemd.unit(5).

    A word that is not plain stands in double quotes, where ``\`` and ``"`` are escaped; ``%`` is doubled, since it
    begins a specifier. ``$`` stays: the command is prefixed with ``:``, so that no variable is put in.

    Raises
    ------
    ConfigError
        It cannot be written down.
    """
    escaped = _writable(word).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return word if _PLAIN.fullmatch(word) else f'"{escaped}"'


def _writable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{text!a} is not UTF-8, which a systemd unit has to be; rename it") from error
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ConfigError(f"{text!a} holds a control character, which a systemd unit cannot; rename it")
    return text


def own_program() -> list[str]:
    """The words that start this program from anywhere: the command of the environment that runs it now."""
    places = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    for place in places:
        command = place / "myogestic-tui"
        if os.access(command, os.X_OK) and command.is_file():
            return [str(command.absolute())]
    called = shutil.which(sys.argv[0])
    if called is not None and Path(called).name == "myogestic-tui":
        return [os.path.realpath(called)]
    return [os.path.abspath(sys.executable), "-P", "-m", "myogestic_tui"]


def is_for_once(program: list[str]) -> bool:
    """Whether the environment is one that uvx or pipx made for one run, and removes again."""
    return ".cache" in Path(program[0]).parts


def mount_of(folder: Path, fstab: str = "/etc/fstab") -> Path | None:
    """Where the file system of a folder is mounted; None for that of the root.

    Raises
    ------
    DiskError
        A disk that ``/etc/fstab`` has there is not mounted.
    """
    where = Path(os.path.realpath(folder))
    for unmounted in _in_fstab(fstab):
        if unmounted in (where, *where.parents) and not os.path.ismount(unmounted):
            raise DiskError(f"the disk of {unmounted} is not mounted; run `sudo mount {unmounted}`, then this again")
    found = next(place for place in (where, *where.parents) if os.path.ismount(place))
    return None if found == Path("/") else found


def _in_fstab(path: str) -> list[Path]:
    """Mount points of the table, the root's left out."""
    try:
        lines = Path(path).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    fields = [line.split() for line in lines if not line.lstrip().startswith("#")]
    points = [_unescaped(one[1]) for one in fields if len(one) >= 2]
    return [Path(point) for point in points if point.startswith("/") and point != "/"]


def _unescaped(text: str) -> str:
    r"""``\040`` is a blank in fstab and in mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def file_system(mount: Path) -> str:
    """Type of the file system that is mounted there (``ext4``), as the kernel has it; empty where it does not say."""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    types = [line.partition(" - ")[2].split()[0] for line in lines if _unescaped(line.split()[4]) == str(mount)]
    return types[-1] if types else ""
