"""An LSL outlet as a `Source`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import StreamNotFoundError
from ..stream.source import ClockEstimate, Condition
from .discovery import discovery
from .link import Link
from .selection import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .discovery import Seen

CLOCK_EVERY = 5.0
"""Seconds between looks at the clock offset."""

CLOCK_FIRST = 0.3
"""Seconds between looks until there is a first one."""


class LSLSource:
    """Samples of one LSL outlet, through interruptions.

    Parameters
    ----------
    name, type, source_id, hostname
        What the outlet must be called, exactly; those that are None do not matter.
    query
        LSL's own XPath predicate for the rest, such as ``"channel_count=64"``; evaluated by the outlets.
    uid
        This very outlet (as discovery shows it). When it comes back under another uid, it is found again by the rest of
        its identity.
    timeout
        Seconds that `connect` looks for it.

    Raises
    ------
    ConfigError
        Nothing is given to select it by.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        type: str | None = None,
        source_id: str | None = None,
        hostname: str | None = None,
        query: str | None = None,
        uid: str | None = None,
        timeout: float = 2.0,
    ) -> None:
        self.selection = Selection(name, type, source_id, hostname, query, uid)
        self._timeout = timeout
        self._link: Link | None = None
        self._last: Seen | None = None
        self._estimates: list[ClockEstimate] = []
        self._clock_due = 0.0

    @property
    def seen(self) -> Seen | None:
        """The outlet that it is at, or was at last."""
        return self._link.seen if self._link is not None else self._last

    def connect(self) -> StreamInfo:
        """Find the outlet and subscribe to it: samples flow from here on.

        Raises
        ------
        StreamNotFoundError
            It is not there, or does not answer; the message lists what is on the network.
        AmbiguousStreamError
            More than one outlet is meant; the message lists them.
        """
        self.disconnect()
        link = Link(self._find())
        self._link, self._last, self._clock_due = link, link.seen, 0.0
        return link.info

    def _find(self) -> Seen:
        try:
            return self.selection.find(discovery(), self._timeout)
        except StreamNotFoundError:
            if self.selection.uid is None or self._last is None:
                raise
            last = self._last
            host = None if last.source_id else last.hostname
            return Selection(last.name, last.type, last.source_id, host).find(discovery(), self._timeout)

    def read(self) -> tuple[NDArray[Any], NDArray[np.float64]]:
        r"""Everything that waits; never waits itself.

        Returns
        -------
        data
            ``(n_samples, n_channels)`` in the wire dtype, a copy; an object array of str for string streams, where
            bytes that are not UTF-8 stand as ``\xNN``.
        timestamps
            ``(n_samples,)`` seconds on the source's clock, as sent.
        """
        if self._link is None:
            return np.empty((0, 1)), np.empty(0)
        chunk = self._link.pull()
        self._last = self._link.seen
        self._look_at_clock()
        return chunk

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        inlet = self._link.inlet if self._link is not None else None
        if inlet is None or now < self._clock_due:
            return
        estimate = inlet.clock_estimate()
        if estimate is not None:
            self._estimates.append(estimate)
        self._clock_due = now + (CLOCK_EVERY if inlet.has_clock else CLOCK_FIRST)

    def disconnect(self) -> None:
        """Unsubscribe. May be called twice."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def condition(self) -> Condition:
        """Live, lost or refused, and why; never blocks."""
        link = self._link
        return Condition("lost", "not connected") if link is None else link.condition()

    def take_clock_estimates(self) -> list[ClockEstimate]:
        """New clock offsets since the last call, oldest first; one about every 5 s, unchanged ones left out."""
        taken, self._estimates = self._estimates, []
        return taken

    def __repr__(self) -> str:
        return f"LSLSource({self.selection})"
