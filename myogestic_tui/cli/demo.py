"""`myogestic-tui demo`: everything, on a synthetic EMG stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from ..stdio import has_screen
from .options import common_options, json_option, pass_settings, screen_options
from .output import Progress, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from ..app import App
    from .settings import Settings

_TURNS = ("Rest", "Fist", "Rest", "Pinch", "Open")
"""What the headless demo labels, in equal parts of its time."""


@click.command()
@click.option("--channels", type=click.IntRange(1, 1024), default=64, show_default=True, help="Channels of EMG.")
@click.option("--rate", type=click.FloatRange(1, 50_000), default=2048, show_default=True, help="Rate in Hz.")
@click.option("--headless", is_flag=True, help="No screens: record, pack, verify, report. Default without a terminal.")
@click.option("--seconds", type=click.FloatRange(1), default=10, show_default=True, help="Length, if headless.")
@common_options
@screen_options
@json_option
@pass_settings
def demo(settings: Settings, channels: int, rate: float, headless: bool, seconds: float, as_json: bool) -> int:
    """Start a synthetic EMG outlet, and the screens to record it with.

    The outlet is a real LSL stream in a process of its own; the synthetic hand takes up the gestures that are labelled.

    \b
    Examples:
      myogestic-tui demo
      myogestic-tui demo --headless --seconds 5
    """
    if headless or as_json or not has_screen():
        return _record(settings, channels, rate, seconds, as_json)
    from .open_viewer import open_screens

    return open_screens(settings, demo=(channels, rate))


def _record(settings: Settings, channels: int, rate: float, seconds: float, as_json: bool) -> int:
    """Record, label, pack and verify; 0 if the archive is whole."""
    from ..app import App
    from ..config import Config
    from .headless import Capture, Cues

    app = App("myogestic_tui demo", config=Config(lsl=settings.config.lsl), sessions_dir=settings.sessions_dir)
    _generate(app, channels, rate)
    cues = Cues(tuple((name, seconds / len(_TURNS)) for name in _TURNS))
    try:
        path = Capture(app, cues=cues, wait_s=30.0).run()
    finally:
        if app.parts.generators.running:
            app.parts.generators.stop()
    return _report(path, as_json) if path is not None else 1


def _generate(app: App, channels: int, rate: float) -> None:
    """Start the outlets, and register exactly these: another demo on the network has the same names."""
    from ..sources import LSLSource
    from ..stream import Stream

    generator = app.parts.generators.run(channels, rate)
    for outlet in cast("list[dict[str, str]]", generator.ready["streams"]):
        app.streams(Stream(outlet["name"], source=LSLSource(outlet["name"], uid=outlet["uid"]), required=True))


def _report(path: Path, as_json: bool) -> int:
    from ..session import verify_session
    from .session_text import load_summary, session_lines, with_verification

    progress = Progress()
    outcome = verify_session(path, "full", progress=progress.share("verifying"))
    progress.clear()
    summary = with_verification(load_summary(path), outcome)
    if as_json:
        print_json(summary)
    else:
        click.echo("\n".join(session_lines(summary)))
        click.echo(f"\nOpen it with `myogestic-tui info {path}`, or see it in the screens: `myogestic-tui`, then b.")
    return 0 if outcome.ok else 1
