"""Run the viewer on a scripted recorder in this terminal: ``run_scripted.py [STATE] [OPTION=VALUE …]``.

What the viewer asked for is appended to the file that SCRIPT_LOG names: ``poll``,
``label INDEX TIME UNCERTAINTY``, ``note TEXT TIME UNCERTAINTY``, ….
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import scripted
from scripted import REPLACE, ScriptedRecorder, idle, recording

from myogestic_tui.app import interface as r
from myogestic_tui.errors import RecorderGoneError
from myogestic_tui.tui import ViewerOptions, run_viewer

STATES = {
    "idle": idle,
    "recording": recording,
    "told": lambda: recording(message="recording 2 streams"),
    "moving": recording,
    "empty": lambda: idle(streams=()),
    "crash": idle,
    "dying": recording,
    "slow": recording,
}


class Logged(ScriptedRecorder):
    """Writes down what is asked of it."""

    def log(self, line: str) -> None:
        """One line, at once."""
        if path := os.environ.get("SCRIPT_LOG"):
            with open(path, "a") as file:
                file.write(line + "\n")

    def status(self) -> r.Status:
        """The snapshot, and the fact that it was asked for."""
        self.log("poll")
        return super().status()

    def execute(self, command: r.AnyCommand) -> r.Reply:
        """Carry out and write down."""
        if isinstance(command, r.AddLabel):
            self.log(f"label {command.class_index} {command.timestamp} {command.uncertainty_s}")
        elif isinstance(command, r.AddNote):
            self.log(f"note {command.text} {command.timestamp} {command.uncertainty_s}")
        else:
            self.log(f"{type(command).__name__} {command.actor}")
        return super().execute(command)


class Moving(Logged):
    """Time continues, and every column of every envelope is noise."""

    def status(self) -> r.Status:
        """Now."""
        status, now = super().status(), time.monotonic()
        if status.session is None or status.state != "recording":
            return REPLACE(status, at=now)
        elapsed = now - status.session.started_at
        return REPLACE(status, at=now, session=REPLACE(status.session, elapsed_s=elapsed, label_seconds=elapsed))

    def envelope(self, view: r.View) -> r.Envelope | None:
        """Noise on a fixed grid of columns."""
        column = int(time.monotonic() / view.seconds * view.columns)
        at = np.arange(column - view.columns, column) * 7919
        channels = np.arange(view.first_channel, view.first_channel + view.n_channels)[:, None]
        high = (20 + (at[None, :] * (channels + 3) % 97)).astype(np.float32)
        return REPLACE(super().envelope(view), low=(-high).tobytes(), high=high.tobytes())


class Dying(Logged):
    """Ends when it is told to undo a label."""

    def execute(self, command: r.AnyCommand) -> r.Reply:
        """Carry out; there is nobody to ask after an undo."""
        if isinstance(command, r.UndoLabel):
            self.gone = RecorderGoneError("no recorder answers")
        return super().execute(command)


class Slow(Logged):
    """Undoes a label only once there is a file ``SCRIPT_LOG.go``."""

    def execute(self, command: r.AnyCommand) -> r.Reply:
        """Carry out, some time."""
        reply = super().execute(command)
        while isinstance(command, r.UndoLabel) and not os.path.exists(os.environ["SCRIPT_LOG"] + ".go"):
            time.sleep(0.01)
        return reply


class Crashing(Logged):
    """Hands out something that no screen can draw, once it is told anything."""

    def execute(self, command: r.AnyCommand) -> r.Reply:
        """Break the snapshot."""
        self.now = None
        raise OSError("deliberate")


def main() -> int:
    """Start it."""
    state, *given = sys.argv[1:] or ["idle"]
    options = dict(pair.split("=", 1) for pair in given)
    scripted.AT = time.monotonic()  # keys carry the real clock here
    recorder = {"crash": Crashing, "moving": Moving, "dying": Dying, "slow": Slow}.get(state, Logged)(STATES[state]())
    fresh = Logged(idle(app_name="another"))
    code = run_viewer(recorder, options=ViewerOptions(embedded=False, reconnect=lambda: fresh, **options))
    with contextlib.suppress(OSError):
        print(f"left with {code}", flush=True)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
