"""What a session is, in whatever state it was found (see `view_folder` and `view_archive`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError, SessionDamagedError
from ...info import IRREGULAR_CHUNK, StreamInfo
from ..format.label_edits import LabelHistory
from ..format.layout import DERIVED, array_name

if TYPE_CHECKING:
    from pathlib import Path

    from ..archive.archive import Archive
    from ..format.arrays import Members, Rows, StoredArray
    from ..format.events import SessionRecord
    from ..format.findings import Finding
    from ..format.meta import LabelEvent, Meta, StreamMeta
    from .journal_tail import JournalTail


@dataclass
class StreamView:
    """One stream of a `SessionView`."""

    stem: str
    info: StreamInfo
    meta: StreamMeta
    data: Rows
    """``(n_samples, n_channels)``."""
    stamps: Rows
    """``(n_samples,)`` seconds on the source's clock, raw."""
    clock: Rows | None = None
    """``(k, 4)`` seconds: collected_at, offset, uncertainty, remote time."""
    overview: Rows | None = None
    """``(n_chunks, n_channels, 3)``: least, greatest and RMS value of each second."""
    arrival: Rows | None = None
    """``(k, 2)``: samples read so far, and the recorder's clock then, in seconds; None in older sessions."""
    tail: JournalTail | None = None
    contradicted: bool = False
    """The arrays claim more samples than the journal has: whatever recovery replaces of them is to be kept."""

    @property
    def n_samples(self) -> int:
        """Samples that count: the shorter of data and time stamps."""
        return self.data.n_rows

    def arrays(self) -> dict[str, Rows]:
        """The arrays by the name of their folder."""
        derived = (self.data, self.stamps, self.clock, self.overview, self.arrival)
        found = dict(zip(("", *DERIVED), derived, strict=True))
        return {array_name(self.stem, derived): rows for derived, rows in found.items() if rows is not None}


@dataclass
class SessionView:
    """A session as it was found."""

    path: Path
    members: Members
    meta: Meta
    labels: list[LabelEvent]
    streams: dict[str, StreamView] = field(default_factory=dict)
    label_history: LabelHistory = field(default_factory=LabelHistory)
    """The edits that made the labels what they are."""
    findings: list[Finding] = field(default_factory=list)
    unusable: list[Finding] = field(default_factory=list)
    """Those of the findings that make recovery refuse: of arrays of which nothing tells how many samples they have."""
    record: SessionRecord | None = None
    """What the journal's events made, where the folder has a journal."""
    finished: bool = True
    """False where it takes recovery to make the folder whole."""
    live: bool = False
    """A recorder holds the folder."""
    strict: bool = True
    """An absent chunk is damage; False for sessions of other recorders, which leave out chunks of zeros."""
    archive: Archive | None = None

    def close(self) -> None:
        """Close all files."""
        for stream in self.streams.values():
            if stream.tail is not None:
                stream.tail.close()
        self.members.close()
        if self.archive is not None:
            self.archive.close()


def declared_info(meta: StreamMeta | None) -> StreamInfo | None:
    """Layout as ``meta.json`` has it; None where that is nothing a stream can have."""
    if meta is None:
        return None
    try:
        return meta.info()
    except ConfigError:
        return None


def inferred_info(data: StoredArray, stamps: StoredArray) -> StreamInfo | None:
    """Layout from the arrays alone: a chunk holds one second of a regular stream, 1024 samples of an irregular one."""
    if len(data.spec.row_shape) != 1:
        return None
    fs = float(data.spec.chunk_length)
    n = min(stamps.n_rows, data.spec.chunk_length)
    if n > 1:
        try:
            step = float(np.median(np.diff(stamps.rows(0, n))))
        except SessionDamagedError:
            step = 0.0
        if data.spec.chunk_length == IRREGULAR_CHUNK and not 0.9 < step * fs < 1.1:
            fs = 0.0
    try:
        return StreamInfo(data.spec.row_shape[0], fs, data.spec.dtype)
    except ConfigError:
        return None
