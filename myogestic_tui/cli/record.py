"""`myogestic-tui record`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import complete_names
from .options import common_options, field_pair, json_option, pass_settings
from .output import print_json, remark

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import Config
    from ..session.format.summary import Summary
    from .settings import Settings


@click.command()
@click.argument("streams", nargs=-1, metavar="[STREAM]...", shell_complete=complete_names.streams)
@click.option("--all", "everything", is_flag=True, help="Record all streams on the network.")
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so long.  [default: Ctrl-C stops]"
)
@click.option("--labels", metavar="NAME:S,...", help="Gestures in turn, each for so many seconds, then stop.")
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True, help="How often --labels goes round.")
@click.option("--segment", metavar="TIME", help="Continue in another session after so long: 1h, 30m, 90s.")
@click.option("--name", help="Name of the session; it also stands in the file's name.")
@click.option("--subject", help="Who is recorded.")
@click.option("--task", help="What they do.")
@click.option("--take", type=click.IntRange(1), help="Which take it is.  [default: the next free one]")
@click.option("--set", "fields", multiple=True, metavar="FIELD=TEXT", help="A field of your own; may be repeated.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=10, show_default=True, help="Seconds to wait for streams."
)
@common_options
@json_option
@pass_settings
def record(
    settings: Settings,
    streams: tuple[str, ...],
    everything: bool,
    seconds: float | None,
    labels: str | None,
    repeat: int,
    segment: str | None,
    name: str | None,
    subject: str | None,
    task: str | None,
    take: int | None,
    fields: tuple[str, ...],
    wait: float,
    as_json: bool,
) -> int:
    """Record streams without screens, and pack them. Ctrl-C or SIGTERM stops and saves.

    A STREAM is a name, or key=value pairs where that is not enough: type, source_id, host, query; as=NAME renames it.
    Without any, the streams of myogestic.toml are recorded. Exits 3 where a stream is not there. Subject, task and
    fields stick for the sessions folder, as on the take sheet.

    \b
    Examples:
      myogestic-tui record EMG --seconds 60
      myogestic-tui record EMG vhi_control --labels "Rest:5,Fist:5" --repeat 4 --name P07
      myogestic-tui record EMG --segment 1h
      myogestic-tui record name=EMG,host=amp-pc,as=emg --subject P07 --task grasp --set side=left
    """
    from ..app import App
    from ..app.from_config import apply_lsl
    from ..app.interface import SetTake
    from ..toml_tables import seconds_of
    from .headless import Capture, Cues
    from .writable import probe_folder

    config = _chosen(settings.config, streams, everything)
    segment_s = None if segment is None else seconds_of(segment, "--segment")
    cues = Cues.parse(labels, repeat) if labels else None
    sheet = SetTake(subject=subject, task=task, take=take, fields=dict(map(field_pair, fields)) or None)
    probe_folder(settings.sessions_dir)
    apply_lsl(config.lsl)
    if not (config.streams or everything):
        _ask_for_names(wait)
    _recover(settings.sessions_dir)
    app = App(config.app_name, config=config, sessions_dir=settings.sessions_dir)
    capture = Capture(app, cues=cues, seconds=seconds, name=name, sheet=sheet, wait_s=wait, everything=everything)
    capture.segment_s = segment_s
    path = capture.run()
    if path is None:
        return 1
    _show_results(path, as_json)
    return 0


def _recover(sessions_dir: Path) -> None:
    """Finish what an earlier recorder left cut off; the app packs it beside the recording."""
    from ..errors import MyoGesticError
    from ..session import recover_session, unfinished_sessions
    from ..session.reading.reader import damage_in

    for path in unfinished_sessions(sessions_dir):
        try:
            damaged = damage_in(recover_session(path))
            remark(f"{path.name} had been cut off; it is recovered{''.join(f'; {text}' for text in damaged)}")
        except MyoGesticError as error:
            remark(f"{path.name} was cut off and cannot be recovered now: {error}")


def _chosen(config: Config, names: tuple[str, ...], everything: bool) -> Config:
    from msgspec.structs import replace

    from .choose_streams import selections

    if names and everything:
        raise click.UsageError("name streams or say --all, not both")
    if everything:
        return replace(config, streams=())
    return replace(config, streams=selections(names, config)) if names else config


def _ask_for_names(wait_s: float) -> None:
    """Say what is on the network, and that something of it has to be chosen."""
    from ..errors import StreamNotFoundError
    from ..sources.discovery import discovery
    from .choose_streams import describe

    seen = discovery().wait_for(lambda _: True, wait_s, settle=True)
    if not seen:
        raise StreamNotFoundError("no stream on the network; `myogestic-tui doctor` looks for the reason")
    raise click.UsageError(f"name the streams to record, or say --all; on the network: {describe(seen)}")


def _show_results(path: Path, as_json: bool) -> None:
    """What was recorded: one session, or all of a chain."""
    from ..session.library.chain import chain_of
    from .session_text import load_summary, session_lines

    paths = chain_of(path)
    if len(paths) == 1:
        show_result(path, as_json)
    elif as_json:
        print_json([load_summary(one) for one in paths])
    else:
        click.echo("\n".join(line for one in paths for line in session_lines(load_summary(one))))


def show_result(path: Path, as_json: bool) -> Summary:
    """Print what was recorded."""
    from .session_text import load_summary, session_lines

    summary = load_summary(path)
    if as_json:
        print_json(summary)
    else:
        click.echo("\n".join(session_lines(summary)))
    return summary
