"""One stream as heat map, traces or electrode grid, with its labels: what the Live screen and scripts show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from . import heat, trace
from . import number_format as f
from .blank_box import BlankColumn, BlankRow
from .electrodes import Electrodes
from .frame import Frame, recorder_of
from .grid import Grid
from .heat import columns_of
from .lane import Lane, Shown
from .live_data import LEVEL_SECONDS, Answer, end_of, in_percent
from .picture import Pen, Picture
from .signal_caption import PERCENT, info_line
from .spectrum import Spectrum, columns_for, measure
from .strip_widget import Lines, Page
from .styled_lines import DIM, line
from .view_settings import Layout, Lens, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.widget import Widget

    from ..app.interface import Envelope, Recorder, ScriptContext, StreamStatus, View
    from .spectrum import Samples
    from .sweep import Sweep

_BESIDE = 90
"""Cells that remain for heat or traces where the grid stands beside them."""
_SPECTRUM_BESIDE = 120
_FPS = 10.0
_LOOK_SECONDS = 0.3
"""A picture of which nothing new comes is looked at again after so long: time goes on beneath it."""
_BEHIND_SECONDS = 0.75
"""A picture that ends longer ago says when."""
_NUMBERS_SECONDS = 0.5
"""How often the numbers beside traces and on electrodes are new: faster than that nobody reads."""
_LISTEN_SECONDS = 0.5
"""How often it is looked whether the scales fit."""
_WHOLE_SECONDS = 1.0
"""How often all of a picture is made anew, for samples that came late; else its newest columns are."""


class _Calm:
    """Numbers that are read: new a few times a second."""

    def __init__(self) -> None:
        self._about: object = None
        self._numbers: Sequence[float] = ()

    def of(self, about: object, at: float, numbers: Callable[[], Sequence[float]]) -> Sequence[float]:
        """Those of a moment ago, unless they are ``about`` something else."""
        about = about, int(at / _NUMBERS_SECONDS)
        if about != self._about:
            self._about, self._numbers = about, numbers()
        return self._numbers


class SignalView(BlankColumn):
    """One stream, as a heat map, as traces or as its electrode grid.

    Parameters
    ----------
    owner
        A `Context` or a recorder.
    stream
        Its name; empty: the first that is connected.
    seconds
        The window.
    lens
        What is looked at and how, where somebody else decides; the view then draws when it is told to (`show`).
    """

    DEFAULT_CSS = """
    SignalView { height: 1fr; min-height: 6; }
    SignalView > .top { height: 1; }
    SignalView .info { height: 1; width: 1fr; }
    SignalView > .told { height: auto; }
    SignalView > .area { height: 1fr; }
    SignalView Grid { display: none; width: 27; height: 1fr; margin-left: 2; }
    """

    def __init__(
        self, owner: ScriptContext | Recorder, stream: str = "", seconds: float = 10.0, *, lens: Lens | None = None,
        id: str | None = None, classes: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id=id, classes=classes)
        self.recorder = recorder_of(owner)
        self.lens: Lens = lens or Lens(exact=seconds)
        self._own_lens = lens is None
        self._wanted_stream = stream
        self._lanes: list[Lane] = []
        self._pen, self._info, self._told = Pen(), Lines(classes="info"), Lines(classes="told")
        self._area = BlankRow(classes="area")
        self._grid, self._spectrum = Grid(), Spectrum()
        self._plan: Layout | None = None
        self._room = (0, 0)
        self._drawn: tuple[object, ...] = ()
        """What the picture is of, besides the time."""
        self._spectrum_of: tuple[object, Samples | None] = (None, None)
        self._numbers, self._electrodes = _Calm(), _Calm()
        self._steps = heat.Levels()
        self._swept: tuple[object, Sweep | None] = (None, None)
        self._heard: object = None
        self._over: tuple[Widget, ...] | None = None
        self._frame: Frame | None = None
        self._about: object = None
        self._asked: dict[View, Envelope | None] = {}
        """What the picture was drawn of."""
        self._newest = self._asked
        self._drawn_at = 0.0
        self._waits = False
        """Something that was drawn has not been sent."""

    def compose(self) -> ComposeResult:
        yield BlankRow(self._pen, self._info, classes="top")
        yield self._told
        with self._area:
            yield self._spectrum
            yield self._grid

    def on_mount(self) -> None:
        if self._own_lens:
            self.set_interval(1.0 / _FPS, self._look)

    def _look(self) -> None:
        if self.is_attached:
            status = self.recorder.status()
            self.show(Frame(status, at=status.at))

    def shown_stream(self, frame: Frame) -> StreamStatus | None:
        """The chosen stream, or the first numeric one that is connected."""
        streams = [s for s in frame.live if s.dtype != "string" and s.n_channels]
        if self._wanted_stream:
            return next((s for s in streams if s.name == self._wanted_stream), None)
        return next((s for s in streams if s.name == self.lens.stream), streams[0] if streams else None)

    def show(self, frame: Frame) -> None:
        """Draw the newest of what is looked at."""
        stream = self.shown_stream(frame)
        self._area.display = stream is not None
        self._told.display = stream is None
        if stream is None:
            name = self._wanted_stream
            self._info.put([])
            words = f" {name}: not connected yet" if name else " no stream of numbers is connected"
            self._told.put([line((words, DIM))])
            return
        if self.lens.stream != stream.name:
            self.lens.choose(stream.name)
        if not self._shows(stream, frame):
            self._asked = {}
            self._draw(stream, frame)
            self._drawn_at, self._waits = frame.at, True
        if self._waits:
            self._send()

    def _shows(self, stream: StreamStatus, frame: Frame) -> bool:
        """Whether the picture is of the newest that is known; a frame that is shown again is shown in another way."""
        last, self._frame = self._frame, frame
        self._newest = {view: self.recorder.envelope(view) for view in self._asked}
        same = all(envelope is self._asked[view] for view, envelope in self._newest.items())
        flags, parts = [one.flags for one in stream.quality], [(one.size, one.is_blank) for one in self._pictures]
        about = stream.name, stream.state, flags, stream.places, stream.grid_labels, stream.mvc, self._area.size, parts
        before, self._about = self._about, about
        recent = frame is not last and 0 <= frame.at - self._drawn_at < _LOOK_SECONDS
        return bool(self._asked) and same and recent and about == before

    @property
    def _pictures(self) -> list[Picture]:
        """What is seen of them."""
        return [one for one in (*self._lanes, self._grid, self._spectrum) if one.display]

    def _send(self) -> None:
        """Send what differs of each picture, as much at once as the link takes."""
        pictures = self._pictures
        left = float(getattr(self.app, "picture_bytes", math.inf))
        if self.app.is_headless or self.app.screen is not self.screen or self._is_covered():
            for i, picture in enumerate(pictures):
                picture.refresh_changes(left / (len(pictures) - i))
        elif self._pen.free:
            text, places = "", [one.region for one in pictures]
            for i, picture in enumerate(pictures):
                text += picture.changes((left - len(text)) / (len(pictures) - i))
            if text:
                self._pen.draw(text, lambda: places == [one.region for one in pictures])
        else:
            return
        self._waits = any(picture.is_behind for picture in pictures)

    def _is_covered(self) -> bool:
        """Whether a notification or a tooltip may stand on the pictures: a `Pen` would draw over it."""
        if self._over is None:
            self._over = tuple(self.screen.query_children("ToastRack, Tooltip"))
        return any(one.display for one in self._over)

    def _draw(self, stream: StreamStatus, frame: Frame) -> None:
        size = self._area.size
        if size.height < 2 or size.width < 20:
            return
        lens = self.lens
        lens.n_channels, lens.has_places = stream.n_channels, bool(stream.places)
        lens.cursor = min(lens.cursor, stream.n_channels - 1)
        alone = lens.seen == "grid" and not lens.zoomed
        grid_width = 0 if alone or lens.zoomed else Electrodes.of(stream).room_beside(size.width, _BESIDE)
        beside = grid_width > 0
        layout = plan(lens, stream.n_channels, size.width - grid_width, size.height)
        if layout != self._plan or self._room != size:
            self._room = size
            self._lay_out(layout, size.width - 2 if alone else grid_width)
            return  # the parts have their sizes with the next frame
        page = self._page(stream, layout.first, layout.n_channels, 0.0, lens.seconds)
        samples = None
        if alone:
            self._draw_grid(page, stream, frame, self._levels(stream))
        else:
            answer = self._draw_lanes(stream, layout, frame)
            about = (stream.name, layout, lens.seconds, lens.filter, lens.remove_offset, page.unit)
            if answer is not None:
                self._drawn = about
            elif about != self._drawn:
                self.blank()
            if beside and answer is not None:
                whole = layout.n_channels == stream.n_channels
                values = answer.levels(lens.seconds) if whole else self._levels(stream)
                self._draw_grid(page, stream, frame, values)
            samples = self._draw_spectrum(stream, answer) if layout.mode == "zoom" else None
        hint = () if self._wanted_stream else lens.modes
        self._info.put([info_line(self.app, lens, stream, layout, page, samples, hint, self.size.width - 1)])

    def blank(self) -> None:
        """Nothing of what is looked at now is known yet, or nobody looks."""
        self._drawn = ()
        for lane in self._lanes:
            lane.blank()
        self._grid.blank()
        self._spectrum.blank()
        self._spectrum_of = (None, None)

    def _lay_out(self, layout: Layout, grid_width: int) -> None:
        self._plan, self.lens.per_page = layout, layout.lanes * layout.per_lane
        n_lanes = 0 if layout.mode == "grid" else layout.lanes
        while len(self._lanes) < n_lanes:
            self._lanes.append(Lane())
            self._area.mount(self._lanes[-1], before=self._spectrum)
        width, height = self._room
        zoom, below = layout.mode == "zoom", layout.mode == "zoom" and width < _SPECTRUM_BESIDE
        tall = max(height // 3, 5) if below and height >= 12 else 0
        for i, lane in enumerate(self._lanes):
            lane.display = i < n_lanes
            lane.lay_out(layout._replace(rows=layout.rows - tall))
        self.blank()
        self._area.styles.layout = "vertical" if below else "horizontal"
        self._spectrum.display = zoom and (tall > 0 or not below)
        self._spectrum.styles.width = "1fr" if below else width * 2 // 5
        self._spectrum.styles.height = tall if below else height
        self._grid.display = grid_width > 0
        self._grid.styles.width = grid_width

    def _edge(self, stream: StreamStatus, end: float, at: float) -> tuple[str, float]:
        """What the newest sample is, and how long ago: the present only while samples come and are followed."""
        if self.lens.until is not None or stream.state == "lost":
            return "held" if self.lens.until is not None else "lost", 0.0
        compared = stream.time_basis == "lsl" and stream.clock_offset is not None
        behind = at - end - (stream.clock_offset or 0.0) if compared else 0.0
        return (f"-{behind:.1f} s", behind) if behind > _BEHIND_SECONDS else ("now", 0.0)

    def _page(self, stream: StreamStatus, first: int, n_channels: int, start: float, seconds: float) -> Page:
        percent = self.lens.in_percent(stream)
        quality = in_percent(stream) if percent else stream.quality
        unit = PERCENT if percent else f.unit(stream.units[first]) if first < len(stream.units) else ""
        return Page(first, n_channels, self.lens.cursor, start, seconds, unit, quality, stream.state == "lost")

    def _draw_lanes(self, stream: StreamStatus, layout: Layout, frame: Frame) -> Answer | None:
        """Heat or traces; None where the lanes are too narrow, or nothing is known yet."""
        lanes = self._lanes[: layout.lanes]
        width = min(lane.size.width for lane in lanes)
        if layout.mode == "heat":
            n_columns, each = columns_of(max(width - heat.HEAD, 0), self.lens.seconds)
        else:
            n_columns, each = (width - trace.HEAD) // trace.RUN, trace.RUN
        answer = self._ask(stream, layout, n_columns, each) if n_columns > 1 else None
        if answer is not None:
            shown = self._shown(stream, layout, answer, each, frame)
            for i, lane in enumerate(lanes):
                (lane.show_map if layout.mode == "heat" else lane.show_traces)(i, shown)
        return answer

    def _shown(self, stream: StreamStatus, layout: Layout, answer: Answer, each: int, frame: Frame) -> Shown:
        """All that lanes show of an answer, and how much of it is new."""
        lens = self.lens
        page = self._page(stream, layout.first, layout.n_channels, answer.start, lens.seconds)
        sweep = answer.sweep(each, held=lens.until is not None)
        self._listen(answer, page, frame)
        about = (page.first, page.unit, self._drawn)
        steps = self._steps.take(answer.rms, lens.loud.value or 1.0, sweep, about)
        edge, behind = self._edge(stream, answer.end(sweep), frame.at)
        time = sweep.labels(answer.envelope.labels, answer.start, frame.key_of), sweep.axis(edge, behind)
        scale = lens.scale.value
        when = answer.start if sweep.held else int(frame.at / _WHOLE_SECONDS)
        whole = (about, layout, page.flags, page.cursor, page.stale, lens.loud.value, scale, tuple(lens.cut), when)
        before = self._swept[1] if self._swept[0] == whole else None
        self._swept = whole, sweep
        shown = Shown(layout, page, answer, steps, sweep, sweep.recent(before), scale, time)
        if layout.mode == "heat":
            return shown
        return shown._replace(numbers=self._numbers_of(answer, page, frame), cut=lens.cut)

    def _numbers_of(self, answer: Answer, page: Page, frame: Frame) -> Sequence[float]:
        """RMS of each channel over the last second, new a few times a second."""
        about = (self._drawn, page.first, page.n_channels, page.unit, self.lens.until)
        return self._numbers.of(about, frame.at, lambda: answer.levels(self.lens.seconds))

    def _listen(self, answer: Answer, page: Page, frame: Frame) -> None:
        """Scale the traces, and set the loudest step by what the good channels reach."""
        lens = self.lens
        about = (self._drawn, page.flags, page.unit, lens.scale.value, lens.loud.value, int(frame.at / _LISTEN_SECONDS))
        if about == self._heard and self._drawn:
            return
        self._heard = about
        if answer.low.size:
            self.lens.take(answer.low, answer.high, frame.at, page.quality[page.first :][: page.n_channels])
        rms = answer.rms
        good = [not flag for flag in page.flags[page.first :][: len(rms)]] or [True] * len(rms)
        finite = rms[good] if any(good) else rms
        finite = finite[np.isfinite(finite)]
        if self.lens.until is None and finite.size:
            self.lens.loud.feed(float(np.quantile(finite, 0.97)), frame.at, page.unit)

    def _draw_spectrum(self, stream: StreamStatus, answer: Answer | None) -> Samples | None:
        """RMS, peak and spectrum of the chosen channel, of what is drawn; none where they are of another time."""
        columns, seconds = columns_for(stream.fs)
        if columns < 32 or answer is None:
            return None
        lens, turn = self.lens, int(end_of(answer.envelope) / heat.QUANTUM_SECONDS)
        about = (stream.name, lens.cursor, lens.filter, lens.remove_offset, lens.percent, turn, self._spectrum.size)
        if self._spectrum_of[0] == about and not self._spectrum.is_blank:
            return self._spectrum_of[1]
        single = self._answer(stream, lens.view(lens.cursor, 1, columns, seconds=seconds))
        if single is None or abs(end_of(single.envelope) - end_of(answer.envelope)) > LEVEL_SECONDS:
            self._spectrum.blank()
            return None
        samples = measure(single.low[0], single.high[0], single.envelope.seconds)
        self._spectrum_of = about, samples
        if samples is not None:
            self._spectrum.draw(samples, self._page(stream, self.lens.cursor, 1, 0.0, 0.0).unit)
        return samples

    def _draw_grid(self, page: Page, stream: StreamStatus, frame: Frame, values: Sequence[float]) -> None:
        lens, known = self.lens, bool(values)
        values = values or [float("nan")] * stream.n_channels
        if not lens.loud.value and page.quality:
            lens.loud.feed(max(values), frame.at, page.unit)
        measure = "quality" if lens.quality else page.unit if page.unit == PERCENT else "RMS"
        electrodes = Electrodes.of(stream)
        what = f"{stream.name} {electrodes.shapes} {measure}"
        numbers = self._electrodes.of(
            (stream.name, lens.filter, page.unit, lens.until, known), frame.at, lambda: values
        )
        self._grid.draw(page, electrodes, values, lens.loud.value or 1.0, what, quality=lens.quality, numbers=numbers)

    def _levels(self, stream: StreamStatus) -> Sequence[float]:
        """RMS of every channel over the last second, as the view filters it."""
        lens, n_columns = self.lens, round(LEVEL_SECONDS * _FPS)
        answer = self._answer(stream, lens.view(0, stream.n_channels, n_columns, rms=True, seconds=LEVEL_SECONDS))
        return answer.levels(LEVEL_SECONDS) if answer is not None and answer.rms.size else ()

    def _ask(self, stream: StreamStatus, layout: Layout, n_columns: int, each: int) -> Answer | None:
        """The newest of the page in so many columns of RMS; for traces, least and greatest values of each half cell."""
        every = 2 * each if layout.below or layout.mode != "heat" else 0
        asked = self.lens.view(
            layout.first, layout.n_channels, n_columns * max(every, 1), rms=not every, rms_every=every
        )
        answer = self._answer(stream, asked)
        return answer if answer is not None and answer.rms.size else None

    def _answer(self, stream: StreamStatus, asked: View) -> Answer | None:
        """The newest of a view; one of another stream or other channels is none."""
        envelope = self._newest[asked] if asked in self._newest else self.recorder.envelope(asked)
        self._asked[asked] = envelope
        if envelope is None or (envelope.stream, envelope.first_channel) != (stream.name, asked.first_channel):
            return None
        if self.lens.until is None:
            self.lens.newest = end_of(envelope)
        return Answer.of(envelope, stream.mvc if self.lens.in_percent(stream) else ())
