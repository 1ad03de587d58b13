"""The Streams screen, which answers: is everything there, and alive."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ..app.recorder import (
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
from ..widgets.spans import BLANK, Row, row
from ..widgets.streams import stream_details, streams_page, xml_rows
from .view import Body

if TYPE_CHECKING:
    from ..widgets.frame import Frame
    from .app import Viewer


class StreamsBody(Body):
    """Table, details of the chosen stream, and what needs the operator."""

    name_of = "streams"

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._chosen = ""
        self._uid = ""
        self._whole = False
        self._scroll = 0
        self._xml: tuple[tuple[str, str], str] = (("", ""), "")

    def opened(self) -> None:
        """Start with the list, not with details."""
        self._whole = False
        self._scroll = 0

    # ---------------------------------------------------------------- rows

    def main_rows(self, frame: Frame, width: int, height: int) -> list[Row]:
        """The page of streams, or all of one stream."""
        streams = frame.status.streams
        at = self._cursor(frame) if streams else 0
        if self._whole and streams:
            rows = stream_details(streams[at], width, height, whole=True)
            return self._scrolled([*rows, BLANK, *self._xml_rows(streams[at], width)], height)
        return streams_page(frame.status, at, width, height)

    def _xml_rows(self, stream: StreamStatus, width: int) -> list[Row]:
        """What the stream says of itself, as far as it was asked for."""
        if not stream.n_channels or stream.state == "seen":
            return [row(("  its XML is known once it is connected: c", "dim"))]
        key, text = self._xml
        return xml_rows(text, width) if key == (stream.key, stream.uid) else [row(("  asking for its XML …", "dim"))]

    def _ask_xml(self, stream: StreamStatus) -> None:
        asked = (stream.key, stream.uid)

        def heard(_: AnyCommand, reply: Reply) -> None:
            self._xml = asked, reply.text if reply.ok else reply.message
            self.viewer.redraw()

        self.viewer.execute(DescribeStream(key=stream.key, actor=self.viewer.actor), heard)

    def _scrolled(self, rows: list[Row], height: int) -> list[Row]:
        self._scroll = max(min(self._scroll, len(rows) - height + 1), 0)
        kept = rows[self._scroll : self._scroll + height - 1]
        more = len(rows) - self._scroll - len(kept)
        return [*kept, row((f"  {more} more rows: ↓" if more > 0 else "  ⏎ back to the list", "dim"))]

    def _cursor(self, frame: Frame) -> int:
        """Row of the chosen stream, which it stays on when rows come and go, or its key changes as it is connected."""
        streams = frame.status.streams
        same_key = (i for i, stream in enumerate(streams) if stream.key == self._chosen)
        same_uid = (i for i, stream in enumerate(streams) if stream.uid == self._uid != "")
        at = next(chain(same_key, same_uid), 0)
        self._chosen, self._uid = streams[at].key, streams[at].uid
        return at

    def _stream(self) -> StreamStatus | None:
        streams = self.viewer.frame.status.streams
        return streams[self._cursor(self.viewer.frame)] if streams else None

    def click(self, action: str) -> bool:
        """A row, or its tick."""
        kind, _, key = action.partition(":")
        if kind not in ("stream", "tick"):
            return False
        self._chosen = key
        if kind == "tick":
            self.do_tick()
        return True

    # ---------------------------------------------------------------- commands

    def do_up(self) -> None:
        """Row up."""
        self._move(-1)

    def do_down(self) -> None:
        """Row down."""
        self._move(1)

    def _move(self, step: int) -> None:
        if self._whole:
            self._scroll += step
            return
        streams = self.viewer.frame.status.streams
        if streams:
            at = min(max(self._cursor(self.viewer.frame) + step, 0), len(streams) - 1)
            self._chosen = streams[at].key

    def do_details(self) -> None:
        """All that is known of the stream, or back to the list."""
        stream = self._stream()
        self._whole, self._scroll = not self._whole and stream is not None, 0
        if self._whole and stream is not None and stream.state != "seen":
            self._ask_xml(stream)

    def do_page_up(self) -> None:
        """Page up in the details."""
        self._move(-10)

    def do_page_down(self) -> None:
        """Page down in the details."""
        self._move(10)

    def do_tick(self) -> None:
        """Into the recording, or out of it."""
        if (stream := self._stream()) is not None:
            session = self.viewer.frame.session_id or None
            command = TickStream(key=stream.key, record=not stream.record, session=session, actor=self.viewer.actor)
            self.viewer.execute(command)

    def do_connect(self) -> None:
        """Connect and tick."""
        if (stream := self._stream()) is not None:
            self.viewer.execute(ConnectStream(key=stream.key, actor=self.viewer.actor))

    def do_all(self) -> None:
        """Connect and tick everything that is seen."""
        self.viewer.execute(ConnectAll(actor=self.viewer.actor))

    def do_forget(self) -> None:
        """Disconnect; it may be connected again while it is on the network."""
        if (stream := self._stream()) is not None:
            self.viewer.execute(ForgetStream(key=stream.key, actor=self.viewer.actor))

    def do_generator(self) -> None:
        """Start or stop the synthetic outlet."""
        running = self.viewer.frame.status.generator
        self.viewer.execute(
            StopGenerator(actor=self.viewer.actor) if running else StartGenerator(actor=self.viewer.actor)
        )

    def do_doctor(self) -> None:
        """What is wrong, and how to mend it."""
        self.viewer.actions.run_doctor()
