"""The windows of many sessions as dask collections, on one machine or many (extra ``[dask]``).

Tasks only read sessions, from paths or URLs that every worker can reach, so a worker that is lost costs the time that
its tasks take elsewhere. Results equal those of `windowing` on one machine, in the same order.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import ConfigError, SessionDamagedError
from ..extras import needed
from .reading.find_sessions import everywhere
from .reading.reader import open_session_store
from .signal.gapless_runs import Run
from .signal.window_bounds import Cut, starts
from .windowing.arrays import Windows, groups_of, room_for
from .windowing.plan import Outcome, Plan, Span, plan_session
from .windowing.pooling import Pool
from .windowing.recipe import CLEAN, Recipe
from .windowing.session_facts import tried
from .windowing.stretches import cut_stretches
from .windowing.window import LabeledWindow, meta_table

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator
    from typing import Unpack

    from numpy.typing import NDArray

    from .reading.find_sessions import Paths
    from .windowing.pooling import Pick
    from .windowing.recipe import ClassChoice, WindowOptions
    from .windowing.stretches import Stretches

Result = TypeVar("Result")

TASK_SECONDS = 60.0
"""About how much signal a task reads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one task cuts: some of the windows of one session."""

    plan: Plan

    def windows(self) -> list[LabeledWindow]:
        """Cut them; see `iter_labeled_windows` for what each holds."""
        outcome = Outcome(self.plan.recipe, self._leave_out)
        with open_session_store(self.plan.pick.path) as session:
            found = list(self.plan.windows(self.plan.stream(session), outcome))
        self._tell(outcome)
        return found

    def array(self) -> NDArray[Any]:
        """All of them, ``(n_windows, n_channels, n)``; of a strict piece, whose number is fixed beforehand."""
        found = self.stretches()
        return found.copy_to(np.empty((len(found), self.plan.info.n_channels, found.n), self.plan.info.np_dtype))

    def stretches(self) -> Stretches:
        """All of them with their classes and `WindowMeta`, to be sent: each sample once."""
        outcome = Outcome(self.plan.recipe, self._leave_out)
        with open_session_store(self.plan.pick.path) as session:
            found = cut_stretches(self.plan, self.plan.stream(session), outcome)
        self._tell(outcome)
        return found

    def _leave_out(self, error: SessionDamagedError) -> None:
        if self.plan.recipe.strict:
            raise error
        _log.warning("window left out: %s", error)

    def _tell(self, outcome: Outcome) -> None:
        if text := outcome.remark(self.plan.pick.name):
            _log.warning("%s", text)


def windows_bag(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Any:
    """The windows of `iter_labeled_windows` as a `dask.bag.Bag`.

    Time stamps and labels of every session are read first, by the cluster if there is a default client; a partition
    holds about `TASK_SECONDS` of signal, or a whole session that is filtered or resampled. Parameters and errors are
    those of `iter_labeled_windows`.
    """
    bag = _dask("dask.bag")
    _, pieces = _plan(paths, Recipe.of(stream_name, Cut(win_seconds, hop_seconds), classes, options))
    if not pieces:
        return bag.from_sequence([], npartitions=1)
    return bag.from_delayed([_delayed(Piece.windows)(piece) for piece in pieces])


def windows_arrays(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
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
        As `labeled_windows`; also for ``on_nan="drop"``. Computing ``X`` raises SessionDamagedError where samples
        cannot be read, with ``strict`` or without: the number of windows is fixed beforehand. `windows_bag` and
        `gathered_windows` leave windows out.
    """
    array = _dask("dask.array")
    recipe = Recipe.of(stream_name, Cut(win_seconds, hop_seconds), classes, options)
    if recipe.on_nan == "drop":
        raise ConfigError("on_nan is 'drop', but the number of windows is fixed beforehand; use 'keep' or 'raise'")
    pool, pieces = _plan(paths, recipe)
    room = room_for(pool, 0)
    blocks = [
        array.from_delayed(
            _delayed(Piece.array)(Piece(replace(piece.plan, recipe=replace(recipe, strict=True)))),
            (sum(piece.plan.counts), *room.shape[1:]),
            room.dtype,
        )
        for piece in pieces
    ]
    trials: dict[tuple[int, int], int] = {}
    y, groups = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for plan in (piece.plan for piece in pieces):
        numbers = [trials.setdefault((plan.pick.place, span.run.label), len(trials)) for span in plan.spans]
        y.append(np.repeat(np.array([span.class_index for span in plan.spans], np.int64), plan.counts))
        groups.append(np.repeat(np.array(numbers, np.int64), plan.counts))
    empty = array.from_array(room, chunks=-1)
    return array.concatenate(blocks) if blocks else empty, np.concatenate(y), np.concatenate(groups)


