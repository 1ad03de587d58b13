"""What is known of a stream's time beside its stamps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .counter import Counts
    from .timeline import Basis

    Floats = NDArray[np.float64]

_BLOCK = 1 << 18
"""Samples whose arrivals are worked out at once."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Whatever there is of it; all times in seconds.

    Attributes
    ----------
    arrivals
        ``(k, 2)``: samples read so far, and when on the recorder's clock, both ascending.
    offsets
        ``(k, 4)`` clock estimates: collected at, offset, uncertainty, source's time.
    start, stop
        The session's ends on the recorder's clock; of a live stream ``stop`` is now.
    stop_requested
        ``stop`` is the instant at which the stop was requested, not one after the streams were drained.
    utc_offset
        UTC less the recorder's clock, at the start.
    ends_known
        False where ``start`` and ``stop`` are only about when the clocks were compared.
    counts
        What the stream's counter channel did; None where it has none.
    remote
        The source is on another computer than the recorder: without offsets its stamps need not be in the same clock.
    placed
        Basis and error in seconds of stamps that somebody put on the recorder's clock already; None where they are the
        source's.
    clock_error_s
        How far wrong the clock that all of this is told on may be: another recorder's, in a merged session.
    """

    arrivals: Floats | None = None
    offsets: Floats | None = None
    start: float | None = None
    stop: float | None = None
    stop_requested: bool = False
    utc_offset: float | None = None
    ends_known: bool = True
    counts: Counts | None = None
    remote: bool = False
    placed: tuple[Basis, float] | None = None
    clock_error_s: float = 0.0


_SLACK, _FASTEST = 1.0, 2.0
UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
"""What stamps that are no seconds may count in, and how many of them make one."""
_LEAST_STAMPED = 2.0
"""Stamps over less seconds do not tell whether they move as samples arrive."""
_SESSION_SLACK = 60.0
"""Samples are read within the session, or shortly before and after it."""


def believable(evidence: Evidence, n_samples: int, fs: float, stamped_s: float = np.inf) -> Evidence:
    """The evidence without what cannot be: samples that came much faster than a device takes them.

    A script that fills a session from a file gives stamps, but neither its reads nor the session's ends are those of a
    recording. A device may declare a rate that it does not have: then its stamps take as long as their arrival.

    Parameters
    ----------
    evidence
        All that there is.
    n_samples, fs
        Samples, and nominal rate in Hz (0: irregular).
    stamped_s
        Seconds from the first stamp to the last.
    """
    if _can_be(evidence, n_samples, fs, stamped_s):
        return evidence
    return replace(evidence, arrivals=None, start=None, stop=None, utc_offset=None)


def _can_be(evidence: Evidence, n_samples: int, fs: float, stamped_s: float) -> bool:
    times = Arrivals(evidence.arrivals, n_samples).times
    spans = [float(np.ptp(times))] if len(times) else []
    start, stop = evidence.start, evidence.stop
    if start is not None and stop is not None:
        spans.append(stop - start)
        if len(times) and not (start - _SESSION_SLACK < times[0] and times[-1] < stop + _SESSION_SLACK):
            return False
    if not spans or fs <= 0 or n_samples / fs <= _SLACK + _FASTEST * max(spans):
        return True
    stamped = [stamped_s / unit for unit in (1.0, *UNITS.values())]
    return any(one > _LEAST_STAMPED and abs(one - max(spans)) < _SLACK + 0.5 * max(spans) for one in stamped)


class Arrivals:
    """An arrival record: when which sample had been read.

    Parameters
    ----------
    rows
        ``(k, 2)`` as in `Evidence`; rows that bring no sample, or are no numbers, are passed over.
    n_samples
        How many the stream has.
    """

    def __init__(self, rows: Floats | None, n_samples: int) -> None:
        given = np.empty((0, 2)) if rows is None else np.asarray(rows, dtype=np.float64).reshape(-1, 2)
        given = given[np.isfinite(given).all(axis=1) & (given[:, 0] <= n_samples)]
        given = given[np.diff(np.maximum.accumulate(given[:, 0]), prepend=0) > 0] if len(given) else given
        self.counts, self.times = given[:, 0], given[:, 1]
        self.n_samples = n_samples

    def __bool__(self) -> bool:
        return len(self.counts) > 3

    @property
    def rate(self) -> float | None:
        """Samples a second that came; None where that says nothing."""
        seconds = float(self.times[-1] - self.times[0]) if self else 0.0
        return float(self.counts[-1] - self.counts[0]) / seconds if seconds > 0 else None

    def latest(self, period: float) -> Floats:
        """``(k,)``: when sample 0 came, told by each read's last sample."""
        return np.asarray(self.times - (self.counts - 1) * period)

    def places(self, first: int, stop: int) -> slice:
        """The rows whose last sample lies in a range of samples."""
        a, b = np.searchsorted(self.counts - 1, (first, stop))
        return slice(int(a), int(b))

    def of_each(self, first: int = 0) -> Iterator[Floats]:
        """When each of the samples from ``first`` on came, some at a time; NaN for those that no row tells of."""
        times = np.append(self.times, np.nan)
        for start in range(first, self.n_samples, _BLOCK):
            number = np.arange(start, min(start + _BLOCK, self.n_samples))
            yield times[np.searchsorted(self.counts, number, side="right")]
