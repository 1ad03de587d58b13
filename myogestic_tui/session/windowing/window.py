"""A window and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ...errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


GroupBy = Literal["trial", "session", "subject"]


class WindowMeta(NamedTuple):
    """Whose a window is, and when it was."""

    session: str
    """Name of the session's file; its whole path where another one is called so too."""
    subject: str
    take: int
    """-1 where the session has none."""
    trial: int
    """Position of its label in the session, from 0; -1 before the first."""
    trial_s: float
    """From the label to the window's first sample, in seconds; NaN before the first label."""
    start_s: float
    """When its first sample was taken, in seconds on the recorder's clock."""
    error_s: float
    """How far wrong that may be; infinite where nothing tells."""


def meta_table(rows: Sequence[WindowMeta]) -> NDArray[Any]:
    """A structured array, a row for each window; `pandas.DataFrame` takes it as it is."""
    numbers = [("take", "i8"), ("trial", "i8"), ("trial_s", "f8"), ("start_s", "f8"), ("error_s", "f8")]
    texts = [(name, f"U{max([1, *(len(getattr(row, name)) for row in rows)])}") for name in ("session", "subject")]
    return np.array([tuple(row) for row in rows], [*texts, *numbers])


def group_numbers(meta: NDArray[Any], by: GroupBy) -> NDArray[np.int64]:
    """See `Windows.groups`; ``meta`` is a table of windows."""
    if by not in ("trial", "session", "subject"):
        raise ConfigError(f"by is {by!r}; use 'trial', 'session' or 'subject'")
    if by == "subject" and (nobody := meta["session"][meta["subject"] == ""]).size:
        raise ConfigError(
            f"{nobody[0]} has no subject; `myogestic-tui rename PATH --subject P07` enters one, or go by session"
        )
    numbers: dict[Any, int] = {}
    keys = meta[["session", "trial"]] if by == "trial" else meta[by]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys.tolist()], np.int64)


class LabeledWindow(tuple[Any, ...]):
    """``window, ts, class_index``, as `iter_labeled_windows` describes them, and more.

    Attributes
    ----------
    meta
        See `WindowMeta`.
    """

    meta: WindowMeta

    def __new__(cls, values: Iterable[Any], meta: WindowMeta | None = None) -> LabeledWindow:
        """The three, and what is known of them."""
        made = super().__new__(cls, values)
        if meta is not None:
            made.meta = meta
        return made


class AlignedWindow(LabeledWindow):
    """``window, aligned, ts``, as `iter_aligned_windows` describes them, and more.

    Attributes
    ----------
    class_index
        The class that holds throughout; -1 where windows are not cut at labels.
    """

    class_index: int = -1
