"""A channel that counts samples: what it tells of losses, to the sample, where stamps cannot.

Such a counter goes up by one step for each sample, or for each packet of samples. It wraps (at 8, 16, 24 or 32 bits, or
anywhere else), it may be a float, stand still for a moment, and restart when the device restarts. Only the places
where it does anything else than go up are kept, so that hours of it cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .timeline import Gap, Repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .timeline import Timeline

    Floats = NDArray[np.float64]

WIDTHS = (2.0**8, 2.0**16, 2.0**24, 2.0**32)
"""Where counters of devices wrap."""

MOST_JUMPS = 50_000
"""A channel that jumps more often counts something else than samples."""

_LEARNED_FROM, _LEARNED_WITHIN = 64, 1 << 20
_MOST_LOST_S = 60.0
_APART_S = 1.0
_NEAR_START = 3
_SURE = 0.01


@dataclass(frozen=True, slots=True)
class Jump:
    """Between two values of the counter: the number of the later sample, how many samples after the earlier one it
    came, and both values.
    """

    index: int
    samples: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What a counter channel did.

    Attributes
    ----------
    step, hold
        It goes up by ``step`` every ``hold`` samples.
    low, high
        Least and greatest value.
    modulus
        It wraps by this much, as it was seen to do; None where it never did without a loss.
    jumps
        Where it did anything else.
    """

    step: float
    hold: int
    low: float
    high: float
    modulus: float | None = None
    jumps: tuple[Jump, ...] = ()


class CounterTrack:
    """Takes the values of a counter channel as they come, in chunks of any size. Not thread-safe."""

    def __init__(self) -> None:
        self._first: list[Floats] = []
        self._n = 0
        self._step, self._hold = 0.0, 1
        self._low, self._high = np.inf, -np.inf
        self._modulus: float | None = None
        self._falls: set[tuple[float, float]] = set()
        self._last: tuple[int, float] | None = None
        self._jumps: list[Jump] = []
        self._given_up = False
        self._learn_at = _LEARNED_FROM

    def feed(self, values: ArrayLike) -> None:
        """The next values, ``(n,)``; those that are no numbers are passed over."""
        given = np.asarray(values, dtype=np.float64)
        if self._given_up:
            return
        if self._step:
            self._follow(given)
            return
        self._first.append(given.copy())
        waiting = sum(map(len, self._first))
        if waiting >= self._learn_at:
            self._learn_at = 2 * waiting
            self._learn()
            self._given_up = not self._step and waiting > _LEARNED_WITHIN

    def _learn(self) -> None:
        together = np.concatenate(self._first) if self._first else np.empty(0)
        finite = together[np.isfinite(together)]
        places = np.flatnonzero(np.diff(finite))
        steps = np.diff(finite)[places]
        if len(steps) < 2:
            return
        self._step = _most_common(steps)
        self._hold = int(_most_common(np.diff(places))) if len(places) > 2 else 1
        self._first = []
        self._follow(together)

    def _follow(self, given: Floats) -> None:
        first, self._n = self._n, self._n + len(given)
        index = first + np.flatnonzero(np.isfinite(given))
        values = given[np.isfinite(given)]
        if self._last is not None:
            index, values = np.append(self._last[0], index), np.append(self._last[1], values)
        if not len(values):
            return
        self._low, self._high = min(self._low, values.min()), max(self._high, values.max())
        changed = np.flatnonzero(np.diff(values)) + 1
        cut_off = self._last is None and self._hold > 1  # the packet that runs at the start
        starts = changed if cut_off else np.append(0, changed)
        if not len(starts):
            return
        self._last = int(index[starts[-1]]), float(values[starts[-1]])
        rises, samples = np.diff(values[starts]), np.diff(index[starts])
        for place in np.flatnonzero(np.rint(rises / self._step) * self._hold != samples):
            before, after = float(values[starts[place]]), float(values[starts[place + 1]])
            jump = Jump(int(index[starts[place + 1]]), int(samples[place]), before, after)
            if not self._is_wrap(jump):
                self._jumps.append(jump)
        if len(self._jumps) > MOST_JUMPS:
            self._given_up, self._jumps = True, []

    def _is_wrap(self, jump: Jump) -> bool:
        """Whether it wrapped, and nothing was lost: at a usual width, or where it fell in the same way before."""
        rise = jump.after - jump.before
        if rise * self._step > 0:
            return False
        known = [self._modulus] if self._modulus else [width * abs(self._step) for width in WIDTHS]
        fall = jump.before, jump.after
        if not self._modulus and fall in self._falls:
            known.append(abs(rise) + abs(self._step))
            self._jumps = [one for one in self._jumps if (one.before, one.after) != fall]
        self._falls.add(fall)
        for modulus in known:
            if _lost(jump, self._step, self._hold, modulus) == 0:
                self._modulus = modulus
                return True
        return False

    @property
    def counts(self) -> Counts | None:
        """What it did so far; None while it does not count, or where the channel counts something else."""
        if not self._step and self._first:
            self._learn()
        if self._given_up or not self._step:
            return None
        return Counts(self._step, self._hold, float(self._low), float(self._high), self._modulus, tuple(self._jumps))


