"""What `doctor` looks at. Each check yields what it found; one that breaks is a finding, too."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import local_clock
from ..errors import MyoGesticError
from ..info import StreamInfo
from ..process_limits import check_limits
from ..stdio import places_text
from ..version import __version__
from .doctor_finding import Check
from .doctor_firewall import check_firewall, run_quietly
from .doctor_inputs import check_inputs
from .doctor_network import (
    PROBE_NAME,
    check_interfaces,
    check_multicast,
    check_peers,
    check_remote_streams,
    check_session_id,
)
from .doctor_programs import check_programs
from .output import size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..sources.discovery import Seen
    from .settings import Settings

_PROBE_BYTES = 16_000_000
_WRITTEN_PER_RECORDED = 3.1
"""Bytes that reach the disk for each byte recorded, packing included."""
_OLDEST_YEAR = 2025


_NEEDED = {"config", "LSL", "multicast", "disk"}
"""Subjects that recording relies on: where the system refuses to tell about another one, nothing is broken."""


def run_checks(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Iterator[Check]:
    """All checks, in an order in which each may rely on the one before. ``say`` hears what is being looked at."""
    checks: list[tuple[str, Callable[[Settings], Iterable[Check]]]] = [
        ("program", _program),
        ("limits", _limits),
        ("config", _config),
        ("LSL", _lsl),
        ("network", check_interfaces),
        ("multicast", check_multicast),
        ("streams", _streams),
        ("peers", check_peers),
        ("session id", check_session_id),
        ("streams of other hosts", check_remote_streams),
        ("firewall", check_firewall),
        ("clock", _clock),
        ("inputs", check_inputs),
        ("programs", check_programs),
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
    yield Check(
        "zarr",
        "ok",
        "zarrs is the codec pipeline of arrays that you open with zarr; sessions are written and read without it",
    )


def _limits(_: Settings) -> Iterable[Check]:
    check_limits()
    return ()


def _config(settings: Settings) -> Iterable[Check]:
    from ..app.from_config import apply_lsl

    apply_lsl(settings.config.lsl)
    named = settings.config_file or "myogestic.toml"
    yield Check("config", "ok", f"{named} is valid" if Path(named).exists() else "no myogestic.toml; the defaults hold")


# ---------------------------------------------------------------- LSL and the network


def _lsl(_: Settings) -> Iterable[Check]:
    from ..sources.liblsl import library_path, library_version

    yield Check("LSL", "ok", f"liblsl {library_version()} in {library_path()}")


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
    return [one for one in everything if not one.name.startswith(PROBE_NAME)]


# ---------------------------------------------------------------- clock, disk, terminal


def _clock(_: Settings) -> Iterable[Check]:
    from ..sources.liblsl import lsl_clock

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
    elif run_quietly("timedatectl", "show", "-p", "NTPSynchronized", "--value") == "no":
        yield Check(
            "clock",
            "warning",
            f"the wall clock ({now:%Y-%m-%d %H:%M}) is not synchronised",
            "sudo timedatectl set-ntp true",
        )


def _disk(settings: Settings) -> Iterable[Check]:
    from ..session.recording.disk_reserve import byte_rate
    from .writable import probe_folder

    folder = settings.sessions_dir
    probe_folder(folder)
    speed, free = _write_speed(folder), shutil.disk_usage(folder).free
    need = byte_rate(StreamInfo(one.n_channels, one.fs, one.dtype) for one in _present())
    reserve = settings.config.disk.reserve_bytes(need)
    if free < reserve:
        fix = "free some space: recording starts only above the reserve"
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
    from ..app.preferences import trouble

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
    elif not places_text():
        words = f"TERM is {term!r}: a line per change in place of the screens"
        yield Check("terminal", "warning", words, "export TERM=xterm-256color")
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
