"""What ``meta.json`` holds of a stream's time."""

from __future__ import annotations

from msgspec import Struct, field

from .json_files import Int64  # noqa: TC001  (msgspec resolves annotations at run time)


class GapRecord(Struct, frozen=True, omit_defaults=True):
    """Time that is missing before sample ``index``, in seconds."""

    index: Int64
    seconds: float
    reason: str = ""
    kind: str = ""
    """``head``: before the first sample; ``tail``: after the last one; empty between samples."""


class LeapRecord(Struct, frozen=True):
    """Before sample ``index`` the time stamps move by ``seconds`` against the recorder's clock; nothing is missing.

    ``known``: how much time passed meanwhile is known.
    """

    index: int
    seconds: float
    known: bool = True


class RepeatRecord(Struct, frozen=True):
    """Before sample ``index`` the last ``samples`` came a second time."""

    index: int
    samples: int


class TimeMeta(Struct, frozen=True):
    """What the time model (`clock`) makes of a stream."""

    model: int = 0
    """`clock.thresholds.MODEL` of the model that found it."""
    basis: str = "none"
    """How its time stamps are tied to the recorder's clock: a `clock.timeline.Basis`."""
    error_s: float | None = None
    """How far wrong corrected times may be, in seconds; None where nothing tells."""
    measured_fs: float | None = None
    delivered_fs: float | None = None
    packet_s: float = 0.0
    leaps: list[LeapRecord] = field(default_factory=list)
    repeated: list[RepeatRecord] = field(default_factory=list)
    bad_stamps: int = 0
    unusable: str = ""
    late_at_end_s: float = 0.0
    scatter_s: float = 0.0
    n_offsets: int = 0
    first_at: float | None = None
    """When the first and the last sample were taken, on the recorder's clock."""
    last_at: float | None = None


class CountsMeta(Struct, frozen=True):
    """What the counter channel of a stream did; see `clock.counter.Counts`."""

    step: float
    hold: int
    low: float
    high: float
    modulus: float | None = None
    jumps: list[tuple[int, int, float, float]] = field(default_factory=list)
    """Index, samples since the value before, that value, the value at the index."""


class PlacedMeta(Struct, frozen=True):
    """How an import found time stamps to lie to the session's clock, where the session itself holds no evidence."""

    basis: str
    """A `clock.timeline.Basis`."""
    error_s: float | None = None
    """How far wrong they may be, in seconds; None where nothing tells."""
