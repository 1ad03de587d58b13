"""`myogestic-tui ctl`: whatever a key does on the screens, from a script."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import NotAllowedError
from . import complete_names, ctl_status
from .ctl_client import FAILED, act, attached, class_index, driver, sure, tell
from .ctl_fleet import arm, clock
from .ctl_setup import COMMANDS
from .options import common_options
from .output import print_json, remark
from .sync import compare, sync_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app.interface import Status
    from .settings import Settings

_MOST_PACK_SECONDS = 3600.0


@click.group()
@common_options
def ctl() -> None:
    """Drive a running recorder: the one of the sessions folder.

    \b
    Exit codes:
      0  done, or reached
      1  the recorder refused, or the time was up (the reason is on stderr)
      2  usage
      3  no recorder runs on the folder, or it went away

    \b
    Examples:
      myogestic-tui ctl start --name mvc
      myogestic-tui ctl label Fist
      myogestic-tui ctl stop --wait
      myogestic-tui ctl --help
    """


# ---------------------------------------------------------------- status


@driver()
def status(settings: Settings, as_json: bool) -> int:
    """What the recorder does, its streams, and what needs somebody.

    \b
    Example: myogestic-tui ctl status --json
    """
    with attached(settings) as client:
        now = client.status()
    if as_json:
        print_json(ctl_status.facts(now))
    else:
        click.echo(ctl_status.lines(now))
    return 0


_REACHED: dict[str, Callable[[Status], bool]] = {
    "idle": lambda now: now.state == "idle",
    "recording": lambda now: now.state == "recording",
    "ready": lambda now: _ready(now),
    "packed": lambda now: now.state == "idle" and not _packing(now),
}


def _ready(now: Status) -> bool:
    selected = [stream for stream in now.streams if stream.record]
    return bool(selected) and all(stream.state == "live" for stream in selected)


def _packing(now: Status) -> bool:
    return any(job.kind == "pack" and job.state in ("waiting", "running") for job in now.jobs)


@driver()
@click.option("--state", type=click.Choice(list(_REACHED)), required=True, help="What to wait for.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds after which to give up (exit code 1).")
def wait(settings: Settings, state: str, timeout: float | None, as_json: bool) -> int:
    """Wait until the recorder is idle or recording; `ready` until every selected stream is live, `packed` until the
    last session is an archive.

    \b
    Example: myogestic-tui ctl wait --state ready --timeout 30
    """
    with attached(settings) as client:
        reached = client.wait_for(_REACHED[state], timeout)
        now = reached or client.status()
    if as_json:
        print_json(ctl_status.facts(now))
    if reached is None:
        remark(f"myogestic-tui: not {state} within {timeout:.0f} s; the recorder is {now.state}: {now.message}")
    return 0 if reached is not None else FAILED


# ---------------------------------------------------------------- recording


@driver()
@click.option("--name", help="Name of the session; the take sheet's where absent.")
@sure
def start(settings: Settings, name: str | None, yes: bool, as_json: bool) -> int:
    """Start recording what is selected.

    With room for less than a minute, a take number that is used already, or after a recording that ended by itself, the
    recorder asks: nothing is started (exit code 1) without --yes.

    \b
    Examples:
      myogestic-tui ctl start --name mvc
      myogestic-tui ctl start --yes
    """
    from ..app.interface import Start

    return act(settings, Start(name=name), as_json, yes)


@driver()
@click.option("--wait", "until_packed", is_flag=True, help="Wait until the session is packed, and print the archive.")
def stop(settings: Settings, until_packed: bool, as_json: bool) -> int:
    """Stop and save. Everything is on disk when this returns; packing continues in the background.

    \b
    Example: myogestic-tui ctl stop --wait
    """
    from msgspec.structs import replace

    from ..app.interface import Stop

    with attached(settings) as client:
        reply = client.execute(Stop())
        if reply.ok and until_packed:
            begun = client.wait_for(_REACHED["packed"], _MOST_PACK_SECONDS)
            if begun is not None and begun.session is not None:
                reply = replace(reply, path=begun.session.path, message=f"saved: {begun.session.path}")
        return tell(client, reply, as_json)


@driver()
def discard(settings: Settings, as_json: bool) -> int:
    """Stop and move the session to the trash folder.

    \b
    Example: myogestic-tui ctl discard
    """
    from ..app.interface import Discard

    return act(settings, Discard(), as_json)


# ---------------------------------------------------------------- labels and notes


def called_at() -> float:
    """When this command was called, on the recorder's clock: starting Python takes a tenth of a second and more."""
    now = time.monotonic()
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError, AttributeError):
        return now


