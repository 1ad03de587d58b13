"""`myogestic-tui serve`."""

from __future__ import annotations

import click

from .options import Settings, common_options, pass_settings
from .output import remark

HELD = 4
"""Exit code where another recorder has the folder."""


@click.command()
@common_options
@pass_settings
def serve(settings: Settings) -> int:
    """Run the recorder of a sessions folder in the foreground, until SIGTERM or Ctrl-C.

    For systemd (see docs/systemd.md) and for boxes without a screen: the screens and `ctl` attach to it. It logs to
    stderr, tells systemd when it is ready, feeds its watchdog, and stops a running recording cleanly at the end.
    At its start it recovers and packs what earlier recorders were cut off from. Exits 4 where another recorder has
    the folder, which it names: a service is not started again then.

    \b
    Examples:
      myogestic-tui serve
      myogestic-tui --sessions /data/sessions serve --config /etc/myogestic.toml
    """
    import faulthandler
    import sys

    from ..control.logfile import log_to_stderr
    from ..control.process import RecorderProcess
    from ..errors import SessionLockedError

    log_to_stderr()
    faulthandler.enable()  # where every thread was when the watchdog's SIGABRT came
    sys.argv[0] = "myogestic-tui-serve"  # what the lock file calls this process
    try:
        return RecorderProcess(settings.sessions_dir, settings.config, unattended=True).run()
    except SessionLockedError as error:
        remark(f"myogestic-tui: {error}")
        return HELD
