"""`App.run`: hooks, signals, the screens where there is a terminal, and a clean end whatever happens."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ConfigError, ControlError, DiskError
from ..stdio import has_screen
from .detached_output import TerminalLeash
from .interface import HostedRecorder, ScriptedRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ..config import Config
    from ..control.server import ControlServer
    from .parts import Parts

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_NEEDED_SECONDS = 60.0
"""An app whose screens are gone ends after so long without a recording, a job and anybody attached."""
_SIGNALLED = 128


class RunnableApp(HostedRecorder, ScriptedRecorder, Protocol):
    """What an `App` offers to be run."""

    config: Config
    parts: Parts
    before_run_hooks: list[Callable[[Any], object]]
    cleanup_hooks: list[Callable[[Any], object]]

    @property
    def stopping(self) -> threading.Event:
        """Set once it was asked to end."""
        ...

    def open(self, *, discover: bool = False, publish: bool = False) -> None:
        """Start everything."""
        ...

    def shut(self) -> None:
        """Finish and stop everything."""
        ...


def run_app(app: RunnableApp, mode: str) -> int:
    """Run until stopped; see `App.run`."""
    if mode not in ("tui", "gui", "headless"):
        raise ConfigError(f"run(mode={mode!r}): use 'tui', 'gui' (the same) or 'headless'")
    if mode != "headless" and not has_screen():
        print("no terminal here for the screens: use run(mode='headless'), or log in with `ssh -t`", file=sys.stderr)
        return 2
    with _hosted(app) as server:
        return _run(app, server, screens=mode != "headless")


def _run(app: RunnableApp, server: ControlServer | None, *, screens: bool) -> int:
    code, failure = 0, None
    leash = TerminalLeash(app.sessions_dir)
    app.open(discover=screens, publish=True)
    try:
        with _signals(app):
            for hook in app.before_run_hooks:
                _call(app, hook, "before_run")
            if screens:
                code = _show(app)
            _wait(app, leash, server if screens else None)
    except KeyboardInterrupt:
        _log.info("interrupted")
    finally:
        leash.check()
        failure = _call_all(app)
        app.shut()
    if failure is not None:
        raise failure
    return code or int(app.parts.jobs.failed)


@contextlib.contextmanager
def _hosted(app: RunnableApp) -> Iterator[ControlServer | None]:
    """Others may attach to the app; where that cannot be, it runs without them and says why."""
    from ..control.embedded import hosted

    with contextlib.ExitStack() as stack:
        server = None
        try:
            server = stack.enter_context(hosted(app))
        except (ControlError, DiskError) as error:
            app.parts.message.set(f"nobody can attach to this app: {error}")
        yield server


def _call(app: RunnableApp, hook: Callable[[Any], object], kind: str) -> None:
    """Call a hook; what it raises is shown, and raised."""
    name = getattr(hook, "__name__", repr(hook))
    try:
        hook(app)
    except Exception as error:
        _log.exception("%s hook %s", kind, name)
        app.parts.message.set(f"{kind} hook {name} failed: {type(error).__name__}: {error}")
        raise


def _call_all(app: RunnableApp) -> Exception | None:
    """Call every cleanup hook, whatever the others raise; the first exception is returned."""
    first: Exception | None = None
    for hook in app.cleanup_hooks:
        try:
            _call(app, hook, "cleanup")
        except Exception as error:
            first = first or error
    return first


def _show(app: RunnableApp) -> int:
    """The screens; once they are gone a recording continues without them."""
    from ..tui import ViewerOptions, run_script, run_viewer

    show = run_viewer if app.ui_function is None else run_script
    app.parts.set_viewers(here=True)
    code = show(app, options=ViewerOptions.from_config(app.config))
    app.parts.set_viewers(here=False)
    if app.parts.recordings.running is None:
        app.stop()
    elif not app.stopping.is_set():
        with contextlib.suppress(OSError):
            print(f"still recording (pid {os.getpid()}); Ctrl-C or SIGTERM stops and saves", file=sys.stderr)
            print("`myogestic-tui` in the same folder opens the screens again", file=sys.stderr)
    return 0 if code > _SIGNALLED else code


def _wait(app: RunnableApp, leash: TerminalLeash, server: ControlServer | None) -> None:
    """Until the app is stopped; with a ``server``, until nobody has needed it for a while, too."""
    quiet_since = time.monotonic()
    while not app.stopping.wait(_POLL_SECONDS):
        leash.check()
        if app.parts.recordings.running is not None or app.parts.jobs.busy:
            quiet_since = time.monotonic()
        quiet_s = time.monotonic() - quiet_since
        if server is not None and min(quiet_s, server.lonely_s) > _NEEDED_SECONDS:
            app.stop()


@contextlib.contextmanager
def _signals(app: RunnableApp) -> Iterator[None]:
    """SIGTERM and SIGINT end the app cleanly; a hang-up takes the terminal, not the recording."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        _log.info("signal %s", signal.Signals(number).name)
        app.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
