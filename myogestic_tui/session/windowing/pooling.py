"""Sessions that windows are cut from together. Those that cannot be read are left out with a logged warning."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import ClockError, ConfigError, NotFiniteError, SessionDamagedError, SessionError, UnknownStreamError
from ..format.layout import ARCHIVE_SUFFIX
from ..reading.find_sessions import find_sessions
from ..signal.gapless_runs import UNLABELLED
from ..signal.processing import Processing
from .matching import Classes, channel_numbers, check_same_streams, own_classes
from .session_facts import FAILURES, Facts, facts_of, open_with, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ...info import StreamInfo
    from ..reading.find_sessions import Paths
    from ..reading.reader import SessionReader
    from ..signal.window_bounds import Wanted
    from .recipe import Recipe
    from .session_facts import Check

    Call = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], Iterable[Any]]

Item = TypeVar("Item")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pick:
    """One of the sessions that windows are cut from, and what of it; small, and can be pickled."""

    path: str
    place: int
    """Position among the paths."""
    name: str
    """That of its file; its whole path where another one is called so too."""
    classes: tuple[int, ...]
    """The class index of each of its own; empty where they are the same."""
    wanted: Wanted
    """By its own class indices."""
    processing: Processing

    def index(self, own: int) -> int:
        """The class index of one of the session's own."""
        return self.classes[own] if self.classes and own > UNLABELLED else own


