"""Boxes whose clocks are hours apart, each with its own network: a shared pulse lands within 1 ms."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ClockError
from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.session.merging.merge import merge_sessions
from tests.between_hosts.hosts import PATIENCE, TwoHosts, not_permitted

from .lab import Lab

PULSES = Path(__file__).with_name("pulse_child.py")
CONFIG = 'gestures = [{{ name = "Rest" }}, {{ name = "Fist" }}]\n[[streams]]\nname = "{stream}"\nas = "emg"\n'
HOUR = 3600
LEFT_AHEAD, RIGHT_AHEAD = 5 * HOUR, 2 * HOUR


@pytest.fixture
def undo():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def lab(undo, unique, tmp_path):
    """Boxes ``left`` and ``right``, with an outlet each that the other one does not record."""
    if reason := not_permitted("--time"):
        pytest.skip(f"no hosts with clocks of their own can be made here: {reason}")
    two = undo.enter_context(TwoHosts(unique, ahead=RIGHT_AHEAD, recorder_ahead=LEFT_AHEAD))
    lab = Lab(tmp_path)
    lab.two = two
    undo.callback(lab.close)
    for name, host in (("left", two.recorder), ("right", two.sender)):
        outlet = host.start(sys.executable, PULSES, f"{unique}{name}")
        assert outlet.stdout.readline() == "up\n"
        lab.add(name, CONFIG.format(stream=f"{unique}{name}"), host)
    lab.until_ready()
    return lab


def wait_recorded(lab, seconds):
    end = time.monotonic() + PATIENCE
    for box in lab.boxes.values():
        while box.status()["streams"]["emg"]["n_samples"] < seconds * 250:
            assert time.monotonic() < end, box.status()


def clock_less_true_time(session, name):
    return float(np.median(session.timestamps(name) - np.asarray(session.stores[name])[:, 0]))


@pytest.mark.slow
def test_a_shared_pulse_lands_within_a_millisecond(lab, tmp_path):
    lab.facts("start")
    before = time.time()
    lab.fleet("label", "Fist")
    after = time.time()
    wait_recorded(lab, 12)
    lab.facts("stop")
    paths = [path for several in lab.facts("fetch", tmp_path / "home")["paths"].values() for path in several]
    for first, other in (paths, paths[::-1]):
        out = merge_sessions([first, other], tmp_path / f"{Path(first).name[:5]}.session.zip")
        assert verify_session(out).ok
        with open_session_store(out) as session:
            names = [name for name in session.streams if name.startswith("emg")]
            left, right = (clock_less_true_time(session, name) for name in names)
            told = session.meta.extra["merged"]["sessions"][1]
            assert len(names) == 2
            assert abs(left - right) < 1e-3
            assert abs(left - right) <= told["clock_error_s"] < 5e-3
            assert abs(told["clock_offset_s"]) == pytest.approx(LEFT_AHEAD - RIGHT_AHEAD, abs=1.0)
            (label,) = session.label_track
            assert before - 0.05 < label.timestamp - left < after, "one key, told to both boxes"


@pytest.mark.slow
def test_sessions_that_were_started_without_comparisons_are_not_merged(lab, tmp_path):
    lab.facts("start", "--without-clocks")
    wait_recorded(lab, 2)
    lab.facts("stop")
    paths = [path for several in lab.facts("fetch", tmp_path / "home")["paths"].values() for path in several]
    with pytest.raises(ClockError, match="nothing tells how the clock of"):
        merge_sessions(paths, tmp_path / "m.session.zip")


@pytest.mark.slow
def test_boxes_that_do_not_find_each_other_are_not_started(lab):
    lab.two.pull(1)
    done = lab.fleet("start", code=1)
    assert "nothing was started" in done.stderr
    assert "right: its clock and that of left are not compared" in done.stderr
    assert {box.status()["state"] for box in lab.boxes.values()} == {"idle"}
