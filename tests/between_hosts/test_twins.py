"""Outlets of two hosts that are called the same: which one is meant is asked, said and remembered."""

from __future__ import annotations

import pytest

from .hosts import Outlet, Reader
from .recorder import COMMAND, Recorder, said


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
        reader.until(state="lost", message="no data for 12.")


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
def test_two_alike_that_die_while_recording_are_asked_about_and_given_back(hosts, unique, tmp_path, shared):
    host = (two := hosts()).recorder
    layout = {"source_id": f"{unique}-id"} if shared else {}
    outlets = {"left": Outlet(host, unique, **layout), "right": Outlet(host, unique, **layout)}
    config = "".join(f'[[streams]]\nname = "{unique}"\nas = "{name}"\n' for name in outlets)
    recorder = Recorder(host, tmp_path, config)
    recorder.until(lambda status: all(said(status, f"{name}: ", "2 streams") for name in outlets))
    for name, outlet in outlets.items():
        recorder.ctl("reconnect", name, outlet.uid[:8])
    recorder.until(lambda status: {n: one["uid"] for n, one in status["streams"].items()} == uids(outlets))
    recorder.ctl("start")
    recorder.until(lambda status: all(n > 100 for n in recorded(status)))
    for outlet in outlets.values():
        outlet.kill()
    back = Outlet(host, unique, **layout)
    asked = recorder.until(
        lambda status: (
            said(status, "left: ", "left or right", back.uid[:8])
            and said(status, "right: ", "right or left", back.uid[:8])
        )
    )
    assert f"ctl reconnect left {back.uid[:8]}" in recorder.ctl("status")
    assert [asked["streams"][name]["state"] for name in outlets] == ["lost", "lost"]
    recorder.ctl("reconnect", "right", back.uid[:8])
    left, right = recorded(asked)
    now = recorder.until(lambda status: recorded(status)[1] > right + 100)
    assert recorded(now)[0] == left
    assert not [one for one in now["problems"] if one["subject"] == "right" and "say which" in one["text"]]
    recorder.ctl("stop")
    recorder.stop()
    (path,) = tmp_path.glob("sessions/*.session.zip")
    told = two.recorder.run(*COMMAND, "info", path, cwd=tmp_path).stdout
    assert "ended" in told
    assert "1 gap" in told


def uids(outlets):
    return {name: outlet.uid for name, outlet in outlets.items()}


def recorded(status):
    """Samples of ``left`` and of ``right`` in the session that is being recorded."""
    streams = (status["session"] or {}).get("streams", {})
    return tuple((streams.get(name) or {"n_samples": 0})["n_samples"] for name in ("left", "right"))
