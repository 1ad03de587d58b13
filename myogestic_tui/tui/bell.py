"""When a cue began: what the terminal's bell rings for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..app.interface import ProtocolStatus


class CueBell:
    """Tells, from one snapshot to the next, that a cue began; the first snapshot tells nothing, nor does a pause."""

    def __init__(self) -> None:
        self._cue: int | None = None

    def began(self, protocol: ProtocolStatus | None) -> bool:
        """Whether a cue began since the last snapshot."""
        cue = protocol.cue if protocol is not None and protocol.state in ("running", "paused") else 0
        before, self._cue = self._cue, cue
        return cue > 0 and before is not None and cue != before
