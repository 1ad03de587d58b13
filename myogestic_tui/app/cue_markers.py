"""Cues as an LSL marker stream, for whoever else records or shows them."""

from __future__ import annotations

from .marker_outlet import NO_LABEL, MarkerOutlet

CUE_STREAM = "myogestic_cues"
"""Name of the marker stream; one text per cue, stamped at its start."""


class CueOutlet(MarkerOutlet):
    """A marker outlet that is opened with the first protocol: most recordings have none."""

    def __init__(self, app_name: str) -> None:
        super().__init__(CUE_STREAM, f"{app_name}-cues")

    def publish_cue(self, gesture: str | None, at: float) -> None:
        """Send one marker: the gesture's name, or ``"no label"``; ``at`` is seconds on the recorder's clock."""
        self.publish(gesture or NO_LABEL, at)
