"""`myogestic-tui web`: the screens in a browser, on loopback."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from ..errors import ControlError
from .ctl_client import attached
from .options import common_options, pass_settings
from .output import remark

if TYPE_CHECKING:
    from .settings import Settings

_TERMINAL = ("TERM=xterm-256color", "COLORTERM=truecolor", "LC_ALL=C.UTF-8", "PYTHONUTF8=1")
"""What a browser can show, wherever the server was started."""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on this computer.")
@click.option("--control", is_flag=True, help="Let the browser start, stop and label, too.")
@common_options
@pass_settings
def web(settings: Settings, port: int, control: bool) -> None:
    """Serve the screens to a browser (extra [web]), on this computer only: from elsewhere through `ssh -L`.

    They show the recorder that runs on the sessions folder, and change nothing unless --control is given. Everybody
    who has an account on this computer can open the page.

    \b
    Examples:
      myogestic-tui web
      ssh -L 8000:localhost:8000 you@rpi-emg.local myogestic-tui --sessions lab/sessions web
    """
    from .web_server import serve_screens

    with attached(settings):  # else each page would show that there is no recorder
        pass
    try:
        serve_screens(_command(settings, control), port, lambda url: remark(f"the screens are at {url}; Ctrl-C ends"))
    except OSError as error:
        raise ControlError(f"port {port} cannot be used: {error.strerror or error}; --port names another") from error


def _command(settings: Settings, control: bool) -> str:
    words = ["env", *_TERMINAL, sys.executable, "-P", "-m", "myogestic_tui", "--sessions", str(settings.sessions_dir)]
    words += ["--config", settings.config_file] if settings.config_file else []
    return shlex.join(words if control else [*words, "--read-only"])
