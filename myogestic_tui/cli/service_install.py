"""Installing and removing the service: what is to be done, and doing it."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import CONFIG_FILE
from ..errors import ControlError, DiskError
from ..session.format.account import user_name
from ..session.format.json_files import replace_file
from ..session.format.layout import is_session_folder
from ..session.format.lock import recorder_of
from . import systemctl
from .systemd_unit import UNIT, file_system, is_for_once, mount_of, own_program, sessions_of, unit_text
from .writable import probe_folder

if TYPE_CHECKING:
    from .settings import Settings

_NO_JOURNAL = ("vfat", "exfat", "msdos", "fuseblk", "ntfs", "ntfs3", "ext2")
_IN_MEMORY = ("tmpfs", "ramfs")


@dataclass
class Step:
    """One thing that is done, or that is left to the person."""

    text: str
    command: str = ""
    done: bool = False
    by_hand: bool = False
    """Needs rights that this program does not have."""


@dataclass
class Installation:
    """What `install` would write and do."""

    text: str
    program: list[str]
    sessions: Path
    config: Path | None
    mount: Path | None
    path: Path = field(default_factory=systemctl.unit_path)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, settings: Settings) -> Installation:
        """Look at the environment, the folder and the configuration; changes nothing.

        Raises
        ------
        ConfigError
            The configuration cannot be used, or a path cannot be written into a unit.
        ControlError
            It was called with sudo.
        DiskError
            The sessions folder cannot be written, or its disk is not mounted.
        """
        if os.geteuid() == 0 and (user := os.environ.get("SUDO_USER")):
            raise ControlError(f"run it without sudo: the service is to be one of {user}, not of root")
        _ = settings.config  # a mistake in it is one now, not when the service starts
        sessions = Path(os.path.abspath(settings.sessions_dir))
        config = _config_file(settings)
        program = own_program()
        mount = mount_of(sessions)
        _check_writable(sessions)
        text = unit_text(program, sessions, config, mount)
        return cls(text, program, sessions, config, mount, warnings=_warnings(program, sessions, config))

    def facts(self) -> dict[str, Any]:
        """What ``--json`` prints of it."""
        return {
            "path": str(self.path),
            "program": self.program,
            "sessions": str(self.sessions),
            "config": None if self.config is None else str(self.config),
            "mount": None if self.mount is None else str(self.mount),
            "linger": systemctl.lingers(),
            "warnings": self.warnings,
        }

    def steps(self, *, force: bool) -> list[Step]:
        """What is to be done, in order.

        Raises
        ------
        ControlError
            Another unit is there, and ``force`` is not given.
        """
        there = self._there()
        if there is not None and there != self.text and not force:
            changes = "\n".join(
                difflib.unified_diff(there.splitlines(), self.text.splitlines(), "there", "new", lineterm="", n=1)
            )
            raise ControlError(f"{self.path} is there with another content; --force replaces it\n{changes}")
        steps = []
        if not self.sessions.is_dir():
            steps.append(Step(f"create the sessions folder {self.sessions}"))
        if there != self.text:
            steps.append(Step(f"write {self.path}"))
        steps.append(Step("have systemd read it", "systemctl --user daemon-reload"))
        steps.append(Step("start it, now and with the machine", f"systemctl --user enable --now {UNIT}"))
        if not systemctl.lingers():
            command = f"sudo loginctl enable-linger {user_name()}"
            steps.append(Step("run this once, or the service ends with your last login", command, by_hand=True))
        return steps

    def _there(self) -> str | None:
        if self.path.is_symlink():
            raise ControlError(f"{self.path} is a link to {os.readlink(self.path)}; remove it first")
        try:
            return self.path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DiskError(f"cannot read {self.path}: {error.strerror}") from error

    def apply(self, steps: list[Step]) -> None:
        """Do the steps, and mark those that are done.

        Raises
        ------
        NoSystemdError
            There is no systemd that could be told; nothing was changed.
        ControlError
            ``systemd-analyze`` refuses the unit, and nothing was changed; or a step failed.
        DiskError
            The folder or the unit cannot be written.
        """
        systemctl.require_manager()
        probe_folder(self.sessions)
        if complaints := systemctl.complaints(self.text):
            raise ControlError("systemd-analyze refuses the unit: " + "; ".join(complaints))
        there = self._there()
        if there != self.text:
            self._write()
        systemctl.systemctl("daemon-reload")
        if there not in (None, self.text) and systemctl.show().get("ActiveState") == "active":
            self.warnings.append(f"it still runs as it was: `systemctl --user restart {UNIT}` when nothing is recorded")
        self._start()
        for step in steps:
            step.done = not step.by_hand

    def _write(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, self.text.encode())
        except OSError as error:
            raise DiskError(f"cannot write {self.path}: {error.strerror}") from error

    def _start(self) -> None:
        try:
            systemctl.systemctl("enable", "--now", UNIT)
        except ControlError as error:
            holder = recorder_of(self.sessions)
            held = f"; {holder} has the sessions folder: end it, then start the service" if holder is not None else ""
            raise ControlError(f"{error}{held}; `myogestic-tui service logs` tells more") from error


def _config_file(settings: Settings) -> Path | None:
    """The configuration that this command was given, or found where it was started."""
    if settings.config_file is not None:
        return Path(os.path.abspath(settings.config_file))
    found = Path(os.path.abspath(CONFIG_FILE))
    return found if found.exists() else None


def _check_writable(sessions: Path) -> None:
    """See that the folder can be written, or made; by asking alone. Raises DiskError."""
    if is_session_folder(sessions):
        raise DiskError(f"{sessions} is a session itself; give the folder that it is in")
    nearest = next(place for place in (sessions, *sessions.parents) if os.path.lexists(place))
    if not nearest.is_dir():
        raise DiskError(f"{nearest} is no folder; choose another with --sessions")
    if not os.access(nearest, os.W_OK | os.X_OK):
        remedy = f"`sudo chown {user_name()} {nearest}` gives it to you, or choose another with --sessions"
        raise DiskError(f"cannot write into {nearest}; {remedy}")


def _warnings(program: list[str], sessions: Path, config: Path | None) -> list[str]:
    found = []
    if is_for_once(program):
        found.append(f"{program[0]} is in a cache that may be emptied; install myogestic_tui in a place of its own")
    nearest = next(place for place in (sessions, *sessions.parents) if place.is_dir())
    kind = file_system(mount_of(nearest) or Path("/"))
    if kind in _IN_MEMORY:
        found.append(f"{sessions} is in memory ({kind}): sessions are gone after a restart")
    if kind in _NO_JOURNAL:
        found.append(f"{sessions} is on {kind}, which a power cut may damage; use a disk with ext4, xfs or btrfs")
    if config is None:
        found.append(
            f"no {CONFIG_FILE} here: it expects no streams; `myogestic-tui init` writes one, then install again"
        )
    return found


def remove_service(*, force: bool) -> list[Step]:
    """Stop the service and remove its unit; no data is touched.

    Raises
    ------
    ControlError
        There is no unit, or systemd cannot stop it; without ``force``: somebody else wrote it, or it is recording.
    DiskError
        The file cannot be removed.
    """
    path = systemctl.unit_path()
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        raise ControlError(f"there is no service to be removed: {path} is not there") from None
    except OSError as error:
        raise DiskError(f"cannot read {path}: {error.strerror}") from error
    sessions = sessions_of(text)
    if sessions is None and not force:
        raise ControlError(f"{path} was not written by `myogestic-tui service install`; --force removes it")
    steps = [*_stop(sessions, force=force), Step(f"removed {path}", done=True)]
    wanted = path.parent / "default.target.wants" / UNIT
    try:
        wanted.unlink(missing_ok=True)
        path.unlink()
    except OSError as error:
        raise DiskError(f"cannot remove {path}: {error.strerror}") from error
    if steps[0].done:
        systemctl.systemctl("daemon-reload")
    if sessions is not None:
        steps.append(Step(f"sessions stay in {sessions}", done=True))
    if systemctl.lingers():
        command = f"sudo loginctl disable-linger {user_name()}"
        steps.append(Step("if nothing else of yours is to run without a login", command, by_hand=True))
    return steps


def _stop(sessions: Path | None, *, force: bool) -> list[Step]:
    try:
        systemctl.require_manager()
    except systemctl.NoSystemdError as error:
        return [Step(f"not stopped: {error}")]
    if (
        not force
        and sessions is not None
        and systemctl.show().get("ActiveState") == "active"
        and is_recording(sessions)
    ):
        raise ControlError("the service is recording; `myogestic-tui ctl stop` first, or --force stops and saves it")
    systemctl.systemctl("disable", "--now", UNIT)
    return [Step("stopped", f"systemctl --user disable --now {UNIT}", done=True)]


def is_recording(sessions: Path) -> bool:
    """Whether the recorder of a folder is recording now; False where it does not answer."""
    from ..control import attach

    try:
        with attach(sessions, start=False, program="service") as client:
            status = client.wait_for(lambda status: bool(status.pid), 10.0)
            return status is not None and status.state == "recording"
    except ControlError:
        return False
