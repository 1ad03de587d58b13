"""Cues as an LSL marker stream, for whoever else records or shows them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import MyoGesticError
from ..info import StreamInfo

if TYPE_CHECKING:
    from ..sources.outlet import Outlet

CUE_STREAM = "myogestic_cues"
"""Name of the marker stream; one text per cue, stamped at its start."""
NO_LABEL = "no label"

_log = logging.getLogger(__name__)


class CueOutlet:
    """A marker outlet that is opened with the first cue: most recordings have none."""

    def __init__(self, app_name: str) -> None:
        self._app_name = app_name
        self._outlet: Outlet | None = None
        self._broken = False

    def publish(self, gesture: str | None, at: float) -> None:
        """Send one marker: the gesture's name, or ``"no label"``; ``at`` is seconds on the recorder's clock.

        A network that refuses costs the marker, never the cue.
        """
        if self._broken:
            return
        try:
            self._open().push_text([[gesture or NO_LABEL]], [at])
        except (MyoGesticError, OSError) as error:
            self._broken = True
            _log.warning("cues are not published: %s", error)

    def open(self) -> None:
        """Open the outlet ahead of the first cue, so that other programs find it in time."""
        try:
            self._open()
        except (MyoGesticError, OSError) as error:
            self._broken = True
            _log.warning("cues are not published: %s", error)

    def _open(self) -> Outlet:
        if self._outlet is None:
            from ..sources.outlet import Outlet

            info = StreamInfo(1, 0.0, "string", type="Markers", source_id=f"{self._app_name}-cues")
            self._outlet = Outlet(CUE_STREAM, info)
        return self._outlet

    def close(self) -> None:
        """Take the outlet off the network."""
        if self._outlet is not None:
            self._outlet.close()
            self._outlet = None
