"""A whole session at a glance: envelopes from the ``_overview`` arrays, and raw samples where the look is close enough.

An hour is 3,600 rows of the overview, so that a session of eight hours opens at once. Sessions without such arrays
(another recorder's) get them computed once and kept beside the catalog.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import replace

from ...errors import ConfigError, SessionDamagedError
from ..format.time_records import TimeMeta
from ..format.time_summary import lost_gaps
from .overview_table import overview_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..format.meta import LabelEvent
    from ..format.time_records import GapRecord
    from .open_session import OpenSession

_BLOCK = 4096
RAW_SECONDS = 30.0
"""A stretch of at most so long is drawn from the samples themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """A stretch of one stream; each is equal to itself alone, so that a drawing of it can be kept.

    Attributes
    ----------
    end_s
        When the stream's last sample was taken.
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
    n_channels: int
    channel: int | None
    unit: str
    first_s: float
    last_s: float
    seconds: float
    end_s: float
    times: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    labels: tuple[LabelEvent, ...]
    gaps: tuple[tuple[float, float], ...]
    raw: bool


class OverviewReader:
    """Reads stretches of one open session for drawing; what it has looked up once it keeps.

    Memory is bounded by the overview of a stream (28 MB for eight hours of 64 channels), and by `RAW_SECONDS`.

    Parameters
    ----------
    session
        An open session, which stays the caller's to close.
    compute
        Whether to compute overviews that neither the session nor the catalog's folder has, which reads all samples.
    """

    def __init__(self, session: OpenSession, *, compute: bool = True) -> None:
        self.session = session
        self.compute = compute
        self._clocks: dict[str, SampleClock] = {}
        self._tables: dict[str, NDArray[np.float32]] = {}

    def read(
        self,
        stream: str | None = None,
        channel: int | None = None,
        *,
        first_s: float = 0.0,
        last_s: float | None = None,
        columns: int = 120,
    ) -> Overview:
        """A stretch of a stream.

        Parameters
        ----------
        stream
            Which stream; None is the one of numbers with the most values in a second.
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
        SessionError
            There is no overview, and none is to be computed.
        """
        session = self.session
        name = stream if stream is not None else main_stream(session)
        info = session.stream_info(name)
        if info.is_string or (channel is not None and not 0 <= channel < info.n_channels):
            what = "holds text" if info.is_string else f"has channels 1 to {info.n_channels}"
            raise ConfigError(f"{name} {what}; choose another")
        clock = self._clock(name)
        seconds = max(session.summary().duration_s, clock.end)
        last_s = seconds if last_s is None else min(last_s, seconds)
        first_s = max(0.0, first_s)
        if last_s <= first_s and seconds > 0:
            raise ConfigError(f"nothing lies between {first_s:g} s and {last_s:g} s; the session has {seconds:g} s")
        first, last = clock.index(first_s), clock.index(last_s)
        columns_read = None
        if last_s - first_s <= RAW_SECONDS:
            with suppress(SessionDamagedError):  # what its seconds were like is known all the same
                columns_read = _from_samples(session, name, channel, first, last, clock, columns)
        raw = columns_read is not None
        if columns_read is None:
            columns_read = _from_table(self._table(name), info.chunk_length, channel, first, last, clock, columns)
        times, low, high = columns_read
        return Overview(
            stream=name,
            n_channels=info.n_channels,
            channel=channel,
            unit=info.units[channel or 0] if info.units else "",
            first_s=first_s,
            last_s=last_s,
            seconds=seconds,
            end_s=clock.end,
            times=times,
            low=low,
            high=high,
            labels=tuple(
                replace(label, timestamp=label.timestamp - clock.session_start) for label in session.label_track
            ),
            gaps=clock.gaps,
            raw=raw,
        )

    def _clock(self, name: str) -> SampleClock:
        if name not in self._clocks:
            self._clocks[name] = SampleClock(self.session, name)
        return self._clocks[name]

    def _table(self, name: str) -> NDArray[np.float32]:
        if name not in self._tables:
            self._tables[name] = overview_table(self.session, name, compute=self.compute)
        return self._tables[name]


def read_overview(session: OpenSession, stream: str | None = None, channel: int | None = None, **more: Any) -> Overview:
    """One stretch of an open session; see `OverviewReader.read`."""
    return OverviewReader(session).read(stream, channel, **more)


def numeric_streams(session: OpenSession) -> list[str]:
    """Streams of numbers."""
    return [name for name in session.streams if not session.stream_info(name).is_string]


def main_stream(session: OpenSession) -> str:
    """The stream of numbers with the most values in a second; ConfigError where there is none."""
    infos = {name: session.stream_info(name) for name in numeric_streams(session)}
    if not infos:
        raise ConfigError(f"{session.path.name} has no stream of numbers to draw")
    return max(infos, key=lambda name: infos[name].fs * infos[name].n_channels)


def session_start(session: OpenSession, first: float = 0.0) -> float:
    """When a session began on the recorder's clock; ``first`` where it does not say."""
    anchors = session.meta.anchors
    return anchors[0].lsl if anchors else first


