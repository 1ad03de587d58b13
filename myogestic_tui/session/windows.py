"""Windows for training: cut from any number of sessions, on corrected time, without the session in memory.

A window has ``floor(win_seconds * fs + 1e-9)`` samples, as one of a live stream has, and the next one begins
``floor(hop_seconds * fs + 1e-9)`` samples later. None contains a gap or a jump of the source's clock.

Labelled windows begin at the first sample of a label's span and lie wholly within it: a span lasts from one label event
to the next, also where both name the same class, because each is a trial. Class -1 means unlabelled, as do the samples
before the first label. Aligned windows run over all of the signal.

Arguments are checked when a function is called, before the first window is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import ConfigError, SessionDamagedError
from .reading.pooling import Pool
from .reading.window_remarks import window_remarks
from .signal.alignment import Alignment
from .signal.gapless_runs import find_runs
from .signal.window_bounds import Cut, Wanted, check_placed, class_set, cut_windows, one_shape, starts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from .reading.pooling import Paths
    from .reading.reader import SessionReader
    from .signal.gapless_runs import Run
    from .signal.streamdata import StreamData
    from .signal.window_bounds import Shape

    Times = Literal["sample", "raw"]
    LabeledWindow = tuple[NDArray[Any], NDArray[np.float64], int]
    AlignedWindow = tuple[NDArray[Any], dict[str, NDArray[np.float64]], NDArray[np.float64]]


def iter_labeled_windows(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: Iterable[int] | None = None,
    *,
    include_bad: bool = False,
    strict: bool = False,
    times: Times = "sample",
    any_source: bool = False,
) -> Iterator[LabeledWindow]:
    """Windows with the class that holds throughout.

    Parameters
    ----------
    paths
        Session folders or archives, in any state; one alone will do.
    stream_name
        A stream of numbers with a nominal rate.
    win_seconds, hop_seconds
        Length of a window, and from the start of one to the start of the next.
    classes
        Class indices that are wanted; None for every label, which leaves out what is unlabelled (-1).
    include_bad
        Also yield windows of trials that were marked bad.
    strict
        Raise where a session cannot be read or lacks the stream, instead of skipping it with a logged warning; and
        where some of its samples cannot be read, instead of leaving out the windows that have them.
    times
        ``"sample"``: when samples were taken, on the recorder's clock. ``"raw"``: the source's stamps as they are, in
        whatever clock; no sample gets a label then, so every window is of class -1.
    any_source
        Take sessions together although the stream's source_id differs: devices of one kind.

    Yields
    ------
    window
        ``(n_channels, n)`` in the stream's dtype, a contiguous copy.
    ts
        ``(n,)`` when each sample was taken, seconds on the recorder's clock.
    class_index
        The class. Where sessions have other class names, or in another order, classes are matched by name: an index is
        that of the first session, and names that it has not follow.

    Raises
    ------
    ClockError
        Nothing tells how the stream's time stamps lie to the labels. Raised by the call if that is so of all sessions;
        otherwise such sessions are skipped with a warning, or raise with ``strict``.
    ConfigError
        An argument is not usable: a length that is not positive or below one sample, a stream of text or without a
        rate. Raised by the call.
    UnknownStreamError
        No session that can be read has the stream. Raised by the call.
    OtherStreamError
        The stream is another one in some of the sessions: its type, channels, units, rate, dtype or source_id differ.
        Raised before the first window.
    OtherClassesError
        The sessions name their classes differently, and one has labels of a class without a name. Raised likewise.
    SessionError
        With ``strict``, for the first session that cannot be read.
    """
    cut, wanted = Cut(win_seconds, hop_seconds), Wanted(class_set(classes), include_bad)
    raw = is_raw(times)
    pool = labelled_pool(paths, stream_name, cut, strict, raw, any_source)

    def windows(number: int, reader: SessionReader) -> Iterator[LabeledWindow]:
        for run, window, ts in _labeled(reader, stream_name, cut, pool.own(number, wanted), pool, raw):
            yield window, ts, pool.class_of(number, run, reader.label_track)

    return pool.each(windows)


def iter_aligned_windows(
    paths: Paths,
    primary_stream: str,
    aligned_streams: Sequence[str],
    win_seconds: float,
    hop_seconds: float,
    align_window_samples: int = 1,
    *,
    causal: bool = False,
    interpolate: bool = False,
    cut_at_labels: bool = False,
    classes: Iterable[int] | None = None,
    include_bad: bool = False,
    strict: bool = False,
    times: Times = "sample",
    any_source: bool = False,
) -> Iterator[AlignedWindow]:
    """Windows of one stream, with the value that other streams have at their centre or end.

    A window for which an aligned stream has no value is left out: a regular stream has none further than a gap's
    threshold (20 ms or 5 samples) from its samples, nor where those that would be combined lie on both sides of a gap.

    Parameters
    ----------
    paths, win_seconds, hop_seconds, include_bad, strict, any_source
        As for `iter_labeled_windows`.
    times
        As there; with ``"raw"`` the stamps of all streams are taken to be of one clock.
    primary_stream
        The stream that is cut into windows: numbers, with a nominal rate.
    aligned_streams
        Streams of numbers, regular or not.
    align_window_samples
        The value is the mean of so many samples, those nearest to the window's centre: halfway between the times of
        its first and its last sample.
    causal
        Take the latest samples at or before the window's last sample instead, as a live predictor has to.
    interpolate
        Draw a line between the samples before and after the centre instead of a mean. Not with ``causal``.
    cut_at_labels
        Keep windows within one label's span, as `iter_labeled_windows` does, and leave out bad trials.
    classes
        Class indices that are wanted; implies ``cut_at_labels``.

    Yields
    ------
    window
        ``(n_channels, n)`` of the primary stream, a contiguous copy in its dtype.
    aligned
        For each aligned stream its value, ``(n_channels,)`` float64.
    ts
        ``(n,)`` when each sample was taken, seconds on the recorder's clock.

    Raises
    ------
    ConfigError, ClockError, UnknownStreamError, SessionError
        As `iter_labeled_windows`.
    """
    cut, wanted = Cut(win_seconds, hop_seconds), Wanted(class_set(classes), include_bad)
    how = _Alignments(list(_names(aligned_streams)), align_window_samples, causal, interpolate, is_raw(times))

    def check(reader: SessionReader) -> None:
        check_stream(reader, primary_stream, cut, how.raw)
        how.check(reader)

    at_labels = cut_at_labels or wanted.classes is not None
    needed = [primary_stream, *how.names]
    labelled = wanted.classes is not None and not how.raw
    pool = Pool(paths, needed, strict, check, labelled=labelled, any_source=any_source)

    def windows(number: int, reader: SessionReader) -> Iterator[AlignedWindow]:
        stream = replace(reader.stream_data(primary_stream), raw=how.raw)
        lengths = cut.lengths(primary_stream, stream.info)
        runs = _runs(reader, stream, pool.own(number, wanted), lengths, pool) if at_labels else find_runs(stream)
        alignments = how.of(reader)
        for _run, window, ts in cut_windows(stream, runs, *lengths, pool.leave_out):
            try:
                aligned = how.values(alignments, ts)
            except SessionDamagedError as error:
                pool.leave_out(error)
                continue
            if aligned is not None:
                yield window, aligned, ts

    return pool.each(windows)


def labeled_windows(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: Iterable[int] | None = None,
    *,
    group_by: Literal["trial", "session"] = "trial",
    include_bad: bool = False,
    strict: bool = False,
    times: Times = "sample",
    any_source: bool = False,
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """All labelled windows as arrays, for scikit-learn's grouped cross-validation.

    Windows that overlap must not stand on both sides of a split: give ``groups`` to ``GroupKFold`` or
    ``StratifiedGroupKFold``.

    Parameters
    ----------
    paths, stream_name, win_seconds, hop_seconds, classes, include_bad, strict, times, any_source
        As for `iter_labeled_windows`.
    group_by
        ``"trial"``: every label's span is a group, numbered on over all sessions. ``"session"``: every session is one,
        by its place in ``paths``.

    Returns
    -------
    X
        ``(n_windows, n_channels, n)`` in the stream's dtype.
    y
        ``(n_windows,)`` class indices.
    groups
        ``(n_windows,)``.

    Raises
    ------
    ConfigError, ClockError, UnknownStreamError
        As `iter_labeled_windows`; also where sessions differ in channel count, window length in samples or dtype, or
        none can be read.
    """
    if group_by not in ("trial", "session"):
        raise ConfigError(f"group_by is {group_by!r}; use 'trial' or 'session'")
    cut, wanted, raw = Cut(win_seconds, hop_seconds), Wanted(class_set(classes), include_bad), is_raw(times)
    pool = labelled_pool(paths, stream_name, cut, strict, raw, any_source)
    extents = dict(
        pool.each(lambda number, reader: [(number, _extent(reader, stream_name, cut, pool.own(number, wanted), raw))])
    )
    X = _room([*extents.values()], stream_name)
    y, groups = np.empty(len(X), np.int64), np.empty(len(X), np.int64)
    numbers: dict[tuple[int, int], int] = {}

    def rows(number: int, reader: SessionReader) -> Iterator[tuple[NDArray[Any], int, int]]:
        # One that is being recorded has more by now than there is room for.
        found = _labeled(reader, stream_name, cut, pool.own(number, wanted), pool, raw)
        for run, window, _ in islice(found, extents[number][0] if number in extents else 0):
            trial = numbers.setdefault((number, run.label), len(numbers))
            group = pool.place(number) if group_by == "session" else trial
            yield window, pool.class_of(number, run, reader.label_track), group

    count = 0
    for count, (window, class_index, group) in enumerate(pool.each(rows), 1):
        X[count - 1], y[count - 1], groups[count - 1] = window, class_index, group
    return X[:count], y[:count], groups[:count]


def labelled_pool(paths: Paths, name: str, cut: Cut, strict: bool, raw: bool, any_source: bool) -> Pool:
    """The sessions that labelled windows of a stream can be cut from."""
    check = partial(check_stream, name=name, cut=cut, raw=raw)
    return Pool(paths, [name], strict, check, labelled=not raw, any_source=any_source)


def is_raw(times: str) -> bool:
    """Whether stamps are to be taken as they are; ConfigError where that is no choice."""
    if times not in ("sample", "raw"):
        raise ConfigError(f"times is {times!r}; use 'sample' or 'raw'")
    return times == "raw"


def check_stream(reader: SessionReader, name: str, cut: Cut, raw: bool) -> None:
    """Raise ConfigError or ClockError where labelled windows cannot be cut from a stream."""
    cut.lengths(name, reader.stream_info(name))
    if reader.label_track and not raw:
        check_placed(name, *_placing(reader, name))


def _placing(reader: SessionReader, name: str) -> tuple[str, str]:
    """How a stream's stamps are tied to the recorder's clock, and why they tell nothing if they do not."""
    time = reader.measured(name).time
    return (time.basis, time.unusable) if time is not None else ("none", "")


def _labeled(
    reader: SessionReader, name: str, cut: Cut, wanted: Wanted, pool: Pool, raw: bool
) -> Iterator[tuple[Run, NDArray[Any], NDArray[np.float64]]]:
    stream = replace(reader.stream_data(name), raw=raw)
    lengths = cut.lengths(name, stream.info)
    return cut_windows(stream, _runs(reader, stream, wanted, lengths, pool), *lengths, pool.leave_out)


def _runs(reader: SessionReader, stream: StreamData, wanted: Wanted, lengths: tuple[int, int], pool: Pool) -> list[Run]:
    found = wanted.runs(stream, reader.label_track, *lengths)
    for text in window_remarks(reader, stream, found, wanted, *lengths):
        pool.remark(text)
    return found.runs


def _extent(reader: SessionReader, name: str, cut: Cut, wanted: Wanted, raw: bool) -> tuple[int, Shape]:
    """How many windows a session has, and their channels, samples and dtype."""
    stream = replace(reader.stream_data(name), raw=raw)
    n, hop = cut.lengths(name, stream.info)
    count = sum(len(starts(run, n, hop)) for run in wanted.runs(stream, reader.label_track, n, hop).runs)
    return count, (stream.info.n_channels, n, stream.info.dtype)


def _room(extents: list[tuple[int, Shape]], name: str) -> NDArray[Any]:
    n_channels, n, dtype = one_shape({shape for _, shape in extents}, name)
    return np.empty((sum(count for count, _ in extents), n_channels, n), dtype)


class _Alignments:
    """Which streams are aligned, and how; checked when made."""

    def __init__(self, names: list[str], samples: int, causal: bool, interpolate: bool, raw: bool) -> None:
        if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 1:
            raise ConfigError(f"align_window_samples is {samples!r}; give a number of samples, at least 1")
        if interpolate and samples != 1:
            raise ConfigError("interpolate draws a line between two samples; leave align_window_samples at 1")
        if interpolate and causal:
            raise ConfigError("causal and interpolate exclude each other: a line needs the sample after the instant")
        self.names, self._samples, self._causal, self._interpolate = names, int(samples), causal, interpolate
        self.raw = raw

    def check(self, reader: SessionReader) -> None:
        """Raise `ConfigError` for a stream of text, ClockError for one that cannot be placed."""
        for name in self.names:
            if reader.stream_info(name).is_string:
                raise ConfigError(f"{name} is a stream of text; a window's value is made of numbers")
            if not self.raw:
                check_placed(name, *_placing(reader, name))

    def of(self, reader: SessionReader) -> dict[str, Alignment]:
        """The streams of one session, by name."""
        self.check(reader)
        streams = {name: replace(reader.stream_data(name), raw=self.raw) for name in self.names}
        return {
            name: Alignment(stream, self._samples, causal=self._causal, interpolate=self._interpolate)
            for name, stream in streams.items()
        }

    def values(
        self, alignments: dict[str, Alignment], ts: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]] | None:
        """Every stream's value for a window whose samples have the times ``ts``; None where one has none."""
        instant = float(ts[-1]) if self._causal else float(ts[0] + ts[-1]) / 2
        values = {}
        for name, alignment in alignments.items():
            value = alignment.value(instant)
            if value is None:
                return None
            values[name] = value
        return values


def _names(names: Sequence[str]) -> Iterator[str]:
    if isinstance(names, str):
        raise ConfigError(f"aligned_streams is {names!r}; give a list: [{names!r}]")
    yield from names
