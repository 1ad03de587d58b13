"""Lengths and places of windows, and which of them are wanted: shared by every way of getting at windows."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import ClockError, ConfigError, SessionDamagedError
from ...info import samples_in
from .gapless_runs import SAME_TIME, UNLABELLED, Run, find_runs
from .sample_reader import SampleReader, TimeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ...info import StreamInfo
    from ..format.meta import LabelEvent
    from .streamdata import StreamData


@dataclass(frozen=True, slots=True)
class Cut:
    """Length of windows and of the hop between their starts, in seconds.

    Raises
    ------
    ConfigError
        One of them is not a positive number.
    """

    win_seconds: float
    hop_seconds: float

    def __post_init__(self) -> None:
        for name in ("win_seconds", "hop_seconds"):
            _check_seconds(name, getattr(self, name))

    def lengths(self, name: str, info: StreamInfo) -> tuple[int, int]:
        """Samples of a window and of a hop, by `samples_in`.

        Raises
        ------
        ConfigError
            The stream ``name`` has text or no rate, or a length comes to less than one sample.
        """
        if info.is_string:
            raise ConfigError(f"{name} is a stream of text; windows are cut from numbers")
        if not info.is_regular:
            raise ConfigError(f"{name} has no nominal rate, so a window of {self.win_seconds} s has no length")
        n, hop = samples_in(self.win_seconds, info.fs), samples_in(self.hop_seconds, info.fs)
        if n < 1 or hop < 1:
            short = "win_seconds" if n < 1 else "hop_seconds"
            raise ConfigError(f"{short} is {getattr(self, short)}: less than one sample of {name} at {info.fs:g} Hz")
        return n, hop


def _check_seconds(name: str, value: Any) -> None:
    try:
        usable = math.isfinite(value) and value > 0 and not isinstance(value, bool)
    except TypeError:
        usable = False
    if not usable:
        raise ConfigError(f"{name} is {value!r}; give a positive number of seconds")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which labels' spans are wanted.

    Parameters
    ----------
    classes
        Class indices, -1 for what is unlabelled; None for every class but that.
    include_bad
        Whether trials that were marked bad count.
    skip_s
        How long after its label a span begins.
    delay_s
        How much later than their time stamps labels hold.
    """

    classes: frozenset[int] | None = None
    include_bad: bool = False
    skip_s: float = 0.0
    delay_s: float = 0.0

    def runs(self, stream: StreamData, track: Sequence[LabelEvent], n: int, hop: int) -> LabelledRuns:
        """The runs of a stream that lie under wanted labels; ``track`` is in time order.

        Parameters
        ----------
        n, hop
            Samples of a window and of a hop: a run begins with the first window that certainly lies under its label.

        Raises
        ------
        ClockError
            Nothing tells how the stream's time stamps lie to the labels.
        """
        if stream.raw:
            whole = Wanted(self.classes or frozenset({UNLABELLED}))
            return LabelledRuns([run for run in find_runs(stream) if whole.keeps(run, track)])
        if track:
            check_placed(stream.name, stream.timeline.basis, stream.timeline.unusable)
        times = [event.timestamp + self.delay_s for event in track]
        found = LabelledRuns([])
        for run in find_runs(stream, times):
            if self.keeps(run, track):
                found.add(stream, self._settled(stream, run, times), times, n, hop)
        return found

    def _settled(self, stream: StreamData, run: Run, label_times: Sequence[float]) -> Run:
        """The run from the first sample that lies ``skip_s`` behind its label."""
        if run.label < 0 or not self.skip_s:
            return run
        start = run.start + max(0, _samples_to(stream, run.start, label_times[run.label] + self.skip_s - SAME_TIME))
        return Run(min(start, run.stop), run.stop, run.label)

    def keeps(self, run: Run, track: Sequence[LabelEvent]) -> bool:
        """Whether a run's label is wanted."""
        if run.label >= 0 and track[run.label].bad and not self.include_bad:
            return False
        index = class_of(run, track)
        return index > UNLABELLED if self.classes is None else index in self.classes


