"""`myogestic-tui generate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .options import common_options, pass_settings
from .output import remark

if TYPE_CHECKING:
    from .settings import Settings


@click.command()
@click.option("--name", default="emg", show_default=True, help="Name of the EMG outlet.")
@click.option("--channels", type=click.IntRange(1, 1024), default=64, show_default=True, help="Its channels.")
@click.option("--rate", type=click.FloatRange(1, 50_000), default=2048, show_default=True, help="Its rate in Hz.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed gives the same samples."
)
@common_options
@pass_settings
def generate(settings: Settings, name: str, channels: int, rate: float, seed: int) -> int:
    """Send synthetic EMG as an LSL outlet until Ctrl-C, and a vhi_control outlet (9 joint angles, 60 Hz) beside it.

    The hand takes up the gesture that is labelled where this is recorded (`record --labels`, the screens, scripts), or
    gesture N when a line "gesture N" is typed, or when an LSL marker stream NAME_gesture sends N.
    One JSON line on stdout says when both are on the network.

    \b
    Examples:
      myogestic-tui generate
      myogestic-tui generate --name EMG --channels 8 --rate 1000
    """
    from ..app.from_config import apply_lsl
    from ..sources.generator import main

    apply_lsl(settings.config.lsl)
    remark(f"{name}: {channels} channels at {rate:g} Hz; Ctrl-C stops")
    options = ["--name", name, "--channels", str(channels), "--rate", str(rate), "--seed", str(seed)]
    return main([*options, "--outlive-parent"])
