"""`myogestic-tui ctl`: whatever a key does on the screens, from a script."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import RecorderGoneError
from . import live
from .options import Settings, common_options, json_option, pass_settings
from .output import print_json, remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..app.recorder import AnyCommand, GestureStatus, Reply, Status
    from ..control import RecorderClient

FAILED, NO_RECORDER = 1, 3
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


@contextlib.contextmanager
def _attached(settings: Settings) -> Iterator[RecorderClient]:
    """The recorder; where there is none, or it goes away, the command ends with `NO_RECORDER`."""
    from ..control import attach

    try:
        with attach(settings.sessions_dir, start=False, program="ctl") as client:
            yield client
    except RecorderGoneError as error:
        remark(f"myogestic-tui: {error}")
        raise click.exceptions.Exit(NO_RECORDER) from None


def _act(settings: Settings, command: AnyCommand, as_json: bool) -> int:
    with _attached(settings) as client:
        return _tell(client, client.execute(command), as_json)


def _tell(client: RecorderClient, reply: Reply, as_json: bool) -> int:
    if client.gone is not None and not reply.ok:
        raise RecorderGoneError(reply.message)
    if as_json:
        print_json({"ok": reply.ok, "message": reply.message, "path": reply.path, "job": reply.job})
    elif reply.ok:
        click.echo(reply.message or "done")
    if not reply.ok:
        remark(f"myogestic-tui: {reply.message}")
    return 0 if reply.ok else FAILED


def _command(name: str | None = None) -> Callable[[Callable[..., int]], click.Command]:
    """A command of the group, with the options that all have."""

    def add(function: Callable[..., int]) -> click.Command:
        return ctl.command(name)(common_options(json_option(pass_settings(function))))

    return add


# ---------------------------------------------------------------- status


@_command()
def status(settings: Settings, as_json: bool) -> int:
    """What the recorder does, its streams, and what needs somebody.

    \b
    Example: myogestic-tui ctl status --json
    """
    with _attached(settings) as client:
        now = client.status()
    if as_json:
        print_json(live.facts(now))
    else:
        click.echo(live.lines(now))
    return 0


_REACHED: dict[str, Callable[[Status], bool]] = {
    "idle": lambda now: now.state == "idle",
    "recording": lambda now: now.state == "recording",
    "ready": lambda now: _ready(now),
    "packed": lambda now: now.state == "idle" and not _packing(now),
}


def _ready(now: Status) -> bool:
    ticked = [stream for stream in now.streams if stream.record]
    return bool(ticked) and all(stream.state == "live" for stream in ticked)


def _packing(now: Status) -> bool:
    return any(job.kind == "pack" and job.state in ("waiting", "running") for job in now.jobs)


@_command()
@click.option("--state", type=click.Choice(list(_REACHED)), required=True, help="What to wait for.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds after which to give up (exit code 1).")
def wait(settings: Settings, state: str, timeout: float | None, as_json: bool) -> int:
    """Wait until the recorder is idle or recording; `ready` until every ticked stream is live, `packed` until the last
    session is an archive.

    \b
    Example: myogestic-tui ctl wait --state ready --timeout 30
    """
    with _attached(settings) as client:
        reached = client.wait_for(_REACHED[state], timeout)
        now = reached or client.status()
    if as_json:
        print_json(live.facts(now))
    if reached is None:
        remark(f"myogestic-tui: not {state} within {timeout:.0f} s; the recorder is {now.state}: {now.message}")
    return 0 if reached is not None else FAILED


# ---------------------------------------------------------------- recording


@_command()
@click.option("--name", help="Name of the session; the take sheet's where absent.")
def start(settings: Settings, name: str | None, as_json: bool) -> int:
    """Start recording what is ticked.

    \b
    Example: myogestic-tui ctl start --name mvc
    """
    from ..app.recorder import Start

    return _act(settings, Start(name=name), as_json)


@_command()
@click.option("--wait", "until_packed", is_flag=True, help="Wait until the session is packed, and print the archive.")
def stop(settings: Settings, until_packed: bool, as_json: bool) -> int:
    """Stop and save. Everything is on disk when this returns; packing goes on in the background.

    \b
    Example: myogestic-tui ctl stop --wait
    """
    from msgspec.structs import replace

    from ..app.recorder import Stop

    with _attached(settings) as client:
        reply = client.execute(Stop())
        if reply.ok and until_packed:
            begun = client.wait_for(_REACHED["packed"], _MOST_PACK_SECONDS)
            if begun is not None and begun.session is not None:
                reply = replace(reply, path=begun.session.path, message=f"saved: {begun.session.path}")
        return _tell(client, reply, as_json)


@_command()
def discard(settings: Settings, as_json: bool) -> int:
    """Stop and move the session to the trash folder.

    \b
    Example: myogestic-tui ctl discard
    """
    from ..app.recorder import Discard

    return _act(settings, Discard(), as_json)


# ---------------------------------------------------------------- labels and notes


def _called_at() -> float:
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


@_command()
@click.argument("gesture")
@_at
def label(settings: Settings, gesture: str, at: float | None, as_json: bool) -> int:
    """Begin a gesture: its name, or its class index from 0; `end` ends the label.

    The time stamp is that of the call, not of its arrival. While idle it chooses the first label of the next session.

    \b
    Examples:
      myogestic-tui ctl label Fist
      myogestic-tui ctl label Fist --at -0.5
      myogestic-tui ctl label end
    """
    from ..app.recorder import AddLabel

    timestamp = _called_at() if at is None else at
    with _attached(settings) as client:
        index = _class_index(gesture, client.status().gestures)
        return _tell(client, client.execute(AddLabel(class_index=index, timestamp=timestamp, source="script")), as_json)


def _class_index(gesture: str, gestures: tuple[GestureStatus, ...]) -> int:
    names = [one.name for one in gestures]
    if gesture in names:
        return names.index(gesture)
    folded = [name.casefold() for name in names]
    if folded.count(gesture.casefold()) == 1:
        return folded.index(gesture.casefold())
    if gesture in ("end", "-1"):
        return -1
    if gesture.isdecimal() and (not names or int(gesture) < len(names)):
        return int(gesture)
    raise click.UsageError(f"no gesture {gesture!r}; there are: {', '.join(names) or 'none, use indices'}")


@_command()
def undo(settings: Settings, as_json: bool) -> int:
    """Take the last label back; the journal keeps that it was there.

    \b
    Example: myogestic-tui ctl undo
    """
    from ..app.recorder import UndoLabel

    return _act(settings, UndoLabel(), as_json)


@_command()
@click.argument("text")
@_at
def note(settings: Settings, text: str, at: float | None, as_json: bool) -> int:
    """Write a note into the running session.

    \b
    Example: myogestic-tui ctl note "electrode 17 re-taped"
    """
    from ..app.recorder import AddNote

    return _act(settings, AddNote(text=text, timestamp=_called_at() if at is None else at), as_json)


@_command("mark-trial")
@click.argument("index", type=click.IntRange(min=0), required=False)
@click.option("--good", is_flag=True, help="Take the mark away.")
def mark_trial(settings: Settings, index: int | None, good: bool, as_json: bool) -> int:
    """Mark a trial bad: the last whole one, or that of the INDEXth label from 0.

    \b
    Example: myogestic-tui ctl mark-trial
    """
    from ..app.recorder import MarkTrial

    return _act(settings, MarkTrial(index=index, bad=not good), as_json)


@_command("mark-channel")
@click.argument("stream")
@click.argument("channel", type=click.IntRange(min=1))
@click.option("--good", is_flag=True, help="Take the mark away.")
def mark_channel(settings: Settings, stream: str, channel: int, good: bool, as_json: bool) -> int:
    """Mark a channel bad; CHANNEL counts from 1, as on the screens.

    \b
    Example: myogestic-tui ctl mark-channel emg 17
    """
    from ..app.recorder import MarkChannel

    return _act(settings, MarkChannel(stream=stream, channel=channel - 1, bad=not good), as_json)


# ---------------------------------------------------------------- what is recorded, and under which name


@_command()
@click.option("--subject")
@click.option("--task")
@click.option("--take", "number", type=click.IntRange(min=1), help="Its number; it counts up by itself.")
@click.option("--name", help="Name of the next session.")
@click.option("--field", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other field; may be repeated.")
def take(
    settings: Settings,
    subject: str | None,
    task: str | None,
    number: int | None,
    name: str | None,
    pairs: tuple[str, ...],
    as_json: bool,
) -> int:
    """Fill in the take sheet; what is not given stays.

    \b
    Example: myogestic-tui ctl take --subject P07 --task grasp --take 4 --field side=left
    """
    from ..app.recorder import SetTake

    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.UsageError(f"--field {wrong[0]}: give KEY=VALUE")
    with _attached(settings) as client:
        given = dict(pair.split("=", 1) for pair in pairs)
        fields = {**client.status().take.fields, **given} if given else None
        command = SetTake(subject=subject, task=task, take=number, name=name, fields=fields)
        return _tell(client, client.execute(command), as_json)


@_command()
@click.argument("streams", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that are on the network.")
def connect(settings: Settings, streams: tuple[str, ...], everything: bool, as_json: bool) -> int:
    """Connect streams, by name or key, and tick them.

    \b
    Example: myogestic-tui ctl connect emg
    """
    from ..app.recorder import ConnectAll, ConnectStream

    if everything == bool(streams):
        raise click.UsageError("give the streams to connect, or --all")
    commands = [ConnectAll()] if everything else [ConnectStream(key=key) for key in streams]
    return _each(settings, commands, as_json)


@_command()
@click.argument("streams", nargs=-1, required=True)
@click.option("--off", is_flag=True, help="Out of the recording.")
def tick(settings: Settings, streams: tuple[str, ...], off: bool, as_json: bool) -> int:
    """Take streams into the recording, or out of it.

    \b
    Example: myogestic-tui ctl tick --off imu
    """
    from ..app.recorder import TickStream

    return _each(settings, [TickStream(key=key, record=not off) for key in streams], as_json)


@_command()
@click.argument("streams", nargs=-1, required=True)
def forget(settings: Settings, streams: tuple[str, ...], as_json: bool) -> int:
    """Disconnect streams.

    \b
    Example: myogestic-tui ctl forget imu
    """
    from ..app.recorder import ForgetStream

    return _each(settings, [ForgetStream(key=key) for key in streams], as_json)


def _each(settings: Settings, commands: list[Any], as_json: bool) -> int:
    """Carry out all of them, and fail where one did."""
    with _attached(settings) as client:
        return max(_tell(client, client.execute(command), as_json) for command in commands)


@_command()
@click.argument("names", nargs=-1, required=True)
def gestures(settings: Settings, names: tuple[str, ...], as_json: bool) -> int:
    """Name the gesture classes, while idle.

    \b
    Example: myogestic-tui ctl gestures Rest Fist Pinch
    """
    from ..app.recorder import SetGestures

    return _act(settings, SetGestures(names=names), as_json)


@_command()
@click.argument("action", type=click.Choice(["start", "pause", "resume", "skip", "abort"]))
@click.argument("name", required=False)
@click.option("--seed", type=int, help="Makes a shuffled order repeatable.")
def protocol(settings: Settings, action: str, name: str | None, seed: int | None, as_json: bool) -> int:
    """Run a cued protocol: start NAME, pause, resume, skip a cue, abort.

    \b
    Example: myogestic-tui ctl protocol start baseline
    """
    from ..app.recorder import AbortProtocol, PauseProtocol, SkipCue, StartProtocol

    if (action == "start") != (name is not None):
        raise click.UsageError("give a protocol's NAME with start, and only then")
    commands: dict[str, AnyCommand] = {
        "start": StartProtocol(name=name or "", seed=seed),
        "pause": PauseProtocol(paused=True),
        "resume": PauseProtocol(paused=False),
        "skip": SkipCue(),
        "abort": AbortProtocol(),
    }
    return _act(settings, commands[action], as_json)


@_command()
def shutdown(settings: Settings, as_json: bool) -> int:
    """Stop a running recording, finish packing, end the recorder.

    \b
    Example: myogestic-tui ctl shutdown
    """
    from ..app.recorder import Shutdown

    return _act(settings, Shutdown(), as_json)
