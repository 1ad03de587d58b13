"""The Live screen, which answers: is the signal clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from ..app.recorder import ChannelQuality, MarkChannel, StreamStatus
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
from ..widgets.spans import BLANK, Row, row, rule
from ..widgets.streams import needs_you, quality_summary
from .lens import FILTERS, Lens
from .view import Body

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ..widgets.frame import Frame
    from .app import Viewer

_QUALITY_SECONDS = 0.5


class LiveBody(Body):
    """A page of envelopes with the quality of every channel, and gestures at the side where there is room."""

    name_of = "live"
    lively = True
    has_side = True

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self.info = Rows(classes="info")
        self.plot = EnvelopePlot(classes="main")
        self.lens = Lens()
        self._quality: tuple[ChannelQuality, ...] = ()
        self._quality_at = -1.0

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
        return next((s for s in streams if s.name == self.lens.stream), streams[0] if streams else None)

    @staticmethod
    def _numeric(frame: Frame) -> list[StreamStatus]:
        return [s for s in frame.live if s.dtype != "string" and s.n_channels]

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
        lens = self.lens
        if lens.stream != stream.name:
            lens.choose(stream.name)
            self._quality_at = -1.0
        percent = lens.in_percent(stream)
        if abs(frame.at - self._quality_at) > _QUALITY_SECONDS:
            self._quality = quality_in_percent(stream.quality, stream.mvc) if percent else stream.quality
            self._quality_at = frame.at
        first, n_channels, rows = lens.layout(stream.n_channels, height)
        envelope = self.viewer.recorder.envelope(lens.view(first, n_channels, plot_cells(width)))
        if envelope is not None and (envelope.stream != stream.name or envelope.first_channel != first):
            envelope = None  # the answer to an earlier question
        if envelope is not None:
            envelope = in_percent(envelope, stream.mvc) if percent else envelope
            lens.take(envelope, frame.at, self._quality)
        page = Page(
            n_channels=stream.n_channels,
            first=first,
            cursor=lens.cursor,
            seconds=lens.seconds,
            scale=lens.scale.value,
            rows_per_channel=rows,
            unit=PERCENT if percent else _unit(stream, first),
            glyphs=self.viewer.glyph_set,
            quality=self._quality,
            ruled=lens.zoomed,
            stale=stream.state == "lost",
        )
        self.info.show([self._info(stream, page, n_channels)])
        self.plot.draw(envelope, page, frame)

    def _info(self, stream: StreamStatus, page: Page, n_channels: int) -> Row:
        lens = self.lens
        where = f"{stream.name} {page.first + 1}-{page.first + n_channels}/{stream.n_channels}"
        if lens.zoomed:
            names = stream.channel_names
            where = f"{stream.name} channel {lens.cursor + 1} {names[lens.cursor] if lens.cursor < len(names) else ''}"
        spans: list[tuple[str, str]] = [
            (f" {where}   ", "strong"),
            (f"window {page.seconds:g} s   ±{page.scale:g} {page.unit}", ""),
            (" auto" if lens.scale.automatic else "     ", "dim"),
        ]
        if stream.state == "lost":
            spans.append((f"   LOST {f.age(stream.age_s)} s", "bad"))
        if lens.until is not None:
            back = lens.newest - lens.until
            spans.append((f"   PAUSED, {back:.1f} s back" if back > 0 else "   PAUSED", "warn"))
        spans += [(f"   view: {lens.filter_name}", ""), ("   raw is recorded", "dim")]
        if lens.cut:
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
        self.lens.cursor = int(value)
        return True

    # ---------------------------------------------------------------- commands: channel, page, stream

    def _move(self, step: int) -> None:
        stream = self.shown_stream(self.viewer.frame)
        if stream is not None:
            self.lens.move(step, stream.n_channels)

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
        return 1 if stream is None else self.lens.per_page(stream.n_channels, self.plot.size.height)[0]

    def do_stream(self) -> None:
        """Next stream."""
        names = [s.name for s in self._numeric(self.viewer.frame)]
        if names:
            at = names.index(self.lens.stream) + 1 if self.lens.stream in names else 0
            self.lens.choose(names[at % len(names)])
            self._quality_at = -1.0

    def do_worst(self) -> None:
        """To the next channel with a flag, the worst kind first."""
        flagged = [(i, worst_flag(q.flags)) for i, q in enumerate(self._quality)]
        worst = [i for letter in "NFCM" for i, flag in flagged if flag == letter]
        if not worst:
            self.viewer.say("no channel stands out")
            return
        at = worst.index(self.lens.cursor) + 1 if self.lens.cursor in worst else 0
        self.lens.move(worst[at % len(worst)] - self.lens.cursor, len(self._quality))

    def do_bad(self) -> None:
        """Mark the channel bad by hand, or good again."""
        stream = self.shown_stream(self.viewer.frame)
        if stream is None:
            return
        channel = self.lens.cursor
        marked = channel < len(stream.quality) and "x" in stream.quality[channel].flags
        command = MarkChannel(stream=stream.name, channel=channel, bad=not marked, actor=self.viewer.actor)
        self._quality_at = -1.0
        self.viewer.execute(command)

    # ---------------------------------------------------------------- commands: time, gain, view

    def do_shorter(self) -> None:
        """Shorter window."""
        self.lens.widen(-1)

    def do_longer(self) -> None:
        """Longer window."""
        self.lens.widen(1)

    def do_gain_down(self) -> None:
        """Less gain: a greater range."""
        self.lens.scale.step(up=True)

    def do_gain_up(self) -> None:
        """More gain."""
        self.lens.scale.step(up=False)

    def do_autoscale(self) -> None:
        """Autoscale on or off."""
        self.lens.scale.automatic = not self.lens.scale.automatic

    def do_offset(self) -> None:
        """Offset removal on or off."""
        self.lens.remove_offset = not self.lens.remove_offset

    def do_filter(self) -> None:
        """The next filter; what is recorded stays raw."""
        self.lens.filter = (self.lens.filter + 1) % len(FILTERS)

    def do_mvc(self) -> None:
        """Amplitudes in percent of each channel's MVC, or in the stream's unit again."""
        stream = self.shown_stream(self.viewer.frame)
        if stream is not None and not self.lens.percent and not stream.mvc:
            self.viewer.say(f"no MVC of {stream.name} is known: run the protocol mvc (r, then c), and stop", bad=True)
            return
        self.lens.percent = not self.lens.percent
        self.lens.scale_anew()
        self._quality_at = -1.0

    def do_zoom(self) -> None:
        """One channel over the whole height with a scale of its own, or back."""
        self.lens.zoom()

    def do_pause(self) -> None:
        """Hold the view; the recording goes on."""
        self.lens.hold()

    def do_left(self) -> None:
        """Back by a quarter of the window; pauses."""
        self.lens.scroll(-0.25)

    def do_right(self) -> None:
        """On by a quarter of the window; at the newest sample the view runs again."""
        self.lens.scroll(0.25)


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
