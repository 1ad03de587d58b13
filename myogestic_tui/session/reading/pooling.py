"""Sessions taken together: the same stream in each, and classes matched by name.

Sessions that cannot be read are left out with a logged warning; those that would be mixed wrongly are refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from os import PathLike, fspath
from os.path import abspath
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import (
    ClockError,
    ConfigError,
    OtherClassesError,
    OtherStreamError,
    SessionDamagedError,
    SessionError,
    UnknownStreamError,
)
from ...info import VOLTS
from ..signal.gapless_runs import UNLABELLED
from ..signal.window_bounds import class_of
from .remote_sessions import is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ...info import StreamInfo
    from ..format.meta import LabelEvent
    from ..signal.gapless_runs import Run
    from ..signal.window_bounds import Wanted
    from .reader import SessionReader

    Paths = Iterable[str | PathLike[str]] | str | PathLike[str]
    Check = Callable[[SessionReader], object]
    Call = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], Iterable[Any]]

Item = TypeVar("Item")
FAILURES = (SessionError, ConfigError, ClockError, OSError)
"""Why a session is left out. A `ConfigError` is about that session alone: the arguments fitted the first one."""

_log = logging.getLogger(__name__)
_CURES = {
    "source_id": "; any_source=True (--any-source) takes both",
    "units": "; cut them apart: values of one would be taken for values of the other",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a session has to tell before it is taken together with others; small, and can be pickled."""

    name: str
    class_names: tuple[str, ...]
    classes: frozenset[int]
    """Indices of the classes that were labelled."""
    streams: dict[str, StreamInfo]


def facts_of(path: str | PathLike[str], streams: Sequence[str], check: Check) -> Facts:
    """Open a session and look at what is needed of it; raises what `check` raises, or why it cannot be opened."""
    with open_with(path, streams) as reader:
        check(reader)
        return Facts(
            reader.path.name,
            tuple(reader.class_names),
            frozenset(event.class_index for event in reader.label_track if event.class_index > UNLABELLED),
            {name: reader.stream_info(name) for name in streams},
        )


def tried(function: Callable[..., Item], *arguments: Any) -> Item | Exception:
    """The function's result, or why the session that it is about is left out."""
    try:
        return function(*arguments)
    except FAILURES as error:
        return error


def _here(function: Callable[..., Item], rows: Iterable[tuple[Any, ...]]) -> Iterator[Item | Exception]:
    return (tried(function, *row) for row in rows)


def everywhere(path: str | PathLike[str]) -> str:
    """A path that does not depend on the working directory, which workers have of their own."""
    text = fspath(path)
    return text if is_url(text) else abspath(text)


def open_with(path: str | PathLike[str], streams: Iterable[str]) -> SessionReader:
    """Open a session that has certain streams; UnknownStreamError where it lacks one."""
    from .reader import open_session_store

    reader = open_session_store(path)
    try:
        for name in streams:
            reader.stream_info(name)
    except BaseException:
        reader.close()
        raise
    return reader


def check_same_streams(sessions: Sequence[Facts], *, any_source: bool) -> None:
    """Raise OtherStreamError where equal names hide another sensor, device or montage.

    What a session does not tell of a stream does not count, such as names of channels that merely number them.
    """
    known: dict[tuple[str, str], tuple[str, Any]] = {}
    for session in sessions:
        for name, info in session.streams.items():
            for what, value in _identity(info, any_source).items():
                first, before = known.setdefault((name, what), (session.name, value))
                if before != value and _as_volts(before) != _as_volts(value):
                    raise OtherStreamError(
                        f"{name} is another stream in {session.name} than in {first}: its "
                        f"{_difference(what, value, before)}{_CURES.get(what, '')}"
                    )


def _identity(info: StreamInfo, any_source: bool) -> dict[str, Any]:
    """What makes a stream the same, as far as it is told; the count before what there is one of for each channel."""
    told = {
        "type": info.type,
        "channel count": info.n_channels,
        "channels": () if info.names == tuple(f"ch{i + 1}" for i in range(info.n_channels)) else info.names,
        "units": info.units if info.units and any(info.units) else (),
        "rate": info.fs,
        "dtype": info.dtype,
        "source_id": "" if any_source else info.source_id,
    }
    return {what: value for what, value in told.items() if value not in ("", ())}


def _as_volts(value: Any) -> Any:
    """Units with one name for each voltage: ``uV`` is ``microvolts``."""
    return tuple(VOLTS.get(unit.strip().lower(), unit) for unit in value) if isinstance(value, tuple) else value


def _difference(what: str, value: Any, before: Any) -> str:
    """``units is mV, not microvolts``; where not all channels have the same, the first that differs."""
    if not isinstance(value, tuple):
        return f"{what} is {_shown(what, value)}, not {_shown(what, before)}"
    if len({*value}) == len({*before}) == 1:
        return f"{what} is {value[0]}, not {before[0]}"
    pairs = zip(_as_volts(value), _as_volts(before), strict=True)
    at = next(place for place, (one, other) in enumerate(pairs) if one != other)
    which = f"channel {at + 1}" if what == "channels" else f"{what} of channel {at + 1}"
    return f"{which} is {value[at]}, not {before[at]}"


