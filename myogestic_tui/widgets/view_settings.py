"""What the Live screen looks at, and how: which channels, how much time, which scale; values and rules, no widget."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..app.interface import View
from .amplitude_scale import ViewScale, cut_channels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ..app.interface import ChannelQuality, StreamStatus

    Floats = NDArray[np.float32]

WINDOWS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds that the plot can show."""
FILTERS: tuple[tuple[str, float | None, float | None], ...] = (
    ("none", None, None),
    ("hp 10", 10.0, None),
    ("hp 10, notch 50", 10.0, 50.0),
    ("hp 10, notch 60", 10.0, 60.0),
)
"""Name, high-pass and notch in Hz; of the view only."""
MODES = ("heat", "traces", "grid")
HEAT_FROM = 16
"""From so many channels on the heat map is what one sees first."""
_LOUD = {"µV": 320.0, "mV": 0.32, "V": 0.00032, "% MVC": 100.0}
"""The loudest step of the heat map by unit: less than that is never stretched over the whole ramp."""
_SHRINK_SECONDS = 12.0
STRIP_ROWS = 2
"""Labels and time under each lane."""
_MOST_LANES = 4
_LEAST_LANE = 30
_TWO_TRACE_LANES = 90
_TALLEST = 6
_LEAST_BELOW = 3


class Loudness:
    """The RMS of the loudest step of the heat map: doubles as the signal needs it, halves once it no longer does."""

    def __init__(self) -> None:
        self.automatic = True
        self.value = 0.0
        self._small_since: float | None = None

    def feed(self, loud: float, at: float, unit: str) -> None:
        """Take the RMS that the loudest good channels reach, seen at ``at`` (s)."""
        least = _LOUD.get(unit, 0.0)
        if not self.value:
            self.value = least or 2.0 ** math.ceil(math.log2(max(loud, 1e-9) * 1.3))
        if not self.automatic or loud <= 0.0:
            return
        while loud > 1.6 * self.value:
            self.value *= 2
        if loud >= 0.6 * self.value or self.value <= least:
            self._small_since = None
        elif self._small_since is None:
            self._small_since = at
        elif at - self._small_since > _SHRINK_SECONDS:
            self.value, self._small_since = self.value / 2, None

    def step(self, *, up: bool) -> None:
        """Twice or half of what it is; it is no longer automatic."""
        self.automatic = False
        self.value *= 2.0 if up else 0.5


@dataclass
class Lens:
    """One operator's view of the streams.

    Attributes
    ----------
    stream
        Its name; empty until one is chosen.
    mode
        One of `MODES`; empty: by the number of channels.
    cursor
        The channel that keys are about, from 0.
    window
        Place in `WINDOWS`.
    percent
        Amplitudes in % MVC, where one is known.
    quality
        The grid shows what is wrong instead of amplitudes.
    exact
        Seconds of the window, where a script says so.
    until
        End of the window on the source's clock while it is held; None follows the newest sample.
    newest
        The end of what was seen last, on the same clock; 0.0 before anything was.
    cut
        Whether the scale cuts each channel of the page.
    n_channels
        Of the stream.
    per_page
        Channels that are seen at once.
    has_places
        Whether it is known where the stream's electrodes are.
    """

    stream: str = ""
    mode: str = ""
    cursor: int = 0
    window: int = WINDOWS.index(10.0)
    remove_offset: bool = True
    zoomed: bool = False
    percent: bool = False
    quality: bool = False
    exact: float = 0.0
    until: float | None = None
    newest: float = 0.0
    cut: Sequence[bool] = ()
    n_channels: int = 1
    per_page: int = 1
    has_places: bool = False
    scale: ViewScale = field(default_factory=ViewScale)
    loud: Loudness = field(default_factory=Loudness)
    filters: dict[str, int] = field(default_factory=dict)

    @property
    def modes(self) -> tuple[str, ...]:
        """The ways in which the stream can be seen."""
        return MODES if self.has_places else MODES[:2]

    @property
    def seen(self) -> str:
        """How it is seen; electrodes without places are no grid."""
        return self.mode if self.mode in self.modes else MODES[self.n_channels < HEAT_FROM]

    @property
    def automatic(self) -> bool:
        """Whether the scale of what is seen follows the signal."""
        return self.scale.automatic and self.loud.automatic

    @property
    def filter(self) -> int:
        """Place in `FILTERS`; each stream has its own."""
        return self.filters.get(self.stream, 0)

    @property
    def seconds(self) -> float:
        """Of the window."""
        return self.exact or WINDOWS[self.window]

    @property
    def raw(self) -> bool:
        """Whether what is drawn is the signal about its mean, of which the recorder tells RMS and peak."""
        return self.remove_offset and FILTERS[self.filter][1:] == (None, None)

    @property
    def filter_name(self) -> str:
        """What is done to the signal before it is drawn, in words."""
        return FILTERS[self.filter][0] + ("" if self.remove_offset else ", with offset")

    def in_percent(self, stream: StreamStatus) -> bool:
        """Whether amplitudes of the stream are in percent of its MVC."""
        return self.percent and bool(stream.mvc)

    def view(
        self, first: int, n_channels: int, columns: int, *, rms: bool = False, rms_every: int = 0, seconds: float = 0.0,
    ) -> View:  # fmt: skip
        """What to ask the recorder for: the window in ``columns``; ``seconds`` is of another one than the lens has."""
        _, highpass, notch = FILTERS[self.filter]
        return View(
            stream=self.stream,
            seconds=seconds or self.seconds,
            columns=columns,
            first_channel=first,
            n_channels=n_channels,
            until=self.until,
            highpass_hz=highpass,
            notch_hz=notch,
            remove_offset=self.remove_offset,
            rms=rms,
            rms_every=rms_every,
        )

    def take(self, low: Floats, high: Floats, at: float, quality: Sequence[ChannelQuality]) -> None:
        """Scale to envelopes ``(n_channels, columns)`` seen at ``at``; a view that is held keeps its scale."""
        if self.until is None or not self.scale.found:
            self.scale.feed(low, high, at, quality)
        self.cut = cut_channels(low, high, self.scale.value)

    # ---------------------------------------------------------------- changes

    def choose(self, stream: str) -> None:
        """Look at another stream."""
        self.stream, self.cursor, self.until = stream, 0, None
        self.scale_anew()

    def scale_anew(self) -> None:
        """Other amplitudes: no scale of before means anything."""
        automatic, self.scale = self.scale.automatic, ViewScale()
        self.scale.automatic = automatic
        self.loud = Loudness()
        self.scale.zoom(self.zoomed)

    def move(self, step: int) -> None:
        """The cursor; a zoomed channel has a scale of its own."""
        self.cursor = min(max(self.cursor + step, 0), self.n_channels - 1)
        if self.zoomed and self.scale.automatic:
            self.scale.zoom(True)

    def turn_page(self, step: int) -> None:
        """A page of channels."""
        self.move(step * self.per_page)

    def zoom(self) -> None:
        """One channel over the whole height, or back."""
        self.zoomed = not self.zoomed
        self.scale.zoom(self.zoomed)

    def next_mode(self) -> None:
        """The next way to see it."""
        self.zoomed = False
        self.mode = self.modes[(self.modes.index(self.seen) + 1) % len(self.modes)]

    def other_measure(self) -> None:
        """With or without the offset; on the grid, amplitudes or quality."""
        if self.seen == "grid" and not self.zoomed:
            self.quality = not self.quality
        else:
            self.remove_offset = not self.remove_offset

    def next_filter(self) -> None:
        """The next filter, of this stream's view alone."""
        self.filters[self.stream] = (self.filter + 1) % len(FILTERS)

    def gain(self, up: bool) -> None:
        """More or less gain than what is seen has."""
        heat = self.seen != "traces" and not self.zoomed
        (self.loud if heat else self.scale).step(up=not up)

    def autoscale(self) -> None:
        """Follow the signal, or stay as it is."""
        self.scale.automatic = self.loud.automatic = not self.automatic

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


