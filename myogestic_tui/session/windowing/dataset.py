"""Windows of many sessions by number or in turn, for PyTorch's ``DataLoader`` and whoever else trains in batches."""

from __future__ import annotations

import os
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError
from ..reading.reader import open_session_store
from ..signal.window_bounds import Cut, starts
from .plan import Outcome, Plan, Span, is_finite, plan_session
from .pooling import Pool
from .recipe import CLEAN, Recipe, whole_number
from .window import WindowMeta, group_numbers, meta_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from numpy.typing import NDArray

    from ..reading.find_sessions import Paths
    from ..reading.reader import SessionReader
    from ..signal.streamdata import StreamData
    from .pooling import Pick
    from .recipe import ClassChoice, WindowOptions


class WindowsDataset:
    """The windows of `windows`, each read when it is asked for: a map-style dataset; `iterable` makes the other kind.

    It holds paths and positions, not files or samples: every process opens the sessions for itself, so that workers of
    a loader may take it along, pickled (spawn) or forked, and any order of numbers will do. PyTorch is not needed.

    Parameters
    ----------
    paths, stream, win_s, hop_s, classes, **options
        As for `windows`. ``on_nan="drop"`` reads everything once, to see what is left; the default here is ``"raise"``.
    shuffle_seed
        Number the windows in a random order, which the same seed gives again; None in that of the sessions.

    Attributes
    ----------
    y
        ``(n_windows,)`` class indices.
    meta
        As `Windows.meta`; ``start_s`` is that of the sample grid.
    groups
        ``(n_windows,)`` numbers of the trials.
    class_names, channel_names, fs
        As those of `Windows`.
    """

    def __init__(
        self,
        paths: Paths,
        stream: str,
        win_s: float,
        hop_s: float,
        classes: ClassChoice = None,
        *,
        shuffle_seed: int | None = None,
        **options: Unpack[WindowOptions],
    ) -> None:
        seed = None if shuffle_seed is None else whole_number("shuffle_seed", shuffle_seed)
        recipe = Recipe.of(stream, Cut(win_s, hop_s), classes, options, {**CLEAN, "on_nan": "raise"})
        pool = Pool(paths, recipe, recipe.check)
        self._plans: list[Plan] = []
        at: list[tuple[int, int]] = []
        y: list[int] = []
        meta: list[WindowMeta] = []

        def look(pick: Pick, reader: SessionReader) -> Iterator[None]:
            plan, data, remarks = plan_session(reader, pick, recipe)
            outcome = Outcome(recipe, pool.leave_out)
            for text in remarks:
                pool.remark(text)
            for span, first in _places(plan):
                known = plan.meta(span, float(data.times(first, first + 1)[0]))
                if recipe.on_nan != "drop" or outcome.takes(data.window(first, first + plan.n), known):
                    at.append((len(self._plans), first))
                    y.append(span.class_index)
                    meta.append(known)
            pool.remark(outcome.remark(pick.name))
            self._plans.append(plan)
            yield None

        for _ in pool.each(look):
            pass
        order = np.arange(len(at)) if seed is None else np.random.default_rng(seed).permutation(len(at))
        self._at = np.array(at, np.int64).reshape(-1, 2)[order]
        self.y: NDArray[np.int64] = np.array(y, np.int64)[order]
        self.meta: NDArray[Any] = meta_table(meta)[order]
        self.groups = group_numbers(self.meta, "trial")
        info = pool.layout()
        self.class_names, self.channel_names, self.fs = pool.class_names, info.names, info.fs
        self._open: dict[int, tuple[SessionReader, StreamData]] = {}
        self._pid = os.getpid()

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], int]:
        """Window ``(n_channels, n)``, and its class.

        Raises
        ------
        IndexError
            There are not so many.
        SessionDamagedError
            Its samples cannot be read.
        NotFiniteError
            It has a value that is no finite number, with ``on_nan="raise"``.
        """
        number = index(number)
        which, first = self._at[number].tolist()
        plan = self._plans[which]
        window = self._stream(which).window(first, first + plan.n)
        if plan.recipe.on_nan == "raise" and not is_finite(window):
            row = self.meta[number]
            Outcome(plan.recipe, _raise).takes(window, WindowMeta(*row.tolist()))
        return window, int(self.y[number])

    def __iter__(self) -> Iterator[tuple[NDArray[Any], int]]:
        return (self[number] for number in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}

    def close(self) -> None:
        """Close the files of this process; the next window opens them again."""
        if self._pid == os.getpid():
            for session, _ in self._open.values():
                session.close()
        self._open, self._pid = {}, os.getpid()

    def shard(self, number: int, count: int) -> Iterator[tuple[NDArray[Any], int]]:
        """What worker ``number`` of ``count``, from 0, goes through: windows that follow one another.

        Raises
        ------
        ConfigError
            There is no such worker.
        """
        if whole_number("number", number) >= whole_number("count", count, least=1):
            raise ConfigError(f"number is {number}, but {count} workers are numbered from 0 to {count - 1}")
        return (self[one] for one in range(*_share(len(self), number, count)))

    def iterable(self) -> Any:
        """The same as a ``torch.utils.data.IterableDataset``: each worker of a loader goes through its shard.

        Raises
        ------
        ConfigError
            PyTorch is not installed.
        """
        try:
            from .iterable_dataset import IterableWindows
        except ModuleNotFoundError as error:
            raise ConfigError("an iterable dataset needs PyTorch: pip install torch") from error
        return IterableWindows(self)

    def _stream(self, which: int) -> StreamData:
        if self._pid != os.getpid():  # forked: the files are the parent's
            self._open, self._pid = {}, os.getpid()
        if which not in self._open:
            session = open_session_store(self._plans[which].pick.path)
            self._open[which] = session, self._plans[which].stream(session)
        return self._open[which][1]


def _share(length: int, number: int, count: int) -> tuple[int, int]:
    return length * number // count, length * (number + 1) // count


def _places(plan: Plan) -> Iterator[tuple[Span, int]]:
    for span in plan.spans:
        for first in starts(span.run, plan.n, plan.hop):
            yield span, first


def _raise(error: Exception) -> None:
    raise error