def _shown(what: str, value: Any) -> str:
    return f"{value:g} Hz" if what == "rate" else repr(value) if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of sessions that are taken together: one index for each name.

    Attributes
    ----------
    names
        By class index.
    maps
        For each session the class index of each of its own; empty where they are the same.
    """

    names: tuple[str, ...]
    maps: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, sessions: Sequence[Facts], first: Sequence[str] = ()) -> Classes:
        """Match classes by name: those of ``first``, then those of the sessions in their order.

        Raises
        ------
        OtherClassesError
            Sessions name their classes differently, and one has labels of a class without a name.
        """
        lists = {session.class_names for session in sessions}
        if len(lists) <= 1 and not first:
            return cls(next(iter(lists), ()), ((),) * len(sessions))
        names = tuple(dict.fromkeys([*first, *(name for session in sessions for name in session.class_names)]))
        for session in sessions:
            nameless = sorted(index for index in session.classes if index >= len(session.class_names))
            if nameless:
                raise OtherClassesError(
                    f"{session.name} has labels of class {nameless[0]}, which has no name there: it cannot be matched "
                    f"with {', '.join(names)}; cut that session by itself"
                )
        return cls(names, tuple(tuple(names.index(name) for name in session.class_names) for session in sessions))

    def index(self, place: int, class_index: int) -> int:
        """The class index of a session's own; ``place`` is the session's among those given."""
        mapped = self.maps[place]
        return mapped[class_index] if mapped and class_index > UNLABELLED else class_index

    def own(self, place: int, wanted: frozenset[int] | None) -> frozenset[int] | None:
        """Which of a session's own classes are ``wanted``; None for all."""
        mapped = self.maps[place]
        if wanted is None or not mapped:
            return wanted
        return frozenset(own for own, index in enumerate(mapped) if index in wanted) | (wanted & {UNLABELLED})


class Pool:
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
        Called with every session, to raise where arguments do not fit it; first with the first that has the streams.
    labelled
        Whether the classes of the labels count.
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
        check: Check,
        *,
        labelled: bool = True,
        any_source: bool = False,
    ) -> None:
        self.paths = [paths] if isinstance(paths, str | PathLike) else list(paths)
        self._needed, self._strict, self._check = needed, strict, check
        self._labelled, self._any_source = labelled, any_source
        self._left_out: set[str] = set()
        self._places: list[int] | None = None
        self.classes = Classes((), ())
        self._probe()

    def survey(self, call: Call | None = None) -> list[int]:
        """Find the places in ``paths`` of those that can be used, and match their classes, which `classes` then has.

        Parameters
        ----------
        call
            Calls a function with each row of arguments; the results in order. None calls it here.

        Raises
        ------
        OtherStreamError, OtherClassesError
            They cannot be taken together.
        """
        if self._places is None:
            rows = [(everywhere(path), self._needed, self._check) for path in self.paths]
            found, self._places = [], []
            for place, facts in enumerate((call or _here)(facts_of, rows)):
                if isinstance(facts, Facts):
                    self._places.append(place)
                    found.append(facts)
                else:
                    self.skip(facts)
            check_same_streams(found, any_source=self._any_source)
            self.classes = Classes.of(found) if self._labelled else Classes((), ((),) * len(found))
        return self._places

    def each(self, items: Callable[[int, SessionReader], Iterable[Item]]) -> Iterator[Item]:
        """What ``items`` makes of each session (its number among those that can be used, and its reader), in turn.

        Raises
        ------
        OtherStreamError, OtherClassesError
            They cannot be taken together; raised before the first.
        """
        for number, place in enumerate(self.survey()):
            try:
                with open_with(self.paths[place], self._needed) as reader:
                    yield from items(number, reader)
            except FAILURES as error:
                self.skip(error)

    def place(self, number: int) -> int:
        """Position in ``paths`` of a session, by its number among those that can be used."""
        return self.survey()[number]

    def own(self, number: int, wanted: Wanted) -> Wanted:
        """What is wanted, by a session's own class indices."""
        return replace(wanted, classes=self.classes.own(number, wanted.classes))

    def class_of(self, number: int, run: Run, track: Sequence[LabelEvent]) -> int:
        """Class index of a run of a session with these labels; -1 before the first one."""
        return self.classes.index(number, class_of(run, track))

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

    def skip(self, error: Exception) -> None:
        """A session is left out: warn, or raise with ``strict``."""
        if self._strict:
            raise error
        _log.warning("session skipped: %s", error)

    def _probe(self) -> None:
        missing: UnknownStreamError | ClockError | None = None
        for path in self.paths:
            try:
                with open_with(path, self._needed) as reader:
                    self._check(reader)
                return
            except (SessionError, ClockError, OSError) as error:
                if self._strict:
                    raise
                if isinstance(error, UnknownStreamError | ClockError):
                    missing = error
        if missing is not None:
            raise missing
