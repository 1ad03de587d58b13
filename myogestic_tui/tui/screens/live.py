"""The Live screen, which answers: is the signal clean, and what does the muscle do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from ...app.interface import MarkChannel, StreamStatus
from ...app.preferences import remember_view_mode, view_mode
from ...plural import count_of
from ...widgets.blank_box import BlankColumn, BlankRow
from ...widgets.electrodes import Electrodes
from ...widgets.gestures import GestureList
from ...widgets.problem_list import needs_you, quality_line
from ...widgets.signal_display import SignalView
from ...widgets.strip_widget import Lines, worst_flag
from ...widgets.styled_lines import BLANK, KEY, STRONG, Line, line, rule
from ...widgets.view_settings import MODES, Lens
from .base import ViewerScreen
from .key_bindings import LIVE

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ...widgets.frame import Frame

_SIDE_FROM = 120
"""Columns from which the side has room."""


class LiveScreen(ViewerScreen):
    """One stream, and at the side gestures, quality and what needs the operator, where there is room."""

    name_of = "live"
    lively = True
    ruled = False
    BINDINGS = LIVE

    def __init__(self) -> None:
        super().__init__()
        mode = view_mode()
        self.lens = Lens(mode=mode if mode in MODES else "")

    def body(self) -> ComposeResult:
        self.signal = SignalView(self.viewer.feed.recorder, lens=self.lens, id="signal")
        self.nothing = Lines(id="nothing")
        self.gestures = GestureList()
        self.side = Lines(id="side-lines")
        self.side_box = BlankColumn(self.gestures, self.side, id="side")
        self.side_box.display = self.viewer.size.width >= _SIDE_FROM
        with BlankRow():
            yield BlankColumn(self.nothing, self.signal, id="signal-box")
            yield self.side_box

    def show(self, frame: Frame) -> None:
        """Draw the newest of what is looked at."""
        self.signal.recorder = self.viewer.feed.recorder
        stream = self.signal.shown_stream(frame)
        self.signal.display = stream is not None
        nothing = [] if stream is not None else _nothing(frame, self.width, self.size.height - 5)
        self.nothing.put(nothing)
        if stream is not None:
            self.signal.show(frame)
        side = self.side_box
        side.display = self.width >= _SIDE_FROM
        if side.display:
            self.gestures.show(frame)
            self.side.put(self._side(frame, stream, side.size.width, side.size.height - len(frame.status.gestures) - 3))

    def on_screen_suspend(self) -> None:
        """Another screen takes the place of this one, whose picture will be of another time when it is seen again."""
        if not isinstance(self.app.screen, ModalScreen):
            self.signal.blank()

    def _side(self, frame: Frame, stream: StreamStatus | None, width: int, height: int) -> list[Line]:
        """Quality and problems."""
        rows: list[Line] = [BLANK]
        if stream is not None:
            rows += [
                rule("quality", width),
                *(line(" ", (text.strip(), style)) for text, style in quality_line(stream)),
            ]
            rows.append(BLANK)
        return [*rows, *needs_you(frame.status.problems, width, max(height - len(rows), 0))][: max(height, 0)]

    # ---------------------------------------------------------------- commands

    @property
    def stream(self) -> StreamStatus | None:
        """What is looked at."""
        return self.signal.shown_stream(self.frame)

    def action_lens(self, change: str, *how: float | bool) -> None:
        """Look in another way: a method of `Lens`."""
        if self.stream is not None:
            getattr(self.lens, change)(*how)
            self.redraw()

    def action_steer(self, rows: int, columns: int) -> None:
        """The next channel, or through time; on the grid the next electrode there, as long as it is not held."""
        stream, lens = self.stream, self.lens
        if stream is not None and lens.seen == "grid" and not lens.zoomed and (rows or lens.until is None):
            self.action_lens("move", Electrodes.of(stream).next_to(lens.cursor, rows, columns) - lens.cursor)
        elif rows:
            self.action_lens("move", rows)
        else:
            self.action_lens("scroll", columns / 4)

    def action_view(self) -> None:
        if self.stream is not None:
            self.action_lens("next_mode")
            remember_view_mode(self.lens.mode)

    def action_next_stream(self) -> None:
        names = [s.name for s in self.frame.live if s.dtype != "string" and s.n_channels]
        if names:
            at = names.index(self.lens.stream) + 1 if self.lens.stream in names else 0
            self.lens.choose(names[at % len(names)])
            self.redraw()

    def action_worst(self) -> None:
        stream = self.stream
        if stream is None:
            return
        flagged = [(i, worst_flag(q.flags)) for i, q in enumerate(stream.quality)]
        worst = [i for letter in "NFCM" for i, flag in flagged if flag == letter]
        if not worst:
            self.viewer.report("no channel stands out")
            return
        at = worst.index(self.lens.cursor) + 1 if self.lens.cursor in worst else 0
        self.lens.move(worst[at % len(worst)] - self.lens.cursor)
        self.redraw()

    def action_bad_channel(self) -> None:
        stream, channel = self.stream, self.lens.cursor
        if stream is not None:
            marked = channel < len(stream.quality) and "x" in stream.quality[channel].flags
            self.viewer.execute(MarkChannel(stream=stream.name, channel=channel, bad=not marked))

    def action_mvc(self) -> None:
        stream = self.stream
        if stream is not None and not self.lens.percent and not stream.mvc:
            self.viewer.report(f"no MVC of {stream.name} is known: run the protocol mvc (r, c), and stop", bad=True)
            return
        self.lens.percent = not self.lens.percent
        self.lens.scale_anew()
        self.redraw()


def _nothing(frame: Frame, width: int, height: int) -> list[Line]:
    """The empty state."""
    seen = sum(s.state == "seen" for s in frame.status.streams)
    some = f"{count_of(seen, 'stream')} on the network, none connected."
    hint = "there c connects one, a connects all" if seen else "there g starts a synthetic one"
    return [
        BLANK,
        line((f"   {some if seen else 'No stream on the network yet.'}", STRONG)),
        BLANK,
        line(("   s", KEY), f"  Streams: {hint}"),
        BLANK,
        *needs_you(frame.status.problems, width, height - 6),
    ]
