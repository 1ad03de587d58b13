"""`myogestic-tui replay`."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import click

from .options import LocalSession
from .output import Progress, duration, remark

if TYPE_CHECKING:
    from pathlib import Path

SESSION = LocalSession()


@click.command()
@click.argument("path", type=SESSION)
@click.option("--stream", "streams", multiple=True, help="Only this stream; may be repeated.")
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), default=1, show_default=True, help="1 is real time."
)
@click.option("--loop", is_flag=True, help="Start again at the end, until Ctrl-C.")
@click.option("--suffix", default="-replay", show_default=True, help="Follows the name of every stream.")
@click.option("--wait", type=click.FloatRange(min=0), default=0, help="Seconds to wait for somebody to listen.")
def replay(path: Path, streams: tuple[str, ...], speed: float, loop: bool, suffix: str, wait: float) -> None:
    """Send a session as live LSL outlets: same layout, units and rates, new time stamps with the same spacing.

    \b
    Examples:
      myogestic-tui replay sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui replay sessions/2026-05-17_14-23-05.session.zip --stream emg --loop
    """
    from ..session import open_session_store
    from ..sources.replay_outlets import Replay

    stop, progress = threading.Event(), Progress()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with (
        open_session_store(path) as session,
        Replay(session, streams or None, speed=speed, loop=loop, suffix=suffix) as sending,
    ):
        click.echo("\n".join(sending.names))
        length = duration(sending.length_s)
        if wait and not sending.wait_for_consumers(wait):
            remark(f"nobody listens after {wait:g} s; sending all the same")
        sending.run(stop, lambda at: progress.show(f"{duration(at)} of {length}"))
        progress.clear()
