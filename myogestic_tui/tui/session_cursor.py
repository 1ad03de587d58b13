"""What is looked at in a session: a stream, a channel, a stretch of time; read off the event loop."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from ..errors import MyoGesticError
from ..widgets.session_details import Looked

if TYPE_CHECKING:
    from ..session.library.catalog_entry import Entry
    from ..session.reading.overview import Overview
    from ..stream.recorded_quality import RecordedQuality
    from .actions import Actions

_log = logging.getLogger(__name__)

_CLOSEST_SECONDS = 0.02
_PAN_SHARE = 0.5


class _Wanted(NamedTuple):
    """What is to be read."""

    session: tuple[str, str, int]
    """Path, state, and bytes: what changes when it does. One that is being recorded is read when it is opened."""
    stream: str | None
    channel: int | None
    span: tuple[float, float | None]
    columns: int
    opened: bool


class SessionCursor:
    """One session at a time. What is wanted follows the keys; what has been read is drawn until then."""

    def __init__(self, viewer: Actions) -> None:
        self._viewer = viewer
        self._session: tuple[str, str, int] = ("", "", 0)
        self._stream: str | None = None
        self._channel: int | None = None
        self._span: tuple[float, float | None] = (0.0, None)
        self._streams: tuple[str, ...] = ()
        self._looked = Looked()
        self._looked_at = ""
        self._turn = 0
        self._asked: _Wanted | None = None
        self._reading = False
        self._open: _Opened | None = None

    def at(self, one: Entry, columns: int, *, opened: bool = False) -> Looked:
        """What is known of a session by now; the rest is read and drawn later.

        Parameters
        ----------
        one
            The session.
        columns
            Columns of its plot.
        opened
            It is open, not only chosen: an overview that it does not hold is computed, and channels are judged.
        """
        summary = one.summary
        session = (summary.path, summary.state, self._turn if summary.state == "recording" else summary.bytes)
        if session != self._session:
            if session[0] != self._session[0]:
                self._stream, self._channel, self._span = None, None, (0.0, None)
                self._looked = Looked()
            self._session = session
        stream = self._stream if opened else None
        channel, span = (self._channel, self._span) if opened else (None, (0.0, None))
        self._want(_Wanted(session, stream, channel, span, columns, opened))
        return self._looked

    # ---------------------------------------------------------------- keys

    def again(self) -> None:
        """Read a session that is being recorded again."""
        self._turn += 1

    def change_channel(self, step: int) -> None:
        """All channels, then each of them."""
        overview = self._looked.overview
        if overview is not None:
            at = (-1 if self._channel is None else self._channel) + step
            self._channel = None if at < 0 else min(at, overview.n_channels - 1)

    def change_stream(self) -> None:
        """The next stream of numbers."""
        overview = self._looked.overview
        if self._streams and overview is not None:
            at = self._streams.index(overview.stream) if overview.stream in self._streams else -1
            self._stream, self._channel = self._streams[(at + 1) % len(self._streams)], None

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much time, around the middle."""
        overview = self._looked.overview
        if overview is not None:
            first, last, whole = self._stretch(overview)
            seconds = min(max((last - first) * factor, _CLOSEST_SECONDS), whole)
            self._place((first + last) / 2 - seconds / 2, seconds, whole)

    def pan(self, direction: int) -> None:
        """Move by half of what is seen."""
        overview = self._looked.overview
        if overview is not None:
            first, last, whole = self._stretch(overview)
            self._place(first + direction * _PAN_SHARE * (last - first), last - first, whole)

    def centre(self, at: float) -> None:
        """Have an instant in the middle of what is seen."""
        overview = self._looked.overview
        if overview is not None:
            first, last, whole = self._stretch(overview)
            self._place(at - (last - first) / 2, last - first, whole)

    def _stretch(self, overview: Overview) -> tuple[float, float, float]:
        """What is wanted by now, from and to, of how many seconds: keys are faster than reads."""
        first, last = self._span
        return first, overview.seconds if last is None else last, overview.seconds

    def _place(self, first: float, seconds: float, whole: float) -> None:
        first = min(max(first, 0.0), max(whole - seconds, 0.0))
        self._span = (first, None if seconds >= whole else first + seconds)

    # ---------------------------------------------------------------- reading

    def _want(self, wanted: _Wanted) -> None:
        if wanted != self._asked and not self._reading:
            self._asked, self._reading = wanted, True
            threading.Thread(target=self._read, args=(wanted,), name="viewer-overview", daemon=True).start()

    def _read(self, wanted: _Wanted) -> None:
        """One read at a time, so that the open session is this thread's own."""
        looked = self._looked if wanted.session[0] == self._looked_at else Looked()
        looked = looked._replace(problem="")
        streams: tuple[str, ...] = ()
        try:
            one = self._opened(wanted)
            looked, streams = looked._replace(facts=one.facts), one.streams
            if streams:
                looked = looked._replace(overview=one.overview(wanted))
                if wanted.opened:
                    self._tell(wanted, looked, streams)
                    looked = looked._replace(quality=one.judge(looked.overview))
        except Exception as error:  # whatever it is: it is shown, and the next look is read
            _log.exception("looking into %s", wanted.session[0])
            known = isinstance(error, (MyoGesticError, OSError))
            looked = looked._replace(problem=str(error) if known else repr(error))
        self._tell(wanted, looked, streams, done=True)

    def _opened(self, wanted: _Wanted) -> _Opened:
        """The session that is read, opened again where it is another one, or has changed."""
        if self._open is None or self._open.key != wanted.session:
            if self._open is not None:
                self._open.close()
            self._open = None
            self._open = _Opened(wanted.session)
        return self._open

    def _tell(self, wanted: _Wanted, looked: Looked, streams: tuple[str, ...], *, done: bool = False) -> None:
        if self._viewer.is_running:
            self._viewer.call_from_thread(self._take, wanted, looked, streams, done)

    def _take(self, wanted: _Wanted, looked: Looked, streams: tuple[str, ...], done: bool) -> None:
        self._reading = self._reading and not done
        if wanted.session[0] == self._session[0]:
            self._looked, self._looked_at, self._streams = looked, wanted.session[0], streams
        self._viewer.wake()


class _Opened:
    """An open session, with what was read of it."""

    def __init__(self, key: tuple[str, str, int]) -> None:
        from ..session import open_session_store
        from ..session.reading.facts import read_facts
        from ..session.reading.overview import OverviewReader, numeric_streams

        self.key = key
        self._session = open_session_store(key[0])
        self._reader = OverviewReader(self._session)
        self.facts = read_facts(self._session)
        self.streams = tuple(numeric_streams(self._session))
        self._quality: dict[str, tuple[RecordedQuality, ...]] = {}

    def overview(self, wanted: _Wanted) -> Overview:
        first, last = wanted.span
        self._reader.compute = wanted.opened
        return self._reader.read(
            wanted.stream, wanted.channel, first_s=first, last_s=last, columns=max(wanted.columns, 20)
        )

    def judge(self, overview: Overview | None) -> dict[str, tuple[RecordedQuality, ...]]:
        """Quality by stream, of those that were looked at so far."""
        from ..stream.recorded_quality import recorded_quality

        if overview is not None and overview.stream not in self._quality:
            self._quality = {**self._quality, overview.stream: recorded_quality(self._session, overview.stream)}
        return self._quality

    def close(self) -> None:
        self._session.close()
