"""A stream of texts that the recorder sends: what happens to a recording, for whoever else records or shows it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from ..errors import MyoGesticError
from ..info import StreamInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..sources.outlet import Outlet

NO_LABEL = "no label"
"""Text where a label ends."""

_log = logging.getLogger(__name__)


class MarkerOutlet:
    """An LSL marker outlet of one text. A network that refuses costs markers, never what they are about.

    Parameters
    ----------
    stream
        Name of the outlet.
    source_id
        What it is found by again.
    describe
        Asked on opening: further text elements of its header, by name.
    offered
        Whether this recorder lists it among what it can record.
    """

    def __init__(
        self, stream: str, source_id: str, describe: Callable[[], Mapping[str, str]] = dict, *, offered: bool = True
    ) -> None:
        self.stream, self.source_id = stream, source_id
        self._describe, self._offered = describe, offered
        self._outlet: Outlet | None = None
        self._broken = False
        self._opening, self._pushing = threading.Lock(), threading.Lock()

    @property
    def uid(self) -> str:
        """That of the outlet; empty while it is not open."""
        outlet = self._outlet
        return outlet.uid if outlet is not None else ""

    @property
    def is_heard(self) -> bool:
        """Whether somebody is subscribed."""
        outlet = self._outlet
        return outlet is not None and outlet.has_consumers

    def open(self) -> None:
        """Open the outlet ahead of the first marker, so that other programs find it in time. May be called twice."""
        with self._opening:
            if self._outlet is not None or self._broken:
                return
            try:
                self._outlet = self._new_outlet()
            except (MyoGesticError, OSError) as error:
                self._give_up(error)

    def publish(self, text: str, at: float) -> None:
        """Send one marker, stamped ``at`` (recorder's clock, s); opens the outlet where it is not."""
        self.open()
        self.publish_if_open(text, at)

    def publish_if_open(self, text: str, at: float) -> None:
        """Send one marker where the outlet is open: nobody can have subscribed to it before that."""
        with self._pushing:
            if self._outlet is None or self._broken:
                return
            try:
                self._outlet.push_text([[text]], [at])
            except (MyoGesticError, OSError) as error:
                self._give_up(error)

    def close(self) -> None:
        """Take the outlet off the network."""
        with self._opening, self._pushing:
            outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()

    def _new_outlet(self) -> Outlet:
        from ..sources.outlet import Outlet

        info = StreamInfo(1, 0.0, "string", type="Markers", source_id=self.source_id)
        return Outlet(self.stream, info, describe=self._describe(), offered=self._offered)

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        _log.warning("%s is not published: %s", self.stream, error)
