"""Which outlet is meant: by name, type, source_id and host, and LSL's own query syntax for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import AmbiguousStreamError, ConfigError, StreamNotFoundError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .discovery import Discovery, Seen


class NotChosenError(StreamNotFoundError):
    """What was chosen is not there, but something else is that satisfies the criteria, too."""


ON_THE_NETWORK = "on the network are:\n"
"""Before the list of what is there, in a message that a stream is not."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Criteria that an outlet must all satisfy; those that are None do not matter.

    Raises
    ------
    ConfigError
        None is given.
    """

    name: str | None = None
    type: str | None = None
    source_id: str | None = None
    hostname: str | None = None
    query: str | None = None
    uid: str | None = None

    def __post_init__(self) -> None:
        if not any((self.name, self.type, self.source_id, self.query, self.uid)):
            raise ConfigError("this selects no stream; give a name, type, source_id or query")

    def matches(self, seen: Seen) -> bool:
        """True where all criteria but the query, which the outlets evaluate themselves, are satisfied."""
        if self.hostname is not None and self.hostname.casefold() != seen.hostname.casefold():
            return False
        exact = ("name", "type", "source_id", "uid")
        return all(getattr(self, field) in (None, getattr(seen, field)) for field in exact)

    def all(self, network: Discovery) -> list[Seen]:
        """Every outlet that satisfies them now."""
        return [seen for seen in network.streams(self.query) if self.matches(seen)]

    def find(
        self, network: Discovery, timeout: float, *, choice: Choice | None = None, taken: Callable[[], set[str]] = set
    ) -> Seen:
        """The one outlet that is meant.

        Parameters
        ----------
        network
            Where to look.
        timeout
            Seconds to look for it.
        choice
            What the operator chose before, where several satisfied the criteria.
        taken
            Uids of outlets that belong to other streams.

        Raises
        ------
        StreamNotFoundError
            None answers within ``timeout`` seconds; the message lists what is on the network.
        AmbiguousStreamError
            More than one does; the message lists them.
        """
        matching = network.wait_for(self.matches, timeout, query=self.query, settle=True)
        found = [seen for seen in matching if seen.uid not in taken()]
        chosen = found if choice is None else choice.among(found)
        if found and not chosen:
            raise NotChosenError(f"{choice} was chosen and is not there; there is\n{_lines(found)}")
        if not found:
            there = network.offered()
            meant = did_you_mean(self.name or "", {seen.name for seen in there})
            raise StreamNotFoundError(f"no stream with {self}{meant}; {_listing(there)}")
        if len(chosen) > 1:
            raise AmbiguousStreamError(
                f"{len(chosen)} streams with {self}; add the host, source_id or a query to tell them apart:\n"
                + _lines(chosen)
            )
        return chosen[0]

    def __str__(self) -> str:
        given = ((field, getattr(self, field)) for field in ("name", "type", "source_id", "hostname", "query", "uid"))
        return ", ".join(f"{field} {value!r}" for field, value in given if value is not None)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of several outlets that satisfy the criteria the operator meant: by host and source_id."""

    hostname: str
    source_id: str = ""

    def among(self, outlets: Iterable[Seen]) -> list[Seen]:
        """The one that was chosen; else the device of its source_id, which may have moved to another host."""
        there = list(outlets)
        exact = [seen for seen in there if (seen.hostname, seen.source_id) == (self.hostname, self.source_id)]
        moved = [seen for seen in there if self.source_id and seen.source_id == self.source_id]
        return exact or moved

    def __str__(self) -> str:
        return f"the one of {self.hostname} ({f'source_id {self.source_id}' if self.source_id else 'no source_id'})"


def _lines(streams: Iterable[Seen]) -> str:
    return "\n".join(f"  {seen.describe()}" for seen in streams)


def _listing(streams: tuple[Seen, ...]) -> str:
    if not streams:
        return "nothing is on the network; is the outlet started, and on this network?"
    return f"{ON_THE_NETWORK}{_lines(streams)}"
