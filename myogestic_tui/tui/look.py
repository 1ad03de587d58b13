"""What is looked at in an open session: a stream, a channel, a stretch of time; read off the event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..errors import MyoGesticError
from ..widgets.spans import Row, row

if TYPE_CHECKING:
    from ..session.overview import Overview
    from ..widgets.frame import Frame
    from .app import Viewer

_CLOSEST_SECONDS = 0.5
_PAN_SHARE = 0.5


class SessionLook:
    """The plot of one session at a time; what it shows follows the keys, and is drawn when it has been read."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._path = ""
        self._stream: str | None = None
        self._channel: int | None = None
        self._span: tuple[float, float | None] = (0.0, None)
        self._streams: tuple[str, ...] = ()
        self._overview: Overview | None = None
        self._problem = ""
        self._wanted: tuple[object, ...] = ()
        self._reading = False
        self._drawn: tuple[tuple[object, ...], list[Row]] = ((), [])

    def rows(self, path: str, frame: Frame, width: int, height: int) -> list[Row]:
        """The plot in ``height`` rows; the old one, or a word, until the wanted one has been read."""
        if path != self._path:
            self._path, self._stream, self._channel, self._span = path, None, None, (0.0, None)
            self._overview, self._problem = None, ""
        self._want(width)
        if self._problem:
            return [row((f" {self._problem}", "warn"))]
        if self._overview is None:
            return [row((" reading …", "dim"))]
        key = (id(self._overview), width, height)
        if self._drawn[0] != key:
            from ..widgets.overview import overview_rows

            self._drawn = (key, overview_rows(self._overview, width, height, frame.key_of))
        return self._drawn[1]

    # ---------------------------------------------------------------- keys

    def change_channel(self, step: int) -> None:
        """All channels, then each of them."""
        at = -1 if self._channel is None else self._channel
        self._channel = at + step if at + step >= 0 else None

    def change_stream(self) -> None:
        """The next stream of numbers."""
        if self._streams:
            at = self._streams.index(self._stream) if self._stream in self._streams else 0
            self._stream, self._channel = self._streams[(at + 1) % len(self._streams)], None

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much time, around the middle."""
        if self._overview is None:
            return
        first, last, whole = self._overview.first_s, self._overview.last_s, self._overview.seconds
        seconds = min(max((last - first) * factor, _CLOSEST_SECONDS), whole)
        self._place((first + last) / 2 - seconds / 2, seconds, whole)

    def pan(self, direction: int) -> None:
        """Move by half of what is seen."""
        if self._overview is None:
            return
        first, seconds = self._overview.first_s, self._overview.last_s - self._overview.first_s
        self._place(first + direction * _PAN_SHARE * seconds, seconds, self._overview.seconds)

    def _place(self, first: float, seconds: float, whole: float) -> None:
        first = min(max(first, 0.0), max(whole - seconds, 0.0))
        self._span = (first, None if seconds >= whole else first + seconds)

    # ---------------------------------------------------------------- reading

    def _want(self, width: int) -> None:
        wanted = (self._path, self._stream, self._channel, self._span, width)
        if wanted != self._wanted and not self._reading:
            self._wanted, self._reading = wanted, True
            threading.Thread(target=self._read, args=wanted, name="viewer-overview", daemon=True).start()

    def _read(
        self, path: str, stream: str | None, channel: int | None, span: tuple[float, float | None], width: int
    ) -> None:
        from ..session import open_session_store
        from ..session.overview import read_overview

        asked = (path, stream, channel)
        overview, problem, streams = None, "", self._streams
        try:
            with open_session_store(path) as session:
                streams = tuple(name for name in session.streams if not session.stream_info(name).is_string)
                if stream is None and streams:
                    stream = streams[0]
                if channel is not None and stream is not None:
                    channel = min(channel, session.stream_info(stream).n_channels - 1)
                overview = read_overview(
                    session, stream, channel, first_s=span[0], last_s=span[1], columns=max(width, 20)
                )
        except (MyoGesticError, OSError) as error:
            problem = str(error)
        if self._viewer.is_running:
            self._viewer.call_from_thread(self._take, asked, overview, problem, streams)

    def _take(
        self,
        asked: tuple[str, str | None, int | None],
        overview: Overview | None,
        problem: str,
        streams: tuple[str, ...],
    ) -> None:
        self._reading = False
        if asked[0] == self._path:
            self._overview, self._problem, self._streams = overview, problem, streams
        if overview is not None and asked == (self._path, self._stream, self._channel):
            self._stream, self._channel = overview.stream, overview.channel
            self._wanted = (asked[0], overview.stream, overview.channel, *self._wanted[3:])
        self._viewer.redraw()
