"""Clocks of two hosts that cannot be compared: reported within 10 s, wherever the stream is looked at."""

from __future__ import annotations

import pytest

from .hosts import PATIENCE, Outlet, Reader, needs_nft
from .recorder import COMMAND, Recorder, said

SOON = 10.0


@pytest.mark.slow
@needs_nft
def test_a_clock_that_cannot_be_compared_is_reported_by_ctl_and_record(hosts, unique, tmp_path):
    two = hosts(ahead=5)
    two.close_clock_service()
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    recorder = Recorder(two.recorder, tmp_path, f'[[streams]]\nname = "{unique}"\nas = "emg"\n')
    recorder.until(lambda status: status["streams"]["emg"]["state"] == "live")
    recorder.until(lambda status: said(status, "emg: no clock comparison with", two.sender.name, "UDP"), SOON)
    recorder.stop()
    done = two.recorder.run(*COMMAND, "record", unique, "--seconds", "10", cwd=tmp_path, timeout=2 * PATIENCE)
    assert f"no clock comparison with {two.sender.name}" in done.stderr


@pytest.mark.slow
@needs_nft
def test_a_clock_that_can_be_compared_at_first_only_is_reported_too(hosts, unique):
    two = hosts()
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    reader = Reader(two.recorder, name=unique, compared_lately=3.0)
    reader.until(offsets=1, state="live")
    two.close_clock_service()
    reader.until(message="no clock comparison with", state="live")


def test_the_clock_of_the_recorders_own_host_needs_no_comparison(hosts, unique):
    two = hosts()
    Outlet(two.recorder, unique, source_id=f"{unique}-id")
    reader = Reader(two.recorder, name=unique, compared_lately=0.0)
    reader.until(offsets=1, count=200)
    assert reader.ask()["message"] == ""
