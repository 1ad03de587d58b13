"""How far a session is, at one instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ...errors import DiskError
    from .active_session import Recording
    from .zarr_committer import StreamCommitter


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """One stream of a `SessionSnapshot`."""

    n_samples: int
    backlog: int = 0
    """Samples that are safe in the journal and not yet in the arrays."""
    backlog_s: float = 0.0
    gaps: int = 0
    """Known once three seconds have followed them, and some 20 s later at most; `Session.flush` looks at once."""
    lost_samples: int = 0
    first_timestamp: float | None = None
    """Of the first sample, seconds on the source's clock."""

    @classmethod
    def of(cls, committer: StreamCommitter) -> StreamProgress:
        """How far a stream is that is being recorded."""
        journal, found = committer.journal, committer.timeline
        n, fs = journal.n_samples, journal.info.fs
        backlog = max(0, n - committer.published)
        behind = backlog / fs if fs > 0 else 0.0
        return cls(n, backlog, behind, len(found.lost), found.lost_samples, journal.first_timestamp)


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """How far a session is; totals, and each stream by its own name."""

    path: Path
    state: str
    elapsed_s: float
    bytes: int
    """Of samples and time stamps so far, before compression."""
    streams: dict[str, StreamProgress] = field(default_factory=dict)
    error: DiskError | None = None
    unsynced_s: float = 0.0
    """Age of the oldest sample that is not on the disk yet: what a power cut would take."""

    @classmethod
    def of(cls, recording: Recording, path: Path, elapsed_s: float, *, over: bool) -> SessionSnapshot:
        """How far a session is that is, or was, being recorded."""
        committers, names = recording.committers, recording.own_names
        return cls(
            path=path,
            state="finished" if over else "recording",
            elapsed_s=elapsed_s,
            bytes=sum(committer.journal.n_bytes for committer in committers.values()),
            streams={names[stem]: StreamProgress.of(committer) for stem, committer in committers.items()},
            error=recording.error,
            unsynced_s=0.0 if over else recording.unsynced_s,
        )

    @property
    def n_samples(self) -> dict[str, int]:
        """Samples by stream."""
        return {stem: stream.n_samples for stem, stream in self.streams.items()}

    @property
    def backlog_s(self) -> float:
        """How far the arrays are behind the samples, in seconds of the stream that is furthest behind."""
        return max((stream.backlog_s for stream in self.streams.values()), default=0.0)

    @property
    def gaps(self) -> int:
        """Gaps of all streams."""
        return sum(stream.gaps for stream in self.streams.values())

    @property
    def lost_samples(self) -> int:
        """What fits into those gaps at the nominal rates."""
        return sum(stream.lost_samples for stream in self.streams.values())
