"""The reading side of a stream's journal: its valid frames as rows, whether or not a recorder still writes it."""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import SessionDamagedError
from ...plural import count_of
from ..format.arrays import joined_rows
from ..format.findings import Finding, damage, observation
from ..format.journal import HEADER, Frame, FrameReader, arrival_of, fits, samples_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...info import StreamInfo
    from ..format.arrays import StoredArray
    from ..format.zarr_format import ArraySpec


class _Place(NamedTuple):
    """Where a frame's payload is."""

    first: int
    n: int
    kind: int
    fd: int
    offset: int
    size: int


class _Run(NamedTuple):
    """Frames that follow one another without a hole."""

    places: list[_Place]

    @property
    def first(self) -> int:
        return self.places[0].first

    @property
    def end(self) -> int:
        return self.places[-1].first + self.places[-1].n


class JournalTail:
    """What a stream's segments hold, as consecutive rows ``first`` to ``end`` once `join` was called; reads on demand.

    Segments are opened and measured at once, so that it does not matter what a recorder adds or drops afterwards.

    Parameters
    ----------
    stem
        The stream's stem, for findings.
    segments
        Its segment files, in order.
    info
        Its layout.

    Raises
    ------
    FileNotFoundError
        A recorder dropped a segment just now; look again.
    """

    def __init__(self, stem: str, segments: Sequence[Path], info: StreamInfo) -> None:
        self.stem = stem
        self.info = info
        self.findings: list[Finding] = []
        self.first = self.end = 0
        self.unused: list[Path] = []
        """Segments with intact frames that do not join on."""
        self.arrivals: list[tuple[int, int, float]] = []
        """Of every frame: samples before it, samples in it, when it was read (recorder's clock, s)."""
        self._paths = segments
        self._runs: list[_Run] = []
        self._holes: set[str] = set()
        """Of those, the segments whose damage is what a power cut leaves of writes that were not synced yet."""
        self._breaks: list[tuple[str, int]] = []
        """Segment files with damage in them, and how many runs stand before it."""
        self._joined = _Run([])
        self._starts: list[int] = []
        self._fds: list[int] = []
        try:
            for path in segments:
                self._fds.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            # The newest first: once a recorder writes to a segment, those before it are whole.
            sizes = [os.fstat(fd).st_size for fd in reversed(self._fds)][::-1]
            for number, (path, fd) in enumerate(zip(segments, self._fds, strict=True)):
                frames, last = FrameReader(fd, size=sizes[number]), not any(sizes[number + 1 :])
                self._read_segment(path.name, frames, fd, last=last)
        except BaseException:
            self.close()
            raise

    @property
    def has_frames(self) -> bool:
        """Whether there is any frame that can be read."""
        return bool(self._runs)

    @property
    def newest(self) -> int:
        """One past the last sample of all frames, 0 where there is none: arrays never have more than the journal."""
        return max((run.end for run in self._runs), default=0)

    @property
    def oldest(self) -> int:
        """Index of the first frame found, 0 where there is none: what is before it was committed once."""
        return self._runs[0].first if self._runs else 0

    def join(self, committed: int) -> None:
        """Take the frames that continue ``committed`` rows of the arrays; report those that do not reach them."""
        reaching = [number for number, run in enumerate(self._runs) if run.first <= committed <= run.end]
        chosen = max(reaching, key=lambda number: self._runs[number].end, default=-1)
        self._joined = self._chained(self._runs[chosen]) if reaching else _Run([])
        self._starts = [place.first for place in self._joined.places]
        self.first, self.end = (self._joined.first, self._joined.end) if reaching else (committed, committed)
        lost = [run for run in self._runs if run.end > self.end]
        fds = {place.fd for run in lost for place in run.places}
        self.unused = [path for path, fd in zip(self._paths, self._fds, strict=True) if fd in fds]
        behind = [member for member, number in self._breaks if number > chosen]
        if lost or behind:
            self.findings.append(self._lost_finding(lost, behind))
        elif self._breaks:
            text = f"{self.stem}: the journal is damaged ({self._breaks[0][0]}), but those samples are stored already"
            self.findings.append(observation(text, stream=self.stem, member=self._breaks[0][0]))

    def _chained(self, run: _Run) -> _Run:
        """A run with those that continue where it ends, in whatever order their files stand."""
        places = list(run.places)
        while more := next((one for one in self._runs if one.first == places[-1].first + places[-1].n), None):
            places += more.places
        return _Run(places)

    def _lost_finding(self, lost: list[_Run], behind: list[str]) -> Finding:
        where = f" ({behind[0]})" if behind else ""
        if behind and set(behind) <= self._holes:
            text = f"{self.stem}: what came behind sample {self.end - 1} was not all on the disk when the power went"
            left = sum(run.end - run.first for run in lost)
            text += f"; the trash keeps {count_of(left, 'intact later sample')} that would not join on" if left else ""
            return observation(text, stream=self.stem, member=behind[0])
        text = f"{self.stem}: the journal is damaged behind sample {self.end - 1}{where}; what follows is left out"
        if lost:
            count = sum(run.end - run.first for run in lost)
            text += f": {count_of(count, 'intact sample')} from {lost[0].first} to {lost[-1].end - 1} would not join on"
        return damage(text, stream=self.stem, member=behind[0] if behind else "")

    def rows(self, start: int, stop: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
        """Time stamps ``(n,)`` in seconds and samples ``(n, n_channels)`` of rows ``start`` to ``stop``.

        Raises
        ------
        SessionDamagedError
            The file changed since it was checked.
        """
        stamps = np.empty(stop - start)
        data = np.empty((stop - start, self.info.n_channels), self.info.np_dtype)
        at = start
        number = bisect_right(self._starts, start) - 1
        while at < stop:
            place = self._joined.places[number]
            some_stamps, some = self._read(place)
            first, last = at - place.first, min(place.n, stop - place.first)
            stamps[at - start : place.first + last - start] = some_stamps[first:last]
            data[at - start : place.first + last - start] = some[first:last]
            at = place.first + last
            number += 1
        return stamps, data

    def _read(self, place: _Place) -> tuple[NDArray[np.float64], NDArray[Any]]:
        payload = memoryview(os.pread(place.fd, place.size, place.offset + HEADER.size))
        samples = samples_of(Frame(place.kind, place.first, place.n, place.offset, payload), self.info)
        if samples is None:
            raise SessionDamagedError(f"{self.stem}: the journal changed while it was read")
        return samples

    def close(self) -> None:
        """Close the segments; rows cannot be read any more."""
        for fd in self._fds:
            os.close(fd)
        self._fds = []

    # ------------------------------------------------------------ finding the frames

    def _read_segment(self, member: str, frames: FrameReader, fd: int, *, last: bool) -> None:
        for frame in frames:
            self._take(frame, fd, member)
        ending = frames.ending()
        if ending == "torn" and last:
            text = f"{self.stem}: the last frame was being written when the recorder ended; it is left out"
            self.findings.append(observation(text, stream=self.stem, member=member))
        elif ending != "clean":
            if ending == "hole" and last:
                self._holes.add(member)
            self._breaks.append((member, len(self._runs)))
            for frame in frames.rest():
                self._take(frame, fd, member)

    def _take(self, frame: Frame, fd: int, member: str) -> None:
        arrived = arrival_of(frame)
        if arrived is not None and fits(frame, self.info):
            self.arrivals.append((frame.first, frame.n, arrived))
        if frame.n == 0:
            return
        if not fits(frame, self.info):
            self._breaks.append((member, len(self._runs)))
            return
        place = _Place(frame.first, frame.n, frame.kind, fd, frame.offset, len(frame.payload))
        if self._runs and self._runs[-1].end == frame.first:
            self._runs[-1].places.append(place)
        else:
            self._runs.append(_Run([place]))


class TailedArray:
    """A data or time stamp array: what is committed on the disk, then the journal's tail.

    Parameters
    ----------
    stored
        The array on the disk; None where there is none.
    n_stored
        Rows to take from it.
    tail
        The journal behind them.
    n_rows
        Rows altogether.
    stamps
        Whether it is the time stamps.
    """

    def __init__(
        self,
        stored: StoredArray | None,
        spec: ArraySpec,
        n_stored: int,
        tail: JournalTail,
        n_rows: int,
        *,
        stamps: bool,
    ) -> None:
        self.spec = spec
        self.n_rows = n_rows
        self.n_stored = n_stored
        self._stored = stored
        self._tail = tail
        self._stamps = stamps

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """See `Rows.rows`."""
        parts = []
        if start < self.n_stored:
            assert self._stored is not None, "rows are stored in an array that is there"
            parts.append(self._stored.rows(start, min(stop, self.n_stored)))
        if stop > self.n_stored:
            stamps, data = self._tail.rows(max(start, self.n_stored), stop)
            parts.append(stamps if self._stamps else data)
        return parts[0] if len(parts) == 1 else joined_rows(parts, self.spec)
