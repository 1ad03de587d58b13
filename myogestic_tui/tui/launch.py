"""Starts the viewer and makes sure that it ends: with the terminal restored, whatever happened."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from .app import HUNG_UP, Viewer
from .signals import Shed, bounded_exit

if TYPE_CHECKING:
    from ..app.recorder import Recorder
    from .options import ViewerOptions


def launch(recorder: Recorder, options: ViewerOptions) -> int:
    """See `run_viewer`."""
    if os.environ.get("TERM", "") in ("", "dumb"):
        from .plain import run_plain

        return run_plain(recorder)
    viewer = Viewer(recorder, options)
    signalled: list[int] = []

    def leave(number: int) -> None:
        signalled.append(number)
        viewer.leave(128 + number)

    try:
        with bounded_exit(leave, viewer.give_back, embedded=options.embedded):
            code = viewer.run(mouse=options.mouse)
    except Shed:
        viewer.give_back()
        return 128 + signalled[0] if signalled else HUNG_UP
    if signalled:
        return 128 + signalled[0]
    if viewer.crash is not None:
        _report(viewer.crash)
        return 1
    return code or 0


def _report(crash: BaseException) -> None:
    traceback.print_exception(crash)
    print("The screens crashed; what is being recorded goes on. Open them again to look.", file=sys.stderr)
