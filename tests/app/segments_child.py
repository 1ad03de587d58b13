"""Records a chain of a counting stream, and kills itself at a step of the first change of session.

    python -m tests.app.segments_child FOLDER STEP

On standard output it says when its two sources began to count.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from myogestic_tui import App, Stream
from myogestic_tui.app.recording import Recordings
from myogestic_tui.app.session_recorder import SessionRecorder
from myogestic_tui.session import Session
from myogestic_tui.session.recording.active_session import Recording
from myogestic_tui.stream import Stream as AnyStream
from tests.sending import RampSource

STEPS: dict[str, tuple[type, str]] = {
    "made": (SessionRecorder, "_next_segment"),
    "prepared": (Recordings, "prepare"),
    "one stream told": (AnyStream, "hand_over"),
    "one stream through": (AnyStream, "_follow"),
    "stop requested": (Session, "request_stop"),
    "label carried": (Recordings, "_carry_label"),
    "changed": (Recordings, "change"),
    "finishing": (Recording, "_conclusion"),
    "finished": (SessionRecorder, "_end_segment"),
}


def die_after(owner: type, name: str) -> None:
    """Have the process killed when a method returns."""
    real: Callable[..., Any] = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, call)


def main() -> None:
    folder, step = sys.argv[1:]
    if step in STEPS:
        die_after(*STEPS[step])
    app = App("chain", sessions_dir=folder)
    app.streams(*(Stream(name, source=RampSource(3, 400.0)) for name in ("emg", "other")))
    app.open()
    while any(stream.info is None for stream in app.ctx.streams.values()):
        threading.Event().wait(0.01)
    app.add_label(0)
    app.start_recording(segment_s=1.0)
    print(app.ctx.streams["emg"].source.start, app.ctx.streams["other"].source.start, flush=True)
    if step not in STEPS:
        threading.Timer(float(step), os.kill, (os.getpid(), signal.SIGKILL)).start()
    threading.Event().wait(120.0)


if __name__ == "__main__":
    main()
