"""What is done to samples before windows are cut: channels chosen, resampled, filtered; recorded and live alike.

Nothing looks ahead, and whatever is fed in pieces comes out as if it had been fed at once, bit for bit.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ...info import StreamInfo

    Floats = NDArray[np.float64]

_REACH = 10
"""Samples of the slower rate that a resampled sample is made of, on each side."""
_MOST_TERMS = 4096
"""Greatest numerator and denominator of the ratio of two rates."""


class CausalFilter:
    """A filter that a live stream and a recording share; see `causal_filter`.

    Attributes
    ----------
    sos
        ``(n_sections, 6)`` second-order sections.
    fs
        Rate in Hz that it was designed for; None where that is not known.
    """

    def __init__(self, sos: ArrayLike, fs: float | None = None) -> None:
        try:
            self.sos: Floats = np.array(sos, np.float64)
        except (TypeError, ValueError):
            self.sos = np.empty(0)
        usable = self.sos.ndim == 2 and self.sos.shape[1:] == (6,) and len(self.sos) and np.isfinite(self.sos).all()
        if not usable or not (self.sos[:, 3] == 1.0).all():
            raise ConfigError(
                "give second-order sections (n_sections, 6), as scipy.signal.butter(…, output='sos') does"
            )
        if fs is not None and (
            isinstance(fs, bool) or not isinstance(fs, int | float | np.number) or not 0 < fs < np.inf
        ):
            raise ConfigError(f"fs is {fs!r}; give a rate in Hz, or None")
        self.fs = fs

    def check(self, name: str, fs: float) -> None:
        """Raise ConfigError where it was designed for another rate than ``fs``, that of stream ``name``."""
        if self.fs is not None and abs(self.fs - fs) > 1e-6 * fs:
            raise ConfigError(f"the filter was designed for {self.fs:g} Hz; {name} has {fs:g} Hz")

    def __repr__(self) -> str:
        return f"<causal filter of {len(self.sos)} sections{'' if self.fs is None else f' for {self.fs:g} Hz'}>"


def causal_filter(sos: ArrayLike, fs: float | None = None) -> CausalFilter:
    """A filter for windows of recordings and of live streams: it looks at the past only, and carries its state.

    It begins as if the first value had always been there, and restarts behind a gap or a value that is no number.

    Parameters
    ----------
    sos
        ``(n_sections, 6)`` second-order sections, as ``scipy.signal.butter(…, output="sos")`` gives.
    fs
        Rate in Hz that it was designed for, to be refused at another one; that after resampling.

    Raises
    ------
    ConfigError
        These are no second-order sections, or ``fs`` is no rate.
    """
    return CausalFilter(sos, fs)


class _RunningFilter:
    def __init__(self, causal: CausalFilter) -> None:
        from scipy.signal import sosfilt_zi

        self._sos, self._rest = causal.sos, sosfilt_zi(causal.sos)[:, :, None]
        self._state: Floats | None = None

    def restart(self) -> None:
        self._state = None

    def feed(self, rows: Floats) -> Floats:
        finite: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(rows), axis=1)
        if finite.all():
            return self._filtered(rows) if len(rows) else rows
        found = np.full_like(rows, np.nan)
        edges = [0, *(np.flatnonzero(np.diff(finite)) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            if finite[start]:
                found[start:stop] = self._filtered(rows[start:stop])
            else:
                self._state = None
        return found

    def _filtered(self, rows: Floats) -> Floats:
        from scipy.signal import sosfilt

        state = self._rest * rows[0] if self._state is None else self._state
        found: Floats
        found, self._state = sosfilt(self._sos, rows, axis=0, zi=state)
        return found


class Ratio:
    """Samples of one rate from those of another.

    Parameters
    ----------
    name
        The stream, for the error.
    fs, to
        Rates in Hz.

    Raises
    ------
    ConfigError
        The rates are no ratio of two small numbers.
    """

    def __init__(self, name: str, fs: float, to: float) -> None:
        ratio = Fraction(to / fs).limit_denominator(_MOST_TERMS)
        if not 0 < ratio.numerator <= _MOST_TERMS or abs(float(ratio) * fs - to) > 1e-6 * to:
            raise ConfigError(f"{name}: {fs:g} Hz cannot be resampled to {to:g} Hz; choose a rate of a simpler ratio")
        self.up, self.down = ratio.numerator, ratio.denominator
        self.half = _REACH * max(self.up, self.down)

    @property
    def is_one(self) -> bool:
        """Whether the rates are the same."""
        return self.up == self.down

    def n_out(self, n_in: int) -> int:
        """Samples that can be made of the first ``n_in``."""
        if self.is_one:
            return n_in
        return max(0, (n_in * self.up - self.half - 1) // self.down + 1)

    def first_from(self, position: int) -> int:
        """The first sample made that is not before sample number ``position``."""
        return -(-position * self.up // self.down)


class _Resampler:
    """A polyphase low-pass filter whose delay is taken out: sample ``m`` lies at ``m * down / up`` of the input."""

    def __init__(self, ratio: Ratio) -> None:
        from scipy.signal import firwin

        self._ratio = ratio
        up, half = ratio.up, ratio.half
        taps = firwin(2 * half + 1, 1.0 / max(ratio.up, ratio.down), window=("kaiser", 5.0)) * up
        self._reach = ceil(len(taps) / up)
        self._phases = np.pad(taps, (0, self._reach * up - len(taps))).reshape(self._reach, up).T
        self.restart()

    def restart(self) -> None:
        self._n_in = self._n_out = 0
        self._tail: Floats | None = None

    def feed(self, rows: Floats) -> Floats:
        if not len(rows):
            return rows[:0]
        # Before the first sample its value is taken to have been there all along.
        tail = np.repeat(rows[:1], self._reach, axis=0) if self._tail is None else self._tail
        known, first = np.concatenate((tail, rows)), self._n_in - self._reach
        self._n_in += len(rows)
        self._tail = known[-self._reach :]
        stop = self._ratio.n_out(self._n_in)
        at = np.arange(self._n_out, stop) * self._ratio.down + self._ratio.half
        self._n_out = stop
        newest, phases = at // self._ratio.up - first, self._phases[at % self._ratio.up]
        found = np.zeros((len(at), rows.shape[1]))
        for back in range(self._reach):
            found += phases[:, back, None] * known[newest - back]
        return found


@dataclass(frozen=True, slots=True)
class Processing:
    """What is done to the samples of a stream, in this order.

    Parameters
    ----------
    channels
        Numbers of those that are kept, from 0; None keeps all.
    resample
        Rate in Hz that they are brought to.
    filter
        Applied at that rate.
    """

    channels: tuple[int, ...] | None = None
    resample: float | None = None
    filter: CausalFilter | None = None

    @property
    def makes_samples(self) -> bool:
        """Whether values or their number change."""
        return self.filter is not None or self.resample is not None

    def info(self, name: str, info: StreamInfo) -> StreamInfo:
        """Layout of what comes out of a stream with this one.

        Raises
        ------
        ConfigError
            The filter is for another rate, or the rate cannot be reached.
        """
        fs = info.fs if self.resample is None else self.resample
        if self.resample is not None:
            Ratio(name, info.fs, self.resample)
        if self.filter is not None:
            self.filter.check(name, fs)
        dtype = np.result_type(info.np_dtype, np.float32).name if self.makes_samples else info.dtype
        if self.channels is None:
            return replace(info, fs=fs, dtype=dtype)
        return replace(
            info,
            n_channels=len(self.channels),
            fs=fs,
            dtype=dtype,
            counter=None,
            channel_names=self._kept(info.names),
            units=self._kept(info.units),
            channel_types=self._kept(info.channel_types),
        )

    def _kept(self, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(values[channel] for channel in self.channels or ())

    def start(self, name: str, info: StreamInfo) -> Chain:
        """Begin at the first sample of a stream."""
        return Chain(self, name, info)


class Chain:
    """`Processing` under way, with its state. Not thread-safe.

    Parameters
    ----------
    processing
        What is done.
    name, info
        The stream, and its layout.
    """

    def __init__(self, processing: Processing, name: str, info: StreamInfo) -> None:
        self.info = processing.info(name, info)
        self._channels = None if processing.channels is None else np.array(processing.channels, np.intp)
        self._makes = processing.makes_samples
        ratio = Ratio(name, info.fs, self.info.fs)
        self._resampler = None if ratio.is_one else _Resampler(ratio)
        self._filter = None if processing.filter is None else _RunningFilter(processing.filter)

    def restart(self) -> None:
        """What was fed before and what comes next do not belong together."""
        for part in (self._resampler, self._filter):
            if part is not None:
                part.restart()

    def feed(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The next samples ``(n, n_channels)`` as they come out, ``(m, n_channels)``; a copy."""
        rows = rows.copy() if self._channels is None else rows[:, self._channels]
        if not self._makes:
            return rows
        values: Floats = rows.astype(np.float64, copy=False)
        for part in (self._resampler, self._filter):
            if part is not None:
                values = part.feed(values)
        return values.astype(self.info.np_dtype)

    def fork(self) -> Chain:
        """Another one in the same state."""
        other = copy(self)
        other._resampler, other._filter = copy(self._resampler), copy(self._filter)
        return other