class Instant(click.ParamType[float]):
    """A time on the recorder's clock (``time.monotonic()`` of this machine), ISO 8601, or negative: seconds ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds on the recorder's clock."""
        if isinstance(value, float):
            return value
        try:
            seconds = float(value)
        except ValueError:
            return self._of_day(str(value), param, ctx)
        return seconds if seconds >= 0 else time.monotonic() + seconds

    def _of_day(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is neither seconds nor an ISO 8601 time such as 2026-05-17T14:23:05.250", param, ctx)
        return time.monotonic() - (time.time() - moment.timestamp())


_at = click.option("--at", type=Instant(), help=f"{Instant.__doc__} Default: when the command was called.")


@driver()
@click.argument("gesture", shell_complete=complete_names.gestures)
@_at
@click.option(
    "--uncertainty", type=click.FloatRange(min=0), default=0.0, help="How far off that time may be, in seconds."
)
def label(settings: Settings, gesture: str, at: float | None, uncertainty: float, as_json: bool) -> int:
    """Begin a gesture: its name, or its class index from 0; `end` ends the label.

    The time stamp is that of the call, not of its arrival. While idle it chooses the first label of the next session.

    \b
    Examples:
      myogestic-tui ctl label Fist
      myogestic-tui ctl label Fist --at -0.5
      myogestic-tui ctl label end
    """
    from ..app.interface import AddLabel

    timestamp = called_at() if at is None else at
    with attached(settings) as client:
        index = class_index(gesture, client.status().gestures)
        told = AddLabel(class_index=index, timestamp=timestamp, uncertainty_s=uncertainty, source="script")
        return tell(client, client.execute(told), as_json)


@driver()
def undo(settings: Settings, as_json: bool) -> int:
    """Take the last label back; the journal keeps that it was there.

    \b
    Example: myogestic-tui ctl undo
    """
    from ..app.interface import UndoLabel

    return act(settings, UndoLabel(), as_json)


@driver()
@click.argument("text")
@_at
def note(settings: Settings, text: str, at: float | None, as_json: bool) -> int:
    """Write a note into the running session.

    \b
    Example: myogestic-tui ctl note "electrode 17 re-taped"
    """
    from ..app.interface import AddNote

    return act(settings, AddNote(text=text, timestamp=called_at() if at is None else at), as_json)


@driver()
@click.argument("name")
def run(settings: Settings, name: str, as_json: bool) -> int:
    """Have the recorder run a program of [[commands]] in its configuration; `ctl status` has what became of it.

    \b
    Example: myogestic-tui ctl run backup
    """
    from ..app.interface import RunCommand

    return act(settings, RunCommand(name=name), as_json)


@driver()
@sync_options
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="How far back.")
def sync(settings: Settings, seconds: float, as_json: bool, **how: Any) -> int:
    """Prove the timing of what is being recorded: pulses and markers of the last minute, as `myogestic-tui sync` does.

    \b
    Example: myogestic-tui ctl sync --pulses emg:65 --markers PsychoPy --max-ms 5
    """
    from ..session import open_session_store

    with attached(settings) as client:
        now = client.status()
    if now.state != "recording" or now.session is None:
        raise NotAllowedError("not recording; `myogestic-tui sync SESSION` looks at a session that is over")
    with open_session_store(now.session.path) as session:
        return compare(session, as_json, how, seconds)


for command in (status, wait, start, stop, discard, label, undo, note, run, sync, *COMMANDS, clock, arm):
    ctl.add_command(command)
