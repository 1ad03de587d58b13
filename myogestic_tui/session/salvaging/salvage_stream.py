"""Saves one stream of a damaged session: pairs of samples and time stamps that both decode, cut together at the holes.

A chunk whose partner is lost is kept as it is, in ``unpaired/`` of the new session: a Zarr array of the original's
shape with nothing but such chunks in it. Nothing is filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ...clock.counter import CounterTrack
from ...errors import ConfigError
from ...info import IRREGULAR_CHUNK, StreamInfo
from ..format.arrays import StoredArray, overview_row
from ..format.layout import DERIVED, UNPAIRED, ZARR_JSON, array_name
from ..format.meta import StreamMeta
from ..format.time_records import GapRecord
from ..format.time_summary import with_counts
from ..format.zarr_format import ArraySpec, array_json, write_bytes
from ..reading.session_files import FolderMembers
from ..reading.session_view import declared_info
from .salvage_arrays import NewArray, OldArray, find_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from .salvage_arrays import Broken

_STAMPS, _CLOCK, _OVERVIEW, _ARRIVAL = DERIVED


class Hole(Struct, kw_only=True):
    """Samples of the original that are not in the salvaged stream."""

    stream: str
    first_sample: int
    """In the original."""
    n_samples: int
    index: int
    """Of the salvaged stream's first sample behind the hole."""
    seconds: float | None = None
    """Time that is missing, by the time stamps on both sides; None where a side has none."""
    reason: str
    """Of the first of them."""


