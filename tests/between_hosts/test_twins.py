"""Outlets of two hosts that are called the same: which one is meant is asked, said and remembered."""

from __future__ import annotations

import pytest

from .hosts import Outlet, Reader
from .recorder import Recorder, said


def bare(name: str) -> str:
    return f'[[streams]]\nname = "{name}"\nas = "emg"\n'


def state(status) -> str:
    return status["streams"]["emg"]["state"]


@pytest.mark.slow
def test_a_twin_on_another_host_is_reported_and_the_choice_outlives_the_recorder(hosts, unique, tmp_path):
    two = hosts()
    Outlet(two.sender, unique, source_id=f"{unique}-theirs")
    recorder = Recorder(two.recorder, tmp_path, bare(unique))
    recorder.until(lambda status: state(status) == "live")
    ours = Outlet(two.recorder, unique, source_id=f"{unique}-ours")
    recorder.until(
        lambda status: said(status, "emg: ", two.sender.name, two.recorder.name, ours.uid[:8], "ctl reconnect")
    )
    assert "ctl reconnect emg" in recorder.ctl("status")
    recorder.ctl("start")
    assert "remembered" in recorder.ctl("reconnect", "emg", two.recorder.name)
    now = recorder.until(lambda status: status["streams"]["emg"]["uid"] and state(status) == "live")
    recorder.until(lambda status: not status["problems"] and status["session"]["streams"]["emg"]["n_samples"])
    assert now["state"] == "recording"
    recorder.stop()
    ours.kill()
    again = Recorder(two.recorder, tmp_path, bare(unique))
    again.until(
        lambda status: said(status, "emg: ", two.recorder.name, "was chosen", two.sender.name, "ctl reconnect emg")
    )
    assert state(again.status()) == "wanted"
    back = Outlet(two.recorder, unique, source_id=f"{unique}-ours")
    again.until(lambda status: state(status) == "live" and status["streams"]["emg"]["uid"] == back.uid)
    again.stop()


def test_two_that_are_there_from_the_start_are_told_with_the_command_that_chooses(hosts, unique, tmp_path):
    two = hosts()
    Outlet(two.sender, unique, source_id=f"{unique}-id")
    Outlet(two.recorder, unique, source_id=f"{unique}-id")
    recorder = Recorder(two.recorder, tmp_path, bare(unique))
    recorder.until(lambda status: said(status, "2 streams", two.sender.name, two.recorder.name, "ctl reconnect emg"))
    recorder.ctl("reconnect", "emg", two.sender.name)
    now = recorder.until(lambda status: state(status) == "live")
    assert now["streams"]["emg"]["hostname"] == two.sender.name
    assert "no outlet 'nobody'" in recorder.ctl("reconnect", "emg", "nobody", code=1)
    assert "no connected stream 'eeg'" in recorder.ctl("reconnect", "eeg", code=1)
    recorder.stop()


@pytest.mark.slow
@pytest.mark.parametrize("back_on", ["sender", "recorder"])
def test_of_two_with_one_source_id_on_two_hosts_the_one_of_its_host_takes_what_returns(hosts, unique, back_on):
    two = hosts()
    layout = {"source_id": f"{unique}-id"}
    theirs, ours = Outlet(two.sender, unique, **layout), Outlet(two.recorder, unique, **layout)
    reader = Reader(two.recorder, name=unique, hostname=two.sender.name)
    reader.until(count=100, uid=theirs.uid)
    theirs.kill()
    ours.kill()
    back = Outlet(getattr(two, back_on), unique, **layout)
    if back_on == "sender":
        reader.until(state="live", uid=back.uid)
    else:
        reader.until(state="lost", message="nothing for 12.")
