"""Streams are found by their stem on the disk, or by the name that they give themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ...errors import UnknownStreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from contextlib import AbstractContextManager

T = TypeVar("T")


class ByStream(Mapping[str, T]):
    """Something per stream, by stem, found by the stream's own name as well; made when first asked for.

    Parameters
    ----------
    names
        Gives the streams' own names by stem.
    make
        Makes it for a stem.
    lock
        Held while it is made.

    Raises
    ------
    UnknownStreamError
        There is no such stream; the message lists those there are.
    """

    def __init__(
        self,
        names: Callable[[], Mapping[str, str]],
        make: Callable[[str], T],
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._names = names
        self._make = make
        self._lock = lock or threading.Lock()
        self._made: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        stem = find_stem(self._names(), name)
        with self._lock:
            if stem not in self._made:
                self._made[stem] = self._make(stem)
            return self._made[stem]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def made(self) -> dict[str, T]:
        """Those that were asked for."""
        return self._made


def public_names(names: Mapping[str, str]) -> dict[str, str]:
    """What each stream is called outside, by stem: its own name, or the stem where that name finds another stream."""
    return {stem: own if own and find_stem(names, own) == stem else stem for stem, own in names.items()}


def find_stem(names: Mapping[str, str], name: str) -> str:
    """The stem for ``name``, which is a stem or a stream's own name; ``names`` are the own names by stem.

    Raises
    ------
    UnknownStreamError
        Neither.
    """
    if name in names:
        return name
    for stem, own in names.items():
        if own == name:
            return stem
    there = ", ".join(names) or "none"
    raise UnknownStreamError(f"no stream {name!r} in the session; there are: {there}")


class Identity(NamedTuple):
    """What a stream is known by, as its source declares it."""

    name: str
    type: str = ""
    source_id: str = ""
    hostname: str = ""


def distinct_names(
    new: Sequence[Identity], taken: Collection[str] = (), others: Iterable[Identity] = ()
) -> dict[int, str]:
    """A name of its own for each of some streams, whatever order they came in.

    A name that streams of several types have gets the type behind it (``Muse_ACC``); those that are alike in that,
    too, are numbered (``EMG``, ``EMG_2``) by type, source_id and host.

    Parameters
    ----------
    new
        The streams that need names.
    taken
        Names that are in use.
    others
        Further streams that are there, whose types count.

    Returns
    -------
    names
        By place in ``new``, in the order in which they were given.
    """
    types: dict[str, set[str]] = {}
    for one in (*new, *others):
        types.setdefault(one.name, set()).add(one.type)
    wanted = [f"{one.name}_{one.type}" if one.type and len(types[one.name]) > 1 else one.name for one in new]
    found: dict[int, str] = {}
    for place in sorted(range(len(new)), key=lambda i: (wanted[i] != new[i].name, wanted[i], new[i][1:])):
        found[place] = _numbered(wanted[place], {*taken, *found.values()})
    return found


def _numbered(wanted: str, taken: Collection[str]) -> str:
    free, number = wanted, 2
    while free in taken:
        free, number = f"{wanted}_{number}", number + 1
    return free
