"""The views that a client asks for: the newest few, each with the envelope that came last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..app.interface import Envelope, View

KEPT_SECONDS = 1.0
"""A view that nobody has asked for in this time is not sent any more."""
_MOST_VIEWS = 4


@dataclass(eq=False)
class _RequestedView:
    number: int
    asked_at: float
    envelope: Envelope | None = None


class RequestedViews:
    """Views by number; the caller holds a lock, and subscribes again where a method returns True."""

    def __init__(self) -> None:
        self._views: dict[View, _RequestedView] = {}
        self._last_number = 0

    @property
    def by_number(self) -> dict[int, View]:
        """What to subscribe to."""
        return {requested.number: view for view, requested in self._views.items()}

    def request(self, view: View, now: float) -> bool:
        """Ask for a view; True where it is a new one. Of too many, the one asked for longest ago is dropped."""
        if (known := self._views.get(view)) is not None:
            known.asked_at = now
            return False
        self._last_number += 1
        self._views[view] = _RequestedView(self._last_number, now)
        while len(self._views) > _MOST_VIEWS:
            del self._views[min(self._views, key=lambda other: self._views[other].asked_at)]
        return True

    def envelope(self, view: View) -> Envelope | None:
        """The newest envelope of a view; None until there is one."""
        return self._views[view].envelope if view in self._views else None

    def store(self, number: int, envelope: Envelope) -> None:
        """Keep the newest envelope of a view."""
        for requested in self._views.values():
            if requested.number == number:
                requested.envelope = envelope

    def drop_old(self, now: float) -> bool:
        """Drop what nobody has asked for lately; True where there was such a view."""
        kept = {view: one for view, one in self._views.items() if one.asked_at >= now - KEPT_SECONDS}
        dropped = len(kept) < len(self._views)
        self._views = kept
        return dropped