class Layout(NamedTuple):
    """Which channels are where."""

    mode: str
    first: int
    n_channels: int
    lanes: int
    per_lane: int
    """Channels of a lane."""
    rows: int
    """Rows of a channel (traces)."""
    below: int
    """Rows of traces below the heat map."""

    @property
    def tall(self) -> int:
        """Rows of a lane, without labels and time."""
        return -(-self.per_lane // 2) + self.below if self.mode == "heat" else self.per_lane * self.rows

    def lane(self, number: int) -> range:
        """The channels of a lane."""
        first = self.first + number * self.per_lane
        return range(first, min(first + self.per_lane, self.first + self.n_channels))


def plan(lens: Lens, n_channels: int, width: int, height: int) -> Layout:
    """Lay out a stream in ``height`` rows, labels included."""
    room = max(height - STRIP_ROWS, 1)
    mode = lens.seen
    lens.cursor = min(lens.cursor, max(n_channels - 1, 0))
    if lens.zoomed or mode == "grid":
        return Layout("zoom" if lens.zoomed else "grid", lens.cursor, 1, 1, 1, room, 0)
    rows = below = 1
    if mode == "heat":
        lanes = 2 if n_channels >= 32 and width >= 76 else 1
        while -(-n_channels // lanes) > 2 * room and lanes < _MOST_LANES and width // (lanes + 1) >= _LEAST_LANE:
            lanes += 1
        per_lane = min(-(-n_channels // lanes) + (-(-n_channels // lanes) % 2), 2 * room)
        below = min(room - -(-per_lane // 2), per_lane)
    else:
        lanes = 2 if width >= _TWO_TRACE_LANES and n_channels > room else 1
        rows = min(max(room // max(n_channels, 1), 1), _TALLEST) if lanes == 1 else 1
        per_lane = min(-(-n_channels // lanes), max(room // rows, 1))
        below = 0
    first = lens.cursor // (lanes * per_lane) * lanes * per_lane
    shown = min(lanes * per_lane, n_channels - first)
    return Layout(mode, first, shown, lanes, per_lane, rows, below if below >= _LEAST_BELOW else 0)


def worst_first(channels: range, cursor: int, flagged: set[int], n: int) -> list[int]:
    """The chosen channel, those with a fault, and the next ones, ``n`` of them in order."""
    ranked = sorted(channels, key=lambda channel: (channel != cursor, channel not in flagged, channel))
    return sorted(ranked[:n])
