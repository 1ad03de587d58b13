"""Clocks of two hosts that cannot be compared: reported within 10 s, wherever the stream is looked at."""

from __future__ import annotations

import json

import pytest

from myogestic_tui.session import open_session_store

from .hosts import PATIENCE, Outlet, Reader, needs_nft
from .recorder import COMMAND, Recorder, said

SOON = 10.0


@pytest.mark.slow
@needs_nft
@pytest.mark.parametrize("ahead", [5, 100])
def test_a_clock_that_cannot_be_compared_is_reported_and_placed_by_arrival(hosts, unique, tmp_path, ahead):
    two = hosts(ahead=ahead)
    two.close_clock_service()
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    recorder = Recorder(two.recorder, tmp_path, f'[[streams]]\nname = "{unique}"\nas = "emg"\n')
    recorder.until(lambda status: status["streams"].get("emg", {}).get("state") == "live")
    recorder.until(lambda status: said(status, "emg: no clock comparison with", two.sender.name, "UDP"), SOON)
    recorder.until(lambda status: status["streams"].get("emg", {}).get("time_basis") == "arrival")
    recorder.stop()
    done = two.recorder.run(*COMMAND, "record", unique, "--seconds", "10", cwd=tmp_path, timeout=2 * PATIENCE)
    assert f"no clock comparison with {two.sender.name}" in done.stderr
    (path,) = tmp_path.glob("sessions/*.session.zip")
    text = f"no clock comparison with {two.sender.name}: time by arrival, ±0.2 s"
    with open_session_store(path) as session:
        found, summary = session.timeline("emg"), session.summary().streams["emg"]
        taken = session.timestamps("emg", dejitter=True)
        start, stop = (anchor.lsl for anchor in session.meta.anchors)
    assert (found.basis, found.gaps, summary.remarks) == ("arrival", (), [text])
    assert start - 0.5 < taken[0] < start + 1.0
    assert stop - 1.0 < taken[-1] < stop + 0.5
    (verified,) = json.loads(two.recorder.run(*COMMAND, "verify", path, "--json", cwd=tmp_path).stdout)
    (finding,) = verified["verified"]["findings"]
    assert (finding["kind"], finding["text"]) == ("observation", f"emg: {text}")
    assert text in " ".join(two.recorder.run(*COMMAND, "info", path, cwd=tmp_path).stdout.split())


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
