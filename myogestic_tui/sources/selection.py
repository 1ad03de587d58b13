"""Which outlet is meant: by name, type, source_id and host, and LSL's own query syntax for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import AmbiguousStreamError, ConfigError, StreamNotFoundError

if TYPE_CHECKING:
    from .discovery import Discovery, Seen


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

    def find(self, network: Discovery, timeout: float) -> Seen:
        """The one outlet that is meant.

        Raises
        ------
        StreamNotFoundError
            None answers within ``timeout`` seconds; the message lists what is on the network.
        AmbiguousStreamError
            More than one does; the message lists them.
        """
        found = network.wait_for(self.matches, timeout, query=self.query, settle=True)
        if not found:
            raise StreamNotFoundError(f"no stream with {self}; {_listing(network.streams())}")
        if len(found) > 1:
            raise AmbiguousStreamError(
                f"{len(found)} streams with {self}; add the host, source_id or a query to tell them apart:\n"
                + "\n".join(f"  {seen.describe()}" for seen in found)
            )
        return found[0]

    def __str__(self) -> str:
        given = ((field, getattr(self, field)) for field in ("name", "type", "source_id", "hostname", "query", "uid"))
        return ", ".join(f"{field} {value!r}" for field, value in given if value is not None)


def _listing(streams: tuple[Seen, ...]) -> str:
    if not streams:
        return "nothing is on the network; is the outlet started, and on this network?"
    return "on the network are:\n" + "\n".join(f"  {seen.describe()}" for seen in streams)
