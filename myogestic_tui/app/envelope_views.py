"""The envelope of what a viewer looks at, with the labels that were in force."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from .interface import Envelope, LabelStatus, View

if TYPE_CHECKING:
    from ..session import LabelEvent
    from .recording import Recordings
    from .streams import StreamTable


def label_status(label: LabelEvent, offset: float = 0.0) -> LabelStatus:
    """A stored label as screens see it, ``offset`` seconds taken off its time stamp."""
    return LabelStatus(
        timestamp=label.timestamp - offset,
        class_index=label.class_index,
        bad=label.bad,
        source=label.source,
        uncertainty_s=label.uncertainty_s,
    )


def read_envelope(streams: StreamTable, recordings: Recordings, view: View) -> Envelope | None:
    """Draw a view from its stream's ring; None where that stream is not connected, or is text."""
    stream = streams.streams.get(view.stream)
    info = stream.info if stream is not None else None
    if stream is None or info is None or stream.envelopes is None:
        return None
    envelopes = stream.envelopes
    values: dict[str, bytes]
    if view.rms_every:
        start, drawn, high, rms = envelopes.draw_both(view)
        values = {"low": drawn.tobytes(), "high": high.tobytes(), "rms": rms.tobytes()}
    elif view.rms:
        start, drawn = envelopes.draw_rms(view)
        values = {"low": b"", "high": b"", "rms": drawn.tobytes()}
    else:
        start, drawn, high = envelopes.draw(view)
        values = {"low": drawn.tobytes(), "high": high.tobytes()}
    offset = stream.health().clock_offset or 0.0
    return Envelope(
        stream=view.stream,
        first_channel=view.first_channel,
        n_channels=drawn.shape[0],
        columns=drawn.shape[1],
        start=start,
        seconds=view.seconds,
        **values,
        unit=info.units[0] if info.units else "",
        labels=_labels(recordings, start, start + view.seconds, offset),
    )


def _labels(recordings: Recordings, start: float, end: float, offset: float) -> tuple[LabelStatus, ...]:
    """Labels in force between two instants of the source's clock."""
    session = recordings.running
    if session is None:
        return ()
    track = list(session.label_track)
    times = [label.timestamp - offset for label in track]
    first = max(0, bisect_right(times, start) - 1)
    return tuple(label_status(label, offset) for label in track[first : bisect_right(times, end)])
