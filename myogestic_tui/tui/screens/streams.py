"""The Streams screen, which answers: is everything there, and alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...app.interface import (
    AnyCommand,
    ConnectAll,
    ConnectStream,
    DescribeStream,
    ForgetStream,
    Reply,
    StartGenerator,
    StopGenerator,
    StreamStatus,
    TickStream,
)
from ...widgets.problem_list import needs_you
from ...widgets.stable_table import Table
from ...widgets.stream_table import StreamRow, columns, details, nothing_seen, xml_lines
from ...widgets.strip_widget import Lines
from ...widgets.styled_lines import BLANK, DIM, Line, line
from .base import ViewerScreen
from .key_bindings import STREAMS

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from ...widgets.frame import Frame
    from ..modals.text import TextScreen

_MOST_NEEDS = 8


class StreamsScreen(ViewerScreen):
    """What needs the operator, the table, details of the chosen stream."""

    name_of = "streams"
    BINDINGS = STREAMS

    def body(self) -> ComposeResult:
        self.needs = Lines(id="needs")
        self.table = Table(id="streams")
        self.nothing = Lines(id="nothing")
        self.about = Lines(id="details")
        yield self.needs
        yield self.table
        yield self.nothing
        yield self.about

    def show(self, frame: Frame) -> None:
        status = frame.status
        width, height = self.width, max(self.size.height - 5, 1)
        needs = needs_you(status.problems, width, min(_MOST_NEEDS, max(height // 3, 2)))
        needs += [BLANK] if needs and height > 24 else []
        self.needs.put(needs)
        self.table.display = bool(status.streams)
        if not status.streams:
            self.nothing.put(nothing_seen(status))
            self.about.put([])
            return
        self.nothing.put([])
        trends = self.viewer.feed.trends
        self.table.put(columns(width), {s.key: StreamRow(s, trends.of(s.key)) for s in status.streams})
        room = height - len(needs)
        n_rows = min(len(status.streams) + 1, max(room - 7, 4))
        self.table.styles.height = n_rows
        self.about.styles.height = room - n_rows
        self.about.put(self._details(frame, width, room - n_rows))

    def _details(self, frame: Frame, width: int, room: int) -> list[Line]:
        """Of the chosen stream; of others too where there is room."""
        chosen = self._stream()
        if chosen is None or room < 3:
            return []
        trends = self.viewer.feed.trends
        rows = [BLANK, *details(chosen, width, trends.of(chosen.key), whole=True)]
        if len(rows) > room:
            rows = [BLANK, *details(chosen, width, trends.of(chosen.key))]
        for other in frame.status.streams:
            more = [BLANK, *details(other, width, trends.of(other.key))]
            if other is not chosen and other.state not in ("seen", "wanted") and len(rows) + len(more) <= room:
                rows += more
        return rows[:room]

    def _stream(self) -> StreamStatus | None:
        return next((s for s in self.frame.status.streams if s.key == self.table.chosen), None)

    def on_data_table_row_highlighted(self) -> None:
        self.redraw()

    # ---------------------------------------------------------------- commands

    def action_details(self) -> None:
        stream = self._stream()
        if stream is None:
            return
        width = self.app.size.width - 2
        rows = details(stream, width, self.viewer.feed.trends.of(stream.key), whole=True)
        if not stream.n_channels or stream.state == "seen":
            told = [line(("  its XML is known once it is connected: c", DIM))]
            self.viewer.show_text(stream.name, [*rows, BLANK, *told])
            return
        screen = self.viewer.show_text(stream.name, [*rows, BLANK, line(("  asking for its XML …", DIM))])
        self._ask_xml(stream, rows, screen, width)

    def _ask_xml(self, stream: StreamStatus, rows: list[Line], screen: TextScreen, width: int) -> None:
        def heard(_: AnyCommand, reply: Reply) -> None:
            screen.put([*rows, BLANK, *xml_lines(reply.text if reply.ok else reply.message, width)])

        self.viewer.execute(DescribeStream(key=stream.key), heard)

    def action_tick(self) -> None:
        if (stream := self._stream()) is not None:
            session = self.frame.session_id or None
            self.viewer.execute(TickStream(key=stream.key, record=not stream.record, session=session))

    def action_connect(self) -> None:
        if (stream := self._stream()) is not None:
            self.viewer.execute(ConnectStream(key=stream.key))

    def action_all(self) -> None:
        self.viewer.execute(ConnectAll())

    def action_forget(self) -> None:
        if (stream := self._stream()) is not None:
            self.viewer.execute(ForgetStream(key=stream.key))

    def action_generator(self) -> None:
        running = self.frame.status.generator
        self.viewer.execute(StopGenerator() if running else StartGenerator())
