"""Splits that keep what belongs together on one side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import ConfigError
from ...plural import count_of
from .arrays import Windows
from .recipe import whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .window import GroupBy

    Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def split(
    windows: Windows, by: GroupBy = "subject", *, folds: int = 5, seed: int = 0, stratify: bool = True
) -> list[Fold]:
    """Folds for cross-validation: training and test windows of each, as scikit-learn's ``cv=`` takes them.

    Windows overlap, trials of one session resemble one another, and so do sessions of one subject: what is to be shown
    decides what must not stand on both sides.

    Parameters
    ----------
    windows
        What `windows` gives.
    by
        What is held out: whole ``"subject"``, ``"session"`` or ``"trial"``.
    folds
        How many; fewer where there are fewer to hold out.
    seed
        The same seed gives the same folds.
    stratify
        Give every fold about as many windows of each class as the others.

    Returns
    -------
    list of (train, test)
        Positions of windows, ascending. Every window is tested once.

    Raises
    ------
    ConfigError
        There is only one subject, session or trial to hold out, or a session has no subject; ``folds`` or ``seed`` is
        no such number, or ``windows`` is an array without what is known of its windows.
    """
    if not isinstance(windows, Windows):
        raise ConfigError(
            f"split takes what windows() returns, which tells whose each window is; got {type(windows).__name__}"
        )
    folds, seed = whole_number("folds", folds, least=2), whole_number("seed", seed)
    groups = windows.groups(by)
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    if n_groups < 2:
        raise ConfigError(f"the windows are of {count_of(n_groups, by)}; two are needed to hold out one")
    fold_of = _assigned(_counts(groups, windows.y, stratify), min(folds, n_groups), np.random.default_rng(seed))
    tested = fold_of[groups]
    return [(np.flatnonzero(tested != fold), np.flatnonzero(tested == fold)) for fold in range(min(folds, n_groups))]


def _counts(groups: NDArray[np.int64], y: NDArray[np.int64], stratify: bool) -> NDArray[np.int64]:
    """Windows of each group, ``(n_groups, n_classes)``; of one class where classes do not count."""
    classes = np.unique(y, return_inverse=True)[1] if stratify else np.zeros(len(y), np.int64)
    counts = np.zeros((int(groups.max()) + 1, int(classes.max()) + 1), np.int64)
    np.add.at(counts, (groups, classes), 1)
    return counts


def _assigned(counts: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each group: the largest groups first, each to where the classes come out most even."""
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts[order].max(axis=1), kind="stable")]
    share = counts / np.maximum(counts.sum(axis=0), 1)
    held, fold_of = np.zeros((folds, counts.shape[1])), np.empty(len(counts), np.int64)
    n_held, rows = np.zeros(folds, np.int64), np.arange(folds)[:, None]
    for place, group in enumerate(order.tolist()):
        spread = [(held + share[group] * (rows == fold)).std(axis=0).sum() for fold in range(folds)]
        waiting = len(counts) - place
        empty = n_held == 0
        usable = np.flatnonzero(empty) if waiting <= np.count_nonzero(empty) else np.arange(folds)
        fold = min(usable.tolist(), key=lambda one: (round(spread[one], 12), int(n_held[one])))
        held[fold] += share[group]
        n_held[fold] += 1
        fold_of[group] = fold
    return fold_of
