"""Which channels of a stream are where on the Live screen, by its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .view_settings import Lens

STRIP_ROWS = 2
"""Labels and time under each lane."""
_MOST_LANES = 4
_LEAST_LANE = 30
_TWO_TRACE_LANES = 90
_TALLEST = 6
_LEAST_BELOW = 3


class Layout(NamedTuple):
    """Which channels are where."""

    mode: str
    first: int
    n_channels: int
    lanes: int
    per_lane: int
    """Channels of a lane."""
    rows: int
    """Rows of a channel (traces)."""
    below: int
    """Rows of traces below the heat map."""

    @property
    def tall(self) -> int:
        """Rows of a lane, without labels and time."""
        return -(-self.per_lane // 2) + self.below if self.mode == "heat" else self.per_lane * self.rows

    def lane(self, number: int) -> tuple[int, int]:
        """First channel of a lane, and how many it has."""
        first = self.first + number * self.per_lane
        return first, min(self.per_lane, self.first + self.n_channels - first)


def plan(lens: Lens, n_channels: int, width: int, height: int) -> Layout:
    """Lay out a stream in ``height`` rows, labels included."""
    room = max(height - STRIP_ROWS, 1)
    mode = lens.mode_for(n_channels)
    lens.cursor = min(lens.cursor, max(n_channels - 1, 0))
    if lens.zoomed or mode == "grid":
        return Layout("zoom" if lens.zoomed else "grid", lens.cursor, 1, 1, 1, room, 0)
    rows = below = 1
    if mode == "heat":
        lanes = 2 if n_channels >= 32 and width >= 76 else 1
        while -(-n_channels // lanes) > 2 * room and lanes < _MOST_LANES and width // (lanes + 1) >= _LEAST_LANE:
            lanes += 1
        per_lane = min(-(-n_channels // lanes) + (-(-n_channels // lanes) % 2), 2 * room)
        below = min(room - -(-per_lane // 2), per_lane)
    else:
        lanes = 2 if width >= _TWO_TRACE_LANES and n_channels > room else 1
        rows = min(max(room // max(n_channels, 1), 1), _TALLEST) if lanes == 1 else 1
        per_lane = min(-(-n_channels // lanes), max(room // rows, 1))
        below = 0
    first = lens.cursor // (lanes * per_lane) * lanes * per_lane
    shown = min(lanes * per_lane, n_channels - first)
    return Layout(mode, first, shown, lanes, per_lane, rows, below if below >= _LEAST_BELOW else 0)


def worst_first(channels: range, cursor: int, flagged: set[int], n: int) -> list[int]:
    """The chosen channel, those with a fault, and the next ones, ``n`` of them in order."""
    ranked = sorted(channels, key=lambda channel: (channel != cursor, channel not in flagged, channel))
    return sorted(ranked[:n])
