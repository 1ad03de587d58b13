"""Opens the screens, attached to the recorder of the sessions folder."""

from __future__ import annotations

import contextlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ..app.recorder import StartGenerator, StopGenerator
from .doctor import doctor_lines
from .output import remark
from .probe import probe_folder

if TYPE_CHECKING:
    from ..control import RecorderClient
    from .options import Settings

_NO_TERMINAL = (
    "the screens need a terminal: log in with `ssh -t`, or use `myogestic-tui record` and `myogestic-tui ctl`, "
    "which need none"
)


def open_screens(settings: Settings, demo: tuple[int, float] | None = None) -> int:
    """Attach to the recorder of the sessions folder, or start one, and show the screens until the operator leaves.

    Parameters
    ----------
    settings
        What the command line says.
    demo
        Channels and rate of a synthetic outlet that the recorder starts, and ends again if nothing is being recorded.

    Returns
    -------
    int
        Exit code: the viewer's, or 2 where there is no terminal.

    Raises
    ------
    ConfigError, DiskError, ControlError
        The configuration, the folder or the recorder is not usable.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        remark(f"myogestic-tui: {_NO_TERMINAL}")
        return 2
    probe_folder(settings.sessions_dir)
    from ..tui.curtain import curtain

    with curtain():
        return _show(settings, demo)


def _show(settings: Settings, demo: tuple[int, float] | None) -> int:
    """The screens, from attaching to the parting word."""
    config = settings.config
    client = _attach(settings)

    def begin() -> RecorderClient:
        if demo is not None:
            client.execute(StartGenerator(n_channels=demo[0], fs=demo[1], actor="demo"))
        return client

    def begin_again() -> RecorderClient:
        from ..control import attach_again

        attach_again(client, settings.sessions_dir, config_file=_config_file(settings))
        return begin()

    try:
        from ..tui import ViewerOptions, run_viewer

        options = ViewerOptions.from_config(
            config, embedded=False, doctor=lambda: list(doctor_lines(settings)), reconnect=begin_again
        )
        begin()
        code = run_viewer(client, options=options)
        with contextlib.suppress(OSError):  # the terminal is gone: nobody reads it
            _part(client, demo is not None)
    finally:
        client.close()
    return code


def _attach(settings: Settings) -> RecorderClient:
    """Attach while textual is being imported: a recorder that has to be started takes about as long as that."""
    from ..control import attach

    with ThreadPoolExecutor(1, thread_name_prefix="attach") as pool:
        attached = pool.submit(attach, settings.sessions_dir, config_file=_config_file(settings))
        from ..tui import launch  # noqa: F401
    return attached.result()


def _config_file(settings: Settings) -> Path | None:
    return Path(settings.config_file) if settings.config_file else None


def _part(client: RecorderClient, demo: bool) -> None:
    """Say what goes on without the screens."""
    status = client.status()
    if status.state == "recording" and not client.gone:
        remark(f"still recording (recorder {status.pid}): `myogestic-tui` shows it, `myogestic-tui ctl stop` saves it")
    elif demo and status.generator:
        client.execute(StopGenerator(actor="demo"))
