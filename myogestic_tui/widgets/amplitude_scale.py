"""How much signal fills the height of a channel: a scale of the series 1, 2, 5, chosen by hand or by what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..app.interface import ChannelQuality

STEPS = (1.0, 2.0, 5.0)
JUDGED_OUT = frozenset("NFCMx")
"""Quality flags whose channels have no say in the scale."""
_COLUMN_SHARE = 0.95
"""A channel reaches what so many of its columns stay within: a single spike scales nothing."""
_CHANNEL_SHARE = 0.75
"""So many of the channels are to be seen whole …"""
_LOUD_SHARE = 3.0
"""… and no loud one is cut to less than a third, but for a twentieth of them, which may be broken."""
_ROOM_ABOVE = 1.1
_ROOM_TO_SHRINK = 1.25


def nice_scale(value: float) -> float:
    """The least of 1, 2, 5, 10, … (at any power of ten) that is not below ``value``."""
    if not np.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    for step in (*STEPS, 10.0):
        if step * power >= value * (1 - 1e-9):
            return float(step * power)
    return float(10 * power)


def step_scale(scale: float, up: bool) -> float:
    """The next scale of the series 1, 2, 5 up or down."""
    return nice_scale(scale * 1.01) if up else nice_scale(scale / 2.6)


class AutoScale:
    """A scale that follows most of the channels without jumping.

    It grows once the signal has been beyond it for ``patience`` seconds, and shrinks one step at a time once the next
    smaller one would have held it, with room to spare, for ``hold`` seconds: longer than the rest between two trials.
    """

    def __init__(self, hold: float = 8.0, patience: float = 0.3, start: float = 0.0) -> None:
        self.scale = start
        self.hold = hold
        self.patience = patience
        self._large_since: float | None = None
        self._small_since: float | None = None

    def feed(
        self,
        low: NDArray[np.float32],
        high: NDArray[np.float32],
        at: float,
        quality: Sequence[ChannelQuality] = (),
    ) -> float:
        """Take the envelopes ``(n_channels, columns)`` drawn at time ``at`` (s), and return the scale.

        Channels that ``quality`` (one for each, if there are any) finds a fault with do not count, unless all have one.
        """
        wanted = _typical_reach(low, high, quality)
        if wanted <= 0.0:
            return self.scale or 1.0
        if self.scale == 0.0:
            self.scale = nice_scale(wanted * _ROOM_ABOVE)
        self._large_since = _since(self._large_since, wanted > self.scale, at)
        self._small_since = _since(self._small_since, nice_scale(wanted * _ROOM_TO_SHRINK) < self.scale, at)
        if self._large_since is not None and at - self._large_since >= self.patience:
            self.scale, self._large_since = nice_scale(wanted * _ROOM_ABOVE), None
        elif self._small_since is not None and at - self._small_since > self.hold:
            self.scale, self._small_since = step_scale(self.scale, up=False), None
        return self.scale


def _since(since: float | None, holds: bool, at: float) -> float | None:
    if not holds:
        return None
    return at if since is None else since


def _typical_reach(low: NDArray[np.float32], high: NDArray[np.float32], quality: Sequence[ChannelQuality]) -> float:
    """How far from zero most of the good channels go; 0.0 where there is no sample."""
    good = [not JUDGED_OUT & set(one.flags) for one in quality]
    if any(good) and len(good) == len(low):
        low, high = low[good], high[good]
    reach = np.fmax(np.abs(low), np.abs(high))
    reach = np.where(np.isfinite(reach), reach, np.float32(0))[:, np.isfinite(reach).any(axis=0)]
    if not reach.size:
        return 0.0
    place = int(_COLUMN_SHARE * (reach.shape[1] - 1))
    of_channels = np.partition(reach, place, axis=1)[:, place]
    loud = np.quantile(of_channels, _COLUMN_SHARE, method="lower")
    return float(max(np.quantile(of_channels, _CHANNEL_SHARE), loud / _LOUD_SHARE))


def cut_channels(low: NDArray[np.float32], high: NDArray[np.float32], scale: float) -> list[bool]:
    """Which channels ``(n_channels, columns)`` are beyond the scale in more columns than a few spikes make."""
    with np.errstate(invalid="ignore"):
        beyond = (high > scale) | (low < -scale)
    cut: list[bool] = (beyond.sum(axis=1) > (1 - _COLUMN_SHARE) * max(low.shape[1], 1)).tolist()
    return cut


class ViewScale:
    """The scale of a page, and of a channel that is zoomed, each by hand or automatic.

    Attributes
    ----------
    automatic
        Whether the scale follows the signal.
    """

    def __init__(self) -> None:
        self.automatic = True
        self._zoomed = False
        self._scales = {False: AutoScale(), True: AutoScale()}

    @property
    def found(self) -> bool:
        """Whether there was a signal to scale to."""
        return self._scales[self._zoomed].scale > 0.0

    @property
    def value(self) -> float:
        """Half the height of a channel, in the stream's unit."""
        return self._scales[self._zoomed].scale or 1.0

    def feed(
        self, low: NDArray[np.float32], high: NDArray[np.float32], at: float, quality: Sequence[ChannelQuality]
    ) -> None:
        """As `AutoScale.feed`, where the scale is automatic, or none has been found yet."""
        if self.automatic or not self.found:
            self._scales[self._zoomed].feed(low, high, at, quality)

    def step(self, *, up: bool) -> None:
        """The next scale of the series; it is no longer automatic."""
        self.automatic = False
        self._scales[self._zoomed] = AutoScale(start=step_scale(self.value, up=up))

    def zoom(self, on: bool) -> None:
        """Turn to the scale of the zoomed channel, which is found anew, or back to the page's."""
        self._zoomed = on
        if on:
            self._scales[True] = AutoScale()
