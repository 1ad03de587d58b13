"""Where electrodes are: the channels of a stream in the rows and columns of their grids."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

SIDES = ("left", "right")
"""Sides of the body that a grid may be on."""

Cells = tuple[tuple[int | None, ...], ...]
"""Channel from 0 by row and column; None where no electrode is."""

Places = tuple[tuple[int, ...], ...]
"""As `Cells`, with -1 where no electrode is."""


@dataclass(frozen=True, slots=True)
class ChannelGrid:
    """The electrodes of one array, or a single one, with what is known of where they are.

    Parameters
    ----------
    label
        What the array is called; each of a stream has its own.
    cells
        Rows of channel numbers from 0, all of one length; None where no electrode is.
    muscle
        What lies beneath; empty where nobody said so.
    side
        ``"left"``, ``"right"``, or empty.
    distance_mm
        From an electrode to the next, centre to centre, in mm; None where nobody said so.

    Raises
    ------
    ConfigError
        The cells are no rectangle, or hold a channel twice or something else than channels; or another value is not
        usable.
    """

    label: str
    cells: Cells
    muscle: str = ""
    side: str = ""
    distance_mm: float | None = None

    def __post_init__(self) -> None:
        try:
            cells = tuple(tuple(None if one is None else operator.index(one) for one in row) for row in self.cells)
        except TypeError:
            raise ConfigError(f"grid {self.label!r}: cells are rows of channel numbers, or None") from None
        object.__setattr__(self, "cells", cells)
        channels = [one for row in cells for one in row if one is not None]
        if channels and min(channels) < 0:
            raise ConfigError(f"grid {self.label!r}: cells are channel numbers from 0, or None")
        if not channels or len({len(row) for row in cells}) != 1:
            raise ConfigError(f"grid {self.label!r}: give rows of one length, with a channel in them")
        if twice := [one + 1 for one, count in Counter(channels).items() if count > 1]:
            raise ConfigError(f"grid {self.label!r}: channel {twice[0]} has two places")
        if not isinstance(self.label, str) or not self.label.strip():
            raise ConfigError("a grid needs a label")
        if self.side and self.side not in SIDES:
            raise ConfigError(f"grid {self.label!r}: side is {self.side!r}; give {' or '.join(SIDES)}")
        if self.distance_mm is not None and not 0 < self.distance_mm < float("inf"):
            raise ConfigError(f"grid {self.label!r}: distance is {self.distance_mm}; give it in mm")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.cells), len(self.cells[0])

    @property
    def columns(self) -> list[int]:
        """Its channels, columns of the stream's data: row by row, from 0."""
        return [one for row in self.cells for one in row if one is not None]

    @property
    def where(self) -> str:
        """Side and muscle, as far as they are known: ``left biceps brachii``."""
        return " ".join(part for part in (self.side, self.muscle) if part)

    def places(self) -> list[tuple[int, int, int]]:
        """Channel, row and column of each electrode, all from 0."""
        found = [(one, y, x) for y, row in enumerate(self.cells) for x, one in enumerate(row) if one is not None]
        return sorted(found)

    def arrange(self, data: NDArray[Any]) -> NDArray[np.float64]:
        """Values by channel ``(..., n_channels)`` in their places ``(..., rows, columns)``, NaN where none is."""
        import numpy as np

        data = np.asarray(data)
        found = np.full((*data.shape[:-1], *self.shape), np.nan)
        for channel, row, column in self.places():
            found[..., row, column] = data[..., channel]
        return found

    def words(self) -> str:
        """``flexors: 8x8, left flexor carpi radialis, 8 mm, channels 1-64``."""
        rows, columns = self.shape
        size = "single electrode" if (rows, columns) == (1, 1) else f"{rows}x{columns}"
        distance = "" if self.distance_mm is None else f"{self.distance_mm:g} mm"
        where = self.where if self.where != self.label else ""
        parts = (size, where, distance, f"channel{'s' * (len(self.columns) > 1)} {ranges(self.columns)}")
        return f"{self.label}: {', '.join(part for part in parts if part)}"


def ranges(channels: Iterable[int]) -> str:
    """Channels from 0 as people write them: ``1-64, 70``."""
    found: list[list[int]] = []
    for one in sorted(channels):
        if found and found[-1][1] == one - 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    return ", ".join(f"{first + 1}-{last + 1}" if last > first else f"{first + 1}" for first, last in found)


