"""Input devices of Linux (pedals, gamepads, button boxes), found and opened by python-evdev (extra ``[inputs]``)."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..errors import ConfigError
from ..extras import needed

if TYPE_CHECKING:
    from collections.abc import Iterable

EV_KEY, EV_SYN, SYN_DROPPED = 1, 0, 3
RELEASED, PRESSED = 0, 1
_SET_CLOCK = 0x400445A0
"""``EVIOCSCLOCKID``: which clock the kernel stamps events by."""
_WHAT = "`[[inputs]]`"
JOIN_GROUP = "sudo usermod -aG input $USER, then log in again (reboot, where the recorder is a service)"
"""What lets a user open input devices."""


class Event(Protocol):
    """One event, as evdev has it."""

    type: int
    code: int
    value: int

    def timestamp(self) -> float:
        """When the kernel saw it, in seconds."""
        ...


class Device(Protocol):
    """An open input device."""

    name: str

    def fileno(self) -> int:
        """What to wait on."""
        ...

    def read(self) -> Iterable[Event]:
        """The events that wait; OSError where the device is gone."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Listed(NamedTuple):
    """A device that is there; ``error`` is why it cannot be opened, ``forbidden`` where its user may not."""

    path: str
    name: str
    keys: tuple[str, ...]
    error: str = ""
    forbidden: bool = False


def is_forbidden(error: OSError) -> bool:
    """Whether a device cannot be opened because its user may not."""
    return error.errno in (errno.EACCES, errno.EPERM)


def open_trouble(error: OSError) -> str:
    """Why a device cannot be opened, and what to do where it is there."""
    why = error.strerror or str(error)
    if is_forbidden(error):
        return f"may not be opened: {why}; {JOIN_GROUP}"
    return f"is grabbed by another program: {why}" if error.errno == errno.EBUSY else f"is not there: {why}"


def key_code(name: str) -> int:
    """The kernel's number of a key such as ``KEY_B``; ConfigError where there is none, or evdev is missing."""
    codes = needed("evdev", "inputs", _WHAT).ecodes.ecodes
    if name not in codes:
        raise ConfigError(f"no key is called {name!r}; `myogestic-tui inputs learn` tells the name of one")
    return int(codes[name])


def key_name(code: int) -> str:
    """The name of a key's number."""
    name = needed("evdev", "inputs", _WHAT).ecodes.keys.get(code, f"KEY_{code}")
    return str(name if isinstance(name, str) else name[0])


def list_inputs(folder: str = "/dev/input") -> list[Listed]:
    """The devices that have keys, by path; those that may not be opened with the reason."""
    evdev = needed("evdev", "inputs", _WHAT)
    found = []
    for path in sorted(Path(folder).glob("event*"), key=lambda one: (len(one.name), one.name)):
        try:
            device = evdev.InputDevice(str(path))
        except OSError as error:
            why = error.strerror or str(error)
            found.append(Listed(str(path), _name_by_sysfs(path), (), why, is_forbidden(error)))
            continue
        try:
            keys = tuple(key_name(code) for code in device.capabilities().get(EV_KEY, ()))
        finally:
            device.close()
        if keys:
            found.append(Listed(str(path), device.name, keys))
    return found


def _name_by_sysfs(path: Path) -> str:
    """What a device is called that may not be opened."""
    try:
        return Path("/sys/class/input", path.name, "device/name").read_text().strip()
    except OSError:
        return ""


def open_input(wanted: str, *, grab: bool) -> Device:
    """Open a device by its name or path; its events are stamped by the monotonic clock.

    Raises
    ------
    OSError
        It is not there, may not be opened, or somebody else has grabbed it.
    ConfigError
        evdev is not installed.
    """
    evdev = needed("evdev", "inputs", _WHAT)
    device = evdev.InputDevice(_path_of(wanted))
    try:
        fcntl.ioctl(device.fd, _SET_CLOCK, struct.pack("i", time.CLOCK_MONOTONIC))
        if grab:
            device.grab()
    except OSError:
        device.close()
        raise
    opened: Device = device
    return opened


def _path_of(wanted: str) -> str:
    if wanted.startswith("/"):
        return wanted
    found = [one for one in list_inputs() if one.name == wanted]
    if not found:
        raise FileNotFoundError(2, os.strerror(2), wanted)
    return found[0].path


def udev_rule(name: str) -> str:
    """The rule that lets whoever is in the group ``input`` open a device."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'SUBSYSTEM=="input", ATTRS{{name}}=="{quoted}", GROUP="input", MODE="0660"'
