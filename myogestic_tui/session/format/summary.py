"""The object that ``record``, ``demo``, ``info``, ``sessions`` and ``ctl status`` print as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import force_setattr

from .findings import Finding  # noqa: TC001  (msgspec resolves annotations at run time)
from .json_files import Int64  # noqa: TC001
from .layout import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .meta import LabelEvent


REPAIRS = {
    "unfinished": "recover",
    "finished": "pack",
    "recovered": "pack",
    "salvaged": "pack",
    "damaged": "salvage",
}
"""Which job, and command, takes a session in a state on to the next; other states call for nothing."""


class StreamSummary(Struct, frozen=True, kw_only=True):
    """One stream of a `Summary`."""

    n_samples: int
    n_channels: int
    fs: float
    """Nominal rate in Hz; 0 for an irregular stream."""
    dtype: str
    type: str = ""
    source_id: str = ""
    """As its source declared them."""
    measured_fs: float | None = None
    """Rate at which the device samples by its own clock; None below 2 s or for an irregular stream."""
    gaps: int | None = 0
    """Gaps between samples: without head and tail. None in the listing of an older archive: opening it tells."""
    lost_samples: int | None = 0
    """What fits into the gaps at the measured rate."""
    head_s: float = 0.0
    tail_s: float = 0.0
    """Seconds of the session before the first sample, and after the last one."""
    time_model: int = 0
    """Version of the time model that these numbers come from."""
    basis: str = ""
    """How its time stamps are tied to the recorder's clock: lsl, uncompared, arrival, wall, count or none."""
    error_s: float | None = None
    """How far wrong corrected times may be; None where nothing tells."""
    remarks: list[str] = field(default_factory=list)
    """Remarks on its time, a sentence each; empty where all is well."""


class Verified(Struct, frozen=True, kw_only=True):
    """The outcome of a verification."""

    level: Literal["quick", "full"]
    ok: bool
    findings: list[Finding] = field(default_factory=list)


class Summary(Struct, frozen=True, kw_only=True):
    """Everything that is reported about a session in one line of a list."""

    path: str
    state: str
    name: str = ""
    subject: str = ""
    task: str = ""
    take: Int64 | None = None
    fields: dict[str, str | int | float] | None = None
    """Further fields of the take sheet; None in the listing of an older archive: opening it tells."""
    created: str = ""
    """ISO 8601 with UTC offset."""
    duration_s: float = 0.0
    bytes: int = 0
    streams: dict[str, StreamSummary] = field(default_factory=dict)
    before_s: float = 0.0
    """How many seconds before its recording was started the session begins."""
    chain: str = ""
    segment: int = 0
    """Which chain of sessions it belongs to, and as which, from 1; empty and 0 for most."""
    continues: str = ""
    """Folder name of the session that its recorder was cut off from and that this one continues."""
    continued_by: str = ""
    """Folder name of the session that continues this one."""
    labels: dict[str, int] = field(default_factory=dict)
    """Count by class name; by the index where classes have no names."""
    labels_edited: str = ""
    """How often, when and by whom the labels were edited after the recording, as a sentence; empty where they are as
    they were recorded."""
    verified: Verified | UnsetType = UNSET
    quality: str | UnsetType = UNSET
    """The verdict of a report: ``ok``, or what to check; absent before one."""

    def __post_init__(self) -> None:
        force_setattr(self, "path", printable(self.path))

    @property
    def link(self) -> str:
        """Which session it continues, and which continues it, in words; empty for most."""
        links = (("continues", self.continues), ("continued by", self.continued_by))
        return ", ".join(f"{relation} {name}" for relation, name in links if name)


def to_dict(summary: Summary) -> dict[str, Any]:
    """The summary as plain JSON types; ``verified`` is absent before a verification."""
    plain: dict[str, Any] = msgspec.to_builtins(summary)
    return plain


def count_labels(labels: Iterable[LabelEvent], class_names: Sequence[str]) -> dict[str, int]:
    """How often each class was labelled. Ends of labels (-1) do not count; classes never used count 0."""
    counts = dict.fromkeys(class_names, 0)
    for index, count in Counter(label.class_index for label in labels).items():
        if index >= 0:
            name = class_names[index] if index < len(class_names) else str(index)
            counts[name] = counts.get(name, 0) + count
    return counts
