"""Every label as an LSL marker stream, for whoever else records: the stream also tells this recorder's clock."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from ..clock.local import clock_id
from .marker_outlet import MarkerOutlet

LABEL_STREAM = "myogestic_labels"
"""Name of the marker stream; one text per label, with the label's own time stamp."""
CLOCK_ELEMENT = "recorder_clock"
"""Element of its header: the `clock.clock_id` that its stamps count in."""


class LabelOutlet(MarkerOutlet):
    """A marker outlet that is there as long as the recorder runs, whether somebody labels or not.

    Other recorders find it by a source_id that is the same after a restart, and another one for each computer and
    sessions folder; by its clock comparisons they know how their clocks lie to this one.
    """

    def __init__(self, sessions_dir: Path) -> None:
        source_id = f"{LABEL_STREAM}-{_place(sessions_dir)}"
        super().__init__(LABEL_STREAM, source_id, lambda: {CLOCK_ELEMENT: clock_id()}, offered=False)

    def publish_undo(self, text: str, at: float) -> None:
        """Send that the label of that text, stamped ``at``, was undone."""
        self.publish_if_open(f"undo {text}", at)


def _place(sessions_dir: Path) -> str:
    try:
        machine = Path("/etc/machine-id").read_text().strip()
    except OSError:
        machine = ""
    text = f"{machine} {socket.gethostname()} {sessions_dir.absolute()}"
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]
