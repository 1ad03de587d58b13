"""Run the viewer on a scripted recorder in this terminal: ``run_scripted.py [idle|recording|empty] [NAME=VALUE …]``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scripted import ScriptedRecorder, idle, recording

from myogestic_tui.tui import ViewerOptions, run_viewer

STATES = {"idle": idle, "recording": recording, "empty": lambda: idle(streams=())}


def main() -> int:
    """Start it."""
    state, *given = sys.argv[1:] or ["idle"]
    options = dict(pair.split("=", 1) for pair in given)
    code = run_viewer(ScriptedRecorder(STATES[state]()), options=ViewerOptions(embedded=False, **options))
    print(f"left with {code}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
