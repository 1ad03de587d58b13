"""Where the electrodes of a stream are, as the screens show it: places, grids and their labels, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app.interface import StreamStatus
    from ..montage import Places

_LEAST, _WITH_VALUE = 3, 6
"""Cells of an electrode: with its number alone, and with a value below it."""


class Electrodes(NamedTuple):
    """Where the channels of a stream are, and what they are called.

    Attributes
    ----------
    places
        Channels from 0 by row and column, -1 where no electrode is.
    labels
        Of each grid, with the row and the column of its corner.
    names
        Of all channels.
    """

    places: Places
    labels: Sequence[tuple[str, int, int]] = ()
    names: Sequence[str] = ()

    @classmethod
    def of(cls, stream: StreamStatus) -> Electrodes:
        """Those of a stream."""
        return cls(stream.places, stream.grid_labels, stream.channel_names)

    @property
    def shapes(self) -> str:
        """``13×5``, or how many grids there are."""
        n_grids = len(self.labels)
        return f"{n_grids} grids" if n_grids > 1 else f"{len(self.places)}×{len(self.places[0])}"

    def least_width(self, *, values: bool) -> int:
        """Cells of an electrode: room for its number and a fault's letter, or for a value as well."""
        most = max(map(max, self.places)) + 1
        return max(len(str(most)) + 1, _WITH_VALUE if values else _LEAST)

    def room_beside(self, width: int, others: int) -> int:
        """Cells of the grid, with values where ``others`` remain of the width; 0 where they do not remain."""
        columns = self.places[:1]
        widths = (2 + len(row) * self.least_width(values=values) for row in columns for values in (True, False))
        return next((wide for wide in widths if width - wide >= others), 0)

    def place_of(self, channel: int) -> tuple[int, int] | None:
        """Row and column of a channel; None where it has no place."""
        return next(((y, row.index(channel)) for y, row in enumerate(self.places) if channel in row), None)

    def next_to(self, channel: int, rows: int, columns: int) -> int:
        """The next electrode in a direction, holes left out; from the edge, the same; from no grid, the next number."""
        place = self.place_of(channel)
        if place is None:
            return channel + rows + columns
        y, x = place[0] + rows, place[1] + columns
        while 0 <= y < len(self.places) and 0 <= x < len(self.places[0]):
            if self.places[y][x] >= 0:
                return self.places[y][x]
            y, x = y + rows, x + columns
        return channel

    def words(self, channel: int) -> str:
        """``row 2 column 5 of flexors``: where a channel is on its own grid, from 1."""
        place = self.place_of(channel)
        if place is None:
            return "on no grid"
        corners = [(y, x, label) for label, y, x in self.labels if y <= place[0] and x <= place[1]]
        y, x, label = max(corners, default=(0, 0, ""))
        return f"row {place[0] - y + 1} column {place[1] - x + 1}" + (f" of {label}" if label else "")

    def around(self, channel: int, n_rows: int, n_columns: int) -> tuple[Electrodes, str]:
        """As many rows and columns as there is room for, the channel's place among them; and which ones, in words."""
        y, x = self.place_of(channel) or (0, 0)
        top, rows = _around(y, n_rows, len(self.places), "rows")
        left, columns = _around(x, n_columns, len(self.places[0]), "columns")
        places = tuple(row[left:][:n_columns] for row in self.places[top:][:n_rows])
        labels = [(label, y - top, x - left) for label, y, x in self.labels]
        return self._replace(places=places, labels=labels), rows + columns


def _around(at: int, fits: int, n: int, what: str) -> tuple[int, str]:
    """The first of ``n`` rows or columns that are shown with ``at`` among them; and which ones, where not all are."""
    first = min(max(at - fits // 2, 0), max(n - fits, 0))
    return first, f" {what} {first + 1}-{first + fits}" if fits < n else ""
