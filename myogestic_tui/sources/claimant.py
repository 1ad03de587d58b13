"""What is asked of a stream whose outlet may have returned: which outlets it would take, and which fit it best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .discovery import Seen


class Claimant(Protocol):
    """A connected stream, as it competes with others for an outlet; `reconnect.Link` is one.

    Attributes
    ----------
    seen
        The outlet that it is at, or was at last.
    been_at
        Uids of all outlets that it has been at.
    owner
        Name of the stream.
    chosen
        Uid of the outlet that the operator chose; empty where he chose none.
    """

    seen: Seen
    been_at: set[str]
    owner: str
    chosen: str

    def successors(self) -> list[Seen]:
        """Outlets that may be this stream's next."""
        ...

    def would_take(self, outlet: Seen) -> bool:
        """Whether an outlet may be this stream's return, if the stream is lost."""
        ...

    def likeness(self, outlet: Seen) -> tuple[bool, ...]:
        """In what an outlet agrees with this stream beyond what every return has to."""
        ...

    def shares_outlet(self, other: Claimant) -> bool:
        """Whether both are at one outlet, or were."""
        ...

    def likenesses(self) -> list[Seen]:
        """All other outlets on the network with the same metadata."""
        ...
