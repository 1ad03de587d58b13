"""Electrodes as rows of a table: which channel is where, as far as somebody said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...info import StreamInfo
    from ...montage import ChannelGrid
    from ..reading.reader import SessionReader


class Electrode(NamedTuple):
    """One electrode on its grid; row and column count from 0."""

    channel: int
    grid: ChannelGrid
    row: int
    column: int

    @property
    def has_place(self) -> bool:
        """False for a single electrode: it is in no row and no column of others."""
        return self.grid.shape != (1, 1)

    @property
    def x_mm(self) -> float | None:
        """From the first column, in mm; None where that is not known."""
        return self.column * self.grid.distance_mm if self.has_place and self.grid.distance_mm else None

    @property
    def y_mm(self) -> float | None:
        """From the first row, in mm."""
        return self.row * self.grid.distance_mm if self.has_place and self.grid.distance_mm else None

    def words(self) -> str:
        """``left flexors: row 2 column 3, 8 mm``, counted from 1."""
        parts = [f"row {self.row + 1} column {self.column + 1}"] if self.has_place else []
        parts += [f"{self.grid.distance_mm:g} mm"] if self.grid.distance_mm else []
        return f"{self.grid.label}: {', '.join(parts)}" if parts else self.grid.label


def electrodes_of(info: StreamInfo) -> dict[int, Electrode]:
    """By channel; those that no montage names are not there."""
    found = (Electrode(channel, grid, y, x) for grid in info.channel_grids or () for channel, y, x in grid.places())
    return {one.channel: one for one in sorted(found)}


COLUMNS = ("stream", "channel", "name", "grid", "row", "column", "x_mm", "y_mm", "muscle", "side", "distance_mm")
"""Of a table of electrodes; channels, rows and columns count from 1."""


def electrode_rows(session: SessionReader, streams: Sequence[str] | None) -> list[dict[str, str | int | float | None]]:
    """A row for each electrode of these streams (None: all); what nobody told is None."""
    return list(_rows(session, session.streams if streams is None else streams))


def _rows(session: SessionReader, streams: Sequence[str]) -> Iterator[dict[str, str | int | float | None]]:
    for name in streams:
        info = session.stream_info(name)
        for one in electrodes_of(info).values():
            place = (one.row + 1, one.column + 1) if one.has_place else (None, None)
            grid = one.grid
            what = (grid.muscle or None, grid.side or None, grid.distance_mm)
            values = (name, one.channel + 1, info.names[one.channel], grid.label, *place, one.x_mm, one.y_mm, *what)
            yield dict(zip(COLUMNS, values, strict=True))
