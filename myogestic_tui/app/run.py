"""`App.run`: hooks, signals, the screens where there is a terminal, and a clean end whatever happens."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from .app import App, Hook

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5


def run_app(app: App, mode: str) -> int:
    """Run until stopped; see `App.run`."""
    if mode not in ("tui", "gui", "headless"):
        raise ConfigError(f"run(mode={mode!r}): use 'tui', 'gui' (the same) or 'headless'")
    if mode != "headless" and not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("no terminal here for the screens: use run(mode='headless'), or log in with `ssh -t`", file=sys.stderr)
        return 2
    code = 0
    app.open(discover=mode != "headless")
    try:
        with _signals(app):
            if not all(_call(app, hook, "before_run") for hook in app.before_run_hooks):
                return 1
            if mode != "headless":
                code = _show(app)
            _wait(app)
    except KeyboardInterrupt:
        _log.info("interrupted")
    finally:
        for hook in app.cleanup_hooks:
            code = code if _call(app, hook, "cleanup") else 1
        app.shut()
    return code or int(app.jobs.failed)


def _call(app: App, hook: Hook, kind: str) -> bool:
    name = getattr(hook, "__name__", repr(hook))
    try:
        hook(app)
    except Exception as error:
        _log.exception("%s hook %s", kind, name)
        app.say(f"{kind} hook {name} failed: {type(error).__name__}: {error}")
        print(app.ctx.status_message, file=sys.stderr)
        return False
    return True


def _show(app: App) -> int:
    """The screens; once they are gone a recording goes on without them."""
    from ..tui import ViewerOptions, run_script, run_viewer

    show = run_viewer if app.ui_function is None else run_script
    code = show(app, options=ViewerOptions.from_config(app.config))
    if app.ctx.state != "recording":
        app.stop()
    elif not app.stopping.is_set():
        with contextlib.suppress(OSError):
            print(f"still recording (pid {os.getpid()}); Ctrl-C or SIGTERM stops and saves", file=sys.stderr)
    return code


def _wait(app: App) -> None:
    while not app.stopping.wait(_POLL_SECONDS):
        pass


@contextlib.contextmanager
def _signals(app: App) -> Iterator[None]:
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
