"""Going through many sessions, some of which may not be readable."""

from __future__ import annotations

import logging
from os import PathLike
from typing import TYPE_CHECKING, TypeVar

from ...errors import (
    ClockError,
    ConfigError,
    OtherStreamError,
    SessionDamagedError,
    SessionError,
    UnknownStreamError,
)
from ...info import VOLTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ...info import StreamInfo
    from .reader import SessionReader

    Paths = Iterable[str | PathLike[str]] | str | PathLike[str]

Item = TypeVar("Item")

_log = logging.getLogger(__name__)


class SameStreams:
    """Holds that a stream is one and the same in all sessions: equal names may hide another sensor, or device.

    What a session does not tell of a stream does not count.
    """

    def __init__(self, *, any_source: bool) -> None:
        self._any_source = any_source
        self._known: dict[tuple[str, str], tuple[str, object]] = {}
        """Session that told it first, and what it told, by stream and what that is."""

    def check(self, reader: SessionReader, names: Iterable[str]) -> None:
        """Compare a session's streams with those of the sessions before; OtherStreamError where they differ."""
        for name in names:
            self.compare(reader.path.name, name, reader.stream_info(name))

    def compare(self, session: str, name: str, info: StreamInfo) -> None:
        """As `check`, for one stream."""
        told = {"type": info.type, "units": info.units, "source_id": "" if self._any_source else info.source_id}
        for what, value in told.items():
            if not value:
                continue
            first, known = self._known.setdefault((name, what), (session, value))
            if known != value and _as_volts(known) != _as_volts(value):
                cure = "; any_source=True (--any-source) takes both" if what == "source_id" else ""
                raise OtherStreamError(
                    f"{name} is another stream in {session} than in {first}: its {what} is {_short(value)}, "
                    f"not {_short(known)}{cure}"
                )


def _as_volts(value: object) -> object:
    """Units with one name for each voltage: ``uV`` is ``microvolts``."""
    return tuple(VOLTS.get(unit.strip().lower(), unit) for unit in value) if isinstance(value, tuple) else value


def _short(value: object) -> str:
    return ", ".join(dict.fromkeys(value)) if isinstance(value, tuple) else repr(value)


class Readable:
    """Those of some sessions that can be read and have certain streams.

    Parameters
    ----------
    paths
        Session folders or archives; one alone will do.
    needed
        Streams that a session must have.
    strict
        Raise for a session that cannot be read or lacks a stream, instead of skipping it with a logged warning.
    check
        Called with the first session that has the streams, to raise where arguments do not fit it.
    any_source
        Take a stream for the same although its source_id differs between sessions.

    Raises
    ------
    UnknownStreamError
        None of the sessions that can be read has the streams.
    ClockError
        None of them can be used, for want of a relation between its streams' clocks and the labels.
    SessionError, OSError
        With ``strict``, for the sessions up to the first that has them.
    """

    def __init__(
        self,
        paths: Paths,
        needed: Sequence[str],
        strict: bool,
        check: Callable[[SessionReader], object],
        *,
        any_source: bool = False,
    ) -> None:
        self.paths = [paths] if isinstance(paths, str | PathLike) else list(paths)
        self._needed, self._strict = needed, strict
        self.same = SameStreams(any_source=any_source)
        self._left_out: set[str] = set()
        self._probe(check)

    def each(self, items: Callable[[int, SessionReader], Iterable[Item]]) -> Iterator[Item]:
        """What ``items`` makes of each session (its place in ``paths``, and its reader), one after the other.

        A session that does not fit the arguments is skipped like one that cannot be read.

        Raises
        ------
        OtherStreamError
            A stream is another one than in the sessions before.
        """
        for place, path in enumerate(self.paths):
            try:
                with self._open(path) as reader:
                    self.same.check(reader, self._needed)
                    yield from items(place, reader)
            except OtherStreamError:
                raise
            except (SessionError, ConfigError, ClockError, OSError) as error:
                # A `ConfigError` here is about this session alone: the arguments fitted the first one.
                if self._strict:
                    raise
                _log.warning("session skipped: %s", error)

    def remark(self, text: str) -> None:
        """Log what is to be said of a session's windows, once; nothing where there is nothing."""
        if text and text not in self._left_out:
            _log.warning("%s", text)
            self._left_out.add(text)

    def leave_out(self, error: SessionDamagedError) -> None:
        """Windows are left out because samples cannot be read: warn once of each chunk, or raise with ``strict``."""
        if self._strict:
            raise error
        if str(error) not in self._left_out:
            _log.warning("windows left out: %s", error)
        self._left_out.add(str(error))

    def _probe(self, check: Callable[[SessionReader], object]) -> None:
        missing: UnknownStreamError | ClockError | None = None
        for path in self.paths:
            try:
                with self._open(path) as reader:
                    check(reader)
                return
            except (SessionError, ClockError, OSError) as error:
                if self._strict:
                    raise
                if isinstance(error, UnknownStreamError | ClockError):
                    missing = error
        if missing is not None:
            raise missing

    def _open(self, path: str | PathLike[str]) -> SessionReader:
        from .reader import open_session_store

        reader = open_session_store(path)
        try:
            for name in self._needed:
                reader.stream_info(name)
        except BaseException:
            reader.close()
            raise
        return reader
