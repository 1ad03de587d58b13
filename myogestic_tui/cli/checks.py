"""What `doctor` looks at. Each check yields what it found; one that breaks is a finding, too."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from .. import __version__
from ..clock import local_clock
from ..errors import MyoGesticError
from ..info import StreamInfo
from ..limits import check_memory_limit
from .output import size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..sources.discovery import Seen
    from .options import Settings

State = Literal["ok", "warning", "bad"]
GLYPHS: dict[State, str] = {"ok": "●", "warning": "▲", "bad": "✗"}

_PROBE_NAME = "myogestic_tui doctor"
_PROBE_BYTES = 16_000_000
_WRITTEN_PER_RECORDED = 3.1
"""Bytes that reach the disk for each byte recorded, packing included."""
_RESOLVE_SECONDS = 6.0
_PORTS = "UDP 16571 and TCP+UDP 16572-16604"
_OLDEST_YEAR = 2025
_IFF_UP = 1


_NEEDED = {"config", "LSL", "multicast", "disk"}
"""Subjects that recording relies on: where the system refuses to tell about another one, nothing is broken."""


class Check(Struct, frozen=True, omit_defaults=True):
    """One finding. ``bad`` means that recording would not work."""

    subject: str
    state: State
    text: str
    fix: str = ""


def run_checks(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Iterator[Check]:
    """All checks, in an order in which each may rely on the one before. ``say`` hears what is being looked at."""
    checks: list[tuple[str, Callable[[Settings], Iterable[Check]]]] = [
        ("program", _program),
        ("limits", _limits),
        ("config", _config),
        ("LSL", _lsl),
        ("multicast", _multicast),
        ("network", _network),
        ("peers", _peers),
        ("firewall", _firewall),
        ("clock", _clock),
        ("disk", _disk),
        ("memory", _memory),
        ("sessions", _sessions),
        ("terminal", _terminal),
    ]
    for subject, check in checks:
        say(f"looking at {subject}")
        try:
            yield from check(settings)
        except OSError as error:
            if subject in _NEEDED:
                yield Check(subject, "bad", str(error))
            else:
                text = f"cannot be looked at here: {error.strerror or error}"
                yield Check(subject, "warning", text, "recording does not need this; look at it by hand")
        except MyoGesticError as error:
            yield Check(subject, "bad", str(error))
            if subject in ("config", "limits"):
                return


def _program(_: Settings) -> Iterable[Check]:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Check("program", "ok", f"myogestic_tui {__version__}, {python}")
    try:
        import zarrs  # noqa: F401
    except ImportError:
        return
    yield Check("zarr", "ok", "the zarrs codec pipeline is used for recording")


def _limits(_: Settings) -> Iterable[Check]:
    check_memory_limit()
    return ()


def _config(settings: Settings) -> Iterable[Check]:
    from ..app.setup import apply_lsl

    apply_lsl(settings.config.lsl)
    named = settings.config_file or "myogestic.toml"
    yield Check("config", "ok", f"{named} is valid" if Path(named).exists() else "no myogestic.toml; the defaults hold")


# ---------------------------------------------------------------- LSL and the network


def _lsl(_: Settings) -> Iterable[Check]:
    from ..sources.adapter import library_path, library_version

    yield Check("LSL", "ok", f"liblsl {library_version()} in {library_path()}")


def _multicast(settings: Settings) -> Iterable[Check]:
    """An outlet of our own has to be found by a real resolve."""
    from ..sources import Outlet
    from ..sources.discovery import discovery

    outlet = Outlet(f"{_PROBE_NAME} {uuid.uuid4().hex[:8]}", StreamInfo(1, 0.0, "int8"))
    began = time.monotonic()
    found = discovery().wait_for(lambda seen: seen.uid == outlet.uid, _RESOLVE_SECONDS)
    took = time.monotonic() - began
    outlet.close()
    if found:
        yield Check("multicast", "ok", f"an outlet on this machine was found in {took:.1f} s")
        yield from _streams(settings)
    else:
        fix = f"allow {_PORTS} on the loopback and the LAN; a VPN may swallow multicast: try without"
        yield Check("multicast", "bad", f"an outlet on this machine was not found in {_RESOLVE_SECONDS:g} s", fix)


def _streams(settings: Settings) -> Iterable[Check]:
    seen = _present()
    if seen:
        yield Check("streams", "ok", "; ".join(one.describe() for one in seen))
    else:
        fix = "start the device's LSL program in the same network; or try `myogestic-tui generate`"
        yield Check("streams", "warning", "no stream on the network", fix)
    names = {one.name for one in seen}
    for stream in settings.config.streams:
        if stream.required and stream.name and stream.name not in names:
            fix = "start it, or take `required` out of the configuration"
            yield Check("streams", "warning", f"{stream.name} is required by the configuration and not there", fix)


def _present() -> list[Seen]:
    from ..sources.discovery import discovery

    everything = discovery().wait_for(lambda _: True, 2.0, settle=True)
    return [one for one in everything if not one.name.startswith(_PROBE_NAME)]


def _network(_: Settings) -> Iterable[Check]:
    import psutil

    up = [
        f"{name} {address.address}"
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if address.family == socket.AF_INET and not address.address.startswith("127.") and _is_up(name)
    ]
    if up:
        yield Check("network", "ok", ", ".join(up))
    else:
        yield Check("network", "warning", "only the loopback is up", "plug in the network that the devices are in")


def _is_up(interface: str) -> bool:
    """By sysfs, since containers may refuse the ioctl; an interface that has an address and tells nothing is up."""
    try:
        return bool(int(Path(f"/sys/class/net/{interface}/flags").read_text(), 16) & _IFF_UP)
    except (OSError, ValueError):
        return True


def _peers(settings: Settings) -> Iterable[Check]:
    for peer in settings.config.lsl.known_peers:
        try:
            address = socket.getaddrinfo(peer, None, socket.AF_INET)[0][4][0]
        except OSError as error:
            yield Check(
                "peers",
                "warning",
                f"{peer}: {error.strerror}",
                "mend its name under [lsl] known_peers, or give its address",
            )
        else:
            yield Check("peers", "ok", f"{peer} is {address}")


def _firewall(_: Settings) -> Iterable[Check]:
    active = [name for name, asks in _FIREWALLS.items() if asks()]
    if active:
        fix = f"streams of other machines need {_PORTS} open"
        yield Check("firewall", "warning", f"{' and '.join(active)} is active", fix)
    else:
        yield Check("firewall", "ok", f"neither {' nor '.join(_FIREWALLS)} is active here")


def _ufw_is_on() -> bool:
    path = Path("/etc/ufw/ufw.conf")
    return path.is_file() and "ENABLED=yes" in path.read_text("utf-8", "replace")


def _answer(*command: str) -> str:
    """What a small program prints; empty where it is not there or fails."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