def check_grids(grids: Iterable[ChannelGrid], n_channels: int) -> tuple[ChannelGrid, ...]:
    """The grids of a stream with so many channels.

    Raises
    ------
    ConfigError
        A channel is beyond the last one or in two places, or two grids have one label.
    """
    found = tuple(grids)
    channels = [one for grid in found for one in grid.columns]
    for grid in found:
        if max(grid.columns) >= n_channels:
            raise ConfigError(f"grid {grid.label!r}: no channel {max(grid.columns) + 1}; there are {n_channels}")
    if twice := [one + 1 for one, count in Counter(channels).items() if count > 1]:
        raise ConfigError(f"channel {twice[0]} is in two grids; it can be in one place only")
    if same := [label for label, count in Counter(grid.label for grid in found).items() if count > 1]:
        raise ConfigError(f"two grids have the label {same[0]!r}; each needs its own")
    return found


# ---------------------------------------------------------------- as it stands in meta.json

GRIDS, ABOUT = "channel_grids", "montage"
"""Keys under a stream: label and cells of each grid, as MyoGestic has them; and what else is known, by label."""


def grids_to_plain(grids: Sequence[ChannelGrid] | None) -> dict[str, Any]:
    """The keys that stand under a stream in ``meta.json``; none without grids."""
    if not grids:
        return {}
    about = {}
    for grid in grids:
        told = {"muscle": grid.muscle, "side": grid.side, "inter_electrode_distance_mm": grid.distance_mm}
        about[grid.label] = {key: value for key, value in told.items() if value}
    cells = [{"label": grid.label, "cells": [list(row) for row in grid.cells]} for grid in grids]
    return {GRIDS: cells, ABOUT: about}


def grids_from_plain(plain: Mapping[str, Any], n_channels: int) -> tuple[ChannelGrid, ...] | None:
    """The reverse, whoever wrote it; None where nothing is known.

    Raises
    ------
    ConfigError
        What is there is no grid of this stream.
    """
    listed, about = plain.get(GRIDS), plain.get(ABOUT)
    if not listed:
        return None
    try:
        grids = [ChannelGrid(one["label"], one["cells"], **_told(about, one["label"])) for one in listed]
    except (TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{GRIDS} are not those that a session has ({type(error).__name__}: {error})") from None
    return check_grids(grids, n_channels)


def told_grids(plain: Mapping[str, Any], n_channels: int) -> tuple[ChannelGrid, ...] | None:
    """As `grids_from_plain`; None also where what is there is no grid of this stream."""
    try:
        return grids_from_plain(plain, n_channels)
    except ConfigError:
        return None


def _told(about: Any, label: Any) -> dict[str, Any]:
    told = about.get(label, {}) if isinstance(about, dict) and isinstance(label, str) else {}
    distance: Any = told.get("inter_electrode_distance_mm")
    number = isinstance(distance, (int, float)) and not isinstance(distance, bool)
    return {
        "muscle": str(told.get("muscle", "")),
        "side": str(told.get("side", "")),
        "distance_mm": float(distance) if number else None,
    }


# ---------------------------------------------------------------- for the screens


_ROOM = 26, 19
"""Columns and rows of electrodes that a terminal of 80x24 has room for."""


def picture(grids: Sequence[ChannelGrid]) -> Places:
    """All grids as one, an empty column or row between them, in rows that fit a terminal best.

    Single electrodes have no place to be shown in: they are left out.
    """
    tables = [grid.cells for grid in grids if grid.shape != (1, 1)]
    found = [_in_rows(tables, across) for across in range(len(tables), 0, -1)]
    return min(found, key=lambda rows: max(len(rows[0]) / _ROOM[0], len(rows) / _ROOM[1]), default=())


def placed_labels(grids: Sequence[ChannelGrid], places: Places) -> tuple[tuple[str, int, int], ...]:
    """Label of each grid of a `picture`, with the row and the column of its corner there."""
    found = {channel: (y, x) for y, row in enumerate(places) for x, channel in enumerate(row)}
    first = [(grid.label, *grid.places()[0]) for grid in grids if grid.places()[0][0] in found]
    return tuple((label, found[channel][0] - y, found[channel][1] - x) for label, channel, y, x in first)


def _in_rows(tables: Sequence[Cells], across: int) -> Places:
    found: list[tuple[int, ...]] = []
    for start in range(0, len(tables), across):
        found += [*([()] if found else []), *_beside(tables[start : start + across])]
    width = max(map(len, found))
    return tuple((*row, *[-1] * (width - len(row))) for row in found)


def _beside(tables: Sequence[Cells]) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = []
    for y in range(max(map(len, tables))):
        row: list[int] = []
        for cells in tables:
            part = cells[y] if y < len(cells) else (None,) * len(cells[0])
            row += [*([-1] if row else []), *(-1 if one is None else one for one in part)]
        rows.append(tuple(row))
    return rows
