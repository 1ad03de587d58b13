"""Least and greatest value of each channel in each column of a view: what the Live screen draws."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .display_filters import DisplayFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .ring import RingBuffer

    Floats = NDArray[np.float32]

HISTORY_SECONDS = 300.0
"""How far back one can scroll in a view that has been open for so long."""
_MOST_COLUMNS = 16384
_KEPT_TRACKERS = 6
_BLOCK_SAMPLES = 32768
_STEP_BACK_SECONDS = 1.0
"""Stamps that fall back by more belong to a clock that was set: what is drawn so far goes."""
_OFFSET_SHARE = 0.1
"""The offset that is taken off moves only when it is off by this share of the channel's span: no shimmer."""


class ViewLike(Protocol):
    """What is looked at; `app.recorder.View` is one, and says what the fields mean."""

    @property
    def seconds(self) -> float: ...  # noqa: D102
    @property
    def columns(self) -> int: ...  # noqa: D102
    @property
    def first_channel(self) -> int: ...  # noqa: D102
    @property
    def n_channels(self) -> int: ...  # noqa: D102
    @property
    def until(self) -> float | None: ...  # noqa: D102
    @property
    def highpass_hz(self) -> float | None: ...  # noqa: D102
    @property
    def notch_hz(self) -> float | None: ...  # noqa: D102
    @property
    def remove_offset(self) -> bool: ...  # noqa: D102
    @property
    def rms(self) -> bool: ...  # noqa: D102
    @property
    def rms_every(self) -> int: ...  # noqa: D102


class Envelopes:
    """Draws views of one stream from its ring; keeps what it computed for the last few of them.

    Any thread may call it.
    """

    def __init__(self, info: StreamInfo, ring: RingBuffer) -> None:
        self._info = info
        self._ring = ring
        self._trackers: OrderedDict[tuple[object, ...], EnvelopeTracker] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self, view: ViewLike) -> tuple[float, Floats, Floats]:
        """Start of the window (source's clock, s), least and greatest values, ``(n_channels, columns)`` float32.

        Column ``c`` holds the samples stamped from ``start + c * seconds / columns`` on, NaN where there are none.
        Channels that the stream does not have are left out.
        """
        return self._tracker(view).draw(view.until, remove_offset=view.remove_offset)

    def draw_rms(self, view: ViewLike) -> tuple[float, Floats]:
        """Start of the window and the RMS of each channel in each column, ``(n_channels, columns)`` float32.

        The window's mean of each channel is taken off before, where the view removes the offset.
        """
        return self._tracker(view).draw_rms(view.until, remove_offset=view.remove_offset)

    def draw_both(self, view: ViewLike) -> tuple[float, Floats, Floats, Floats]:
        """`draw`, and the RMS of every ``view.rms_every`` columns, ``(n_channels, columns // rms_every)`` float32.

        Both are of the same samples. The window ends with a whole run of columns, the last of which may lie ahead.
        """
        return self._tracker(view).draw_both(view.until, remove_offset=view.remove_offset)

    def _tracker(self, view: ViewLike) -> EnvelopeTracker:
        key = (
            view.seconds, view.columns, view.first_channel, view.n_channels, view.highpass_hz, view.notch_hz, view.rms,
            view.rms_every,
        )  # fmt: skip
        with self._lock:
            if key not in self._trackers:
                self._trackers[key] = EnvelopeTracker(self._info, self._ring, view)
            self._trackers.move_to_end(key)
            while len(self._trackers) > _KEPT_TRACKERS:
                self._trackers.popitem(last=False)
            return self._trackers[key]


