"""Whether two streams agree on when things happened: latency, jitter, drift, what was missed and what came twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from ..errors import ConfigError
from .edges import EdgeRule, events_in
from .pairing import pair_events

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..session import SessionReader
    from .edges import Events
    from .pairing import Pairs

MOST_LAG_S = 0.5
DOUBLE_S = 0.1
"""A pulse without a marker that comes so soon after one with a marker is one that came twice."""
_LEAST_FOR_DRIFT = 10
_HISTOGRAM = 40


class Sync(Struct, frozen=True, kw_only=True):
    """How the pulses lie to the markers; a latency is positive where the pulse is later. None: too few pairs."""

    pulses: str
    markers: str
    n_pulses: int
    n_markers: int
    n_pairs: int
    median_ms: float | None = None
    mean_ms: float | None = None
    sd_ms: float | None = None
    """Standard deviation about the line of the drift: the jitter."""
    median_error_ms: float | None = None
    """Standard errors of `median_ms` and `sd_ms`, as if the jitter were normal."""
    sd_error_ms: float | None = None
    worst_ms: float | None = None
    """The latency farthest from the median."""
    largest_ms: float | None = None
    """The greatest latency, whichever way; what ``--max-ms`` is compared with."""
    drift_ppm: float | None = None
    drift_error_ppm: float | None = None
    """Its standard error."""
    missed: int = 0
    """Markers without a pulse."""
    doubled: int = 0
    """Pulses without a marker, within 0.1 s of one that has one."""
    extra: int = 0
    """Other pulses without a marker."""
    missed_at_s: list[float] = field(default_factory=list)
    """Seconds since the session's start, 100 at most; and `doubled`, `extra` likewise."""
    doubled_at_s: list[float] = field(default_factory=list)
    extra_at_s: list[float] = field(default_factory=list)
    histogram_ms: list[float] = field(default_factory=list)
    """Edges of the bins, one more than `histogram`."""
    histogram: list[int] = field(default_factory=list)
    resolution_ms: float = 0.0
    """How finely the streams tell time: a sample of the slower one."""
    error_ms: float | None = None
    """How far wrong the streams' times may lie to each other beyond that; None: not known."""
    ambiguous: str = ""
    """Why the pairing may be another one; empty where it is not."""


def sync_streams(
    session: SessionReader,
    pulses: str,
    markers: str,
    *,
    rule: EdgeRule | None = None,
    marker_rule: EdgeRule | None = None,
    most_lag_s: float = MOST_LAG_S,
    start: float | None = None,
    stop: float | None = None,
) -> Sync:
    """Pair the pulses of a channel with the markers of a stream, or with the pulses of another channel.

    Parameters
    ----------
    session
        An open session, which may be being recorded.
    pulses, markers
        ``STREAM:CHANNEL`` (its name, or its number from 1), or a stream of text.
    rule, marker_rule
        What counts as an edge of either.
    most_lag_s
        How far apart two events of a pair may be, either way.
    start, stop
        Part of the session, in seconds on the recorder's clock.

    Raises
    ------
    ConfigError
        A stream or channel is not usable for it; the message says why.
    UnknownStreamError, ClockError
        As `events_in`.
    """
    if not 0 < most_lag_s < np.inf:
        raise ConfigError(f"the greatest lag is {most_lag_s!r} s; give a positive number")
    if pulses == markers:
        raise ConfigError(f"{pulses} is compared with itself; name two")
    begin = session.meta.anchors[0].lsl if session.meta.anchors else 0.0
    theirs = events_in(session, pulses, rule or EdgeRule(), start, stop)
    mine = events_in(session, markers, marker_rule or EdgeRule(), start, stop)
    return summarise(mine, theirs, pair_events(mine.times, theirs.times, most_lag_s), begin)


def summarise(markers: Events, pulses: Events, pairs: Pairs, begin: float = 0.0) -> Sync:
    """Figures of paired events; ``begin`` is the session's start on their clock."""
    at = markers.times[pairs.markers]
    late = pulses.times[pairs.pulses] - at
    alone = np.setdiff1d(np.arange(len(pulses.times)), pairs.pulses)
    twice = _comes_twice(pulses.times, alone, pairs.pulses)
    missed = np.setdiff1d(np.arange(len(markers.times)), pairs.markers)
    errors = [one.error_s for one in (markers, pulses)]
    told = [error for error in errors if error is not None]
    return Sync(
        pulses=pulses.of,
        markers=markers.of,
        n_pulses=len(pulses.times),
        n_markers=len(markers.times),
        n_pairs=len(late),
        missed=len(missed),
        doubled=int(twice.sum()),
        extra=len(alone) - int(twice.sum()),
        missed_at_s=_since(markers.times[missed], begin),
        doubled_at_s=_since(pulses.times[alone[twice]], begin),
        extra_at_s=_since(pulses.times[alone[~twice]], begin),
        resolution_ms=1e3 * max(markers.resolution_s, pulses.resolution_s),
        error_ms=1e3 * sum(told) if len(told) == len(errors) else None,
        ambiguous=pairs.ambiguous,
        **_figures(at, late),
    )


def _figures(at: NDArray[np.float64], late: NDArray[np.float64]) -> dict[str, Any]:
    if not len(late):
        return {}
    median, n = float(np.median(late)), len(late)
    counts, edges = np.histogram(1e3 * late, min(_HISTOGRAM, max(1, n // 2)))
    figures: dict[str, Any] = {
        "median_ms": 1e3 * median,
        "mean_ms": 1e3 * float(np.mean(late)),
        "worst_ms": 1e3 * float(late[np.argmax(np.abs(late - median))]),
        "largest_ms": 1e3 * float(np.max(np.abs(late))),
        "histogram_ms": edges.tolist(),
        "histogram": counts.tolist(),
    }
    if n < 3:
        return figures
    jitter = float(np.std(late, ddof=1))
    if n >= _LEAST_FOR_DRIFT:
        since = at - at.mean()
        slope = float((since * late).sum() / (since**2).sum())
        jitter = float(np.sqrt(((late - late.mean() - slope * since) ** 2).sum() / (n - 2)))
        figures |= {"drift_ppm": 1e6 * slope, "drift_error_ppm": 1e6 * jitter / float(np.sqrt((since**2).sum()))}
    return figures | {
        "sd_ms": 1e3 * jitter,
        "median_error_ms": 1e3 * jitter * float(np.sqrt(np.pi / 2 / n)),
        "sd_error_ms": 1e3 * jitter / float(np.sqrt(2 * n)),
    }


def _comes_twice(times: NDArray[np.float64], alone: NDArray[np.int64], paired: NDArray[np.int64]) -> NDArray[np.bool_]:
    known = np.concatenate([[-np.inf], times[paired], [np.inf]])
    after = np.searchsorted(known, times[alone])
    apart = np.minimum(times[alone] - known[after - 1], known[after] - times[alone])
    twice: NDArray[np.bool_] = apart <= DOUBLE_S
    return twice


def _since(times: NDArray[np.float64], begin: float) -> list[float]:
    return [round(float(at) - begin, 6) for at in times[:100]]
