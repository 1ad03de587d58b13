"""`myogestic-tui streams`."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..errors import StreamNotFoundError
from .options import common_options, json_option, pass_settings
from .output import print_json, rate, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..sources.discovery import Discovery, Seen
    from .settings import Settings

_WATCH_SECONDS = 0.5


@click.command()
@click.option("--watch", is_flag=True, help="Keep running, and report what comes and goes, until Ctrl-C.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=3, show_default=True, help="Seconds to wait for a first one."
)
@common_options
@json_option
@pass_settings
def streams(settings: Settings, watch: bool, wait: float, as_json: bool) -> None:
    """List the LSL streams on the network. Exits 3 where there is none.

    \b
    Examples:
      myogestic-tui streams
      myogestic-tui streams --watch
      myogestic-tui streams --json
    """
    from ..app.from_config import apply_lsl
    from ..sources.discovery import discovery

    apply_lsl(settings.config.lsl)
    network = discovery()
    if watch:
        _watch(network, as_json)
    seen = network.wait_for(lambda _: True, wait, settle=True)
    if as_json:
        print_json([_facts(one) for one in seen])
    elif seen:
        click.echo(_listing(seen))
    if not seen:
        raise StreamNotFoundError("no stream on the network; `myogestic-tui doctor` looks for the reason")


def _facts(one: Seen) -> dict[str, Any]:
    names = ("name", "type", "source_id", "hostname", "uid", "n_channels", "fs", "dtype")
    return {name: getattr(one, name) for name in names}


def _listing(seen: Sequence[Seen]) -> str:
    rows = [
        (one.name, one.type or "-", one.hostname, one.n_channels, one.dtype, rate(one.fs), one.source_id or "-")
        for one in seen
    ]
    return table(("STREAM", "TYPE", "HOST", "CH", "DTYPE", "NOM Hz", "SOURCE ID"), rows, right=("CH", "NOM Hz"))


def _watch(network: Discovery, as_json: bool) -> NoReturn:
    """One line for each stream that appears or goes, until interrupted."""
    known: dict[str, Seen] = {}
    while True:
        now = {one.key: one for one in network.streams()}
        for event, keys in (("appeared", now.keys() - known.keys()), ("gone", known.keys() - now.keys())):
            for one in sorted(((now | known)[key] for key in keys), key=lambda one: one.name):
                at = datetime.now().astimezone()
                if as_json:
                    click.echo(json.dumps({"at": at.isoformat(), "event": event, **_facts(one)}))
                else:
                    click.echo(f"{at:%H:%M:%S}  {event:<9} {one.describe()}")
        known = now
        time.sleep(_WATCH_SECONDS)
