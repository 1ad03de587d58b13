"""A rate below nominal is a line of "needs you" where it stays so."""

from __future__ import annotations

import pytest

from myogestic_tui.app import interface as r
from myogestic_tui.app.problems import _stream_problems


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        ((200.0,) * 5, True),
        ((250.0, 250.0, 0.0, 0.0, 200.0), False),
        ((250.0, 250.0, 250.0, 250.0, 32.9), False),
        ((200.0, 200.0), False),
    ],
)
def test_a_short_loss_is_not_told_again_as_a_rate(trace: tuple[float, ...], told: bool):
    """A loss of half a second read as 46.7 % under nominal until it was known to be one, and beside it."""
    row = r.StreamStatus(key="emg", name="emg", state="slow", fs=250.0, measured_fs=200.0, rate_trace=trace)
    assert [one.text for one in _stream_problems(row, recording=True)] == ["200.0 Hz, 20.0 % under nominal"] * told
