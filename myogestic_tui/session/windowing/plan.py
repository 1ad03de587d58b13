"""Which windows a session gives: found once, cut wherever its samples are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import NotFiniteError
from ..reading.window_remarks import left_out, window_remarks
from ..signal.gapless_runs import find_runs
from ..signal.processed_stream import processed
from ..signal.window_bounds import LabelledRuns, class_of, cut_windows, starts
from .window import LabeledWindow, WindowMeta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from ...clock import Timeline
    from ...errors import SessionDamagedError
    from ...info import StreamInfo
    from ..reading.open_session import OpenSession
    from ..reading.reader import SessionReader
    from ..signal.gapless_runs import Run
    from ..signal.streamdata import StreamData
    from .pooling import Pick
    from .recipe import Recipe


class Span(NamedTuple):
    """A run of samples under one label."""

    run: Run
    class_index: int
    since: float
    """When its label holds, in seconds on the recorder's clock; NaN where there is none."""
    error_s: float
    """How far wrong the times of its samples may be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of a session, or some of them; can be pickled.

    Attributes
    ----------
    n, hop
        Samples of a window, and from the first of one to the first of the next.
    info
        Layout of the stream that windows are cut from, after processing.
    timeline
        What is known of the time of the stream as it was recorded.
    """

    pick: Pick
    recipe: Recipe
    spans: tuple[Span, ...]
    n: int
    hop: int
    info: StreamInfo
    timeline: Timeline
    subject: str
    take: int

    @property
    def counts(self) -> list[int]:
        """Windows of each span, of which some may be left out when they are read."""
        return [len(starts(span.run, self.n, self.hop)) for span in self.spans]

    def stream(self, session: OpenSession) -> StreamData:
        """The stream that windows are cut from."""
        makes = self.pick.processing.makes_samples
        data = session.stream_data(self.recipe.stream, whole=makes)
        known = replace(data, find_timeline=lambda: self.timeline, raw=self.recipe.raw)
        return processed(known, self.pick.processing)

    def meta(self, span: Span, start_s: float) -> WindowMeta:
        """What is known of a window whose first sample was taken at ``start_s``."""
        trial_s = start_s - span.since
        return WindowMeta(self.pick.name, self.subject, self.take, span.run.label, trial_s, start_s, span.error_s)

    def windows(
        self, stream: StreamData, outcome: Outcome, room: Callable[[], NDArray[Any] | None] = lambda: None
    ) -> Iterator[LabeledWindow]:
        """Windows in order, as they are handed out.

        Parameters
        ----------
        stream
            What `stream` gives.
        outcome
            What becomes of windows that cannot be read, or have values that are no finite numbers.
        room
            Gives the array that the next window goes into; None for one of its own.
        """
        spans = {span.run: span for span in self.spans}
        for run, window, ts in cut_windows(stream, spans, self.n, self.hop, outcome.leave_out, room):
            meta = self.meta(spans[run], float(ts[0]))
            if outcome.takes(window, meta):
                yield LabeledWindow((window, ts, spans[run].class_index), meta)


class Outcome:
    """What becomes of windows that cannot be read, or have values that are no finite numbers.

    Parameters
    ----------
    recipe
        Says what is wanted.
    leave_out
        Told of samples that cannot be read.

    Attributes
    ----------
    dropped
        Windows that were left out for such values.
    """

    def __init__(self, recipe: Recipe, leave_out: Callable[[SessionDamagedError], object]) -> None:
        self._stream, self._on_nan, self.leave_out = recipe.stream, recipe.on_nan, leave_out
        self.dropped = 0

    def takes(self, window: NDArray[Any], meta: WindowMeta) -> bool:
        """Whether a window is handed out; NotFiniteError where that is to be an error."""
        if self._on_nan == "keep" or is_finite(window):
            return True
        if self._on_nan == "raise":
            raise NotFiniteError(
                f"{meta.session}: {self._stream} has a value that is no finite number in the window that starts at "
                f"{meta.start_s:.3f} s, {meta.trial_s:.2f} s after its label; on_nan='drop' leaves such windows out"
            )
        self.dropped += 1
        return False

    def remark(self, session: str) -> str:
        """The remark on it; empty where there is none."""
        return left_out(f"{session}: {self._stream}:", self.dropped, "with values that are no finite numbers")


def is_finite(window: NDArray[Any]) -> bool:
    """Whether all values are finite numbers."""
    if window.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        total = window.sum()
    # A finite sum has finite terms only, and is the quickest to look at; another one may have overflowed.
    return bool(np.isfinite(total) or np.isfinite(window).all())


def plan_session(
    reader: SessionReader, pick: Pick, recipe: Recipe, *, at_labels: bool = True
) -> tuple[Plan, StreamData, list[str]]:
    """Find the windows of a session, the stream that they are cut from, and remarks on them.

    Parameters
    ----------
    at_labels
        False: anywhere in the signal, whatever the labels.
    """
    source = replace(reader.stream_data(recipe.stream), raw=recipe.raw)
    stream = processed(source, pick.processing)
    n, hop = recipe.cut.lengths(recipe.stream, stream.info)
    wanted, track = pick.wanted, reader.label_track
    found = wanted.runs(stream, track, n, hop) if at_labels else LabelledRuns(find_runs(stream))
    plan = make_plan(reader, pick, recipe, source, stream, found.runs)
    return plan, stream, window_remarks(reader, stream, found, wanted, n, hop) if at_labels else []


def make_plan(
    reader: SessionReader, pick: Pick, recipe: Recipe, source: StreamData, stream: StreamData, runs: Iterable[Run]
) -> Plan:
    """The plan of cutting some runs of a stream, which is ``source`` as it was recorded."""
    track, meta = reader.label_track, reader.meta
    n, hop = recipe.cut.lengths(recipe.stream, stream.info)
    spans = tuple(
        Span(
            run,
            pick.index(class_of(run, track)),
            track[run.label].timestamp + pick.wanted.delay_s if run.label >= 0 else np.nan,
            _error_s(stream, run),
        )
        for run in runs
    )
    take = -1 if meta.take is None else meta.take
    return Plan(pick, recipe, spans, n, hop, stream.info, source.timeline, meta.subject, take)


def _error_s(stream: StreamData, run: Run) -> float:
    piece = None if stream.raw else stream.timeline.piece_at(run.start)
    return np.inf if piece is None else piece.error_s
