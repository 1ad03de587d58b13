"""Starts the screens and makes sure that they end: with the terminal restored, whatever happened."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from typing import TYPE_CHECKING

from ..stdio import places_text, settle_output
from .shutdown_signals import BoundedExit, Shed
from .terminal_link import HUNG_UP, Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app.interface import Recorder
    from .terminal_app import TerminalApp
    from .viewer_options import ViewerOptions

_CRASHED = "The screens crashed; what is being recorded continues. Open them again to look."

_GARBAGE = 20_000
"""Objects between two collections: a frame makes some thousands, almost none of them in a circle."""


def launch(recorder: Recorder, options: ViewerOptions) -> int:
    """See `run_viewer`."""
    if not places_text():
        from .line_viewer import run_plain

        return run_plain(recorder, options)
    if not options.embedded:
        gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])
    from .viewer import Viewer

    return run_to_the_end(lambda link: Viewer(recorder, options, link), mouse=options.mouse, embedded=options.embedded)


def run_to_the_end(build: Callable[[Link], TerminalApp], *, mouse: bool = False, embedded: bool = False) -> int:
    """Run, give the terminal back on every path, and return an exit code as `run_viewer` has."""
    try:
        return _run(build, mouse=mouse, embedded=embedded)
    finally:
        settle_output()


def _run(build: Callable[[Link], TerminalApp], *, mouse: bool, embedded: bool) -> int:
    forget_size()
    link = Link()
    ending = BoundedExit(link.give_back, embedded=embedded)
    screens = build(link)
    screens.ending = ending
    code: int | None = None
    try:
        with link.taken(), ending.handling(screens.leave_soon):
            code = screens.run(mouse=mouse)
    except Shed:
        link.give_back()
        return HUNG_UP if ending.code is None else ending.code
    except OSError:
        if not link.gone:
            raise
    if ending.forced:
        threading.Event().wait()  # the screens ended only because what they wrote was dropped
    if link.gone or ending.code not in (None, 0):
        link.give_back()
        return HUNG_UP if ending.code is None else ending.code
    if screens.return_code == 1:
        link.swallow_answers()
        with contextlib.suppress(OSError):
            print(_CRASHED, file=sys.stderr)
        return 1
    return code or 0


def forget_size() -> None:
    """``COLUMNS`` and ``LINES`` do not follow a resize; in a browser they are the size."""
    if "TEXTUAL_DRIVER" not in os.environ:
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)