class EnvelopeTracker:
    """The columns of one view, brought up to date with the samples that came since the last time.

    Columns lie on an absolute grid of ``seconds / columns`` on the source's clock, so a column once full stays as it
    is, and only new samples are looked at.

    Parameters
    ----------
    info, ring
        The stream, and where its samples are.
    view
        Seconds, columns, channels and filters; the rest of it is given to `draw`.
    """

    def __init__(self, info: StreamInfo, ring: RingBuffer, view: ViewLike) -> None:
        self._ring = ring
        self._columns = max(view.columns, 1)
        self._width = view.seconds / self._columns
        self._every = max(view.rms_every, 1)
        self._channels = slice(view.first_channel, min(view.first_channel + view.n_channels, info.n_channels))
        n_channels = max(0, self._channels.stop - self._channels.start)
        self._filter = DisplayFilter.of(info, view.highpass_hz, view.notch_hz)
        kept = min(max(math.ceil(HISTORY_SECONDS / self._width), 4 * self._columns), _MOST_COLUMNS)
        self._kept = max(kept, 2 * self._columns)
        self._low = np.full((self._kept, n_channels), np.nan, dtype=np.float32)
        self._high = self._low.copy()
        self._sums = np.zeros((self._kept, 3, n_channels)) if view.rms or view.rms_every else None
        """Per column: number of finite samples, their sum, their sum of squares."""
        self._offset = np.full(n_channels, np.nan, dtype=np.float32)
        self._newest: int | None = None
        self._seen = 0
        self._lock = threading.Lock()

    def draw(self, until: float | None = None, *, remove_offset: bool = True) -> tuple[float, Floats, Floats]:
        """The window that ends at ``until`` (source's clock, s), or with the newest sample; see `Envelopes.draw`."""
        with self._lock, np.errstate(all="ignore"):
            last = self._last(until)
            return self._start(last), *self._reach(last, remove_offset)

    def draw_rms(self, until: float | None = None, *, remove_offset: bool = True) -> tuple[float, Floats]:
        """See `Envelopes.draw_rms`; the view asked for it from the start."""
        with self._lock, np.errstate(all="ignore"):
            last = self._last(until)
            return self._start(last), self._rms(last, 1, remove_offset)

    def draw_both(
        self, until: float | None = None, *, remove_offset: bool = True
    ) -> tuple[float, Floats, Floats, Floats]:
        """See `Envelopes.draw_both`; the view asked for it from the start."""
        with self._lock, np.errstate(all="ignore"):
            last = self._last(until)
            if last is not None:
                last += self._every - 1 - last % self._every
            return self._start(last), *self._reach(last, remove_offset), self._rms(last, self._every, remove_offset)

    def _last(self, until: float | None) -> int | None:
        """The last column of the window, once all samples are in theirs; None before there is one."""
        self._catch_up()
        return self._newest if until is None or self._newest is None else math.floor(until / self._width)

    def _start(self, last: int | None) -> float:
        return (last - self._columns + 1) * self._width if last is not None else 0.0

    def _nothing(self, columns: int) -> Floats:
        return np.full((self._low.shape[1], columns), np.nan, dtype=np.float32)

    def _reach(self, last: int | None, remove_offset: bool) -> tuple[Floats, Floats]:
        """Least and greatest values of the columns up to ``last``."""
        if last is None:
            return self._nothing(self._columns), self._nothing(self._columns)
        low, high = self._window(last)
        if remove_offset and not (self._filter is not None and self._filter.removes_offset):
            offset = self._steady_offset(low, high)
            low -= offset
            high -= offset
        return low, high

    def _rms(self, last: int | None, every: int, remove_offset: bool) -> Floats:
        """RMS of every so many columns up to ``last``."""
        assert self._sums is not None
        if last is None:
            return self._nothing(self._columns // every)
        slots, gone = self._places(last)
        sums = self._sums[slots]
        sums[gone] = 0.0
        sums = sums.reshape(-1, every, *sums.shape[1:]).sum(axis=1)
        count, total, square = (sums[:, i].T for i in range(3))
        offset = np.zeros((len(count), 1))
        if remove_offset and not (self._filter is not None and self._filter.removes_offset):
            offset = total.sum(axis=1, keepdims=True) / np.maximum(count.sum(axis=1, keepdims=True), 1)
        power = (square - 2 * offset * total + count * offset**2) / count
        rms: Floats = np.sqrt(np.maximum(power, 0)).astype(np.float32)
        rms[count == 0] = np.nan
        return rms

    # ---------------------------------------------------------------- new samples

    def _catch_up(self) -> None:
        while True:
            first, data, stamps = self._ring.since(self._seen, self._channels, _BLOCK_SAMPLES)
            if not len(stamps):
                return
            if self._filter is not None:
                data = self._filter.apply(data, unbroken=first == self._seen)
            self._seen = first + len(stamps)
            self._add(np.asarray(data, dtype=np.float64 if self._sums is not None else np.float32), stamps)

    def _add(self, data: Floats, stamps: NDArray[np.float64]) -> None:
        """Take samples ``(n, n_channels)`` and stamps ``(n,)`` into their columns."""
        good = np.isfinite(stamps)
        if not good.all():
            data, stamps = data[good], stamps[good]
        if not len(stamps):
            return
        columns = np.floor(stamps / self._width).astype(np.int64)
        self._advance(columns)
        assert self._newest is not None
        inside = (columns <= self._newest) & (columns > self._newest - self._kept)
        if not inside.all():
            data, columns = data[inside], columns[inside]
        starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1)) if len(columns) else columns
        if not len(starts):
            return
        slots = columns[starts] % self._kept
        known = np.isfinite(data)
        whole = bool(known.all())  # by far the most are; what looks for others takes twice as long
        if self._sums is not None:
            np.add.at(self._sums, slots, _sums_of(data, None if whole else known, starts))
        least, greatest = (np.minimum, np.maximum) if whole else (np.fmin, np.fmax)
        low, high = least.reduceat(data, starts, axis=0), greatest.reduceat(data, starts, axis=0)
        if len(starts) == 1 or np.diff(columns[starts]).min() > 0:
            self._low[slots] = np.fmin(self._low[slots], low)
            self._high[slots] = np.fmax(self._high[slots], high)
        else:
            np.fmin.at(self._low, slots, low)
            np.fmax.at(self._high, slots, high)

    def _advance(self, columns: NDArray[np.int64]) -> None:
        """Make room up to the newest column; a stamp far ahead of those that follow it does not count."""
        back = math.ceil(_STEP_BACK_SECONDS / self._width) + 1
        last = int(columns[-1])
        newest = int(columns[columns <= last + back].max())
        if self._newest is not None and last < self._newest - back:
            self._newest = None
        if self._newest is None or newest - self._newest >= self._kept:
            self._blank(np.arange(self._kept))
            self._newest = newest
        elif newest > self._newest:
            fresh = np.arange(self._newest + 1, newest + 1) % self._kept
            self._blank(fresh)
            self._newest = newest

    def _blank(self, slots: NDArray[np.int64]) -> None:
        self._low[slots], self._high[slots] = np.nan, np.nan
        if self._sums is not None:
            self._sums[slots] = 0.0

    # ---------------------------------------------------------------- the window

    def _window(self, last: int) -> tuple[Floats, Floats]:
        """Copies of the columns up to ``last``, ``(n_channels, columns)``; NaN where they are not kept."""
        slots, gone = self._places(last)
        low, high = self._low[slots].T.copy(), self._high[slots].T.copy()
        low[:, gone], high[:, gone] = np.nan, np.nan
        return low, high

    def _places(self, last: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where the columns up to ``last`` are kept, and which of them are not kept any more, or not yet."""
        assert self._newest is not None
        wanted = np.arange(last - self._columns + 1, last + 1)
        return wanted % self._kept, (wanted > self._newest) | (wanted <= self._newest - self._kept)

    def _steady_offset(self, low: Floats, high: Floats) -> Floats:
        """What to take off each channel, ``(n_channels, 1)``: the middle of its columns, but moved only if it must."""
        middle = (low + high) / 2
        good = np.isfinite(middle)
        count = good.sum(axis=1)
        centre = np.where(good, middle, 0).sum(axis=1, dtype=np.float64) / np.maximum(count, 1)
        span = np.where(good, high, -np.inf).max(axis=1) - np.where(good, low, np.inf).min(axis=1)
        unset = np.isnan(self._offset)
        moved = (count > 0) & (unset | (np.abs(centre - np.where(unset, 0, self._offset)) > _OFFSET_SHARE * span))
        self._offset = np.where(moved, centre, self._offset).astype(np.float32)
        offset: Floats = np.where(np.isnan(self._offset), 0, self._offset)[:, None].astype(np.float32)
        return offset


def _sums_of(data: Floats, known: NDArray[np.bool_] | None, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Number of finite samples from each start on, their sum and their sum of squares, ``(starts, 3, n_channels)``.

    ``known`` are the finite ones of ``data``, ``(n, n_channels)``; None where all are.
    """
    sums = np.empty((len(starts), 3, data.shape[1]))
    if known is None:
        sums[:, 0] = np.diff(starts, append=len(data))[:, None]
    else:
        data = np.where(known, data, np.float32(0))
        sums[:, 0] = np.add.reduceat(known, starts, axis=0, dtype=np.float64)
    sums[:, 1] = np.add.reduceat(data, starts, axis=0)
    sums[:, 2] = np.add.reduceat(data * data, starts, axis=0)
    return sums
