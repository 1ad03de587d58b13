"""The numbers that the time model decides by, in seconds unless they say otherwise."""

from __future__ import annotations

MODEL = 2
"""Version of the time model: it goes up when the same stamps and evidence come to something else, so that what was
stored counts no more. Development versions stored 0 and 1."""
MIN_GAP_SECONDS = 0.020
MIN_GAP_SAMPLES = 5
CELL = 0.25
"""Samples are summed up in cells of this length."""
MIN_CELL_SAMPLES = 16
SETTLE = 3.0
"""What follows a step is looked at for this long."""
HISTORY = 8.0
"""What precedes a step is looked at for this long."""
CRYSTAL_PPM = 20e-6
"""The floor may fall this fast (s/s) without anything being caught up: crystals do."""
BACK = 2.0
"""A stamp this far behind the one before it: no late chunk does that."""
FORWARD = 30.0
"""No lag is believed to be longer."""
OFFSET_JUMP = 0.050
"""Least jump of clock offsets that is a clock that was set, and not the network."""
CERTAIN_JUMP = 1.0
"""An offset this far off is a jump even where it is the last estimate: no round trip is that wrong."""
FOREIGN = 60.0
"""Stamps this far outside the session belong to another clock."""
ARRIVAL_TOLERANCE = 0.35
"""Arrivals and stamps may disagree by this much: a poll of 0.2 s and jitter."""
ARRIVAL_GAP = 0.4
"""Least gap that arrivals alone show: two polls."""
WORST_ERROR = 0.25
"""A clock relation less certain than this does not place labels."""
ARRIVAL_ERROR = 0.2
WALL_ERROR = 0.5
UNCOMPARED_ERROR = 0.01
DRIFT = 50e-6
"""How far two crystals may drift apart (s/s) where nothing compared them."""
NO_TIME = 1e12
"""A stamp beyond this is no time."""


RATE_OFF = 0.01
"""A device whose rate differs by more from what it declares is reported."""


def rate_differs(measured_fs: float | None, fs: float, n_samples: int, *, by_arrival: bool) -> bool:
    """Whether a device certainly does not sample at its nominal rate ``fs`` (Hz; 0: it has none).

    Arrivals (``by_arrival``) tell a rate only as well as they tell the ends of what came.
    """
    if measured_fs is None or fs <= 0:
        return False
    doubt = ARRIVAL_TOLERANCE * fs / n_samples if by_arrival and n_samples else 0.0
    return abs(measured_fs / fs - 1.0) > max(RATE_OFF, doubt)


def gap_threshold(fs: float) -> float:
    """Least missing time, in seconds, that counts as a gap at ``fs`` Hz (> 0)."""
    return max(MIN_GAP_SECONDS, MIN_GAP_SAMPLES / fs)
