"""A whole session at a glance: envelopes from the ``_overview`` arrays, and raw samples where the look is close enough.

An hour is 3,600 rows of the overview, so that a session of eight hours opens at once. Sessions without such arrays
(another recorder's) get them computed once and kept beside the catalog.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from .arrays import overview_row
from .layout import STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .meta import LabelEvent
    from .reader import SessionReader

RAW_SECONDS = 30.0
"""A stretch of at most so long is drawn from the samples themselves."""

KEPT = "overviews"
"""Folder in ``.myogestic`` for overviews that a session does not hold itself."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A stretch of one stream.

    Attributes
    ----------
    times
        ``(m,)`` seconds since the session's start, of the left edge of each column.
    low, high
        ``(m,)`` least and greatest value of the channel; for the RMS of all channels, 0 and the RMS.
    seconds
        Length of the whole session.
    labels
        With time stamps in seconds since the session's start.
    gaps
        ``(when, seconds)``, since the session's start.
    raw
        Whether it comes from the samples themselves.
    """

    stream: str
    channel: int | None
    unit: str
    first_s: float
    last_s: float
    seconds: float
    times: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    labels: tuple[LabelEvent, ...]
    gaps: tuple[tuple[float, float], ...]
    raw: bool


def read_overview(
    session: SessionReader,
    stream: str | None = None,
    channel: int | None = None,
    *,
    first_s: float = 0.0,
    last_s: float | None = None,
    columns: int = 120,
) -> Overview:
    """Read a stretch of a session for drawing; memory is bounded by the overview, or by what ``columns`` s hold.

    Parameters
    ----------
    session
        An open session.
    stream
        Which stream; None is the first of numbers.
    channel
        Which channel, from 0; None is the RMS over all.
    first_s, last_s
        The stretch, in seconds since the session's start; None is its end.
    columns
        Most columns that are wanted.

    Raises
    ------
    ConfigError
        No such channel, no stream of numbers, or an empty stretch.
    UnknownStreamError
        No such stream.
    """
    name = stream if stream is not None else _first_numeric(session)
    info = session.stream_info(name)
    if info.is_string or (channel is not None and not 0 <= channel < info.n_channels):
        what = "holds text" if info.is_string else f"has channels 1 to {info.n_channels}"
        raise ConfigError(f"{name} {what}; choose another")
    clock = _SampleClock(session, name)
    seconds = max(session.summary().duration_s, clock.end)
    last_s = seconds if last_s is None else min(last_s, seconds)
    first_s = max(0.0, first_s)
    if last_s <= first_s and seconds > 0:
        raise ConfigError(f"nothing lies between {first_s:g} s and {last_s:g} s; the session has {seconds:g} s")
    first, last = clock.index(first_s), clock.index(last_s)
    raw = last_s - first_s <= RAW_SECONDS
    read = _from_samples if raw else _from_overview
    times, low, high = read(session, name, channel, first, last, clock, columns)
    start = clock.session_start
    return Overview(
        stream=name,
        channel=channel,
        unit=info.units[channel or 0] if info.units else "",
        first_s=first_s,
        last_s=last_s,
        seconds=seconds,
        times=times,
        low=low,
        high=high,
        labels=tuple(_shifted(label, start) for label in session.label_track),
        gaps=tuple(clock.gaps),
        raw=raw,
    )


def _first_numeric(session: SessionReader) -> str:
    for name in session.streams:
        if not session.stream_info(name).is_string:
            return name
    raise ConfigError(f"{session.path.name} has no stream of numbers to draw")


def _shifted(label: LabelEvent, start: float) -> LabelEvent:
    from msgspec.structs import replace

    return replace(label, timestamp=label.timestamp - start)


class _SampleClock:
    """When a sample was taken, in seconds since the session's start, from the metadata alone."""

    def __init__(self, session: SessionReader, name: str) -> None:
        info, stamps = session.stream_info(name), session.ts_stores[name]
        self.n_samples = stamps.shape[0]
        offsets = session.clock_stores.get(name)
        offset = float(np.median(np.asarray(offsets[:64, 1]))) if offsets is not None and offsets.shape[0] else 0.0
        self.session_start = session.meta.anchors[0].lsl if session.meta.anchors else 0.0
        ends = np.array([stamps[0], stamps[-1]], dtype=np.float64) + offset if self.n_samples else np.zeros(2)
        if not session.meta.anchors:
            self.session_start = float(ends[0])
        self.start = float(ends[0]) - self.session_start
        self.end = float(ends[1]) - self.session_start
        gaps = session.gaps(name)
        self._gap_index = np.array([gap.index for gap in gaps], dtype=np.int64)
        self._gap_sum = np.concatenate([[0.0], np.cumsum([gap.seconds for gap in gaps])])
        lost = float(self._gap_sum[-1])
        steps = max(self.n_samples - 1, 1)
        self._period = (self.end - self.start - lost) / steps if self.n_samples > 1 else 1.0 / (info.fs or 1.0)
        self.gaps = [(self.time(gap.index) - gap.seconds, gap.seconds) for gap in gaps]

    def time(self, index: int) -> float:
        """Seconds since the session's start of a sample."""
        lost = self._gap_sum[np.searchsorted(self._gap_index, index, side="right")]
        return float(self.start + index * self._period + lost)

    def times(self, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """Seconds since the session's start, ``(n,)``."""
        lost = self._gap_sum[np.searchsorted(self._gap_index, index, side="right")]
        result: NDArray[np.float64] = self.start + index * self._period + lost
        return result

    def index(self, seconds: float) -> int:
        """The first sample at or after an instant."""
        low, high = 0, self.n_samples
        while low < high:
            middle = (low + high) // 2
            if self.time(middle) < seconds:
                low = middle + 1
            else:
                high = middle
        return low


Columns = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]


