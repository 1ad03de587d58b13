"""`myogestic-tui cue`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ..stdio import places_text
from .options import common_options, pass_settings
from .output import remark

if TYPE_CHECKING:
    from .settings import Settings

_NO_TERMINAL = "the cues need a terminal that can place text: log in with `ssh -t`, and look at what TERM says"


@click.command()
@click.option("--bell", is_flag=True, help="Ring this terminal's bell at each cue.")
@common_options
@pass_settings
def cue(settings: Settings, bell: bool) -> int:
    """Show the subject what to do, as large as the terminal: the cue, its countdown, and what comes next.

    It follows the recorder that runs on the sessions folder, waits where none runs, and starts none. It changes
    nothing: q leaves, no other key does anything. The operator's screens ring at each cue where the protocol says so;
    this terminal does with --bell.

    \b
    Examples:
      myogestic-tui cue
      myogestic-tui --theme light --sessions /data/sessions cue --bell
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty() and places_text()):
        remark(f"myogestic-tui: {_NO_TERMINAL}")
        return 2
    from ..session.library.priority import be_expendable
    from ..tui.cue_app import CueScreen
    from ..tui.launch import run_to_the_end
    from ..tui.viewer_options import ViewerOptions

    be_expendable()
    options = ViewerOptions.from_config(settings.config, embedded=False)
    return run_to_the_end(lambda link: CueScreen(settings.sessions_dir, options, bell=bell, link=link))
