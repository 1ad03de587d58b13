"""Runs programs as the recorder's own process does, but does not stand back: on a busy machine that takes minutes.

Nor do the time limits begin before the file exists that ``NO_TIME_PASSES_BEFORE`` names.
"""

import os
import runpy
import time
from pathlib import Path

os.nice = lambda _: 0
os.sched_setscheduler = lambda *_: None
if begun := os.environ.get("NO_TIME_PASSES_BEFORE"):
    now, clock = time.monotonic(), time.monotonic
    time.monotonic = lambda: clock() if os.path.exists(begun) else now
runpy.run_path(str(Path(__file__).parents[2] / "myogestic_tui/app/command_child.py"), run_name="__main__")
