"""A rate below nominal is a line of "needs you" where nothing else explains it."""

from __future__ import annotations

import pytest

from myogestic_tui.app import interface as r
from myogestic_tui.app.status import _stream_problems


@pytest.mark.parametrize("text", ["502 samples lost (2.01 s) at 00:00:06", "2 gaps, 60 samples lost (0.24 s)"])
def test_lost_samples_are_not_told_again_as_a_rate(text: str):
    """A loss of 2 s within the last seconds read as 86.9 % under nominal, besides the loss itself."""
    lost = r.Remark(severity="error", text=text)
    row = r.StreamStatus(key="emg", name="emg", state="slow", fs=250.0, measured_fs=32.9, remarks=(lost,))
    assert [one.text for one in _stream_problems(row, recording=True)] == [text]


def test_a_slow_stream_that_lost_nothing_is_reported():
    row = r.StreamStatus(key="emg", name="emg", state="slow", fs=250.0, measured_fs=200.0)
    assert [one.text for one in _stream_problems(row, recording=True)] == ["200.0 Hz, 20.0 % under nominal"]
