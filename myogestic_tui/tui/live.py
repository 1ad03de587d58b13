"""The Live screen, which answers: is the signal clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from ..app.recorder import ChannelQuality, Envelope, MarkChannel, StreamStatus, View
from ..widgets import format as f
from ..widgets.envelope import (
    PERCENT,
    EnvelopePlot,
    Page,
    in_percent,
    plot_cells,
    quality_in_percent,
    worst_flag,
)
from ..widgets.gestures import gesture_panel
from ..widgets.rows import Rows
from ..widgets.scaling import ViewScale, cut_channels
from ..widgets.spans import BLANK, Row, row, rule
from ..widgets.streams import needs_you, quality_summary
from ..widgets.traces import decode_envelope
from .view import Body

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ..widgets.frame import Frame
    from .app import Viewer

WINDOWS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds that the plot can show."""
FILTERS: tuple[tuple[str, float | None, float | None], ...] = (
    ("none", None, None),
    ("hp 10", 10.0, None),
    ("hp 10, notch 50", 10.0, 50.0),
    ("hp 10, notch 60", 10.0, 60.0),
)
_QUALITY_SECONDS = 0.5
_TALLEST = 6
_EXTRA_ROWS = 3
"""Axis, label row, channel map."""


class LiveBody(Body):
    """A page of envelopes with the quality of every channel, and gestures at the side where there is room."""

    name_of = "live"
    lively = True
    has_side = True

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self.info = Rows(classes="info")
        self.plot = EnvelopePlot(classes="main")
        self.stream = ""
        self.cursor = 0
        self.window = WINDOWS.index(10.0)
        self.filter = 0
        self.remove_offset = True
        self.zoomed = False
        self.percent = False
        self.until: float | None = None
        self.scale = ViewScale()
        self._quality: tuple[ChannelQuality, ...] = ()
        self._quality_at = -1.0
        self._newest = 0.0
        self._cut: list[bool] = []

    def compose(self) -> ComposeResult:
        """Info row over the plot; gestures beside them."""
        with Vertical(classes="main"):
            yield self.info
            yield self.plot
        yield self.side

    # ---------------------------------------------------------------- what is looked at

    def shown_stream(self, frame: Frame) -> StreamStatus | None:
        """The chosen stream, or the first numeric one that is connected."""
        streams = self._numeric(frame)
        return next((s for s in streams if s.name == self.stream), streams[0] if streams else None)

    @staticmethod
    def _numeric(frame: Frame) -> list[StreamStatus]:
        return [s for s in frame.live if s.dtype != "string" and s.n_channels]

    def _layout(self, stream: StreamStatus, height: int) -> tuple[int, int, int]:
        """First channel, number of channels and rows per channel of the page."""
        room = max(height - _EXTRA_ROWS, 1)
        self.cursor = min(self.cursor, stream.n_channels - 1)
        if self.zoomed:
            return self.cursor, 1, room
        rows = min(max(room // stream.n_channels, 1), _TALLEST)
        per_page = max(room // rows, 1)
        first = self.cursor // per_page * per_page
        return first, min(per_page, stream.n_channels - first), rows

    def _view(self, stream: StreamStatus, first: int, n_channels: int, cells: int) -> View:
        _, highpass, notch = FILTERS[self.filter]
        return View(
            stream=stream.name,
            seconds=WINDOWS[self.window],
            columns=2 * cells,
            first_channel=first,
            n_channels=n_channels,
            until=self.until,
            highpass_hz=highpass,
            notch_hz=notch,
            remove_offset=self.remove_offset,
        )

    def _percent(self, stream: StreamStatus) -> bool:
        """Whether amplitudes are in percent of the MVC."""
        return self.percent and bool(stream.mvc)

    # ---------------------------------------------------------------- drawing

    def draw(self, frame: Frame) -> None:
        """Ask for the newest envelope of what is looked at, and show it."""
        stream = self.shown_stream(frame)
        width, height = self.plot.size
        if stream is None:
            self.info.show([])
            self.plot.show(_nothing(frame, width, height))
        elif height > 0:
            self._draw_stream(stream, frame, width, height)
        if self.has_class("wide"):
            self.side.show(self.side_rows(frame, self.side.size.width, self.side.size.height))

    def _draw_stream(self, stream: StreamStatus, frame: Frame, width: int, height: int) -> None:
        if self.stream != stream.name:
            self._choose(stream.name)
        if abs(frame.at - self._quality_at) > _QUALITY_SECONDS:
            self._quality, self._quality_at = stream.quality, frame.at
            if self._percent(stream):
                self._quality = quality_in_percent(stream.quality, stream.mvc)
        first, n_channels, rows = self._layout(stream, height)
        view = self._view(stream, first, n_channels, plot_cells(width))
        envelope = self.viewer.recorder.envelope(view)
        if envelope is not None and (envelope.stream != stream.name or envelope.first_channel != first):
            envelope = None  # the answer to an earlier question
        if envelope is not None and self._percent(stream):
            envelope = in_percent(envelope, stream.mvc)
        if envelope is not None:
            self._take(envelope, frame.at)
        page = Page(
            n_channels=stream.n_channels,
            first=first,
            cursor=self.cursor,
            seconds=WINDOWS[self.window],
            scale=self.scale.value,
            rows_per_channel=rows,
            unit=PERCENT if self._percent(stream) else _unit(stream, first),
            glyphs=self.viewer.glyph_set,
            quality=self._quality,
            ruled=self.zoomed,
        )
        self.info.show([self._info(stream, page, first, n_channels, cut=any(self._cut))])
        self.plot.draw(envelope, page, frame)

    def _take(self, envelope: Envelope, at: float) -> None:
        """Note where the signal is, and scale to it; a view that is held keeps its scale."""
        if self.until is None:
            self._newest = envelope.start + envelope.seconds
        low, high = decode_envelope(envelope.low, envelope.high, envelope.n_channels, envelope.columns)
        if self.until is None or not self.scale.found:
            self.scale.feed(low, high, at, self._quality[envelope.first_channel :][: envelope.n_channels])
        self._cut = cut_channels(low, high, self.scale.value)

    def _info(self, stream: StreamStatus, page: Page, first: int, n_channels: int, *, cut: bool) -> Row:
        where = f"{stream.name} {first + 1}-{first + n_channels}/{stream.n_channels}"
        if self.zoomed:
            names = stream.channel_names
            where = f"{stream.name} channel {self.cursor + 1} {names[self.cursor] if self.cursor < len(names) else ''}"
        view = FILTERS[self.filter][0] + ("" if self.remove_offset else ", with offset")
        spans: list[tuple[str, str]] = [
            (f" {where}   ", "strong"),
            (f"window {page.seconds:g} s   ±{page.scale:g} {page.unit}", ""),
            (" auto" if self.scale.automatic else "     ", "dim"),
        ]
        if stream.state == "lost":
            spans.append((f"   LOST {f.age(stream.age_s)} s", "bad"))
        if self.until is not None:
            back = self._newest - self.until
            spans.append((f"   PAUSED, {back:.1f} s back" if back > 0 else "   PAUSED", "warn"))
        spans += [(f"   view: {view}", ""), ("   raw is recorded", "dim")]
        if cut:
            spans.append(("   ↕ cut", "warn"))
        return row(*spans)

    def side_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """Gestures, quality in words, problems."""
        rows: list[Row] = [BLANK, *gesture_panel(frame, width, max(height - 12, 6)), BLANK]
        stream = self.shown_stream(frame)
        if stream is not None:
            rows += [rule("quality", width), *((*row(" "), *part) for part in _stack(quality_summary(stream))), BLANK]
        return [*rows, *needs_you(frame.status.problems, width, max(height - len(rows), 0))]

    def click(self, action: str) -> bool:
        """A channel row, or a letter of the map."""
        kind, _, value = action.partition(":")
        if kind != "channel":
            return False
        self.cursor = int(value)
        return True

    # ---------------------------------------------------------------- commands: channel, page, stream

    def _choose(self, name: str) -> None:
        self.stream, self.cursor, self.until, self.zoomed = name, 0, None, False
        self._scale_anew()

    def _scale_anew(self) -> None:
        """Other amplitudes: no scale or quality of before means anything."""
        self._quality_at = -1.0
        automatic, self.scale = self.scale.automatic, ViewScale()
        self.scale.automatic = automatic
        self.scale.zoom(self.zoomed)

    def _move(self, step: int) -> None:
        stream = self.shown_stream(self.viewer.frame)
        if stream is not None:
            self.cursor = min(max(self.cursor + step, 0), stream.n_channels - 1)
            if self.zoomed and self.scale.automatic:
                self.scale.zoom(True)

    def do_up(self) -> None:
        """Channel up."""
        self._move(-1)

    def do_down(self) -> None:
        """Channel down."""
        self._move(1)

    def do_page_up(self) -> None:
        """Page up."""
        self._move(-self._per_page())

    def do_page_down(self) -> None:
        """Page down."""
        self._move(self._per_page())

    def _per_page(self) -> int:
        stream = self.shown_stream(self.viewer.frame)
        if stream is None or self.zoomed:
            return 1
        room = max(self.plot.size.height - _EXTRA_ROWS, 1)
        return max(room // min(max(room // stream.n_channels, 1), _TALLEST), 1)

    def do_stream(self) -> None:
        """Next stream."""
        names = [s.name for s in self._numeric(self.viewer.frame)]
        if names:
            self._choose(names[(names.index(self.stream) + 1) % len(names) if self.stream in names else 0])

    def do_worst(self) -> None:
        """To the next channel with a flag, the worst kind first."""
        flagged = [(i, worst_flag(q.flags)) for i, q in enumerate(self._quality)]
        worst = [i for letter in "NFCM" for i, flag in flagged if flag == letter]
        if not worst:
            self.viewer.say("no channel stands out")
            return
        self.cursor = worst[(worst.index(self.cursor) + 1) % len(worst)] if self.cursor in worst else worst[0]

    def do_bad(self) -> None:
        """Mark the channel bad by hand, or good again."""
        stream = self.shown_stream(self.viewer.frame)
        if stream is None:
            return
        marked = self.cursor < len(stream.quality) and "x" in stream.quality[self.cursor].flags
        command = MarkChannel(stream=stream.name, channel=self.cursor, bad=not marked, actor=self.viewer.actor)
        self._quality_at = -1.0
        self.viewer.execute(command)

    # ---------------------------------------------------------------- commands: time, gain, view

    def do_shorter(self) -> None:
        """Shorter window."""
        self.window = max(self.window - 1, 0)

    def do_longer(self) -> None:
        """Longer window."""
        self.window = min(self.window + 1, len(WINDOWS) - 1)

    def do_gain_down(self) -> None:
        """Less gain: a greater range."""
        self.scale.step(up=True)

    def do_gain_up(self) -> None:
        """More gain."""
        self.scale.step(up=False)

    def do_autoscale(self) -> None:
        """Autoscale on or off."""
        self.scale.automatic = not self.scale.automatic

    def do_offset(self) -> None:
        """Offset removal on or off."""
        self.remove_offset = not self.remove_offset

    def do_filter(self) -> None:
        """The next filter; what is recorded stays raw."""
        self.filter = (self.filter + 1) % len(FILTERS)

    def do_mvc(self) -> None:
        """Amplitudes in percent of each channel's MVC, or in the stream's unit again."""
        stream = self.shown_stream(self.viewer.frame)
        if stream is not None and not self.percent and not stream.mvc:
            self.viewer.say(f"no MVC of {stream.name} is known: run the protocol mvc (r, then c), and stop", bad=True)
            return
        self.percent = not self.percent
        self._scale_anew()

    def do_zoom(self) -> None:
        """One channel over the whole height with a scale of its own, or back."""
        self.zoomed = not self.zoomed
        self.scale.zoom(self.zoomed)

    def do_pause(self) -> None:
        """Hold the view; the recording goes on."""
        self.until = None if self.until is not None else self._newest or None

    def do_left(self) -> None:
        """Back by a quarter of the window; pauses."""
        self._scroll(-0.25)

    def do_right(self) -> None:
        """On by a quarter of the window; at the newest sample the view runs again."""
        self._scroll(0.25)

    def _scroll(self, share: float) -> None:
        if not self._newest:
            return
        held = self.until if self.until is not None else self._newest
        self.until = held + share * WINDOWS[self.window]
        if share > 0 and self.until >= self._newest:
            self.until = None


def _unit(stream: StreamStatus, channel: int) -> str:
    """The unit of a channel, in short."""
    return f.unit(stream.units[channel]) if channel < len(stream.units) else ""


def _stack(spans: Row) -> list[Row]:
    return [row((span.text.strip(), span.style)) for span in spans]


def _nothing(frame: Frame, width: int, height: int) -> list[Row]:
    """The empty state."""
    seen = sum(s.state == "seen" for s in frame.status.streams)
    count = (
        f"{seen} stream{'s' if seen != 1 else ''} on the network, none connected."
        if seen
        else "No stream on the network yet."
    )
    return [
        BLANK,
        row((f"   {count}", "strong")),
        BLANK,
        row(
            ("   s", "key"),
            "  Streams: there c connects one, a connects all" if seen else "  Streams: there g starts a synthetic one",
        ),
        BLANK,
        *needs_you(frame.status.problems, width, height - 6),
    ]
