"""Least and greatest value of each channel in each column of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..info import StreamInfo
    from .ring import RingBuffer


class ViewLike(Protocol):
    """What is looked at; `app.recorder.View` is one."""

    @property
    def seconds(self) -> float: ...
    @property
    def columns(self) -> int: ...
    @property
    def first_channel(self) -> int: ...
    @property
    def n_channels(self) -> int: ...
    @property
    def until(self) -> float | None: ...
    @property
    def highpass_hz(self) -> float | None: ...
    @property
    def notch_hz(self) -> float | None: ...
    @property
    def remove_offset(self) -> bool: ...


class EnvelopeTracker:
    """Draws views of one stream from its ring."""

    def __init__(self, info: StreamInfo, ring: RingBuffer) -> None:
        self._info = info
        self._ring = ring

    def draw(self, view: ViewLike) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
        """Start of the window (source's clock, s), least and greatest values ``(n_channels, columns)``."""
        data, stamps = self._ring.newest(self._ring.capacity)
        stop = min(view.first_channel + view.n_channels, self._info.n_channels)
        rows = data[:, view.first_channel : stop].astype(np.float32)
        shape = (rows.shape[1], view.columns)
        low, high = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        if not len(stamps):
            return 0.0, low, high
        width = view.seconds / view.columns
        last = np.floor((view.until if view.until is not None else stamps[-1]) / width)
        first = last - view.columns + 1
        columns = (np.floor(stamps / width) - first).astype(np.int64)
        inside = (columns >= 0) & (columns < view.columns)
        columns, rows = columns[inside], rows[inside]
        if view.remove_offset and len(rows):
            rows = rows - np.nanmean(rows, axis=0)
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        if len(starts):
            low[:, columns[starts]] = np.minimum.reduceat(rows, starts, axis=0).T
            high[:, columns[starts]] = np.maximum.reduceat(rows, starts, axis=0).T
        return float(first * width), low, high