class StreamSalvage:
    """Saves one stream.

    Parameters
    ----------
    tree
        The damaged session's files.
    stem
        The stream.
    declared
        What ``meta.json`` says of it; None where that is lost.
    folder
        The new session's folder.
    """

    def __init__(self, tree: Broken, stem: str, declared: StreamMeta | None, folder: Path) -> None:
        self.stem = stem
        self.holes: list[Hole] = []
        self._declared = declared
        self._tree = tree
        self._folder = folder
        self._counter: CounterTrack | None = None
        self.doubtful: list[str] = []
        self.unpaired: list[str] = []
        """Chunks that are kept in `UNPAIRED`."""

    def run(self, tick: Callable[[int], None]) -> StreamMeta | None:
        """Save what there is, telling `tick` the decoded bytes; what is left of the stream, None where nothing is.

        Raises
        ------
        OSError
            The disk refused.
        """
        info = declared_info(self._declared)
        data = find_array(self._tree, array_name(self.stem), ArraySpec.data(info) if info else None)
        stamps = find_array(self._tree, array_name(self.stem, _STAMPS), ArraySpec.timestamps(info) if info else None)
        if data is None:
            return None
        if info is None or (data.spec.dtype, data.spec.row_shape) != (info.dtype, (info.n_channels,)):
            self._declared, info = None, _info_of(data)
        if info is None:
            return None
        stamps = self._times(info, stamps)
        n_rows = self._n_rows(data, stamps)
        self._copy_pairs(info, data, stamps, n_rows, tick)
        if not info.is_string:
            self._write_overview(info)
        self._copy_clock()
        self._copy_arrivals(n_rows)
        for array in (data, stamps):
            if any(key.startswith(f"{array.name}/") for key in self.unpaired):
                write_bytes(
                    self._folder / UNPAIRED / array.name / ZARR_JSON, array_json(array.spec, n_rows, array.name)
                )
        return self._measured(info)

    def _times(self, info: StreamInfo, found: OldArray | None) -> OldArray:
        """The array of time stamps, or one that says why there are none."""
        if found is not None and found.spec.row_shape == () and not found.spec.is_string:
            return found
        lost = "" if found is None else f"{found.name} is laid out as {found.spec}, which is not that of times"
        return OldArray(self._tree, array_name(self.stem, _STAMPS), ArraySpec.timestamps(info), None, lost=lost)

    def _n_rows(self, data: OldArray, stamps: OldArray) -> int:
        told = [data.n_rows, stamps.n_rows, self._declared.n_samples if self._declared is not None else None]
        known = sorted(n for n in told if n is not None)
        if known:
            # What two of the three say holds against the third; otherwise the shorter counts.
            n_rows = next((n for n in reversed(known) if known.count(n) > 1), known[0])
            if known[0] != known[-1]:
                numbers = " or ".join(map(str, dict.fromkeys(known)))
                self.doubtful.append(f"{self.stem}: its files say {numbers} samples; {n_rows} count")
            return n_rows
        # Nothing says how far the last chunk is filled: it is left out rather than read with its padding.
        chunks = [int(key.split("/")[2]) for key in self._tree.names() if _is_chunk(key, data.name)]
        return max(chunks, default=0) * data.spec.chunk_length

    def _copy_pairs(
        self, info: StreamInfo, data: OldArray, stamps: OldArray, n_rows: int, tick: Callable[[int], None]
    ) -> None:
        new_data = NewArray(self._folder, array_name(self.stem), ArraySpec.data(info))
        new_stamps = NewArray(self._folder, array_name(self.stem, _STAMPS), ArraySpec.timestamps(info))
        self._counter = None if info.counter is None else CounterTrack()
        before = np.nan
        for first, stop in _spans(n_rows, data.spec.chunk_length, stamps.spec.chunk_length):
            rows, times = data.rows(first, stop), stamps.rows(first, stop)
            if isinstance(rows, str) or isinstance(times, str):
                self._lose(first, stop, new_data.n_rows, rows, times)
                self._keep(data, first, rows)
                self._keep(stamps, first, times)
                continue
            self._measure_hole(new_data.n_rows, float(times[0]) - before, info.fs)
            before = float(times[-1])
            new_data.add(rows)
            new_stamps.add(times)
            if self._counter is not None:
                self._counter.feed(rows[:, info.counter])
            tick(rows.nbytes)
        new_data.close()
        new_stamps.close()

    def _lose(self, first: int, stop: int, index: int, rows: NDArray[Any] | str, times: NDArray[Any] | str) -> None:
        if self.holes and self.holes[-1].index == index:
            self.holes[-1].n_samples += stop - first
            return
        reason = rows if isinstance(rows, str) else f"the time stamps are lost: {times}"
        hole = Hole(stream=self.stem, first_sample=first, n_samples=stop - first, index=index, reason=reason)
        self.holes.append(hole)

    def _keep(self, array: OldArray, first: int, rows: NDArray[Any] | str) -> None:
        """Keep a chunk whose partner is lost."""
        key = array.key(first // array.spec.chunk_length)
        if isinstance(rows, str) or key in self.unpaired[-2:]:
            return
        path = self._folder / UNPAIRED / key
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, self._tree.read(key))
        self.unpaired.append(key)

    def _measure_hole(self, index: int, seconds: float, fs: float) -> None:
        if self.holes and self.holes[-1].index == index and index > 0 and np.isfinite(seconds):
            self.holes[-1].seconds = seconds - (1.0 / fs if fs > 0 else 0.0)

    def _write_overview(self, info: StreamInfo) -> None:
        data = self._saved("")
        overview = NewArray(self._folder, array_name(self.stem, _OVERVIEW), ArraySpec.overview(info))
        for first, stop in _spans(data.n_rows, data.spec.chunk_length, data.spec.chunk_length):
            overview.add(overview_row(data.rows(first, stop))[None])
        overview.close()

    def _copy_clock(self) -> None:
        old = find_array(self._tree, array_name(self.stem, _CLOCK), None)
        if old is None or old.n_rows is None or old.spec.row_shape != (4,):
            return
        new = NewArray(self._folder, array_name(self.stem, _CLOCK), ArraySpec.clock())
        for first, stop in _spans(old.n_rows, old.spec.chunk_length, old.spec.chunk_length):
            rows = old.rows(first, stop)
            if not isinstance(rows, str):
                new.add(rows)
        new.close()

    def _copy_arrivals(self, n_rows: int) -> None:
        """The arrival record, its counts without the samples that are lost; rows that cannot be read are left out."""
        old = find_array(self._tree, array_name(self.stem, _ARRIVAL), None)
        if old is None or old.n_rows is None or old.spec != ArraySpec.arrival():
            return
        if find_array(self._tree, array_name(f"{self.stem}{_ARRIVAL}", _STAMPS), None) is not None:
            return  # an older session's stream of that name
        new = NewArray(self._folder, array_name(self.stem, _ARRIVAL), ArraySpec.arrival())
        for first, stop in _spans(old.n_rows, old.spec.chunk_length):
            rows = old.rows(first, stop)
            if isinstance(rows, str):
                self.doubtful.append(f"{self.stem}: a part of its arrival record is lost: {rows}")
                continue
            kept = rows[np.isfinite(rows[:, 0]) & (rows[:, 0] <= n_rows)].copy()
            kept[:, 0] = [count - self._lost_before(int(count)) for count in kept[:, 0]]
            new.add(kept)
        new.close()

    def _saved(self, derived: str) -> StoredArray:
        return StoredArray(FolderMembers(self._folder), array_name(self.stem, derived))

    def _measured(self, info: StreamInfo) -> StreamMeta:
        meta = self._declared or StreamMeta.of(info, name=self.stem)
        stamps = self._saved(_STAMPS)
        gaps = {
            index: replace(gap, index=index) for gap in meta.gaps if (index := gap.index - self._lost_before(gap.index))
        }
        for hole in self.holes:
            if hole.seconds is not None and info.fs > 0:
                gaps[hole.index] = GapRecord(hole.index, hole.seconds, "lost to damage of the file")
        # Whoever opens the session finds its gaps again; what is known here are their reasons.
        meta = replace(meta, n_samples=stamps.n_rows, gaps=[gaps[index] for index in sorted(gaps)], time=None)
        return with_counts(meta, None if self._counter is None else self._counter.counts)

    def _lost_before(self, sample: int) -> int:
        return sum(min(hole.n_samples, sample - hole.first_sample) for hole in self.holes if hole.first_sample < sample)


def _info_of(data: OldArray) -> StreamInfo | None:
    """Layout from the samples' array alone: a chunk holds a second of a regular stream."""
    if len(data.spec.row_shape) != 1:
        return None
    try:
        length = data.spec.chunk_length
        return StreamInfo(data.spec.row_shape[0], 0.0 if length == IRREGULAR_CHUNK else float(length), data.spec.dtype)
    except ConfigError:
        return None


def _spans(n_rows: int, *lengths: int) -> Iterator[tuple[int, int]]:
    """``(first, stop)`` of runs of samples that cross no chunk border of any of the arrays."""
    first = 0
    while first < n_rows:
        stop = min(n_rows, *(first - first % length + length for length in lengths))
        yield first, stop
        first = stop


def _is_chunk(key: str, array: str) -> bool:
    parts = key.split("/")
    return parts[:2] == [array, "c"] and len(parts) > 2 and parts[2].isdecimal()
