"""A sender with a clock of its own: what it sends is recorded whole, also when its computer reboots."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from .hosts import PATIENCE, Outlet
from .recorder import COMMAND

FS = 200.0


def recording(two, folder: Path, name: str, seconds: float):
    """`record` on the recorder's computer, once samples are on disk."""
    log = (folder / "record.log").open("w")
    process = two.recorder.start(*COMMAND, "record", name, "--seconds", seconds, "--json", cwd=folder, stderr=log)
    log.close()
    end = time.monotonic() + PATIENCE
    while not list(folder.glob("sessions/*/*/c/*")):
        assert time.monotonic() < end, (folder / "record.log").read_text()
        time.sleep(0.05)
    return process


def result(process, folder: Path) -> dict:
    assert process.wait(2 * PATIENCE) == 0, (folder / "record.log").read_text()
    return json.loads(process.stdout.read())


@pytest.mark.slow
@pytest.mark.parametrize("after", [100, 100_000])
def test_a_sender_that_reboots_leaves_one_gap_as_long_as_it_was_away(hosts, unique, tmp_path, after):
    two = hosts(ahead=5_000)
    Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
    process = recording(two, tmp_path, unique, 30)
    went = time.monotonic()
    two.reboot(after)
    Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
    away = time.monotonic() - went
    told = result(process, tmp_path)["streams"][unique]
    assert told["gaps"] == 1, told
    assert away - 1.0 < told["lost_samples"] / FS < away + 8.0
    assert abs(told["measured_fs"] - FS) < 2.0
    (path,) = tmp_path.glob("sessions/*.session.zip")
    info = two.recorder.run(*COMMAND, "info", path, cwd=tmp_path).stdout
    assert "1 gap" in info
    verified = two.recorder.run(*COMMAND, "verify", path, "--json", cwd=tmp_path).stdout
    assert "gap" in verified
    assert "damage" not in verified.replace('"damaged": false', "")


@pytest.mark.slow
@pytest.mark.parametrize(("ahead", "recorder_ahead"), [(20, 0), (0, 20)])
def test_nothing_is_cut_at_the_ends_whatever_the_senders_clock_says(hosts, unique, tmp_path, ahead, recorder_ahead):
    two = hosts(ahead=ahead, recorder_ahead=recorder_ahead)
    Outlet(two.sender, unique, source_id=f"{unique}-id", fs=FS)
    told = result(recording(two, tmp_path, unique, 6), tmp_path)
    stream = told["streams"][unique]
    assert (stream["gaps"], stream["lost_samples"]) == (0, 0)
    assert abs(stream["n_samples"] - FS * told["duration_s"]) < 0.3 * FS
