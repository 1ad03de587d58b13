"""What the time model knows of one stream: asked by everybody who needs to know about time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Basis = Literal["lsl", "uncompared", "arrival", "wall", "count", "none"]
BASES: tuple[Basis, ...] = ("none", "count", "arrival", "wall", "uncompared", "lsl")
"""From the least trustworthy to the best."""
QUIET_ERROR = {"lsl": 0.005, "uncompared": 0.010}
"""An error of the clock relation that labels need no guard for."""
Kind = Literal["gap", "head", "tail"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Time without samples.

    Attributes
    ----------
    index
        The first sample after it: 0 for a head, the number of samples for a tail.
    seconds
        How long, on the recorder's clock.
    samples
        How many fit in.
    kind
        ``gap``: samples were lost. ``head``, ``tail``: the stream was not there yet, or no more.
    """

    index: int
    seconds: float
    samples: int
    kind: Kind = "gap"


@dataclass(frozen=True, slots=True)
class Leap:
    """The stamps moved by ``seconds`` against the recorder's clock before sample ``index``; nothing is missing there.

    ``known``: the time that passed meanwhile is known, from arrivals or clock offsets.
    """

    index: int
    seconds: float
    known: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """Before sample ``index`` the last ``samples`` came a second time."""

    index: int
    samples: int


@dataclass(frozen=True, slots=True)
class Piece:
    """How stamps lie to the recorder's clock, from sample ``start`` on until the next piece.

    Attributes
    ----------
    at, offsets
        ``(k,)`` knots: recorder's time is ``stamp + shift`` plus the offset there, steady beyond the knots. Of basis
        ``count`` the knots are sample numbers, and recorder's times.
    error_s
        How far wrong that may be.
    shift
        What the stamps leapt by, back.
    """

    start: int
    basis: Basis
    at: Floats
    offsets: Floats
    error_s: float
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class Segment:
    """Samples from ``start`` on, evenly spaced: stamp of sample ``i`` is ``i * period`` plus the offset there.

    ``at`` and ``offsets``: ``(k,)`` knots over the sample number.
    """

    start: int
    at: Floats
    offsets: Floats


