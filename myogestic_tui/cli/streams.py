"""`myogestic-tui streams`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ..errors import StreamNotFoundError
from .options import Settings, common_options, json_option, pass_settings
from .output import print_json, table

if TYPE_CHECKING:
    from ..sources.discovery import Seen

_SETTLE_SECONDS = 1.5
"""Outlets answer within about a second of being asked."""
_WATCH_SECONDS = 0.5


@click.command()
@click.option("--watch", is_flag=True, help="Go on, and say what comes and goes, until Ctrl-C.")
@click.option("--wait", type=click.FloatRange(min=0), default=3, show_default=True, help="Seconds to wait for a first one.")
@common_options
@json_option
@pass_settings
def streams(settings: Settings, watch: bool, wait: float, as_json: bool) -> None:
    r"""List the LSL streams on the network. Exits 3 where there is none.

    \b
    Examples:
      myogestic-tui streams
      myogestic-tui streams --watch
      myogestic-tui streams --json
    """
    from ..sources import configure_lsl
    from ..sources.discovery import discovery

    configure_lsl(settings.config.lsl)
    with discovery() as network:
        if watch:
            _watch(network, as_json)
            return
        if network.wait_for(lambda seen: bool(seen), wait):
            time.sleep(_SETTLE_SECONDS)
        seen = network.streams()
    if as_json:
        print_json(seen)
    elif seen:
        click.echo(_listing(seen))
    if not seen:
        raise StreamNotFoundError("no stream on the network; `myogestic-tui doctor` looks for the reason")