def gathered_windows(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """What `labeled_windows` returns, in memory here, cut by the cluster of the default client.

    Parameters, errors and results, also where samples cannot be read, are those of `labeled_windows`.
    """
    pool, found = _gather(paths, Recipe.of(stream_name, Cut(win_seconds, hop_seconds), classes, options))
    return found.X, found.y, groups_of(pool, found)


def windows_on_cluster(
    paths: Paths,
    stream: str,
    win_s: float,
    hop_s: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Windows:
    """What `windows` returns, in memory here, cut by the cluster of the default client."""
    return _gather(paths, Recipe.of(stream, Cut(win_s, hop_s), classes, options, CLEAN))[1]


def _gather(paths: Paths, recipe: Recipe) -> tuple[Pool, Windows]:
    pool, pieces = _plan(paths, recipe)
    # From the workers themselves: by way of the scheduler, as dask does it unless told, all samples are sent twice.
    # What it cannot fetch from a worker it fetches that way; schedulers of one process pass over the argument.
    calls = [_delayed(Piece.stretches)(piece) for piece in pieces]
    done: tuple[Stretches, ...] = _dask("dask").compute(*calls, direct=True)
    X = room_for(pool, sum(map(len, done)))
    at = 0
    for one in done:
        one.copy_to(X[at : at + len(one)])
        at += len(one)
    y = np.concatenate([np.empty(0, np.int64), *(one.y for one in done)])
    meta = meta_table([row for one in done for row in one.meta])
    info = pool.layout()
    return pool, Windows(X, y, pool.class_names, meta, info.fs, info.names)


def session_array(path: str | os.PathLike[str], stream_name: str) -> Any:
    """A stream as a `dask.array.Array` ``(n_samples, n_channels)``, in chunks of about a minute.

    Raises
    ------
    UnknownStreamError, SessionError
        The session has no such stream, or cannot be read.
    ConfigError
        It is a stream of text.
    """
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
    with open_session_store(path) as session:
        return session.stream_data(stream_name, whole=False).rows(start, stop)


def _plan(paths: Paths, recipe: Recipe) -> tuple[Pool, list[Piece]]:
    """The sessions, and the pieces of all of them, in order."""
    pool = Pool(paths, recipe, recipe.check)
    found: list[Piece] = []
    for planned in _compute(_pieces_of, [(pick, recipe) for pick in pool.survey(_compute)]):
        if isinstance(planned, Exception):
            pool.skip(planned)
            continue
        pieces, remarks = planned
        found += pieces
        for text in remarks:
            pool.remark(text)
    return pool, found


def _pieces_of(pick: Pick, recipe: Recipe) -> tuple[list[Piece], list[str]]:
    with open_session_store(pick.path) as session:
        plan, _, remarks = plan_session(session, pick, recipe)
    if pick.processing.makes_samples:  # what comes before a part bears on it
        return [Piece(plan)] if plan.spans else [], remarks
    parts = [part for span in plan.spans for part in _parts(span, plan)]
    groups = _grouped(parts, round(TASK_SECONDS * plan.info.fs))
    return [Piece(replace(plan, spans=tuple(group))) for group in groups], remarks


def _parts(span: Span, plan: Plan) -> Iterator[Span]:
    """A span in parts of at most about `TASK_SECONDS`, with the same windows; nothing where it has none."""
    each = max(1, round(TASK_SECONDS * plan.info.fs) // plan.hop)
    firsts = starts(span.run, plan.n, plan.hop)
    for at in range(0, len(firsts), each):
        part = firsts[at : at + each]
        yield span._replace(run=Run(part[0], part[-1] + plan.n, span.run.label))


def _grouped(spans: list[Span], n_samples: int) -> list[list[Span]]:
    """Spans that follow one another, in groups that reach over about ``n_samples``."""
    groups: list[list[Span]] = []
    for span in spans:
        if not groups or span.run.stop - groups[-1][0].run.start > n_samples:
            groups.append([])
        groups[-1].append(span)
    return groups
