"""All windows of some sessions as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError
from ...plural import count_of
from ..signal.window_bounds import Cut
from .aligned_values import AlignedValues
from .iterators import aligned_pool_windows, planned_windows
from .plan import Plan, plan_session
from .pooling import Pool
from .recipe import CLEAN, Recipe
from .window import LabeledWindow, WindowMeta, group_numbers, meta_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Unpack

    from numpy.typing import NDArray

    from ..reading.find_sessions import Paths
    from ..reading.reader import SessionReader
    from .pooling import Pick
    from .recipe import ClassChoice, WindowOptions
    from .window import GroupBy

    PlanOf = Callable[[SessionReader, Pick], tuple[Plan, list[str]]]


@dataclass(frozen=True)
class Windows:
    """Windows with what is known of them; ``windows[mask]`` are some of them.

    Attributes
    ----------
    X
        ``(n_windows, n_channels, n)`` in the stream's dtype.
    y
        ``(n_windows,)`` class indices.
    class_names
        By class index; empty where the classes have no names.
    meta
        Structured array ``(n_windows,)`` with the fields of `WindowMeta`: ``meta["subject"]``. `pandas.DataFrame` takes
        it as it is.
    fs
        Rate of the samples in Hz.
    channel_names
        ``n_channels`` of them.
    Y
        For each aligned stream its values, ``(n_windows, n_channels)`` float64.
    """

    X: NDArray[Any]
    y: NDArray[np.int64]
    class_names: tuple[str, ...]
    meta: NDArray[Any]
    fs: float
    channel_names: tuple[str, ...]
    Y: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, chosen: Any) -> Windows:
        chosen = [chosen] if isinstance(chosen, int | np.integer) else chosen
        aligned = {name: values[chosen] for name, values in self.Y.items()}
        return replace(self, X=self.X[chosen], y=self.y[chosen], meta=self.meta[chosen], Y=aligned)

    def __repr__(self) -> str:
        names = dict(enumerate(self.class_names))
        counts = ", ".join(
            f"{names.get(index, index)} {np.count_nonzero(self.y == index)}" for index in np.unique(self.y).tolist()
        )
        sessions, subjects = (count_of(len(np.unique(self.meta[key])), key) for key in ("session", "subject"))
        shape = " x ".join(map(str, self.X.shape[1:]))
        return f"<{count_of(len(self), 'window')} of {shape} at {self.fs:g} Hz from {sessions} of {subjects}: {counts}>"

    def groups(self, by: GroupBy = "trial") -> NDArray[np.int64]:
        """A number for each window's trial, session or subject, ``(n_windows,)``, in their order.

        Raises
        ------
        ConfigError
            It is none of these, or a session has no subject.
        """
        return group_numbers(self.meta, by)


def windows(
    paths: Paths,
    stream: str,
    win_s: float,
    hop_s: float,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Windows:
    """All labelled windows of some sessions, to train on: without bad channels, and without values that are no numbers.

    Parameters
    ----------
    paths, stream, win_s, hop_s, classes
        As ``paths``, ``stream_name``, ``win_seconds``, ``hop_seconds`` and ``classes`` of `iter_labeled_windows`.
    **options
        See `WindowOptions`. Here ``channels`` is ``"good"`` and ``on_nan`` is ``"drop"`` unless given.

    Raises
    ------
    ConfigError, ClockError, UnknownStreamError, OtherStreamError, OtherClassesError, NotFiniteError, SessionError
        As `iter_labeled_windows`.
    """
    recipe = Recipe.of(stream, Cut(win_s, hop_s), classes, options, CLEAN)
    return gather(Pool(paths, recipe, recipe.check))


def labeled_windows(
    paths: Paths,
    stream_name: str,
    win_seconds: float,
    hop_seconds: float,
    classes: ClassChoice = None,
    *,
    group_by: GroupBy = "trial",
    **options: Unpack[WindowOptions],
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """The windows of `iter_labeled_windows` as arrays, for scikit-learn's grouped cross-validation.

    Windows that overlap must not stand on both sides of a split: give ``groups`` to ``GroupKFold`` or
    ``StratifiedGroupKFold``. `windows` tells more of them.

    Parameters
    ----------
    paths, stream_name, win_seconds, hop_seconds, classes, **options
        As for `iter_labeled_windows`.
    group_by
        What is a group: a ``"trial"`` (a label's span) or a ``"subject"``, numbered on over all sessions, or a
        ``"session"``, by its place in ``paths``.

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
    ConfigError, ClockError, UnknownStreamError, OtherStreamError, OtherClassesError, NotFiniteError, SessionError
        As `iter_labeled_windows`.
    """
    if group_by not in ("trial", "session", "subject"):
        raise ConfigError(f"group_by is {group_by!r}; use 'trial', 'session' or 'subject'")
    recipe = Recipe.of(stream_name, Cut(win_seconds, hop_seconds), classes, options)
    pool = Pool(paths, recipe, recipe.check)
    found = gather(pool)
    return found.X, found.y, groups_of(pool, found, group_by)


def groups_of(pool: Pool, found: Windows, group_by: GroupBy = "trial") -> NDArray[np.int64]:
    """As `Windows.groups`, but sessions go by their places in ``paths``."""
    if group_by != "session":
        return found.groups(group_by)
    places = {pick.name: pick.place for pick in pool.survey()}
    return np.array([places[name] for name in found.meta["session"].tolist()], np.int64)


def aligned_windows(
    paths: Paths,
    primary_stream: str,
    aligned_streams: Sequence[str],
    win_s: float,
    hop_s: float,
    align_window_samples: int = 1,
    *,
    causal: bool = False,
    interpolate: bool = False,
    cut_at_labels: bool = False,
    classes: ClassChoice = None,
    **options: Unpack[WindowOptions],
) -> Windows:
    """All windows of `iter_aligned_windows`, to train a regression on; `Windows.Y` has the values.

    Parameters and errors are those of `iter_aligned_windows`, but ``channels`` is ``"good"`` and ``on_nan`` is
    ``"drop"`` unless given; of the aligned streams, too, no value is left that is no finite number then.
    """
    recipe = Recipe.of(primary_stream, Cut(win_s, hop_s), classes, options, CLEAN)
    how = AlignedValues(aligned_streams, align_window_samples, causal, interpolate, recipe.raw)
    pool, each = aligned_pool_windows(paths, recipe, how, cut_at_labels=cut_at_labels)
    rows = [(*one, one.class_index, one.meta) for one in each]
    if recipe.on_nan == "drop":
        rows = [row for row in rows if all(np.isfinite(value).all() for value in row[1].values())]
    info = pool.layout()
    X = np.array([row[0] for row in rows], info.np_dtype)
    X = X.reshape(len(rows), info.n_channels, recipe.cut.lengths(primary_stream, info)[0])
    aligned = {name: np.array([row[1][name] for row in rows], np.float64) for name in how.names}
    y = np.array([row[3] for row in rows], np.int64)
    return Windows(X, y, pool.class_names, meta_table([row[4] for row in rows]), info.fs, info.names, aligned)


def gather(pool: Pool, plan_of: PlanOf | None = None) -> Windows:
    """Cut all windows of a pool into one array; ``plan_of`` finds those of a session, with remarks."""
    plans: dict[str, Plan] = {}

    def at_labels(reader: SessionReader, pick: Pick) -> tuple[Plan, list[str]]:
        plan, _, remarks = plan_session(reader, pick, pool.recipe)
        return plan, remarks

    def look(pick: Pick, reader: SessionReader) -> Iterator[int]:
        plans[pick.path], remarks = (plan_of or at_labels)(reader, pick)
        for text in remarks:
            pool.remark(text)
        yield sum(plans[pick.path].counts)

    n_windows = sum(pool.each(look))
    X = room_for(pool, n_windows)
    y, meta = np.empty(n_windows, np.int64), list[WindowMeta]()

    def rows(pick: Pick, reader: SessionReader) -> Iterator[LabeledWindow]:
        plan = plans.get(pick.path)
        return iter(()) if plan is None else planned_windows(pool, plan, plan.stream(reader), lambda: X[len(meta)])

    for window in pool.told(rows):
        y[len(meta)] = window[2]
        meta.append(window.meta)
    n = len(meta)
    info = pool.layout()
    return Windows(X[:n], y[:n], pool.class_names, meta_table(meta), info.fs, info.names)


def room_for(pool: Pool, n_windows: int) -> NDArray[Any]:
    """An array for so many windows of a pool."""
    info = pool.layout()
    return np.empty((n_windows, info.n_channels, pool.recipe.cut.lengths(pool.recipe.stream, info)[0]), info.np_dtype)
