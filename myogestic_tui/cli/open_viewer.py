"""Opens the screens, attached to the recorder of the sessions folder."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..app.interface import DescribeMontage, DescribeStream, Reply, StartGenerator, Status, StopGenerator
from ..errors import RecorderGoneError
from ..stdio import has_screen
from .output import remark
from .writable import probe_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from ..app.interface import AnyCommand, Envelope, Recorder, View
    from ..control import RecorderClient
    from ..tui import ViewerOptions
    from .settings import Settings

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
    if not has_screen():
        remark(f"myogestic-tui: {_NO_TERMINAL}")
        return 2
    if not settings.read_only:
        probe_folder(settings.sessions_dir)
    from ..session.library.priority import be_expendable
    from ..tui.viewer_options import ViewerOptions

    be_expendable()
    options = ViewerOptions.from_config(settings.config, embedded=False, doctor=lambda: _doctor(settings))
    with ThreadPoolExecutor(1, thread_name_prefix="attach") as pool:
        arriving = (Watching if settings.read_only else Arriving)(pool.submit(_attach, settings, demo))
        return _show(settings, arriving, options, demo)


class Arriving:
    """A recorder that is still being found or started, while the first screen is painted and textual imported."""

    def __init__(self, attached: Future[RecorderClient]) -> None:
        self._attached = attached
        self._first = Status(at=time.monotonic(), host=platform.node(), message="the recorder is starting")
        self.stopping = threading.Event()
        """Set where there will be none; `client` says why."""
        self.on_envelope: Callable[[], object] = lambda: None
        attached.add_done_callback(self._arrived)

    def _arrived(self, attached: Future[RecorderClient]) -> None:
        if attached.exception() is not None:
            self.stopping.set()
        else:
            self.client.on_envelope = lambda: self.on_envelope()

    @property
    def client(self) -> RecorderClient:
        """The recorder once it is there; raises what kept it from coming."""
        return self._attached.result()

    @property
    def gone(self) -> str:
        """Why it does not answer any more."""
        return str(self.client.gone or "") if self._ready else ""

    @property
    def _ready(self) -> bool:
        return self._attached.done() and self._attached.exception() is None

    def status(self) -> Status:
        """The newest snapshot; until there is one, that it is starting."""
        if not self._ready:
            return replace(self._first, at=time.monotonic())
        return self.client.status()

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope."""
        return self.client.envelope(view) if self._ready else None

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command, once somebody can."""
        return self.client.execute(command)

    def close(self) -> None:
        """Detach."""
        if self._ready:
            self.client.close()


class Watching(Arriving):
    """The same for screens that only show: what would change anything is refused here, and reaches no recorder."""

    def execute(self, command: AnyCommand) -> Reply:
        """Carry out a command that only asks; refuse all others."""
        if isinstance(command, DescribeStream | DescribeMontage):
            return super().execute(command)
        return Reply(ok=False, message="these screens only show: nothing was changed")


def _show(settings: Settings, arriving: Arriving, options: ViewerOptions, demo: tuple[int, float] | None) -> int:
    """The screens, from attaching to the parting word."""

    def begin_again() -> Recorder:
        from ..control import attach_again

        if settings.read_only:
            raise RecorderGoneError("no recorder runs, and screens that only show start none")
        attach_again(arriving.client, settings.sessions_dir, config_file=_config_file(settings))
        _begin(arriving.client, demo)
        return arriving

    from ..tui import run_viewer

    try:
        code = run_viewer(arriving, options=dataclasses.replace(options, reconnect=begin_again))
        if arriving.stopping.is_set():
            arriving.client  # noqa: B018 (raises why)
        with contextlib.suppress(OSError):  # the terminal is gone: nobody reads it
            _part(arriving.client, demo is not None)
    finally:
        arriving.close()
    return code


def _doctor(settings: Settings) -> list[str]:
    from .doctor import doctor_lines

    return list(doctor_lines(settings))


def _attach(settings: Settings, demo: tuple[int, float] | None) -> RecorderClient:
    from ..control import attach

    client = attach(settings.sessions_dir, config_file=_config_file(settings), start=not settings.read_only)
    _begin(client, demo)
    return client


def _begin(client: RecorderClient, demo: tuple[int, float] | None) -> None:
    if demo is not None:
        client.execute(StartGenerator(n_channels=demo[0], fs=demo[1], actor="demo"))


def _config_file(settings: Settings) -> Path | None:
    return Path(settings.config_file) if settings.config_file else None


def _part(client: RecorderClient, demo: bool) -> None:
    """Say what continues without the screens."""
    status = client.status()
    if status.state == "recording" and not client.gone:
        remark(f"still recording (recorder {status.pid}): `myogestic-tui` shows it, `myogestic-tui ctl stop` saves it")
    elif demo and status.generator:
        client.execute(StopGenerator(actor="demo"))
