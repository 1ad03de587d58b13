"""The windows of many sessions as dask collections, on one machine or many (extra ``[dask]``).

Tasks only read sessions, from paths or URLs that every worker can reach, so a worker that is lost costs the time that
its tasks take elsewhere. Results equal those of `windows` on one machine, in the same order.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import ConfigError, SessionDamagedError
from ..extras import needed
from .reading.pooling import everywhere, tried
from .reading.window_remarks import window_remarks
from .signal.gapless_runs import Run
from .signal.window_bounds import Cut, Wanted, class_of, class_set, cut_windows, one_shape, starts
from .windows import is_raw, labelled_pool

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from ..clock import Timeline
    from .reading.pooling import Paths
    from .signal.window_bounds import Shape
    from .windows import Times

    Window = tuple[NDArray[Any], NDArray[np.float64], int]

Result = TypeVar("Result")
TASK_SECONDS = 60.0
"""About how much signal a task reads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one task cuts: some runs of a stream of one session."""

    path: str
    place: int
    """Position of the session among the paths."""
    stream: str
    cut: Cut
    runs: tuple[Run, ...]
    classes: tuple[int, ...]
    """The class of each run."""
    n: int
    hop: int
    n_channels: int
    dtype: str
    strict: bool
    """Raise for samples that cannot be read, instead of leaving out the windows that have them."""
    timeline: Timeline
    raw: bool

    @property
    def counts(self) -> list[int]:
        """Windows of each run."""
        return [len(starts(run, self.n, self.hop)) for run in self.runs]

    def windows(self) -> list[Window]:
        """Cut them; see `iter_labeled_windows` for what each holds."""
        return [(window, ts, class_index) for window, ts, class_index, _ in self._cut()]

    def _cut(self) -> Iterator[tuple[NDArray[Any], NDArray[np.float64], int, int]]:
        """Windows with their times, classes and the numbers of their labels."""
        from .reading.reader import open_session_store

        classes = dict(zip(self.runs, self.classes, strict=True))
        with open_session_store(self.path) as session:
            data = session.stream_data(self.stream, whole=False)
            stream = replace(data, find_timeline=lambda: self.timeline, raw=self.raw)
            for run, window, ts in cut_windows(stream, self.runs, self.n, self.hop, self._leave_out):
                yield window, ts, classes[run], run.label

    def _leave_out(self, error: SessionDamagedError) -> None:
        if self.strict:
            raise error
        _log.warning("window left out: %s", error)

    def array(self) -> NDArray[Any]:
        """All of them, ``(n_windows, n_channels, n)``; of a `strict` piece, whose number is told beforehand."""
        return self.arrays()[0]

    def arrays(self) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
        """All of them, ``(n_windows, n_channels, n)``, with their classes and the numbers of their labels."""
        X = np.empty((sum(self.counts), self.n_channels, self.n), self.dtype)
        y, labels = np.empty(len(X), np.int64), np.empty(len(X), np.int64)
        count = 0
        for count, (window, _, class_index, label) in enumerate(self._cut(), 1):
            X[count - 1], y[count - 1], labels[count - 1] = window, class_index, label
        return X[:count], y[:count], labels[:count]


def windows_bag(
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
) -> Any:
    """The windows of `iter_labeled_windows` as a `dask.bag.Bag` of ``(window, ts, class_index)``.

    Time stamps and labels of every session are read first, by the cluster if there is a default client; a partition
    holds about `TASK_SECONDS` of signal. Parameters and errors are those of `iter_labeled_windows`; paths become
    absolute.
    """
    bag = _dask("dask.bag")
    pieces, _ = _plan(
        paths, stream_name, Cut(win_seconds, hop_seconds), classes, include_bad, strict, times, any_source
    )
    if not pieces:
        return bag.from_sequence([], npartitions=1)
    return bag.from_delayed([_delayed(Piece.windows)(piece) for piece in pieces])


def windows_arrays(
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
) -> tuple[Any, NDArray[np.int64], NDArray[np.int64]]:
    """The arrays of `labeled_windows`, with ``X`` as a `dask.array.Array` that is cut when it is computed.

    Returns
    -------
    X
        ``(n_windows, n_channels, n)``, lazy.
    y, groups
        ``(n_windows,)`` class indices, and numbers of the trials.

    Raises
    ------
    ConfigError, UnknownStreamError, SessionError
        As `labeled_windows`. Computing ``X`` raises SessionDamagedError where samples cannot be read, with ``strict``
        or without: how many windows there are is told beforehand. `windows_bag` leaves those out.
    """
    array = _dask("dask.array")
    pieces, shapes = _plan(
        paths, stream_name, Cut(win_seconds, hop_seconds), classes, include_bad, strict, times, any_source
    )
    n_channels, n, dtype = one_shape(shapes, stream_name)
    blocks = [
        array.from_delayed(
            _delayed(Piece.array)(replace(piece, strict=True)), (sum(piece.counts), n_channels, n), np.dtype(dtype)
        )
        for piece in pieces
    ]
    trials: dict[tuple[int, int], int] = {}
    y, groups = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for piece in pieces:
        numbers = [trials.setdefault((piece.place, run.label), len(trials)) for run in piece.runs]
        y.append(np.repeat(np.array(piece.classes, np.int64), piece.counts))
        groups.append(np.repeat(np.array(numbers, np.int64), piece.counts))
    empty = array.from_array(np.empty((0, n_channels, n), dtype), chunks=-1)
    return array.concatenate(blocks) if blocks else empty, np.concatenate(y), np.concatenate(groups)


def gathered_windows(
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
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """What `labeled_windows` returns, in memory here, cut by the cluster of the default client.

    Parameters, errors and results, also where samples cannot be read, are those of `labeled_windows`.
    """
    pieces, shapes = _plan(
        paths, stream_name, Cut(win_seconds, hop_seconds), classes, include_bad, strict, times, any_source
    )
    n_channels, n, dtype = one_shape(shapes, stream_name)
    done = _dask("dask").compute(*[_delayed(Piece.arrays)(piece) for piece in pieces])
    trials: dict[tuple[int, int], int] = {}
    groups = [
        trials.setdefault((piece.place, label), len(trials))
        for piece, (_, _, labels) in zip(pieces, done, strict=True)
        for label in labels.tolist()
    ]
    X = np.concatenate([np.empty((0, n_channels, n), dtype), *(one[0] for one in done)])
    y = np.concatenate([np.empty(0, np.int64), *(one[1] for one in done)])
    return X, y, np.array(groups, np.int64)


def session_array(path: str | os.PathLike[str], stream_name: str) -> Any:
    """A stream as a `dask.array.Array` ``(n_samples, n_channels)``, in chunks of about a minute.

    Raises
    ------
    UnknownStreamError, SessionError
        The session has no such stream, or cannot be read.
    ConfigError
        It is a stream of text.
    """
    from .reading.reader import open_session_store

    array, path = _dask("dask.array"), everywhere(path)
    with open_session_store(path) as session:
        stream = session.stream_data(stream_name, whole=False)
        if stream.info.is_string:
            raise ConfigError(f"{stream_name} is a stream of text; a dask array is made of numbers")
        length, info = stream.data.spec.chunk_length, stream.info
        step = max(1, round(TASK_SECONDS * (info.fs or 1.0) / length)) * length
        edges = [*range(0, stream.n_samples, step), stream.n_samples]
    blocks = [
        array.from_delayed(
            _delayed(_rows)(path, stream_name, start, stop), (stop - start, info.n_channels), info.np_dtype
        )
        for start, stop in pairwise(edges)
    ]
    empty = array.zeros((0, info.n_channels), dtype=info.np_dtype)
    return array.concatenate(blocks) if blocks else empty


def _dask(module: str) -> Any:
    return needed(module, "dask", "a dask collection")


def _delayed(function: Callable[..., Any]) -> Any:
    return _dask("dask").delayed(function, pure=True, traverse=False)


def _compute(function: Callable[..., Result], calls: Iterable[tuple[Any, ...]]) -> Iterable[Result | Exception]:
    """Results of many calls, or why there are none, by the cluster if there is a default client."""
    done: Iterable[Result | Exception] = _dask("dask").compute(*[_delayed(tried)(function, *call) for call in calls])
    return done


def _rows(path: str, stream_name: str, start: int, stop: int) -> NDArray[Any]:
    from .reading.reader import open_session_store

    with open_session_store(path) as session:
        return session.stream_data(stream_name, whole=False).rows(start, stop)


def _plan(
    paths: Paths,
    stream_name: str,
    cut: Cut,
    classes: Iterable[int] | None,
    include_bad: bool,
    strict: bool,
    times: Times,
    any_source: bool,
) -> tuple[list[Piece], set[Shape]]:
    """Pieces of all sessions, in order; and the shapes of windows that the sessions have."""
    wanted, raw = Wanted(class_set(classes), include_bad), is_raw(times)
    pool = labelled_pool(paths, stream_name, cut, strict, raw, any_source)
    places = pool.survey(_compute)
    pieces: list[Piece] = []
    shapes: set[Shape] = set()
    calls = [
        (everywhere(pool.paths[place]), place, stream_name, cut, pool.own(number, wanted), strict, raw)
        for number, place in enumerate(places)
    ]
    for number, planned in enumerate(_compute(_pieces_of, calls)):
        if isinstance(planned, Exception):
            pool.skip(planned)
            continue
        found, shape, remarks = planned
        for piece in found:
            pieces.append(replace(piece, classes=tuple(pool.classes.index(number, own) for own in piece.classes)))
        shapes.add(shape)
        for text in remarks:
            pool.remark(text)
    return pieces, shapes


def _pieces_of(
    path: str, place: int, stream_name: str, cut: Cut, wanted: Wanted, strict: bool, raw: bool
) -> tuple[list[Piece], Shape, list[str]]:
    from .reading.reader import open_session_store

    with open_session_store(path) as session:
        stream = replace(session.stream_data(stream_name), raw=raw)
        n, hop = cut.lengths(stream_name, stream.info)
        found = wanted.runs(stream, session.label_track, n, hop)
        runs = [part for run in found.runs for part in _parts(run, n, hop, stream.info.fs)]
        groups = _grouped(runs, round(TASK_SECONDS * stream.info.fs))
        pieces = [
            Piece(
                path,
                place,
                stream_name,
                cut,
                tuple(group),
                tuple(class_of(run, session.label_track) for run in group),
                n,
                hop,
                stream.info.n_channels,
                stream.info.dtype,
                strict,
                stream.timeline,
                raw,
            )
            for group in groups
        ]
        remarks = window_remarks(session, stream, found, wanted, n, hop)
        shape = (stream.info.n_channels, n, stream.info.dtype)
        return pieces, shape, remarks


def _parts(run: Run, n: int, hop: int, fs: float) -> Iterator[Run]:
    """A run in parts of at most about `TASK_SECONDS`, with the same windows; nothing where it has none."""
    each = max(1, round(TASK_SECONDS * fs) // hop)
    firsts = starts(run, n, hop)
    for at in range(0, len(firsts), each):
        part = firsts[at : at + each]
        yield Run(part[0], part[-1] + n, run.label)


def _grouped(runs: list[Run], n_samples: int) -> list[list[Run]]:
    """Runs that follow one another, in groups that reach over about ``n_samples``."""
    groups: list[list[Run]] = []
    for run in runs:
        if not groups or run.stop - groups[-1][0].start > n_samples:
            groups.append([])
        groups[-1].append(run)
    return groups
