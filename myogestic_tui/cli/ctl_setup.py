"""The commands of `ctl` that set up what is recorded: marks, take sheet, streams, gestures, protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import complete_names
from .ctl_client import act, attached, class_index, driver, send, sure, tell
from .grid_options import grid_options, layout_of
from .output import print_json

if TYPE_CHECKING:
    from ..app.interface import AnyCommand
    from .settings import Settings


# ---------------------------------------------------------------- marks


_trial = click.option("--trial", type=click.IntRange(min=1), help="Which one, counted from 1 as on the screens.")


@driver("mark-trial")
@click.argument("index", type=click.IntRange(min=0), required=False)
@_trial
@click.option("--good", is_flag=True, help="Remove the mark.")
def mark_trial(settings: Settings, index: int | None, trial: int | None, good: bool, as_json: bool) -> int:
    """Mark a trial bad: the running one, else the last, or that of the INDEXth label from 0.

    \b
    Examples:
      myogestic-tui ctl mark-trial
      myogestic-tui ctl mark-trial --trial 3
    """
    from ..app.interface import MarkTrial

    return act(settings, MarkTrial(index=index, trial=trial, bad=not good), as_json)


@driver()
@click.argument("gesture", shell_complete=complete_names.gestures)
@_trial
def relabel(settings: Settings, gesture: str, trial: int | None, as_json: bool) -> int:
    """Change the class of a trial: of the running one, else of the last, or of --trial N. `end` makes it no label.

    \b
    Examples:
      myogestic-tui ctl relabel Pinch
      myogestic-tui ctl relabel Fist --trial 3
    """
    from ..app.interface import Relabel

    with attached(settings) as client:
        index = class_index(gesture, client.status().gestures)
        return tell(client, client.execute(Relabel(class_index=index, trial=trial)), as_json)


@driver("move-trial")
@click.argument("seconds", type=float)
@_trial
def move_trial(settings: Settings, seconds: float, trial: int | None, as_json: bool) -> int:
    """Let a trial begin SECONDS later, or earlier (after --): the running one, else the last, or --trial N.

    \b
    Examples:
      myogestic-tui ctl move-trial 0.25
      myogestic-tui ctl move-trial --trial 3 -- -0.1
    """
    from ..app.interface import MoveLabel

    return act(settings, MoveLabel(seconds=seconds, trial=trial), as_json)


@driver("mark-channel")
@click.argument("stream", shell_complete=complete_names.streams)
@click.argument("channel", type=click.IntRange(min=1))
@click.option("--good", is_flag=True, help="Remove the mark.")
def mark_channel(settings: Settings, stream: str, channel: int, good: bool, as_json: bool) -> int:
    """Mark a channel bad; CHANNEL counts from 1, as on the screens.

    \b
    Example: myogestic-tui ctl mark-channel emg 17
    """
    from ..app.interface import MarkChannel

    return act(settings, MarkChannel(stream=stream, channel=channel - 1, bad=not good), as_json)


# ---------------------------------------------------------------- where electrodes are


@driver()
@click.argument("stream", required=False, shell_complete=complete_names.streams)
@click.argument("grid", required=False, default="")
@grid_options
@click.option("--reset", is_flag=True, help="Return to the configuration.")
def montage(
    settings: Settings,
    stream: str | None,
    grid: str,
    add: bool,
    nothing: bool,
    reset: bool,
    as_json: bool,
    **told: Any,
) -> int:
    """Say where the electrodes of a stream are, before it is recorded, or (without GRID) ask.

    GRID is rows x columns. Without it, --channels names a single electrode. It is remembered for the sessions folder,
    and goes before the configuration.

    \b
    Examples:
      myogestic-tui ctl montage
      myogestic-tui ctl montage emg 8x8 --muscle "biceps brachii" --side left --distance 10
      myogestic-tui ctl montage emg 13x5 --order "columns serpentine" --without 1 --channels 65-128 --add
      myogestic-tui ctl montage emg --cells "1 2 3 / 4 - 5"
    """
    from ..app.interface import SetMontage

    layout = layout_of(grid, told)
    if sum((layout is not None, nothing, reset)) > 1:
        raise click.UsageError("give a grid, or --none, or --reset")
    if stream is None or (layout is None and not nothing and not reset):
        return _montages(settings, stream, as_json)
    layouts = None if reset else () if layout is None else (layout,)
    return act(settings, SetMontage(stream=stream, layouts=layouts, add=add), as_json)


def _montages(settings: Settings, stream: str | None, as_json: bool) -> int:
    """Print the grids of one stream, or of all that are connected."""
    import msgspec

    from ..app.interface import DescribeMontage

    with attached(settings) as client:
        rows = [row for row in client.status().streams if row.state != "seen" and stream in (None, row.name, row.key)]
        if stream is not None and not rows:
            return tell(client, client.execute(DescribeMontage(stream=stream)), as_json)
        if as_json:
            found = {row.name: client.execute(DescribeMontage(stream=row.key)).text for row in rows}
            print_json({name: msgspec.json.decode(text) for name, text in found.items()})
            return 0
    for row in rows:
        why = row.message if "montage: " in row.message else "no electrode has a place"
        click.echo("\n".join(f"{row.name}  {line}" for line in row.montage or (why,)))
    return 0


# ---------------------------------------------------------------- what is recorded, and under which name


@driver()
@click.option("--subject")
@click.option("--task")
@click.option("--take", "number", type=click.IntRange(min=1), help="Its number; it counts up by itself.")
@click.option("--name", help="Name of the next session.")
@click.option("--field", "pairs", multiple=True, metavar="KEY=VALUE", help="Any other field; may be repeated.")
@sure
def take(
    settings: Settings,
    subject: str | None,
    task: str | None,
    number: int | None,
    name: str | None,
    pairs: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> int:
    """Fill in the take sheet; what is not given stays.

    \b
    Example: myogestic-tui ctl take --subject P07 --task grasp --take 4 --field side=left
    """
    from ..app.interface import SetTake

    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise click.UsageError(f"--field {wrong[0]}: give KEY=VALUE")
    with attached(settings) as client:
        given = dict(pair.split("=", 1) for pair in pairs)
        fields = {**client.status().take.fields, **given} if given else None
        command = SetTake(subject=subject, task=task, take=number, name=name, fields=fields)
        return tell(client, send(client, command, yes), as_json)


@driver()
@click.argument("streams", nargs=-1, shell_complete=complete_names.streams)
@click.option("--all", "everything", is_flag=True, help="All streams on the network.")
def connect(settings: Settings, streams: tuple[str, ...], everything: bool, as_json: bool) -> int:
    """Connect streams, by name or key, and tick them.

    \b
    Example: myogestic-tui ctl connect emg
    """
    from ..app.interface import ConnectAll, ConnectStream

    if everything == bool(streams):
        raise click.UsageError("give the streams to connect, or --all")
    commands = [ConnectAll()] if everything else [ConnectStream(key=key) for key in streams]
    return _each(settings, commands, as_json)


@driver()
@click.argument("streams", nargs=-1, required=True, shell_complete=complete_names.streams)
@click.option("--off", is_flag=True, help="Exclude it from the recording.")
@sure
def tick(settings: Settings, streams: tuple[str, ...], off: bool, yes: bool, as_json: bool) -> int:
    """Take streams into the recording, or out of it; out of a running one it takes --yes.

    \b
    Example: myogestic-tui ctl tick --off imu
    """
    from ..app.interface import TickStream

    return _each(settings, [TickStream(key=key, record=not off) for key in streams], as_json, yes)


@driver()
@click.argument("streams", nargs=-1, required=True, shell_complete=complete_names.streams)
def forget(settings: Settings, streams: tuple[str, ...], as_json: bool) -> int:
    """Disconnect streams.

    \b
    Example: myogestic-tui ctl forget imu
    """
    from ..app.interface import ForgetStream

    return _each(settings, [ForgetStream(key=key) for key in streams], as_json)


@driver()
@click.argument("stream", shell_complete=complete_names.streams)
@click.argument("outlet", required=False, default="")
def reconnect(settings: Settings, stream: str, outlet: str, as_json: bool) -> int:
    """Reconnect a stream, also while it is recorded.

    OUTLET (the beginning of its uid, or its host or source_id) says which one the stream is, where several could be; it
    is remembered. Without it the stream stays with the outlet that it is at.

    \b
    Examples:
      myogestic-tui ctl reconnect emg
      myogestic-tui ctl reconnect emg amp-pc-2
    """
    from ..app.interface import ReconnectStream

    return act(settings, ReconnectStream(key=stream, outlet=outlet), as_json)


def _each(settings: Settings, commands: list[Any], as_json: bool, yes: bool = False) -> int:
    """Carry out all of them, and fail where one did."""
    with attached(settings) as client:
        return max(tell(client, send(client, command, yes), as_json) for command in commands)


@driver()
@click.argument("names", nargs=-1, required=True)
def gestures(settings: Settings, names: tuple[str, ...], as_json: bool) -> int:
    """Name the gesture classes, while idle.

    \b
    Example: myogestic-tui ctl gestures Rest Fist Pinch
    """
    from ..app.interface import SetGestures

    return act(settings, SetGestures(names=names), as_json)


@driver()
@click.argument("action", type=click.Choice(["start", "pause", "resume", "skip", "abort"]))
@click.argument("name", required=False, shell_complete=complete_names.protocols)
@click.option("--seed", type=int, help="Makes a shuffled order repeatable.")
@click.option("--steps", help="Gestures and seconds of a protocol that is not in the configuration.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="How often to go through them."
)
@click.option("--shuffle", is_flag=True, help="Shuffle each round of those steps.")
@sure
def protocol(
    settings: Settings,
    action: str,
    name: str | None,
    seed: int | None,
    steps: str | None,
    repeat: int,
    shuffle: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Run a cued protocol: start NAME, pause, resume, skip a cue, abort.

    \b
    Examples:
      myogestic-tui ctl protocol start baseline
      myogestic-tui ctl protocol start mine --steps "Rest:3,Fist:5" --repeat 4 --shuffle
    """
    from ..app.interface import AbortProtocol, PauseProtocol, SkipCue, StartProtocol
    from ..app.protocol import parse_steps

    if (action == "start") != (name is not None):
        raise click.UsageError("give a protocol's NAME with start, and only then")
    given = parse_steps(steps) if steps else ()
    commands: dict[str, AnyCommand] = {
        "start": StartProtocol(name=name or "", seed=seed, steps=given, repeats=repeat, shuffle=shuffle),
        "pause": PauseProtocol(paused=True),
        "resume": PauseProtocol(paused=False),
        "skip": SkipCue(),
        "abort": AbortProtocol(),
    }
    return act(settings, commands[action], as_json, yes)


@driver()
def shutdown(settings: Settings, as_json: bool) -> int:
    """Stop a running recording, finish packing, end the recorder.

    \b
    Example: myogestic-tui ctl shutdown
    """
    from ..app.interface import Shutdown

    return act(settings, Shutdown(), as_json)


COMMANDS = (
    mark_trial,
    relabel,
    move_trial,
    mark_channel,
    montage,
    take,
    connect,
    tick,
    forget,
    reconnect,
    gestures,
    protocol,
    shutdown,
)