@dataclass
class LabelledRuns:
    """Runs whose windows lie under one label for certain.

    Attributes
    ----------
    left_out, guard_s
        Windows that lie closer to a change of label than the error of the stream's time; the greatest such error.
    """

    runs: list[Run]
    left_out: int = 0
    guard_s: float = 0.0

    def add(self, stream: StreamData, run: Run, label_times: Sequence[float], n: int, hop: int) -> None:
        """Take the part of a run that keeps away from the labels on both sides of it."""
        if run.n_samples <= 0:
            return
        guard = stream.timeline.guard_s(run.start)
        kept = _guarded(stream, run, label_times, guard, hop) if guard > 0 else run
        lost = len(starts(run, n, hop)) - len(starts(kept, n, hop))
        self.left_out += lost
        self.guard_s = max(self.guard_s, guard) if lost else self.guard_s
        if kept.n_samples > 0:
            self.runs.append(kept)


def _guarded(stream: StreamData, run: Run, label_times: Sequence[float], guard: float, hop: int) -> Run:
    """The run from its first window behind the guard of its label, up to the guard of the next one."""
    start, stop = run.start, run.stop
    if run.label >= 0:
        late = _samples_to(stream, start, label_times[run.label] + guard)
        start += max(0, -(-late // hop) * hop)
    if run.label + 1 < len(label_times):
        until = label_times[run.label + 1] - guard
        stop = min(stop, run.start + _samples_to(stream, run.start, until, rounded=math.floor) + 1)
    return Run(start, max(start, stop), run.label)


def _samples_to(stream: StreamData, start: int, instant: float, rounded: Callable[[float], int] = math.ceil) -> int:
    """Samples from number ``start`` to an instant (recorder's clock, s); less than 0 where it is earlier."""
    first = float(stream.times(start, start + 1)[0])
    return rounded((instant - first) / stream.timeline.period_s)


def check_placed(name: str, basis: str, unusable: str = "") -> None:
    """Raise ClockError where nothing tells how a stream's time stamps lie to the recorder's clock.

    ``unusable``: why the stamps tell nothing at all, if they do not.
    """
    if basis == "none":
        why = f"{unusable}, and" if unusable else "its time stamps are in another clock and"
        raise ClockError(
            f"{name}: {why} nothing tells how they lie to the labels. Labels cannot be given to its samples. Use "
            '--times raw (times="raw") to cut without labels, or record again'
        )


def class_set(classes: Iterable[int] | None) -> frozenset[int] | None:
    """Class indices as a set.

    Raises
    ------
    ConfigError
        It is not a collection of whole numbers from -1 up.
    """
    if classes is None:
        return None
    try:
        given = list(classes)
        if all(index == int(index) >= UNLABELLED for index in given):
            return frozenset(int(index) for index in given)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ConfigError(f"classes is {classes!r}; give class indices, such as {{0, 1}}, or None for all")


def class_of(run: Run, track: Sequence[LabelEvent]) -> int:
    """Class index of a run; -1 before the first label."""
    return track[run.label].class_index if run.label >= 0 else UNLABELLED


def starts(run: Run, n: int, hop: int) -> range:
    """First samples of the windows in a run."""
    return range(run.start, run.stop - n + 1, hop)


def cut_windows(
    stream: StreamData,
    runs: Iterable[Run],
    n: int,
    hop: int,
    leave_out: Callable[[SessionDamagedError], object],
    room: Callable[[], NDArray[Any] | None] = lambda: None,
) -> Iterator[tuple[Run, NDArray[Any], NDArray[np.float64]]]:
    """Windows of some runs, in order: run, ``(n_channels, n)`` copy, ``(n,)`` corrected times.

    A window with samples that cannot be read is left out, once ``leave_out`` was told why and did not raise. ``room``
    gives the array that the next window goes into; None for one of its own.
    """
    runs = list(runs)
    firsts = (start for run in runs for start in starts(run, n, hop))
    times = TimeReader(stream, n)
    with closing(SampleReader(stream, n, firsts)) as samples:
        for run in runs:
            for start in starts(run, n, hop):
                try:
                    window = samples.take(start, start + n, room())
                except SessionDamagedError as error:
                    leave_out(error)
                    continue
                yield run, window, times.take(start, start + n)
