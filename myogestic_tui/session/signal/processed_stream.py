"""A recorded stream whose samples are processed as they are read: the same `StreamData` to whoever cuts windows.

Processing restarts behind every gap. The stretches between gaps follow one another without room between them.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...clock.timeline import Gap
from ...errors import SessionDamagedError
from ..format.zarr_format import ArraySpec
from .gapless_runs import find_runs
from .processing import Ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...clock import Timeline
    from .gapless_runs import Run
    from .processing import Chain, Processing
    from .streamdata import StreamData

_KEPT_STEPS = 3


def processed(stream: StreamData, processing: Processing) -> StreamData:
    """The stream as it comes out of processing; the stream itself where nothing is done to it.

    Raises
    ------
    ConfigError
        The filter is for another rate, or the rate cannot be reached.
    """
    if not processing.makes_samples:
        if processing.channels is None:
            return stream
        info = processing.info(stream.name, stream.info)
        return replace(stream, info=info, data=_Columns(stream, processing.channels, ArraySpec.data(info)))
    layout = _Layout(stream, processing)
    stamps = _Times(layout)
    return replace(
        stream,
        info=layout.info,
        data=_Samples(layout, processing),
        stamps=stamps,
        find_timeline=lambda: layout.timeline,
    )


class _Columns:
    """Some channels of a stream."""

    def __init__(self, stream: StreamData, channels: Sequence[int], spec: ArraySpec) -> None:
        self.spec = replace(spec, chunk_length=stream.data.spec.chunk_length)
        self.n_rows, self.n_stored = stream.data.n_rows, 0
        self._rows, self._channels = stream.data, np.array(channels, np.intp)
        self.concurrent = getattr(stream.data, "concurrent", False)

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        return self._rows.rows(start, stop)[:, self._channels]


class _Step(NamedTuple):
    """Samples that are processed at once: ``start`` to ``stop`` of the source make ``first`` to ``last``."""

    start: int
    stop: int
    first: int
    last: int
    begins: bool
    """Whether it is the first of its stretch."""


class _Layout:
    """Where the samples of each stretch come to lie."""

    def __init__(self, stream: StreamData, processing: Processing) -> None:
        self.stream, self.info = stream, processing.info(stream.name, stream.info)
        self.ratio = Ratio(stream.name, stream.info.fs, self.info.fs)

    @cached_property
    def runs(self) -> list[tuple[Run, int]]:
        """Stretches without a gap, and the first sample that each makes."""
        found, first = [], 0
        for run in find_runs(self.stream):
            found.append((run, first))
            first += self.ratio.n_out(run.n_samples)
        return found

    @cached_property
    def steps(self) -> list[_Step]:
        found = []
        for run, first in self.runs:
            edges = [*range(run.start, run.stop, self.stream.block_rows), run.stop]
            for start, stop in pairwise(edges):
                made = first + self.ratio.n_out(start - run.start), first + self.ratio.n_out(stop - run.start)
                found.append(_Step(start, stop, *made, start == run.start))
        return found

    @cached_property
    def timeline(self) -> Timeline:
        """What is known of the times of the samples made, which are on the recorder's clock already."""
        known = self.stream.timeline
        ends = {0: 0, known.n_samples: self.n_made}
        gaps = [replace(gap, index=ends.get(gap.index, 0)) for gap in known.gaps if gap.kind != "gap"]
        gaps += [Gap(first, 0.0, 0) for _, first in self.runs if 0 < first < self.n_made]
        pieces = tuple(
            replace(
                piece,
                start=self._from(piece.start),
                basis="arrival" if piece.basis == "count" else piece.basis,
                at=np.zeros(1),
                offsets=np.zeros(1),
                shift=0.0,
            )
            for piece in known.pieces
        )
        period = known.period_s * self.stream.info.fs / self.info.fs
        leaps = tuple(replace(leap, index=self._from(leap.index)) for leap in known.leaps)
        return replace(
            known,
            n_samples=self.n_made,
            fs=self.info.fs,
            period_s=period,
            gaps=tuple(gaps),
            leaps=leaps,
            repeated=(),
            pieces=pieces,
            segments=(),
        )

    @cached_property
    def n_made(self) -> int:
        """Samples that all stretches make."""
        return sum(self.ratio.n_out(run.n_samples) for run, _ in self.runs)

    def _from(self, index: int) -> int:
        """The first sample made that is not before sample ``index``."""
        for run, first in self.runs:
            if index < run.stop:
                return first + (0 if index <= run.start else self.ratio.first_from(index - run.start))
        return self.n_made


class _Times:
    """When the samples made were taken, between the times of those that they are made of."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self.spec, self.n_rows, self.n_stored = ArraySpec.timestamps(layout.info), layout.n_made, 0

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        found = np.empty(stop - start)
        ratio, stream = self._layout.ratio, self._layout.stream
        for run, first in self._layout.runs:
            begin, end = max(start, first), min(stop, first + self._layout.ratio.n_out(run.n_samples))
            if begin >= end:
                continue
            at = run.start + np.arange(begin - first, end - first) * (ratio.down / ratio.up)
            low, high = int(at[0]), min(int(at[-1]) + 2, run.stop)
            found[begin - start : end - start] = np.interp(at, np.arange(low, high), stream.times(low, high))
        return found


class _Samples:
    """The samples made, in steps; the state behind every step is kept, so that any may be asked for."""

    def __init__(self, layout: _Layout, processing: Processing) -> None:
        self._layout = layout
        self.spec, self.n_rows, self.n_stored = ArraySpec.data(layout.info), layout.n_made, 0
        self._fresh = processing.start(layout.stream.name, layout.stream.info)
        self._states: dict[int, Chain] = {}
        self._made: dict[int, NDArray[Any] | SessionDamagedError] = {}

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        found = np.empty((stop - start, self._layout.info.n_channels), self.spec.np_dtype)
        steps = self._layout.steps
        number = max(0, bisect_right(steps, start, key=lambda step: step.first) - 1)
        while number < len(steps) and steps[number].first < stop:
            step, made = steps[number], self._step(number)
            if isinstance(made, SessionDamagedError):
                raise made
            begin, end = max(start, step.first), min(stop, step.last)
            found[begin - start : end - start] = made[begin - step.first : end - step.first]
            number += 1
        return found

    def _step(self, number: int) -> NDArray[Any] | SessionDamagedError:
        if number not in self._made:
            first = number
            while first not in self._states and not self._layout.steps[first].begins:
                first -= 1
            for at in range(first, number + 1):
                self._make(at)
        return self._made[number]

    def _make(self, number: int) -> None:
        step = self._layout.steps[number]
        chain = self._fresh.fork() if step.begins else self._states[number].fork()
        try:
            made: NDArray[Any] | SessionDamagedError = chain.feed(self._layout.stream.rows(step.start, step.stop))
        except SessionDamagedError as error:
            made = error
            chain.feed(np.full((step.stop - step.start, self._layout.stream.info.n_channels), np.nan))
        self._states[number + 1] = chain
        self._made[number] = made
        while len(self._made) > _KEPT_STEPS:
            del self._made[next(iter(self._made))]
