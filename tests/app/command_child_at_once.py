"""Runs programs as the recorder's own process does, but does not stand back: on a busy machine that takes minutes."""

import os
import runpy
from pathlib import Path

os.nice = lambda _: 0
os.sched_setscheduler = lambda *_: None
runpy.run_path(str(Path(__file__).parents[2] / "myogestic_tui/app/command_child.py"), run_name="__main__")
