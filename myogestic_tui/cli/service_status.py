"""How the service is: what systemd knows of it, and who has its sessions folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..session.format.account import user_name
from ..session.format.lock import recorder_of
from . import systemctl
from .serve import HELD
from .systemd_unit import UNIT, sessions_of

if TYPE_CHECKING:
    from pathlib import Path

    from ..session.format.lock import Holder


@dataclass
class ServiceState:
    """What `service status` prints."""

    path: Path
    installed: bool = False
    ours: bool = False
    sessions: Path | None = None
    trouble: str = ""
    """Why systemd cannot be asked."""
    known: dict[str, str] = field(default_factory=dict)
    """As ``systemctl show`` has it."""
    linger: bool = False
    holder: Holder | None = None

    @property
    def state(self) -> str:
        """One word for it."""
        if self.trouble:
            return "unknown"
        return self.known.get("ActiveState", "unknown") if self.installed else "not installed"

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.state == "active"

    def facts(self) -> dict[str, Any]:
        """What ``--json`` prints of it."""
        number = {key: int(text) for key, text in self.known.items() if text.isdecimal()}
        return {
            "state": self.state,
            "installed": self.installed,
            "path": str(self.path),
            "sessions": None if self.sessions is None else str(self.sessions),
            "enabled": self.known.get("UnitFileState") == "enabled",
            "linger": self.linger,
            "pid": number.get("MainPID") or None,
            "restarts": number.get("NRestarts"),
            "result": self.known.get("Result") or None,
            "recorder": None if self.holder is None else {"pid": self.holder.pid, "name": self.holder.name},
            "advice": self.advice(),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        number = self.facts()
        rows = [
            ("unit", f"{self.path}{'' if self.installed else ' (not there)'}"),
            ("sessions", self.sessions),
            ("recorder", self.holder or ("none" if self.sessions is not None else None)),
            ("restarts", number["restarts"] or None),
            ("linger", ("yes" if self.linger else "no: it ends with the last login") if self.installed else None),
        ]
        lines = [f"{UNIT}: {self.state}", *(f"  {name:<10}{value}" for name, value in rows if value is not None)]
        return [*lines, *(f"  · {one}" for one in self.advice())]

    def advice(self) -> list[str]:
        """What is wrong, and what to do."""
        if self.trouble:
            return [self.trouble]
        if not self.installed:
            return ["`myogestic-tui service install` writes and starts it"]
        found = []
        if not self.ours:
            found.append("the unit was not written by `myogestic-tui service install`")
        if not self.runs and self.known.get("ExecMainStatus") == str(HELD):
            found.append(
                "another recorder had the sessions folder, so systemd does not start this one again: "
                f"end the other, then `systemctl --user start {UNIT}`"
            )
        elif self.known.get("Result") == "start-limit-hit":
            found.append(
                "it failed again and again, so systemd does not start it any more: "
                f"`myogestic-tui service logs` shows why; then `systemctl --user reset-failed {UNIT}` "
                f"and `systemctl --user start {UNIT}`"
            )
        elif not self.runs:
            found.append(f"`myogestic-tui service logs` tells why; `systemctl --user start {UNIT}` starts it")
        if not self.linger:
            found.append(f"`sudo loginctl enable-linger {user_name()}` keeps it running without a login")
        return found


def read_state() -> ServiceState:
    """How it is now; changes nothing."""
    found = ServiceState(systemctl.unit_path(), linger=systemctl.lingers())
    try:
        text = found.path.read_text("utf-8", "replace")
        found.installed, found.sessions = True, sessions_of(text)
        found.ours = found.sessions is not None
    except OSError:
        pass
    if found.sessions is not None:
        found.holder = recorder_of(found.sessions)
    try:
        found.known = systemctl.show()
    except systemctl.NoSystemdError as error:
        found.trouble = str(error)
    return found
