"""Starts the viewer and makes sure that it ends: with the terminal restored, whatever happened."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from typing import TYPE_CHECKING

from ..stdio import settle_output
from .app import Viewer
from .base import HUNG_UP
from .signals import Shed, bounded_exit

if TYPE_CHECKING:
    from ..app.recorder import Recorder
    from .base import TerminalApp
    from .options import ViewerOptions


def launch(recorder: Recorder, options: ViewerOptions) -> int:
    """See `run_viewer`."""
    if os.environ.get("TERM", "") in ("", "dumb"):
        from .plain import run_plain

        return run_plain(recorder, options)
    return run_to_the_end(Viewer(recorder, options), mouse=options.mouse, embedded=options.embedded)


def run_to_the_end(screens: TerminalApp, *, mouse: bool = False, embedded: bool = False) -> int:
    """Run, give the terminal back on every path, and return an exit code as `run_viewer` has."""
    try:
        return _run(screens, mouse, embedded)
    finally:
        settle_output()


def _run(screens: TerminalApp, mouse: bool, embedded: bool) -> int:
    signalled: list[int] = []

    def leave(number: int) -> None:
        signalled.append(number)
        screens.leave(128 + number)

    try:
        with bounded_exit(leave, screens.give_back, embedded=embedded):
            code = screens.run(mouse=mouse)
    except Shed:
        screens.give_back()
        return 128 + signalled[0] if signalled else HUNG_UP
    if signalled:
        return 128 + signalled[0]
    if screens.crash is not None:
        _report(screens.crash)
        return 1
    return code or 0


def _report(crash: BaseException) -> None:
    with contextlib.suppress(OSError):
        traceback.print_exception(crash)
        print("The screens crashed; what is being recorded goes on. Open them again to look.", file=sys.stderr)
