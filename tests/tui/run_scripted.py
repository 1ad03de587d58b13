"""Run the viewer on a scripted recorder in this terminal: ``run_scripted.py [idle|recording|empty] [NAME=VALUE …]``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scripted import ScriptedRecorder, idle, recording

from myogestic_tui.tui import ViewerOptions, run_viewer

STATES = {"idle": idle, "recording": recording, "empty": lambda: idle(streams=()), "crash": idle}


class Crashing(ScriptedRecorder):
    """Hands out something that no screen can draw, once the Record screen is asked for."""

    def execute(self, command: object) -> object:
        """Break the snapshot."""
        self.now = None
        raise OSError("deliberate")


def main() -> int:
    """Start it."""
    state, *given = sys.argv[1:] or ["idle"]
    options = dict(pair.split("=", 1) for pair in given)
    recorder = (Crashing if state == "crash" else ScriptedRecorder)(STATES[state]())
    code = run_viewer(recorder, options=ViewerOptions(embedded=False, **options))
    with contextlib.suppress(OSError):
        print(f"left with {code}", flush=True)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
