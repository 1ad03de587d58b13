"""`myogestic-tui serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import common_options, pass_settings
from .output import remark

if TYPE_CHECKING:
    from .settings import Settings

HELD = 4
"""Exit code where another recorder has the folder."""
_LOOK_SECONDS = 1.0
_EXTENSION_SECONDS = 30.0


@click.command()
@click.option(
    "--wait-for-mount",
    "mount",
    metavar="DIR",
    type=click.Path(),
    help="First wait until a file system is mounted there: no recording meant for a disk goes beside it.",
)
@click.option(
    "--metrics",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write metrics for node-exporter there every 15 s; its textfile collector reads files that end in .prom.",
)
@common_options
@pass_settings
def serve(settings: Settings, mount: str | None, metrics: Path | None) -> int:
    """Run the recorder of a sessions folder in the foreground, until SIGTERM or Ctrl-C.

    For systemd (`myogestic-tui service install`) and for boxes without a screen: the screens and `ctl` attach to it. It
    logs to stderr, tells systemd when it is ready, feeds its watchdog, and stops a running recording cleanly at the
    end. At its start it recovers and packs what earlier recorders were cut off from. Exits 4 where another recorder has
    the folder, which it names: a service is not started again then.

    \b
    Examples:
      myogestic-tui serve
      myogestic-tui serve --metrics /var/lib/node_exporter/textfile_collector/myogestic.prom
      myogestic-tui --sessions /data/sessions serve --config /etc/myogestic.toml
    """
    if metrics is not None and metrics.suffix != ".prom":
        raise click.UsageError(f"--metrics {metrics}: node-exporter reads files that end in .prom only")
    import faulthandler
    import sys

    from ..control.logfile import log_to_stderr
    from ..control.process import RecorderProcess
    from ..errors import SessionLockedError

    log_to_stderr()
    faulthandler.enable()  # where every thread was when the watchdog's SIGABRT came
    sys.argv[0] = "myogestic-tui-serve"  # what the lock file calls this process
    if mount is not None:
        _wait_for_mount(mount)
    try:
        return RecorderProcess(settings.sessions_dir, settings.config, unattended=True, metrics=metrics).run()
    except SessionLockedError as error:
        remark(f"myogestic-tui: {error}")
        return HELD


def _wait_for_mount(mount: str) -> None:
    """Wait as long as it takes; systemd hears that it is no failure."""
    import logging
    import os
    import time

    from ..control.systemd_notify import Notifier

    if os.path.ismount(mount):
        return
    text = f"waiting for a disk at {mount}: nothing is mounted there"
    logging.getLogger(__name__).warning("%s", text)
    notifier = Notifier()
    notifier.send(text)
    while not os.path.ismount(mount):
        notifier.waiting(_EXTENSION_SECONDS)
        time.sleep(_LOOK_SECONDS)
