"""One answer of the recorder, of which all that a picture of Live shows is drawn: map, traces, labels, electrodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace

from .sweep import Sweep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..app.interface import ChannelQuality, Envelope, StreamStatus

    Floats = NDArray[np.float32]

LEVEL_SECONDS = 1.0
"""Numbers beside traces and on electrodes are the RMS of so long before the window's end."""


class Answer(NamedTuple):
    """What the recorder answered; the last column of the RMS is of what came of it so far.

    Attributes
    ----------
    envelope
        As it came.
    rms
        ``(n_channels, columns)``, in the stream's unit or in % MVC.
    low, high
        Likewise, of columns that are finer by a whole number; empty where only the RMS was asked for.
    """

    envelope: Envelope
    rms: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, envelope: Envelope, mvc: tuple[float, ...] = ()) -> Answer:
        """The arrays of an envelope; in % MVC, where that of each channel of the stream is given."""

        def array(values: bytes) -> Floats:
            found: Floats = np.frombuffer(values, np.float32).reshape(envelope.n_channels, -1)
            return found / references(mvc)[envelope.first_channel :][: len(found), None] if mvc else found

        return cls(envelope, array(envelope.rms), array(envelope.low), array(envelope.high))

    @property
    def start(self) -> float:
        """Of the window, on the source's clock."""
        return self.envelope.start

    def end(self, sweep: Sweep) -> float:
        """When the samples end that came, on the source's clock."""
        return self.start + sweep.seconds * (1 - (sweep.each - sweep.filled) / sweep.cells)

    def sweep(self, each: int, *, held: bool) -> Sweep:
        """Where the columns stand, each of so many cells."""
        n_columns, seconds = self.rms.shape[1], self.envelope.seconds
        newest = round(self.start / seconds * n_columns) + n_columns - 1
        last = self.low[:, self.low.shape[1] - 2 * each :]
        came = np.flatnonzero(np.isfinite(last).any(axis=0))
        filled = int(came[-1]) // 2 + 1 if came.size else each
        return Sweep(newest, n_columns, each, filled, seconds, held)

    def levels(self, seconds: float) -> list[float]:
        """RMS of each channel over the last second of a window of ``seconds``; NaN where nothing came."""
        last = self.rms[:, -1 - max(round(LEVEL_SECONDS * self.rms.shape[1] / seconds), 1) :]
        last = last[:, :-1] if last.shape[1] > 1 else last
        known = np.isfinite(last)
        with np.errstate(invalid="ignore"):
            levels: list[float] = np.sqrt(np.square(last).sum(axis=1, where=known) / known.sum(axis=1)).tolist()
        return levels


def end_of(envelope: Envelope) -> float:
    """End of an envelope's window, on the source's clock."""
    return envelope.start + envelope.seconds


def references(mvc: tuple[float, ...]) -> Floats:
    """One percent of each channel's maximum voluntary contraction, ``(n_channels,)``; NaN where it has none."""
    values = np.asarray(mvc, np.float32) / 100
    return np.where(values > 0, values, np.float32(np.nan))


def in_percent(stream: StreamStatus) -> tuple[ChannelQuality, ...]:
    """Quality with amplitudes in % MVC."""
    of = references(stream.mvc).tolist()
    return tuple(
        replace(one, rms=one.rms / part, peak=one.peak / part) for one, part in zip(stream.quality, of, strict=False)
    )