def _most_common(values: NDArray[np.float64] | NDArray[np.intp]) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


def counted(found: Timeline, counts: Counts, since: int = 0) -> Timeline:
    """The timeline, with the gaps and repeats that the counter tells in place of those that the stamps tell.

    Where the counter restarted nobody counted, and what the stamps tell stays.

    Parameters
    ----------
    found
        By stamps.
    counts
        What the counter did.
    since
        The timeline tells of the samples from this number on.
    """
    period = found.period_s
    jumps = [one for one in counts.jumps if one.index >= since]
    modulus = _modulus(counts)
    turn = round(modulus / abs(counts.step)) * counts.hold if modulus else 0
    reach = max(round(2.0 * found.packet_s / period), round(_APART_S / period), counts.hold)
    least = [_lost(jump, counts.step, counts.hold, modulus) for jump in jumps]
    by_stamps, alone = _attributed(found.lost, jumps, least, turn, reach)
    told: list[tuple[int, int]] = [*alone]
    resets: list[int] = []
    for jump, missing, stamps in zip(jumps, least, by_stamps, strict=True):
        whole = missing + (max(0, round((stamps - missing) / turn)) * turn if turn else 0)
        if _restarted(jump, counts, whole, stamps, period):
            resets.append(jump.index)
        elif whole:
            told.append((jump.index, whole))
    losses, repeats = _settled(sorted(told), counts.hold)
    kept = [gap for gap in found.lost if any(abs(gap.index - index) <= reach for index in resets)]
    repeats += [one for one in found.repeated if any(abs(one.index - index) <= reach for index in resets)]
    gaps = [*kept, *(Gap(index, missing * period, missing) for index, missing in losses)]
    ends = [gap for gap in (found.head, found.tail) if gap is not None]
    ordered = sorted([*gaps, *ends], key=lambda gap: (gap.index, gap.kind != "head"))
    return replace(found, gaps=tuple(ordered), repeated=tuple(sorted(repeats, key=lambda one: one.index)))


def _modulus(counts: Counts) -> float | None:
    """Where the counter wraps: as it was seen to, else at the least usual width; None where it never fell."""
    step = abs(counts.step)
    if counts.modulus is not None or all((one.after - one.before) * counts.step > 0 for one in counts.jumps):
        return counts.modulus
    span = counts.high - min(counts.low, 0.0)
    return next((width * step for width in WIDTHS if width * step > span), None)


def _lost(jump: Jump, step: float, hold: int, modulus: float | None) -> int:
    """Samples between both that did not come, less than one turn of the counter."""
    rise = (jump.after - jump.before) * np.sign(step)
    if modulus is not None and rise < 0:
        rise = np.mod(rise, modulus)
    return int(np.rint(rise / abs(step))) * hold - jump.samples


def _attributed(
    gaps: Sequence[Gap], jumps: Sequence[Jump], least: Sequence[int], turn: int, reach: int
) -> tuple[list[int], list[tuple[int, int]]]:
    """To each jump the samples that the stamps miss there, and losses of whole turns, which the counter cannot see."""
    places = np.array([jump.index for jump in jumps])
    by_stamps, alone = [0] * len(jumps), []
    for gap in gaps:
        near = range(*np.searchsorted(places, (gap.index - reach, gap.index + reach + 1))) if len(jumps) else range(0)
        off = {place: abs(_rest(gap.samples - least[place], turn)) for place in near}
        best = min(near, key=lambda place: (off[place], abs(jumps[place].index - gap.index)), default=None)
        if best is not None:
            by_stamps[best] += gap.samples
        elif turn and gap.samples > turn / 2 and abs(_rest(gap.samples, turn)) <= max(2, _SURE * gap.samples):
            alone.append((gap.index, round(gap.samples / turn) * turn))
    return by_stamps, alone


def _rest(samples: int, turn: int) -> int:
    return samples - round(samples / turn) * turn if turn else samples


def _restarted(jump: Jump, counts: Counts, missing: int, by_stamps: int, period: float) -> bool:
    fell = (jump.after - jump.before) * counts.step < 0
    if missing < 0 and fell:
        return True
    apart = abs(missing - by_stamps) * period
    begins = fell and abs(jump.after - counts.low) <= _NEAR_START * abs(counts.step) and missing > 1
    return apart > _APART_S and (begins or apart > _MOST_LOST_S)


def _settled(told: Sequence[tuple[int, int]], hold: int) -> tuple[list[tuple[int, int]], list[Repeat]]:
    """A counter that stood still and caught up lost nothing; what is left is lost, or came twice."""
    losses: list[tuple[int, int]] = []
    for index, missing in told:
        if losses and index - losses[-1][0] <= 2 * hold and losses[-1][1] * missing < 0:
            rest = losses.pop()[1] + missing
            if rest:
                losses.append((index, rest))
        else:
            losses.append((index, missing))
    return [one for one in losses if one[1] > 0], [Repeat(index, -missing) for index, missing in losses if missing < 0]