_FIREWALLS: dict[str, Callable[[], bool]] = {
    "ufw": _ufw_is_on,
    "firewalld": lambda: _answer("firewall-cmd", "--state") == "running",
}


# ---------------------------------------------------------------- clock, disk, terminal


def _clock(_: Settings) -> Iterable[Check]:
    from ..sources.adapter import lsl_clock

    before = local_clock()
    apart = lsl_clock() - (before + local_clock()) / 2
    if abs(apart) < 1e-3:
        yield Check("clock", "ok", f"liblsl's clock and this program's are {abs(apart) * 1e6:.0f} µs apart")
    else:
        fix = "labels would be off: report this with the output of `myogestic-tui doctor --json`"
        yield Check("clock", "bad", f"liblsl's clock and this program's are {apart:.3f} s apart", fix)
    now = datetime.now().astimezone()
    if now.year < _OLDEST_YEAR:
        yield Check(
            "clock", "warning", f"the wall clock says {now:%Y-%m-%d}", "set it: sudo timedatectl set-time …, or use NTP"
        )
    elif _answer("timedatectl", "show", "-p", "NTPSynchronized", "--value") == "no":
        yield Check(
            "clock",
            "warning",
            f"the wall clock ({now:%Y-%m-%d %H:%M}) is not synchronised",
            "sudo timedatectl set-ntp true",
        )


def _disk(settings: Settings) -> Iterable[Check]:
    from ..app.disk import byte_rate
    from .probe import probe_folder

    folder = settings.sessions_dir
    probe_folder(folder)
    speed, free = _write_speed(folder), shutil.disk_usage(folder).free
    need = byte_rate(StreamInfo(one.n_channels, one.fs, one.dtype) for one in _present())
    reserve = settings.config.disk.reserve_bytes(need)
    if free < reserve:
        fix = "make room: recording starts only above the reserve"
        yield Check("disk", "bad", f"{size(free)} free in {folder}, the reserve is {size(reserve)}", fix)
        return
    left = f", room for {(free - reserve) / (2 * need) / 3600:.1f} h of the streams present" if need else ""
    yield Check("disk", "ok", f"{size(free)} free in {folder}{left}")
    text = f"writes {size(speed)}/s"
    if need:
        text += f"; the streams present need {size(need * _WRITTEN_PER_RECORDED)}/s, packing included"
    if speed < need * _WRITTEN_PER_RECORDED:
        yield Check("disk", "bad", text, "record to a faster disk with --sessions, or fewer streams")
    else:
        yield Check("disk", "ok", text)


def _write_speed(folder: Path) -> float:
    """Bytes per second that reach the disk."""
    block = os.urandom(1 << 20)
    with tempfile.TemporaryFile(dir=folder) as file:
        began = time.monotonic()
        for _ in range(_PROBE_BYTES // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return file.tell() / max(time.monotonic() - began, 1e-6)


def _memory(settings: Settings) -> Iterable[Check]:
    """What is remembered for comfort: recording does without it."""
    from ..app.memory import trouble

    for text in trouble(settings.sessions_dir):
        yield Check("memory", "warning", text, "make the folder writable; recording works without")


def _sessions(settings: Settings) -> Iterable[Check]:
    from ..session import unfinished_sessions

    unfinished = unfinished_sessions(settings.sessions_dir)
    if unfinished:
        names = ", ".join(path.name for path in unfinished)
        yield Check("sessions", "warning", f"cut off: {names}", "myogestic-tui recover")


def _terminal(_: Settings) -> Iterable[Check]:
    term, encoding = os.environ.get("TERM", ""), locale.getpreferredencoding(False)
    if not sys.stdout.isatty():
        yield Check(
            "terminal", "warning", "none here: the screens need one", "log in with `ssh -t`; `record` needs none"
        )
    elif term in ("", "dumb"):
        yield Check("terminal", "warning", f"TERM is {term!r}: no screens", "export TERM=xterm-256color")
    else:
        columns, rows = shutil.get_terminal_size()
        colours = os.environ.get("COLORTERM") or ("256 colours" if "256" in term else "16 colours")
        yield Check("terminal", "ok", f"{term}, {columns}x{rows}, {colours}")
        if columns < 80 or rows < 24:
            yield Check(
                "terminal",
                "warning",
                f"{columns}x{rows} is small",
                "80x24 shows everything; smaller ones the state only",
            )
    if encoding.lower().replace("-", "") != "utf8":
        fix = "export LANG=C.UTF-8, or use --glyphs ascii"
        yield Check("terminal", "warning", f"the locale's encoding is {encoding}", fix)
