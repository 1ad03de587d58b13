"""What a killed recorder left behind: what it was recording, and when it last wrote."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import SessionError
from ..session.format.event_log import replay
from ..session.format.events import SessionRecord
from ..session.format.layout import JOURNAL, LABELS, META
from ..session.format.meta import decode_labels, decode_meta
from ..session.format.regular_files import read_regular
from ..session.library.link_sessions import Estimate

if TYPE_CHECKING:
    from pathlib import Path

    from ..session.format.meta import Anchor, LabelEvent, Meta

_DISAGREEMENT_S = 1.0
"""By how much wall clock and recorder's clock may drift apart before one counts as set, or the machine as restarted."""


@dataclass(slots=True)
class Evidence:
    """What is left of a session that its recorder was killed in; see `look_at`."""

    folder: Path
    there: bool = False
    """False where the folder was moved or removed."""
    fields: dict[str, Any] = field(default_factory=dict)
    """name, subject, task, take."""
    class_names: list[str] = field(default_factory=list)
    stopped: bool = False
    """Whether it had been asked to stop: then the kill came while it was being finished."""
    label: LabelEvent | None = None
    """The last one."""
    bad_channels: dict[str, list[int]] = field(default_factory=dict)
    """By the streams' own names."""
    anchor: Anchor | None = None
    """Of the session's start."""
    written_at: float | None = None
    """When the recorder last wrote, seconds on the wall clock."""

    def estimate(self, now: Anchor) -> Estimate:
        """For how long nothing was recorded until ``now``, as far as the clocks of this machine tell.

        The last write is known on the wall clock alone. Whether that can be believed shows on the recorder's clock,
        which nobody sets, and which restarts with the machine.
        """
        if self.written_at is None:
            return Estimate(None, f"{self.folder.name} was moved or removed")
        seconds = _wall(now) - self.written_at
        doubt = self._doubt(now)
        if seconds < 0:
            return Estimate(None, doubt or "the wall clock is behind the last write")
        return Estimate(round(seconds, 3), doubt)

    def _doubt(self, now: Anchor) -> str:
        if self.anchor is None:
            return "when the earlier session began cannot be read"
        apart = _wall(now) - _wall(self.anchor) - (now.lsl - self.anchor.lsl)
        if abs(apart) <= _DISAGREEMENT_S:
            return ""
        return f"the machine was restarted or its clock set meanwhile, its clocks disagree by {abs(apart):.0f} s"


def find_evidence(folder: Path) -> Evidence:
    """Look at a session folder; changes nothing, and takes what cannot be read as not known."""
    found = Evidence(folder, folder.is_dir())
    if found.there:
        found.written_at = _last_write(folder)
        with contextlib.suppress(OSError, SessionError):
            record = SessionRecord(decode_meta(read_regular(folder / META)))
            replayed, _ = replay(folder, record)
            track = record.label_track if replayed else decode_labels(read_regular(folder / LABELS))
            found.label = track[-1] if track else None
            found.stopped = replayed and record.stopped is not None
            _take_over(found, record.meta)
    return found


def _take_over(found: Evidence, meta: Meta) -> None:
    found.class_names = list(meta.class_names)
    found.anchor = meta.anchors[0] if meta.anchors else None
    found.fields = {"name": meta.name, "subject": meta.subject, "task": meta.task, "take": meta.take}
    names = {stem: stream.name for stem, stream in meta.all_streams.items()}
    found.bad_channels = {names.get(stem, stem): bad for stem, bad in meta.bad_channels.items()}


def _wall(anchor: Anchor) -> float:
    return datetime.fromisoformat(anchor.utc).timestamp()


def _last_write(folder: Path) -> float | None:
    """Newest modification of a journal, or of what else is there where there is none."""
    times: list[float] = []
    for place in (folder / JOURNAL, folder):
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            times = [entry.stat().st_mtime for entry in entries if entry.is_file()]
        if times:
            break
    return max(times, default=None)