class Pool:
    """Those of some sessions that can be read and have certain streams.

    Parameters
    ----------
    paths
        See `find_sessions`.
    recipe
        What is cut.
    check
        Called with every session, to raise where arguments do not fit it; first with the first that has the streams.
    others
        Streams that a session must have besides.
    labelled
        Whether the classes of the labels count.

    Raises
    ------
    UnknownStreamError
        None of the sessions that can be read has the streams.
    ClockError
        None of them can be used, for want of a relation between its streams' clocks and the labels.
    ConfigError, SessionError
        There is no session, or none can be read. With ``strict`` also for those up to the first that has the streams.
    """

    def __init__(
        self, paths: Paths, recipe: Recipe, check: Check, *, others: Sequence[str] = (), labelled: bool = True
    ) -> None:
        self.paths = find_sessions(paths)
        self.recipe = recipe
        self._needed, self._check = list(dict.fromkeys([recipe.stream, *others])), check
        self._labelled = labelled and not recipe.raw
        self._told: set[str] = set()
        self._picks: list[Pick] | None = None
        self.class_names: tuple[str, ...] = ()
        """By class index, once `survey` was called."""
        self._info: StreamInfo | None = None
        self._probe()

    def survey(self, call: Call | None = None) -> list[Pick]:
        """Find those that can be used, and what of them.

        Parameters
        ----------
        call
            Calls a function with each row of arguments; the results in order. None calls it here.

        Raises
        ------
        OtherStreamError, OtherClassesError
            They cannot be taken together.
        ConfigError
            No session has a class of that name, or no channel is left.
        """
        if self._picks is None:
            rows = [(path, self._needed, self._check) for path in self.paths]
            found: dict[int, Facts] = {}
            for place, facts in enumerate((call or _here)(facts_of, rows)):
                if isinstance(facts, Facts):
                    found[place] = facts
                else:
                    self.skip(facts)
            self._picks = self._picked(found)
        return self._picks

    def _picked(self, found: dict[int, Facts]) -> list[Pick]:
        sessions = [*found.values()]
        chains = [self._processing(facts) for facts in sessions]
        self._check_same(sessions, chains)
        if self.recipe.channels == "good":
            chains = [self._good(sessions, chain) for chain in chains]
        if sessions:
            self._info = chains[0].info(self.recipe.stream, sessions[0].streams[self.recipe.stream])
        classes = self._classes(sessions)
        self.class_names = classes.names
        names = [facts.name.removesuffix(ARCHIVE_SUFFIX) for facts in sessions]
        return [
            Pick(
                self.paths[place],
                place,
                name if names.count(name) == 1 else self.paths[place],
                mapped,
                replace(self.recipe.wanted, classes=own_classes(mapped, self.recipe.wanted.classes)),
                chain,
            )
            for place, name, mapped, chain in zip(found, names, classes.maps, chains, strict=True)
        ]

    def _classes(self, sessions: Sequence[Facts]) -> Classes:
        names = self.recipe.names
        if not self._labelled:
            return Classes((), ((),) * len(sessions))
        classes = Classes.of(sessions, names)
        there = {name for facts in sessions for name in facts.class_names}
        for name in names:
            if sessions and name not in there:
                raise ConfigError(
                    f"no session has a class {name!r}; there are {', '.join(sorted(there)) or 'no names'}"
                )
        return replace(classes, names=names or classes.names)

    def _processing(self, facts: Facts) -> Processing:
        recipe, info = self.recipe, facts.streams[self.recipe.stream]
        channels = None if recipe.channels in (None, "good") else channel_numbers(facts.name, recipe, info)
        return Processing(channels, recipe.resample, recipe.filter)

    def _check_same(self, sessions: Sequence[Facts], chains: Sequence[Processing]) -> None:
        name = self.recipe.stream
        cut = [
            replace(chain, filter=None).info(name, facts.streams[name])
            for facts, chain in zip(sessions, chains, strict=True)
        ]
        alike = [
            replace(facts, streams={**facts.streams, name: replace(info, dtype=facts.streams[name].dtype)})
            for facts, info in zip(sessions, cut, strict=True)
        ]
        check_same_streams(alike, any_source=self.recipe.any_source)

    def _good(self, sessions: Sequence[Facts], chain: Processing) -> Processing:
        """Without the channels that any session marks bad."""
        name = self.recipe.stream
        info, marked = sessions[0].streams[name], frozenset[int]().union(*(facts.bad[name] for facts in sessions))
        bad = sorted(channel for channel in marked if channel < info.n_channels)
        if len(bad) == info.n_channels:
            raise ConfigError(f"every channel of {name} is marked bad; channels=None takes them all the same")
        if not bad:
            return chain
        self.remark(f"{name}: marked bad and left out: {', '.join(info.names[channel] for channel in bad)}")
        return replace(chain, channels=tuple(channel for channel in range(info.n_channels) if channel not in bad))

    def layout(self) -> StreamInfo:
        """Layout of what is cut; SessionError where no session can be used."""
        self.survey()
        if self._info is None:
            raise SessionError("none of the sessions can be used; strict=True says why")
        return self._info

    def each(self, items: Callable[[Pick, SessionReader], Iterable[Item]]) -> Iterator[Item]:
        """What ``items`` makes of each session that can be used, in turn; raises what `survey` does first."""
        for pick in self.survey():
            try:
                with open_with(pick.path, self._needed) as reader:
                    yield from items(pick, reader)
            except NotFiniteError:
                raise
            except FAILURES as error:
                self.skip(error)

    def told(self, items: Callable[[Pick, SessionReader], Iterable[Item]]) -> Iterator[Item]:
        """As `each`, of windows; that there is none is logged where no reason for it was."""
        n_windows = 0
        for n_windows, item in enumerate(self.each(items), 1):  # noqa: B007
            yield item
        if not n_windows and not self._told:
            seconds = self.recipe.cut.win_seconds
            where = "under any label asked for" if self._labelled else "fits between its gaps"
            self.remark(f"{self.recipe.stream}: no window of {seconds:g} s {where}")

    def remark(self, text: str) -> None:
        """Log the remarks on a session's windows, once."""
        if text and text not in self._told:
            _log.warning("%s", text)
            self._told.add(text)

    def leave_out(self, error: SessionDamagedError) -> None:
        """Windows are left out because samples cannot be read: warn once of each chunk, or raise with ``strict``."""
        if self.recipe.strict:
            raise error
        self.remark(f"windows left out: {error}")

    def skip(self, error: Exception) -> None:
        """A session is left out: warn, or raise with ``strict``."""
        if self.recipe.strict:
            raise error
        _log.warning("session skipped: %s", error)

    def _probe(self) -> None:
        first: Exception | None = None
        for path in self.paths:
            try:
                with open_with(path, self._needed) as reader:
                    self._check(reader)
                return
            except (SessionError, ClockError, OSError) as error:
                if self.recipe.strict:
                    raise
                if first is None or isinstance(error, UnknownStreamError | ClockError):
                    first = error
        if isinstance(first, UnknownStreamError | ClockError):
            raise first
        raise SessionError(f"none of {len(self.paths)} sessions can be read; the first: {first}")


def _here(function: Callable[..., Item], rows: Iterable[tuple[Any, ...]]) -> Iterator[Item | Exception]:
    return (tried(function, *row) for row in rows)
