"""A few channels under the Record screen, where there is room: enough to see that the subject does what is cued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..app.recorder import View
from ..widgets import format as f
from ..widgets.envelope import Page, channel_rows, plot_cells
from ..widgets.scaling import AutoScale
from ..widgets.spans import row, rule
from ..widgets.timeline import time_axis
from ..widgets.traces import decode_envelope

if TYPE_CHECKING:
    from ..app.recorder import StreamStatus
    from ..widgets.frame import Frame
    from ..widgets.spans import Row
    from .app import Viewer

_SECONDS = 10.0
_MOST_ROWS = 3


class SignalStrip:
    """Envelopes of the first numeric stream that is recorded."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._scale = AutoScale()

    def rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """Heading, axis and as many channels as fit; nothing where there are none."""
        streams = [s for s in frame.live if s.dtype != "string" and s.record]
        if not streams or height < 4:
            return []
        stream = streams[0]
        n_channels = min(stream.n_channels, height - 2)
        rows_per_channel = max(min((height - 2) // n_channels, _MOST_ROWS), 1)
        cells = plot_cells(width)
        view = View(stream=stream.name, seconds=_SECONDS, columns=2 * cells, n_channels=n_channels)
        envelope = self._viewer.recorder.envelope(view)
        if envelope is None or envelope.stream != stream.name or envelope.n_channels != n_channels:
            return []
        low, high = decode_envelope(envelope.low, envelope.high, envelope.n_channels, envelope.columns)
        page = Page(
            n_channels=stream.n_channels,
            cursor=-1,
            seconds=_SECONDS,
            scale=self._scale.feed(low, high, frame.at, stream.quality[:n_channels]),
            rows_per_channel=rows_per_channel,
            glyphs=self._viewer.glyph_set,
            quality=stream.quality,
        )
        title = f"{stream.name} 1-{n_channels}/{stream.n_channels}   ±{page.scale:g} {_unit(stream)}"
        axis = row(" " * (width - cells), (time_axis(_SECONDS, cells), "dim"))
        return [rule(title, width), axis, *channel_rows(envelope, page, cells)]


def _unit(stream: StreamStatus) -> str:
    return f.unit(stream.units[0]) if stream.units else ""