def _from_overview(
    session: SessionReader, name: str, channel: int | None, first: int, last: int, clock: _SampleClock, columns: int
) -> Columns:
    length = session.stream_info(name).chunk_length
    table = _table(session, name)
    rows = slice(first // length, -(-last // length))
    part = np.asarray(table[rows], dtype=np.float64)
    if channel is None:
        high = np.sqrt(np.nanmean(part[:, :, 2] ** 2, axis=1)) if len(part) else np.empty(0)
        low = np.zeros(len(high))
    else:
        low, high = part[:, channel, 0], part[:, channel, 1]
    times = clock.times(np.arange(rows.start, rows.start + len(part), dtype=np.int64) * length)
    return _thin(times, low, high, columns)


def _from_samples(
    session: SessionReader, name: str, channel: int | None, first: int, last: int, clock: _SampleClock, columns: int
) -> Columns:
    data = np.asarray(session.stores[name][first:last], dtype=np.float64)
    if channel is None:
        high = np.sqrt(np.mean(data**2, axis=1)) if len(data) else np.empty(0)
        low = np.zeros(len(high))
    else:
        low = high = data[:, channel]
    return _thin(clock.times(np.arange(first, first + len(data), dtype=np.int64)), low, high, columns)


def _thin(times: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], columns: int) -> Columns:
    """Least and greatest of equal runs, so that no peak is lost."""
    if len(times) <= columns:
        return times, low, high
    starts = np.unique(np.arange(columns) * len(times) // columns)
    return times[starts], np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)


# ---------------------------------------------------------------- sessions without overviews


def _table(session: SessionReader, name: str) -> NDArray[np.float32]:
    """``(n_chunks, n_channels, 3)``: the session's own, else the kept one, else computed and kept."""
    n_chunks = -(-session.stores[name].shape[0] // session.stream_info(name).chunk_length)
    own = session.overview_stores.get(name)
    if own is not None and own.shape[0] == n_chunks:
        return np.asarray(own[:], dtype=np.float32)
    kept = _kept_file(session.path, name)
    with suppress(OSError, ValueError):
        table = np.load(kept, allow_pickle=False)
        if table.shape == (n_chunks, session.stream_info(name).n_channels, 3):
            return np.asarray(table, dtype=np.float32)
    table = _computed(session, name, n_chunks)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, table)
    return table


def _computed(session: SessionReader, name: str, n_chunks: int) -> NDArray[np.float32]:
    data, info = session.stores[name], session.stream_info(name)
    length = info.chunk_length
    rows = [overview_row(np.asarray(data[at * length : (at + 1) * length])) for at in range(n_chunks)]
    return np.stack(rows) if rows else np.empty((0, info.n_channels, 3), np.float32)


def _kept_file(path: Path, name: str) -> Path:
    mark = path.stat().st_mtime_ns
    return path.parent / STATE_FOLDER / KEPT / f"{path.name}.{name}.{mark}.npy"
