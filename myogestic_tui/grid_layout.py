"""How somebody describes the electrodes of an array: in words, before the stream's channels are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from .errors import ConfigError
from .montage import ChannelGrid, check_grids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .montage import Cells

_MOST = 999
"""Rows or columns of a grid."""
_WORDS = "give rows x columns, as 8x8, and perhaps: columns, serpentine, without 1"


class GridLayout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A grid, or (without ``grid`` and ``cells``) a single electrode; channels count from 1 here, as on the screens.

    Raises
    ------
    ConfigError
        It contradicts itself, or a value is not usable.
    """

    grid: str = ""
    """Rows by columns: ``"8x8"``, ``"13x5 columns serpentine without 1"``."""
    order: Literal["", "rows", "columns", "rows serpentine", "columns serpentine"] = ""
    """How channels run over ``grid``: along rows where nothing is said."""
    without: tuple[int, ...] = ()
    """Places of ``grid`` that hold no electrode, from 1 in the order of filling."""
    cells: tuple[tuple[int, ...], ...] = ()
    """In place of ``grid``: rows of channel numbers, 0 where no electrode is."""
    channels: str | int = ""
    """Which ones ``grid`` holds, in order: ``"1-64"``, ``"64-1"``, ``"1-32, 40"``; all where nothing is said."""
    label: str = ""
    """What it is called; side and muscle where nothing is said, or the stream's name."""
    muscle: str = ""
    side: Literal["", "left", "right"] = ""
    distance: float | None = None
    """From an electrode to the next, in mm."""

    def __post_init__(self) -> None:
        channels = _channels(self.channels)
        if self.cells:
            if self.grid or self.order or self.without or channels:
                raise ConfigError("cells say where each channel is; leave out grid, order, without and channels")
            _of_cells(self.cells)
        elif self.grid:
            _filled(self._words())
        elif self.order or self.without:
            raise ConfigError("order and without belong to a grid; give one, as 8x8")
        elif len(channels) != 1:
            raise ConfigError("give a grid, cells, or the one channel of a single electrode")
        if self.distance is not None and not 0 < self.distance < float("inf"):
            raise ConfigError(f"distance is {self.distance}; give it in mm")

    def _words(self) -> str:
        without = f"without {' '.join(map(str, self.without))}" if self.without else ""
        return " ".join(part for part in (self.grid, self.order, without) if part)

    def on(self, names: Sequence[str], otherwise: str) -> ChannelGrid:
        """The grid on a stream with these channels, called ``otherwise`` where nothing else tells a label.

        Raises
        ------
        ConfigError
            It has other places than there are channels.
        """
        label = self.label or " ".join(part for part in (self.side, self.muscle) if part) or otherwise
        return ChannelGrid(label, self._cells(len(names)), self.muscle, self.side, self.distance)

    def _cells(self, n_channels: int) -> Cells:
        if self.cells:
            return _of_cells(self.cells)
        channels = _channels(self.channels)
        if not self.grid:
            return ((channels[0],),)
        channels = channels or list(range(n_channels))
        rows, columns, order = _filled(self._words())
        if len(order) != len(channels):
            raise ConfigError(_misfit(self._words(), len(order), len(channels), given=bool(self.channels)))
        found = dict(zip(order, channels, strict=True))
        return tuple(tuple(found.get((y, x)) for x in range(columns)) for y in range(rows))


def on_stream(layouts: Iterable[GridLayout], names: Sequence[str], stream: str) -> tuple[ChannelGrid, ...]:
    """The grids of a stream with these channels.

    Raises
    ------
    ConfigError
        One does not fit the channels, or two contradict each other.
    """
    listed = tuple(layouts)
    calls = [stream] if len(listed) == 1 else [f"{stream} {number}" for number in range(1, len(listed) + 1)]
    return check_grids((one.on(names, call) for one, call in zip(listed, calls, strict=True)), len(names))


def parse_cells(text: str) -> tuple[tuple[int, ...], ...]:
    """Cells from words: ``1 2 3 / 4 - 5``, a ``-`` or 0 where no electrode is; ConfigError where it is none."""
    rows = [row.replace(",", " ").split() for row in text.replace(";", "/").split("/")]
    if odd := [one for row in rows for one in row if one != "-" and not one.isdecimal()]:
        raise ConfigError(f"cells: {odd[0]!r} is no channel number; give rows as '1 2 3 / 4 - 5'")
    return tuple(tuple(0 if one == "-" else int(one) for one in row) for row in rows)


def _of_cells(cells: Sequence[Sequence[int]]) -> Cells:
    if any(one < 0 for row in cells for one in row):
        raise ConfigError("cells are channel numbers from 1, and 0 where no electrode is")
    found = tuple(tuple(one - 1 if one else None for one in row) for row in cells)
    return ChannelGrid("cells", found).cells


def _misfit(words: str, n_places: int, n_channels: int, *, given: bool) -> str:
    what = "channels that are named" if given else "channels of the stream"
    more = "name the places without an electrode (without)" if n_places > n_channels else "name those on it (channels)"
    return f"grid {words!r} has {n_places} places for the {n_channels} {what}; {more}"


def _channels(text: str | int) -> list[int]:
    """Channels from 0, as somebody lists them from 1; empty where nothing is listed."""
    found: list[int] = []
    for part in str(text).split(",") if str(text).strip() else ():
        told = re.fullmatch(r"\s*([0-9]{1,6})\s*(?:-\s*([0-9]{1,6})\s*)?", part)
        first, last = (int(told[1]), int(told[2] or told[1])) if told else (0, 0)
        if min(first, last) < 1:
            raise ConfigError(f"channels {str(text)!r}: give numbers from 1, as '1-64' or '1-32, 40'")
        found += [one - 1 for one in (range(first, last + 1) if last >= first else range(first, last - 1, -1))]
    if len(set(found)) != len(found):
        raise ConfigError(f"channels {str(text)!r}: one is named twice")
    return found


def _filled(text: str) -> tuple[int, int, list[tuple[int, int]]]:
    """Rows, columns, and the places of electrodes in the order of channels; ConfigError where it is no such grid."""
    shape, *words = text.lower().replace("×", "x").replace(",", " ").split() or [""]
    at = words.index("without") if "without" in words else len(words)
    known, holes = words[:at], words[at + 1 :]
    height, _, width = shape.partition("x")
    usable = all(word.isascii() and word.isdecimal() and 0 < int(word) <= _MOST for word in (height, width))
    fits = set(known) <= {"rows", "columns", "serpentine"} and not {"rows", "columns"} <= set(known)
    fits = fits and all(hole.isascii() and hole.isdecimal() for hole in holes)
    if not (usable and fits) or (at < len(words) and not holes):
        raise ConfigError(f"grid {text!r}: {_WORDS}")
    rows, columns = int(height), int(width)
    left_out = set(map(int, holes))
    if not all(1 <= hole <= rows * columns for hole in left_out):
        raise ConfigError(f"grid {text!r}: without names places from 1 to {rows * columns}")
    order = _order(rows, columns, by_columns="columns" in known, serpentine="serpentine" in known)
    return rows, columns, [place for number, place in enumerate(order, 1) if number not in left_out]


def _order(rows: int, columns: int, *, by_columns: bool, serpentine: bool) -> list[tuple[int, int]]:
    outer, inner = (columns, rows) if by_columns else (rows, columns)
    found = []
    for i in range(outer):
        along = reversed(range(inner)) if serpentine and i % 2 else range(inner)
        found += [(j, i) if by_columns else (i, j) for j in along]
    return found