Stretch = TypeVar("Stretch", Piece, Segment)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the stamps, arrivals and clock offsets of a stream tell together.

    Attributes
    ----------
    n_samples, fs
        Samples, and nominal rate in Hz (0: irregular).
    period_s
        Seconds that a sample really takes; 0 for an irregular stream.
    measured_fs
        Rate in Hz at which the device samples by its own clock; None where too little came to tell.
    delivered_fs
        Samples a second between the session's start and stop; None where these are not known.
    packet_s
        Usual time between packets in seconds; 0 where samples do not come in packets.
    gaps, leaps, repeated
        In order; see `Gap`, `Leap`, `Repeat`.
    bad_stamps
        Stamps that show no time.
    unusable
        Why the stamps tell nothing, if they do not: ``the stamps are milliseconds``.
    late_at_end_s
        By this much the last samples are late, or were lost: that cannot be told.
    scatter_s, n_offsets
        Scatter of the clock offsets, and how many there are.
    pieces, segments
        Relation to the recorder's clock; stretches of even spacing, between gaps, leaps and repeats.
    """

    n_samples: int
    fs: float
    period_s: float = 0.0
    measured_fs: float | None = None
    delivered_fs: float | None = None
    packet_s: float = 0.0
    gaps: tuple[Gap, ...] = ()
    leaps: tuple[Leap, ...] = ()
    repeated: tuple[Repeat, ...] = ()
    bad_stamps: int = 0
    unusable: str = ""
    late_at_end_s: float = 0.0
    scatter_s: float = 0.0
    n_offsets: int = 0
    pieces: tuple[Piece, ...] = ()
    segments: tuple[Segment, ...] = field(default=(), repr=False)

    @property
    def lost(self) -> tuple[Gap, ...]:
        """The gaps between samples: without head and tail."""
        return tuple(gap for gap in self.gaps if gap.kind == "gap")

    @property
    def head(self) -> Gap | None:
        """Time before the first sample."""
        return next((gap for gap in self.gaps if gap.kind == "head"), None)

    @property
    def tail(self) -> Gap | None:
        """Time after the last sample."""
        return next((gap for gap in self.gaps if gap.kind == "tail"), None)

    @property
    def lost_samples(self) -> int:
        """Samples that are missing between others."""
        return sum(gap.samples for gap in self.lost)

    @property
    def basis(self) -> Basis:
        """The least trustworthy of its pieces."""
        ranks = [BASES.index(piece.basis) for piece in self.pieces]
        return BASES[min(ranks, default=0)]

    @property
    def error_s(self) -> float:
        """How far wrong corrected times may be, in seconds; infinite where nothing tells."""
        return max((piece.error_s for piece in self.pieces), default=np.inf)

    def piece_at(self, index: int) -> Piece | None:
        """The piece that a sample lies in."""
        return next((piece for piece in reversed(self.pieces) if piece.start <= index), None)

    def guard_s(self, index: int) -> float:
        """How near to a change of label a sample's label is not certain, in seconds; infinite where it never is.

        Clock offsets of a quiet network, and clocks taken to be one, are as good as the label's own time.
        """
        piece = self.piece_at(index)
        if piece is None or piece.error_s <= QUIET_ERROR.get(piece.basis, 0.0):
            return 0.0
        return piece.error_s

    @property
    def edges(self) -> tuple[int, ...]:
        """First sample of each stretch without a gap, leap or repeat."""
        found = {gap.index for gap in self.lost} | {leap.index for leap in self.leaps}
        found |= {repeat.index for repeat in self.repeated}
        return (0, *sorted(index for index in found if 0 < index < self.n_samples))

    def corrected(self, stamps: ArrayLike, start: int = 0) -> Floats:
        """Raw stamps ``(n,)`` of the samples from number ``start`` on, on the recorder's clock, in seconds."""
        raw = np.asarray(stamps, dtype=np.float64)
        found = raw.copy()
        for piece, part in _parts(self.pieces, start, len(raw)):
            if piece.basis == "count":
                found[part] = np.interp(np.arange(start + part.start, start + part.stop), piece.at, piece.offsets)
                continue
            moved = raw[part] + piece.shift
            found[part] = moved + _interpolated(moved, piece)
        return found

    def sample_time(self, stamps: ArrayLike, start: int = 0) -> Floats:
        """When the samples from number ``start`` on were taken, ``(n,)`` seconds on the recorder's clock.

        Like `corrected`, but evenly spaced between gaps, leaps and repeats: lateness and packets do not show. Of an
        irregular stream each sample's own stamp counts.
        """
        return self.corrected(self.even(stamps, start), start)

    def even(self, stamps: ArrayLike, start: int = 0) -> Floats:
        """Raw stamps ``(n,)`` of the samples from number ``start`` on, evenly spaced, on the source's clock."""
        if not self.is_grid:
            return np.array(stamps, dtype=np.float64)
        return self._grid(start, len(np.asarray(stamps)))

    @property
    def is_grid(self) -> bool:
        """Whether every sample's number tells when it was taken, so that nobody needs its stamp for that."""
        return bool(self.segments) and not self.unusable

    def grid_time(self, start: int, n: int) -> Floats:
        """What `sample_time` gives for ``n`` samples from number ``start`` on, where `is_grid`."""
        return self.corrected(self._grid(start, n), start)

    def _grid(self, start: int, n: int) -> Floats:
        grid = np.empty(n)
        for segment, part in _parts(self.segments, start, n):
            number = np.arange(start + part.start, start + part.stop)
            grid[part] = number * self.period_s + np.interp(number, segment.at, segment.offsets)
        return grid

    def with_offset(self, offset: float) -> Timeline:
        """The same, where the pieces that are placed by arrival have this offset."""
        moved = (
            replace(piece, offsets=np.full_like(piece.offsets, offset)) if piece.basis == "arrival" else piece
            for piece in self.pieces
        )
        return replace(self, pieces=tuple(moved))


def _interpolated(stamps: Floats, piece: Piece) -> Floats | float:
    return float(piece.offsets[0]) if len(piece.at) == 1 else np.interp(stamps, piece.at, piece.offsets)


def _parts(pieces: Sequence[Stretch], start: int, n: int) -> Iterator[tuple[Stretch, slice]]:
    """Each piece that bears on ``n`` samples from number ``start`` on, and where among them."""
    ends = [*(piece.start for piece in pieces[1:]), start + n][: len(pieces)]
    for number, (piece, end) in enumerate(zip(pieces, ends, strict=True)):
        first = max(piece.start - start, 0) if number else 0
        last = min(end - start, n)
        if last > first:
            yield piece, slice(first, last)
