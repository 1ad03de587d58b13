"""One box is killed, or cut off, in each phase of a recording: the others go on, and everybody is told."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from myogestic_tui.session import open_session_store, session_state
from myogestic_tui.session.merging.merge import merge_sessions
from tests.sending import RampOutlet

from .lab import COMMAND, Lab
from .test_fleet import CONFIG

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path, unique):
    lab = Lab(tmp_path)
    try:
        with RampOutlet(unique, n_channels=2, fs=200.0):
            for box in ("left", "right"):
                lab.add(box, CONFIG.format(stream=unique))
            lab.until_ready()
            yield lab
    finally:
        lab.close()


def state(lab, name):
    return lab.boxes[name].status()["state"]


def fetched(lab, folder):
    return [path for several in lab.facts("fetch", folder)["paths"].values() for path in several]


def test_killed_before_the_start_nothing_starts(lab):
    lab.boxes["right"].kill()
    done = lab.fleet("start", code=1)
    assert "nothing was started" in done.stderr
    assert "right:" in done.stderr
    assert state(lab, "left") == "idle"


def test_cut_off_before_the_start_nothing_starts(lab):
    lab.boxes["right"].cut()
    done = lab.fleet("start", code=1)
    assert "right: 127.0.0.1 cannot be reached" in done.stderr
    assert state(lab, "left") == "idle"


def test_killed_between_the_word_to_get_ready_and_the_word_to_start_it_is_told(lab):
    left = lab.boxes["left"]
    arm = subprocess.Popen(
        [*COMMAND, "ctl", "arm"], cwd=left.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert json.loads(arm.stdout.readline())["ok"]
    left.kill()
    out, _ = arm.communicate(f"go {time.monotonic()}\n", timeout=240)
    assert arm.returncode == 1
    assert json.loads(out)["ok"] is False


def test_killed_while_recording_the_others_stop_well_and_its_session_is_recovered_and_merged(lab, tmp_path):
    lab.facts("start")
    right = lab.boxes["right"]
    right.kill()
    told = lab.facts("stop", code=1)
    assert (told["left"]["ok"], told["right"]["ok"]) == (True, False)
    right.restart()
    lab.until_ready("right")
    right.wait_packed()
    paths = fetched(lab, tmp_path / "home")
    assert len(paths) == 2
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        assert [gap.kind for gap in session.timeline("emg_2").gaps if gap.seconds > 2.0] in ([], ["tail"])


def test_cut_off_while_recording_it_records_on_and_is_named(lab, tmp_path):
    lab.facts("start")
    right = lab.boxes["right"]
    right.cut()
    status = lab.fleet("status", code=1).stdout
    assert "cannot be reached" in status
    told = lab.facts("stop", code=1)
    assert (told["left"]["ok"], told["right"]["ok"]) == (True, False)
    assert "right" in told["right"]["message"]
    assert "right" in lab.fleet("label", "Fist", code=1).stderr
    right.mend()
    assert state(lab, "right") == "recording"
    assert lab.facts("--box", "right", "stop")["right"]["ok"]
    paths = fetched(lab, tmp_path / "home")
    assert [session_state(path) for path in paths] == ["packed", "packed"]


def test_cut_off_while_fetching_the_other_copy_is_there_and_no_half_one(lab, tmp_path):
    lab.facts("start")
    lab.facts("stop")
    lab.boxes["right"].cut()
    told = lab.facts("fetch", tmp_path / "home", code=1)
    assert (set(told["paths"]), set(told["failed"])) == ({"left"}, {"right"})
    assert [path.name[:5] for path in (tmp_path / "home").iterdir()] == ["left_"]
    lab.boxes["right"].mend()
    assert len(fetched(lab, tmp_path / "home")) == 2
