"""Opens the screens, attached to the recorder of the sessions folder."""

from __future__ import annotations

import contextlib
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..app.recorder import StartGenerator, Status, StopGenerator
from ..errors import MyoGesticError
from .doctor import doctor_lines
from .output import remark
from .probe import probe_folder

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..control import RecorderClient
    from ..tui import ViewerOptions
    from .options import Settings

_FIRST_STATUS_SECONDS = 0.15
"""How long the first paint waits for a recorder's status; a running one answers in a tenth of that."""
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
    from ..session.library.priority import be_expendable
    from ..tui.options import ViewerOptions

    options = ViewerOptions.from_config(settings.config, embedded=False, doctor=lambda: list(doctor_lines(settings)))
    be_expendable()
    client = _attach(settings, options)

    def begin() -> RecorderClient:
        if demo is not None:
            client.execute(StartGenerator(n_channels=demo[0], fs=demo[1], actor="demo"))
        return client

    def begin_again() -> RecorderClient:
        from ..control import attach_again

        attach_again(client, settings.sessions_dir, config_file=_config_file(settings))
        return begin()

    try:
        from ..tui import run_viewer

        begin()
        code = run_viewer(client, options=replace(options, reconnect=begin_again))
        with contextlib.suppress(OSError):  # the terminal is gone: nobody reads it
            _part(client, demo is not None)
    finally:
        client.close()
    return code


def _attach(settings: Settings, options: ViewerOptions) -> RecorderClient:
    """Attach while the first screen is painted and textual imported: that takes as long as to start a recorder."""
    from ..control import attach

    with ThreadPoolExecutor(1, thread_name_prefix="attach") as pool:
        attached = pool.submit(attach, settings.sessions_dir, config_file=_config_file(settings))
        from ..tui.opening import paint_opening

        paint_opening(_first_status(attached), options)
        from ..tui import launch  # noqa: F401
    return attached.result()


def _first_status(attached: Future[RecorderClient]) -> Status:
    """What the recorder says; where it says nothing in a moment, that it starts."""
    until = time.monotonic() + _FIRST_STATUS_SECONDS
    with contextlib.suppress(TimeoutError, MyoGesticError, OSError):
        client = attached.result(_FIRST_STATUS_SECONDS)
        while not (status := client.status()).pid and time.monotonic() < until:
            time.sleep(0.01)
        return status
    return Status(at=time.monotonic(), host=platform.node(), message="the recorder is starting")


def _config_file(settings: Settings) -> Path | None:
    return Path(settings.config_file) if settings.config_file else None


def _part(client: RecorderClient, demo: bool) -> None:
    """Say what goes on without the screens."""
    status = client.status()
    if status.state == "recording" and not client.gone:
        remark(f"still recording (recorder {status.pid}): `myogestic-tui` shows it, `myogestic-tui ctl stop` saves it")
    elif demo and status.generator:
        client.execute(StopGenerator(actor="demo"))