class SampleClock:
    """When a sample was taken, in seconds since the session's start, from the metadata alone."""

    def __init__(self, session: OpenSession, name: str) -> None:
        info, measured = session.stream_info(name), session.measured(name)
        time = measured.time or TimeMeta()
        self.n_samples = session.n_samples(name)
        first, last = time.first_at or 0.0, time.last_at or 0.0
        self.session_start = session_start(session, first)
        begin = first if time.basis == "none" else self.session_start
        self.start, self.end = first - begin, last - begin
        gaps = lost_gaps(measured.gaps)
        self._gap_index = np.array([gap.index for gap in gaps], dtype=np.int64)
        self._gap_sum = np.concatenate([[0.0], np.cumsum([gap.seconds for gap in gaps])])
        lost = float(self._gap_sum[-1])
        steps = max(self.n_samples - 1, 1)
        self._period = (self.end - self.start - lost) / steps if self.n_samples > 1 else 1.0 / (info.fs or 1.0)
        self.all_gaps = tuple(self._place(gap) for gap in measured.gaps)
        """When and how long, in seconds since the session's start: those between samples, head and tail."""
        self.gaps = tuple(self._place(gap) for gap in gaps)

    def _place(self, gap: GapRecord) -> tuple[float, float]:
        begins = {"head": 0.0, "tail": self.end}.get(gap.kind)
        return (self.time(gap.index) - gap.seconds if begins is None else begins), gap.seconds

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


def _from_table(
    table: NDArray[np.float32],
    length: int,
    channel: int | None,
    first: int,
    last: int,
    clock: SampleClock,
    columns: int,
) -> Columns:
    rows = slice(first // length, -(-last // length))
    part = table[rows]
    if channel is None:
        high, low = _rms_over_channels(part[:, :, 2]), np.zeros(len(part))
    else:
        low, high = part[:, channel, 0].astype(np.float64), part[:, channel, 1].astype(np.float64)
    times = clock.times(np.arange(rows.start, rows.start + len(part), dtype=np.int64) * length)
    return _thin(times, low, high, columns)


def _from_samples(
    session: OpenSession, name: str, channel: int | None, first: int, last: int, clock: SampleClock, columns: int
) -> Columns:
    data = session.stream(name).data.rows(first, last)
    if channel is None:
        high, low = _rms_over_channels(data), np.zeros(len(data))
    else:
        low = high = data[:, channel].astype(np.float64)
    return _thin(clock.times(np.arange(first, first + len(data), dtype=np.int64)), low, high, columns)


def _rms_over_channels(values: NDArray[Any]) -> NDArray[np.float64]:
    """RMS of ``(m, n_channels)`` over the channels that have a value, ``(m,)``; NaN where none has."""
    rms = np.full(len(values), np.nan)
    for start in range(0, len(values), _BLOCK):
        part = values[start : start + _BLOCK].astype(np.float64)
        good = np.isfinite(part)
        part[~good] = 0.0
        power, n_good = np.einsum("ij,ij->i", part, part), good.sum(axis=1)
        np.divide(power, n_good, out=rms[start : start + len(part)], where=n_good > 0)
    result: NDArray[np.float64] = np.sqrt(rms)
    return result


def _thin(times: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], columns: int) -> Columns:
    """Least and greatest of equal runs, so that no peak is lost."""
    if len(times) <= columns:
        return times, low, high
    starts = np.unique(np.arange(columns) * len(times) // columns)
    return times[starts], np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)
