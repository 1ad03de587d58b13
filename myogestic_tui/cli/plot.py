"""`plot`: a whole session, or a part of it, drawn in the terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from .options import SessionPath

if TYPE_CHECKING:
    from pathlib import Path

_HEIGHT = 20


@click.command()
@click.argument("path", type=SessionPath())
@click.option("--stream", help="Which stream; the one with the most data where absent.")
@click.option("--channel", type=click.IntRange(1), help="Which channel, from 1; the RMS of all where absent.")
@click.option("--from", "first_s", type=click.FloatRange(0), default=0.0, help="Seconds since the session's start.")
@click.option("--to", "last_s", type=click.FloatRange(0), help="Seconds since the session's start; its end if absent.")
@click.option("--height", type=click.IntRange(8, 200), default=_HEIGHT, show_default=True, help="Rows.")
def plot(
    path: Path, stream: str | None, channel: int | None, first_s: float, last_s: float | None, height: int
) -> None:
    """Draw the RMS of a session, or the envelope of a channel, with its labels and gaps. Up to 30 s come from samples.

    \b
    Examples:
      myogestic-tui plot sessions/2026-05-17_14-23-05.session.zip
      myogestic-tui plot sessions/2026-05-17_14-23-05.session.zip --channel 7 --from 60 --to 75
    """
    from ..config import GESTURE_KEYS
    from ..session import open_session_store
    from ..session.reading.overview import read_overview
    from .plot_text import plot_text
    from .session_text import remark_lines

    width = shutil.get_terminal_size().columns
    index = None if channel is None else channel - 1
    with open_session_store(path) as session:
        overview = read_overview(session, stream, index, first_s=first_s, last_s=last_s, columns=width)
        names, streams = session.class_names, session.summary().streams
    lines = plot_text(overview, width, height, lambda label: GESTURE_KEYS[label] if 0 <= label < 36 else " ")
    click.echo("\n".join(one.rstrip() for one in lines))
    if names:
        click.echo(" " + "   ".join(f"{GESTURE_KEYS[place]} {name}" for place, name in enumerate(names[:36])))
    for line in remark_lines({overview.stream: streams[overview.stream]} if overview.stream in streams else {}):
        click.echo(line)
