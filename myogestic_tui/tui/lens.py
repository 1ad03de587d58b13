"""What the Live screen looks at, and how: which channels, how much time, which scale; values and rules, no widget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..app.recorder import View
from ..widgets.scaling import ViewScale, cut_channels
from ..widgets.traces import decode_envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app.recorder import ChannelQuality, Envelope, StreamStatus

WINDOWS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds that the plot can show."""
FILTERS: tuple[tuple[str, float | None, float | None], ...] = (
    ("none", None, None),
    ("hp 10", 10.0, None),
    ("hp 10, notch 50", 10.0, 50.0),
    ("hp 10, notch 60", 10.0, 60.0),
)
"""Name, high-pass and notch in Hz; of the view only."""
_TALLEST = 6
_EXTRA_ROWS = 3
"""Axis, label row, channel map."""


@dataclass
class Lens:
    """One operator's view of the streams.

    Attributes
    ----------
    stream
        Its name; empty until one is chosen.
    cursor
        The channel that keys are about, from 0.
    window, filter
        Places in `WINDOWS` and `FILTERS`.
    percent
        Amplitudes in % MVC, where one is known.
    until
        End of the window on the source's clock while it is held; None follows the newest sample.
    newest
        The end of what was seen last, on the same clock; 0.0 before anything was.
    cut
        Whether the scale cuts a channel of the page.
    """

    stream: str = ""
    cursor: int = 0
    window: int = WINDOWS.index(10.0)
    filter: int = 0
    remove_offset: bool = True
    zoomed: bool = False
    percent: bool = False
    until: float | None = None
    newest: float = 0.0
    cut: bool = False
    scale: ViewScale = field(default_factory=ViewScale)

    @property
    def seconds(self) -> float:
        """Of the window."""
        return WINDOWS[self.window]

    @property
    def filter_name(self) -> str:
        """What is done to the signal before it is drawn, in words."""
        return FILTERS[self.filter][0] + ("" if self.remove_offset else ", with offset")

    def in_percent(self, stream: StreamStatus) -> bool:
        """Whether amplitudes of the stream are in percent of its MVC."""
        return self.percent and bool(stream.mvc)

    def per_page(self, n_channels: int, height: int) -> tuple[int, int]:
        """Channels of a page so high, and rows for each."""
        room = max(height - _EXTRA_ROWS, 1)
        if self.zoomed:
            return 1, room
        rows = min(max(room // n_channels, 1), _TALLEST)
        return max(room // rows, 1), rows

    def layout(self, n_channels: int, height: int) -> tuple[int, int, int]:
        """First channel, number of channels and rows per channel of the page with the cursor."""
        self.cursor = min(self.cursor, n_channels - 1)
        per_page, rows = self.per_page(n_channels, height)
        first = self.cursor // per_page * per_page
        return first, min(per_page, n_channels - first), rows

    def view(self, first: int, n_channels: int, cells: int) -> View:
        """What to ask the recorder for."""
        _, highpass, notch = FILTERS[self.filter]
        return View(
            stream=self.stream,
            seconds=self.seconds,
            columns=2 * cells,
            first_channel=first,
            n_channels=n_channels,
            until=self.until,
            highpass_hz=highpass,
            notch_hz=notch,
            remove_offset=self.remove_offset,
        )

    def take(self, envelope: Envelope, at: float, quality: Sequence[ChannelQuality]) -> None:
        """Note where the signal is, and scale to it; a view that is held keeps its scale."""
        if self.until is None:
            self.newest = envelope.start + envelope.seconds
        low, high = decode_envelope(envelope.low, envelope.high, envelope.n_channels, envelope.columns)
        if self.until is None or not self.scale.found:
            self.scale.feed(low, high, at, quality[envelope.first_channel :][: envelope.n_channels])
        self.cut = any(cut_channels(low, high, self.scale.value))

    # ---------------------------------------------------------------- changes

    def choose(self, stream: str) -> None:
        """Look at another stream."""
        self.stream, self.cursor, self.until = stream, 0, None
        self.scale_anew()

    def scale_anew(self) -> None:
        """Other amplitudes: no scale of before means anything."""
        automatic, self.scale = self.scale.automatic, ViewScale()
        self.scale.automatic = automatic
        self.scale.zoom(self.zoomed)

    def move(self, step: int, n_channels: int) -> None:
        """The cursor; a zoomed channel has a scale of its own."""
        self.cursor = min(max(self.cursor + step, 0), n_channels - 1)
        if self.zoomed and self.scale.automatic:
            self.scale.zoom(True)

    def zoom(self) -> None:
        """One channel over the whole height, or back."""
        self.zoomed = not self.zoomed
        self.scale.zoom(self.zoomed)

    def widen(self, step: int) -> None:
        """A longer or a shorter window."""
        self.window = min(max(self.window + step, 0), len(WINDOWS) - 1)

    def hold(self) -> None:
        """Hold the view, or let it run again."""
        self.until = None if self.until is not None else self.newest or None

    def scroll(self, share: float) -> None:
        """By a share of the window; at the newest sample it runs again."""
        if not self.newest:
            return
        held = self.until if self.until is not None else self.newest
        self.until = held + share * self.seconds
        if share > 0 and self.until >= self.newest:
            self.until = None
