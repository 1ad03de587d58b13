"""Windows of samples that come in pieces, each hop once, as `session.iter_aligned_windows` cuts recorded ones."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clock import gap_threshold
from ..errors import NotFiniteError
from ..session.signal.processing import Processing, Ratio
from ..session.windowing.matching import channel_numbers
from ..session.windowing.plan import is_finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..info import StreamInfo
    from ..session.windowing.recipe import Recipe

    Window = tuple[NDArray[Any], NDArray[np.float64]]

_FORGET = 0.999
"""How much of what was learnt of packets is left after another chunk: a minute or so."""


class HopCutter:
    """Cuts a stream as it comes; processing and windows restart behind a gap. Not thread-safe.

    Parameters
    ----------
    recipe
        What is cut. Classes and what has to do with labels does not count.
    info
        Layout of the stream.

    Attributes
    ----------
    gaps
        Gaps, and jumps of the stamps, so far.
    dropped
        Windows that were left out for values that are no finite numbers.

    Raises
    ------
    ConfigError, OtherStreamError
        As `session.windows`.
    """

    def __init__(self, recipe: Recipe, info: StreamInfo) -> None:
        name = recipe.stream
        chosen = None if recipe.channels in (None, "good") else channel_numbers("the live stream", recipe, info)
        self._recipe, self._chain = recipe, Processing(chosen, recipe.resample, recipe.filter).start(name, info)
        recipe.cut.lengths(name, info)
        self.n, self.hop = recipe.cut.lengths(name, self._chain.info)
        self._ratio = Ratio(name, info.fs, self._chain.info.fs)
        self._steps = _Steps(info.fs)
        self.gaps = self.dropped = 0
        self._begin()

    def _begin(self) -> None:
        self._chain.restart()
        self._n_made = 0
        self._skip = 0
        self._rows = np.empty((0, self._chain.info.n_channels), self._chain.info.np_dtype)
        self._ts: NDArray[np.float64] = np.empty(0)
        self._stamps: NDArray[np.float64] = np.empty(0)
        self._first_stamp = 0

    def interrupt(self) -> None:
        """Samples are missing here."""
        self.gaps += 1
        self._steps.restart()
        self._begin()

    def feed(self, data: NDArray[Any], stamps: NDArray[np.float64]) -> Iterator[Window]:
        """The next samples ``(n, n_channels)``, their stamps ``(n,)``; windows ``(n_channels, n)`` that they fill."""
        edges = self._steps.edges(stamps)
        for start, stop in pairwise([*sorted({0, *edges}), len(stamps)]):
            if start in edges:
                self.gaps += 1
                self._begin()
            if np.isfinite(stamps[start:stop]).all():
                self._take(data[start:stop], stamps[start:stop])
                yield from self._windows()

    def _take(self, data: NDArray[Any], stamps: NDArray[np.float64]) -> None:
        made = self._chain.feed(data)
        self._rows = np.concatenate((self._rows, made))
        self._ts = np.concatenate((self._ts, self._stamps_of(stamps, len(made))))

    def _stamps_of(self, stamps: NDArray[np.float64], n_made: int) -> NDArray[np.float64]:
        """Stamps of the samples made, between those of the samples that they are made of."""
        if self._ratio.is_one:
            return stamps
        self._stamps = np.concatenate((self._stamps, stamps))
        at = np.arange(self._n_made, self._n_made + n_made) * (self._ratio.down / self._ratio.up) - self._first_stamp
        found: NDArray[np.float64] = np.interp(at, np.arange(len(self._stamps)), self._stamps)
        self._n_made += n_made
        done = int(self._n_made * self._ratio.down / self._ratio.up) - self._first_stamp
        self._stamps, self._first_stamp = self._stamps[done:], self._first_stamp + done
        return found

    def _windows(self) -> Iterator[Window]:
        at = self._skip
        while at + self.n <= len(self._rows):
            window = np.ascontiguousarray(self._rows[at : at + self.n].T)
            ts = self._ts[at : at + self.n].copy()
            at += self.hop
            if self._takes(window, ts):
                yield window, ts
        done = min(at, len(self._rows))
        self._skip = at - done
        self._rows, self._ts = self._rows[done:], self._ts[done:]

    def _takes(self, window: NDArray[Any], ts: NDArray[np.float64]) -> bool:
        if self._recipe.on_nan == "keep" or is_finite(window):
            return True
        if self._recipe.on_nan == "raise":
            raise NotFiniteError(f"{self._recipe.stream} has a value that is no finite number after {ts[0]:.3f} s")
        self.dropped += 1
        return False


class _Steps:
    """Tells gaps and jumps from the steps between stamps, as far as that can be told at once.

    Packets come late and catch up: a stream whose stamps do so is granted as much again.
    """

    def __init__(self, fs: float) -> None:
        self._period, self._threshold = 1.0 / fs, gap_threshold(fs)
        self._caught_up = 0.0
        self.restart()

    def restart(self) -> None:
        self._last = np.nan

    def edges(self, stamps: NDArray[np.float64]) -> list[int]:
        """Samples, by their number among these, that do not follow on."""
        if not len(stamps):
            return []
        late = np.diff(stamps, prepend=self._last) - self._period
        self._last = float(stamps[-1])
        most = self._threshold + 1.5 * self._caught_up
        follows = np.abs(late) < most
        follows[0] |= np.isnan(late[0]) and np.isfinite(stamps[0])
        early = -late[follows & (late < 0)]
        self._caught_up = max(self._caught_up * _FORGET, float(early.max()) if len(early) else 0.0)
        return np.flatnonzero(~follows).tolist()
