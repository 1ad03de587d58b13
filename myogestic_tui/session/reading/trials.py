"""Signal of a session in memory: all of a stream, a part of it, or the stretches around its labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...clock import gap_threshold
from ...errors import ConfigError
from ...info import samples_in
from ..signal.gapless_runs import UNLABELLED, find_runs
from ..signal.streamdata import HeldStamps, StreamData

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ...clock import Timeline
    from ..format.meta import LabelEvent, Meta
    from .session_view import StreamView


@dataclass(frozen=True, slots=True)
class Trial:
    """The signal around one label."""

    index: int
    """Position of the label in ``label_track``."""
    class_index: int
    timestamp: float
    """When the label began, in seconds on the recorder's clock."""
    bad: bool
    data: NDArray[Any]
    """``(n_channels, n)`` in the stream's dtype."""
    ts: NDArray[np.float64]
    """``(n,)`` corrected time of each sample."""


class SignalReading(ABC):
    """What `SessionReader` offers of signal."""

    meta: Meta
    label_track: list[LabelEvent]

    @abstractmethod
    def stream(self, name: str) -> StreamView:
        """One stream with its arrays; UnknownStreamError where there is none."""

    @abstractmethod
    def timeline(self, name: str) -> Timeline:
        """What the time model knows of a stream; UnknownStreamError where there is none."""

    @property
    def extras(self) -> dict[str, Any]:
        """Fields of ``meta.json`` beyond those of the format: what the configuration or a script added."""
        return self.meta.extra

    def stream_data(self, name: str, *, whole: bool = True) -> StreamData:
        """One stream for block-wise reading on corrected time; UnknownStreamError where there is none.

        Without `whole` only a part of it is to be read, and so are its stamps.
        """
        stream = self.stream(name)
        stamps = HeldStamps(stream.stamps) if whole else stream.stamps
        return StreamData(stream.stem, stream.info, stream.data, stamps, partial(self.timeline, stream.stem))

    def get_continuous(
        self,
        name: str,
        start: float | None = None,
        stop: float | None = None,
        *,
        clock: Literal["corrected", "raw"] = "corrected",
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """All samples of a stream, or those from ``start`` to ``stop`` (not included), in memory.

        Parameters
        ----------
        name
            The stream.
        start, stop
            Corrected time in seconds, the clock of labels; None is the stream's beginning or end.
        clock
            Which times are returned: the recorder's or the source's own.

        Returns
        -------
        data
            ``(n_samples, n_channels)`` in the stream's dtype; text as objects.
        ts
            ``(n_samples,)`` seconds.

        Raises
        ------
        ConfigError
            There is no such clock, or a time is no number.
        UnknownStreamError
            There is no such stream.
        """
        if clock not in ("corrected", "raw"):
            raise ConfigError(f"clock is {clock!r}; use 'corrected' or 'raw'")
        if any(end is not None and np.isnan(end) for end in (start, stop)):
            raise ConfigError(f"start is {start!r} and stop is {stop!r}; give seconds, or None")
        stream = self.stream_data(name)
        first, last = 0, stream.n_samples
        if start is not None:
            first = first_at(stream, [start])[start]
        if stop is not None:
            last = max(first, first_at(stream, [stop])[stop])
        times = stream.corrected(first, last) if clock == "corrected" else stream.raw_times(first, last)
        return stream.rows(first, last), times

    def get_trials(
        self,
        name: str,
        pre: float = 0.0,
        post: float | None = None,
        *,
        classes: Iterable[int] | None = None,
        include_bad: bool = False,
    ) -> list[Trial]:
        """The signal around each label, from ``pre`` seconds before it to ``post`` seconds after it, in memory.

        A trial that is not whole (it begins before the stream, ends after it, or holds a gap) is left out; ``index``
        tells which those are.

        Parameters
        ----------
        name
            The stream.
        pre
            Seconds before the label, 0 or more.
        post
            Seconds after it; None: until the next label. With it all trials of a regular stream have
            ``samples_in(pre + post, fs)`` samples and can be stacked.
        classes
            Class indices that are wanted; None for all but -1.
        include_bad
            Also trials that were marked bad.

        Raises
        ------
        ConfigError
            A length is negative or not finite, or both come to nothing.
        UnknownStreamError
            There is no such stream.
        ClockError
            Nothing tells how the stream's time stamps lie to the labels.
        """
        from ..signal.window_bounds import check_placed, class_set

        if not (0 <= pre < np.inf) or not (post is None or -pre < post < np.inf):
            raise ConfigError(f"pre is {pre!r} and post is {post!r}; pre is 0 or more, and the two make some time")
        wanted = class_set(classes)
        stream, track = self.stream_data(name), self.label_track
        if track:
            check_placed(name, stream.timeline.basis, stream.timeline.unusable)
        ends = [event.timestamp for event in track[1:]] + [np.inf]
        spans = [
            (event.timestamp - pre, ends[index] if post is None else event.timestamp + post)
            for index, event in enumerate(track)
        ]
        places = whole_places(stream, spans, None if post is None else pre + post)
        return [
            Trial(index, event.class_index, event.timestamp, event.bad, *_signal(stream, *place))
            for index, (event, place) in enumerate(zip(track, places, strict=True))
            if place is not None
            and (include_bad or not event.bad)
            and (event.class_index > UNLABELLED if wanted is None else event.class_index in wanted)
        ]


def _signal(stream: StreamData, first: int, last: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
    return np.ascontiguousarray(stream.rows(first, last).T), stream.times(first, last)


def whole_places(
    stream: StreamData, spans: list[tuple[float, float]], seconds: float | None
) -> list[tuple[int, int] | None]:
    """First sample and one past the last of each span of time; None for those that are not whole."""
    index_at = first_at(stream, [time for span in spans for time in span])
    runs = [(run.start, run.stop) for run in find_runs(stream)]
    fs = stream.info.fs
    places: list[tuple[int, int] | None] = []
    for start, stop in spans:
        first, last = index_at[start], index_at[stop]
        if fs > 0 and seconds is not None:
            last = first + samples_in(seconds, fs)
        whole = any(begin <= first < last <= end for begin, end in runs) and _begins(stream, first, start)
        places.append((first, last) if whole else None)
    return places


def _begins(stream: StreamData, first: int, start: float) -> bool:
    """Whether there is signal from ``start`` on; of an irregular stream silence is no less whole."""
    fs = stream.info.fs
    return fs <= 0 or float(stream.times(first, first + 1)[0]) - start <= gap_threshold(fs)


def first_at(stream: StreamData, times: list[float]) -> dict[float, int]:
    """For each time the first sample at or after it; the number of samples where there is none."""
    marks = sorted({*times})
    found = dict.fromkeys(marks, stream.n_samples)
    open_from = 0
    for run in find_runs(stream, marks):
        for mark in marks[open_from : run.label + 1]:
            found[mark] = run.start
        open_from = max(open_from, run.label + 1)
    return found
