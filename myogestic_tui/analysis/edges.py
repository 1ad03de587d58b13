"""When something happened in a stream: the edges of pulses in a channel, or the samples of a marker stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigError
from ..session.reading.trials import first_at
from ..session.signal.window_bounds import check_placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ..session import SessionReader
    from ..session.signal.streamdata import StreamData

_BINS = 2048
_LEAST_APART = 5.0
"""The levels of pulses lie this many standard deviations of the lower one apart; those of noise cut in two do not."""
_HYSTERESIS = 0.25
_MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Events:
    """What happened in one stream.

    Attributes
    ----------
    of
        In words: ``emg channel 65`` or ``PsychoPy``.
    times
        ``(n,)`` seconds on the recorder's clock, ascending.
    resolution_s
        How finely the stream tells time: a sample; 0 for markers.
    error_s
        How far wrong its times may be as a whole; None: not known.
    """

    of: str
    times: NDArray[np.float64]
    resolution_s: float
    error_s: float | None


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """What counts as an edge.

    Attributes
    ----------
    threshold
        In the stream's unit; None finds it halfway between the two levels.
    falling
        Pulses go down.
    dead_s
        After an edge so long none is taken: contacts bounce, screens flicker.
    only
        Texts of a marker stream that count; empty: all.
    """

    threshold: float | None = None
    falling: bool = False
    dead_s: float = 0.005
    only: tuple[str, ...] = ()


def events_in(
    session: SessionReader, spec: str, rule: EdgeRule, start: float | None = None, stop: float | None = None
) -> Events:
    """The events of ``STREAM`` or ``STREAM:CHANNEL`` of an open session, from ``start`` to ``stop`` on its clock.

    Raises
    ------
    ConfigError
        No such channel; a signal without a channel named; or the channel has no two levels.
    UnknownStreamError
        There is no such stream.
    ClockError
        Nothing tells how its time stamps lie to the recorder's clock.
    """
    name, channel = _stream_and_channel(session, spec)
    stream = session.stream_data(name, whole=False)
    check_placed(name, stream.timeline.basis, stream.timeline.unusable)
    first, last = _part(stream, start, stop)
    known = session.measured(name).time
    error = None if known is None else known.error_s
    if channel is None:
        times = _marker_times(stream, first, last, rule.only)
        return Events(name, times, 0.0, error)
    if rule.only:
        raise ConfigError(f"{spec} is a signal; texts are chosen from a stream of markers")
    at = _edges(stream, channel, first, last, rule)
    resolution = 1.0 / stream.info.fs if stream.info.fs else 0.0
    return Events(f"{name} channel {channel + 1}", at, resolution, error)


def _stream_and_channel(session: SessionReader, spec: str) -> tuple[str, int | None]:
    """Stream and channel from 0; None for a stream of text, each sample of which is an event."""
    names = {*session.streams, *(session.stream(stem).meta.name for stem in session.streams)}
    name, _, wanted = (spec, "", "") if spec in names else spec.rpartition(":")
    info = session.stream_info(name or spec)
    name = name or spec
    if info.is_string:
        return name, None
    if not wanted:
        if info.n_channels == 1:
            return name, 0
        raise ConfigError(f"{name} has {info.n_channels} channels; name the one with the pulses, such as {name}:1")
    if wanted in info.names:
        return name, info.names.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= info.n_channels:
        return name, int(wanted) - 1
    raise ConfigError(f"{name} has no channel {wanted!r}; its {info.n_channels} channels count from 1")


def _part(stream: StreamData, start: float | None, stop: float | None) -> tuple[int, int]:
    marks = [at for at in (start, stop) if at is not None]
    found = first_at(stream, marks) if marks else {}
    first = 0 if start is None else found[start]
    return first, max(first, stream.n_samples if stop is None else found[stop])


def _marker_times(stream: StreamData, first: int, last: int, only: tuple[str, ...]) -> NDArray[np.float64]:
    times = stream.times(first, last)
    if only:
        texts = stream.rows(first, last)[:, 0]
        times = times[np.isin(texts.astype(str), only)]
    kept: NDArray[np.float64] = np.sort(times[np.isfinite(times)])
    return kept


def _blocks(stream: StreamData, channel: int, first: int, last: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for at in range(first, last, stream.block_rows):
        yield at, stream.rows(at, min(last, at + stream.block_rows))[:, channel].astype(np.float64)


def _edges(stream: StreamData, channel: int, first: int, last: int, rule: EdgeRule) -> NDArray[np.float64]:
    low, high = _levels(stream, channel, first, last)
    middle = (low + high) / 2 if rule.threshold is None else rule.threshold
    half = _HYSTERESIS * (high - low)
    sign = -1.0 if rule.falling else 1.0
    found: list[float] = []
    is_up: bool | None = None
    before: tuple[float, float] | None = None
    for at, values in _blocks(stream, channel, first, last):
        times = stream.times(at, at + len(values))
        values, level = sign * values, sign * middle
        if before is not None:
            times, values = np.concatenate([[before[0]], times]), np.concatenate([[before[1]], values])
        states = np.where(values >= level + half, 1, np.where(values <= level - half, -1, 0))
        held = _held(states, is_up)
        for place in np.flatnonzero(np.diff(held) > 0) + 1:
            crossing = _crossing(times, values, level, int(place))
            if not found or crossing - found[-1] > rule.dead_s:
                found.append(crossing)
        is_up = bool(held[-1] > 0) if held[-1] else is_up
        before = (float(times[-1]), float(values[-1]))
    return np.array(found, np.float64)


def _held(states: NDArray[np.int64], is_up: bool | None) -> NDArray[np.int64]:
    """Above (1) or below (-1), kept where a value lies between the two; 0 before the first that is either."""
    places = np.where(states != 0, np.arange(len(states)), -1)
    last = np.maximum.accumulate(places)
    before = 0 if is_up is None else 1 if is_up else -1
    held = np.where(last >= 0, states[np.maximum(last, 0)], before)
    if before == 0 and held.any():  # what it was before the first that tells is no edge
        held[held == 0] = held[np.flatnonzero(held)[0]]
    return held


def _crossing(times: NDArray[np.float64], values: NDArray[np.float64], level: float, place: int) -> float:
    """When the line between samples passes the level, going back from where the upper state was reached."""
    while place > 1 and values[place - 1] > level:
        place -= 1
    below, above = values[place - 1], values[place]
    share = 0.5 if above == below else min(1.0, max(0.0, (level - below) / (above - below)))
    return float(times[place - 1] + share * (times[place] - times[place - 1]))


def _levels(stream: StreamData, channel: int, first: int, last: int) -> tuple[float, float]:
    """The two levels of a channel: means on both sides of the threshold that lies halfway between them."""
    low, high = np.inf, -np.inf
    for _, values in _blocks(stream, channel, first, last):
        finite = values[np.isfinite(values)]
        if len(finite):
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    what = f"{stream.name} channel {channel + 1}"
    if not high > low:
        raise ConfigError(f"{what} is constant there; no pulse stands in it")
    counts = np.zeros(_BINS, np.int64)
    for _, values in _blocks(stream, channel, first, last):
        counts += np.histogram(values[np.isfinite(values)], _BINS, (low, high))[0]
    centres = low + (np.arange(_BINS) + 0.5) * (high - low) / _BINS
    threshold = (low + high) / 2
    for _ in range(_MOST_ROUNDS):
        lower, upper = centres < threshold, centres >= threshold
        if not counts[lower].any() or not counts[upper].any():
            break
        means = [float(np.average(centres[side], weights=counts[side])) for side in (lower, upper)]
        if abs(sum(means) / 2 - threshold) < (high - low) / _BINS / 4:
            break
        threshold = sum(means) / 2
    spread = _spread(centres[lower], counts[lower])
    if means[1] - means[0] < _LEAST_APART * max(spread, (high - low) / _BINS / 4):
        raise ConfigError(f"{what} has no two levels, so no pulses; name the channel that has, or give --threshold")
    return means[0], means[1]


def _spread(centres: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    mean = np.average(centres, weights=counts)
    return float(np.sqrt(np.average((centres - mean) ** 2, weights=counts)))
