"""`myogestic-tui serve`."""

from __future__ import annotations

import click

from .options import Settings, common_options, pass_settings


@click.command()
@common_options
@pass_settings
def serve(settings: Settings) -> int:
    """Run the recorder of a sessions folder in the foreground, until SIGTERM or Ctrl-C.

    For systemd (see docs/systemd.md) and for boxes without a screen: the screens and `ctl` attach to it. It logs to
    stderr, tells systemd when it is ready, feeds its watchdog, and stops a running recording cleanly at the end.
    Exits 1 where another recorder has the folder, which it names.

    \b
    Examples:
      myogestic-tui serve
      myogestic-tui --sessions /data/sessions serve --config /etc/myogestic.toml
    """
    import logging
    import sys

    from ..control.logfile import FORMAT
    from ..control.process import RecorderProcess

    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stderr)
    sys.argv[0] = "myogestic-tui-serve"  # what the lock file calls this process
    return RecorderProcess(settings.sessions_dir, settings.config).run()
