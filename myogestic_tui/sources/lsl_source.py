"""An LSL outlet as a `Source`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import AmbiguousStreamError, StreamNotFoundError
from ..stream.source import ClockEstimate, Condition
from .discovery import discovery
from .network import is_own
from .outlet_claims import claims
from .reconnect import PATH_TIMEOUT_S, Link
from .selection import Choice, NotChosenError, Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .discovery import Seen

CLOCK_EVERY = 5.0
"""Seconds between looks at the clock offset."""

CLOCK_FIRST = 0.3
"""Seconds between looks until there is a first one."""

COMPARED_WITHIN_S = 7.0
"""A remote host whose clock was not compared for so long after connecting is told of; it takes about 1 s."""

COMPARED_LATELY_S = 60.0
"""And one whose clock was not compared any more for so long."""


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
    path_timeout
        Seconds of silence, while the outlet is there, after which a second connection to it is tried.
    compared_lately
        Seconds without a clock comparison with another host after which its `condition` tells so.

    Attributes
    ----------
    owner
        What the operator calls the stream; a `Stream` says so.
    choice
        Which outlet is meant where several satisfy all that, as chosen by the operator; None: not chosen.

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
        path_timeout: float = PATH_TIMEOUT_S,
        compared_lately: float = COMPARED_LATELY_S,
    ) -> None:
        self.selection = Selection(name, type, source_id, hostname, query, uid)
        self.owner = ""
        self.choice: Choice | None = None
        self._timeout, self._path_timeout, self._compared_lately = timeout, path_timeout, compared_lately
        self._wanted: str | None = None
        self._released = False
        self._compared_at = 0.0
        self._ever_compared = False
        self._remote = (0.0, False)
        self._twins = (-1, "")
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
        link = Link(self._find(), owner=self.owner, accepts=self._accepts, path_timeout=self._path_timeout)
        self._link, self._last, self._clock_due = link, link.seen, 0.0
        self._compared_at, self._ever_compared = time.monotonic(), False
        self._twins = (-1, "")
        return link.info

    def _find(self) -> Seen:
        wanted, self._wanted = self._wanted, None
        if wanted:
            return Selection(uid=wanted).find(discovery(), self._timeout)
        try:
            return self._find_meant()
        except (AmbiguousStreamError, NotChosenError) as error:
            if not self.owner:
                raise
            raise type(error)(f"{error}\nsay which: myogestic-tui ctl reconnect {self.owner} HOST") from None

    def _find_meant(self) -> Seen:
        network, last = discovery(), self._last
        try:
            return self.selection.find(network, self._timeout, choice=self.choice)
        except StreamNotFoundError:
            if self.selection.uid is None or last is None:
                raise
            host = None if last.source_id else last.hostname
            likeness = Selection(last.name, last.type, last.source_id, host)
            return likeness.find(network, self._timeout, taken=claims.held)

    def choose(self, hostname: str, source_id: str = "") -> None:
        """Of several outlets that satisfy the criteria, it is this one. Any thread."""
        self.choice = Choice(hostname, source_id)

    def _accepts(self, seen: Seen) -> bool:
        """Whether another outlet may follow: it must be what was asked for, but for the uid."""
        asked = self.selection
        if not any((asked.name, asked.type, asked.source_id)):
            return True
        return Selection(asked.name, asked.type, asked.source_id, asked.hostname).matches(seen)

    def reconnect(self, uid: str = "") -> None:
        """With the next read, reconnect: to the outlet of that uid, else to the one that it was at. Any thread."""
        self._wanted = uid

    def release(self) -> bool:
        """With the next read, hand out what is held back in case more comes before it. Any thread.

        True while more is held back, of which it is not known yet whether it is this stream's; for about a second.
        """
        self._released = True
        return self._link is not None and self._link.holds_back

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
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._link.reconnect(wanted)
        if self._released:
            self._released = False
            self._link.release()
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
            self._compared_at, self._ever_compared = now, True
        self._clock_due = now + (CLOCK_EVERY if inlet.has_clock else CLOCK_FIRST)

    def disconnect(self) -> None:
        """Unsubscribe. May be called twice."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def condition(self) -> Condition:
        """Live, lost or refused, and why; never blocks."""
        link = self._link
        if link is None:
            return Condition("lost", "not connected")
        found = link.condition()
        if found.state != "live" or found.message:
            return found
        return Condition("live", "; ".join(text for text in (self._about_clock(link), self._about_twins(link)) if text))

    def _about_clock(self, link: Link) -> str:
        """What is to be said where the clock of another host is not compared with ours."""
        silent = time.monotonic() - self._compared_at
        if silent < (self._compared_lately if self._ever_compared else COMPARED_WITHIN_S) or not self._is_remote(
            link.seen
        ):
            return ""
        lately, meanwhile = "so far", "its time is known by arrival only, ±0.2 s"
        if self._ever_compared:
            lately, meanwhile = f"for {silent:.0f} s", "its clock is followed by the earlier ones, and drifts"
        return f"no clock comparison with {link.seen.hostname} {lately}: {meanwhile}; open UDP 16572-16604 there"

    def _is_remote(self, seen: Seen) -> bool:
        """Whether an outlet is on another machine; looked up every few seconds."""
        looked, remote = self._remote
        if time.monotonic() - looked < COMPARED_WITHIN_S:
            return remote
        remote = not is_own(seen.address)
        self._remote = (time.monotonic(), remote)
        return remote

    def _about_twins(self, link: Link) -> str:
        """What is to be said where another outlet is what was asked for, too, and nobody has chosen."""
        network = discovery()
        if self.choice is not None or self.selection.uid is not None:
            return ""
        if self._twins[0] != network.changes:
            taken = claims.taken(link)
            others = [seen for seen in self.selection.all(network) if seen.uid not in {link.seen.uid, *taken}]
            self._twins = (network.changes, _ask_which(self.owner or link.seen.name, link.seen, others))
        return self._twins[1]

    def take_clock_estimates(self) -> list[ClockEstimate]:
        """New clock offsets since the last call, oldest first; one about every 5 s, unchanged ones left out."""
        taken, self._estimates = self._estimates, []
        return taken

    def __repr__(self) -> str:
        return f"LSLSource({self.selection})"


def _ask_which(name: str, at: Seen, others: list[Seen]) -> str:
    if not others:
        return ""
    listed = "; ".join(f"{seen.describe()} ({seen.uid[:8]})" for seen in others)
    return (
        f"it is the one of {at.hostname} ({at.uid[:8]}), but there is also {listed}: "
        f"say which: myogestic-tui ctl reconnect {name} {at.uid[:8]}"
    )
