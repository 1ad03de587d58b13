"""Lines of "needs you" about the disk and the folder: what a power cut would take, what was set aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from myogestic_tui import App, Stream
from myogestic_tui.app import interface as r
from myogestic_tui.app.problems import _in_the_way, _unsynced_problems
from tests.app.stalling import PluggedSource
from tests.sending import wait_for


@pytest.mark.parametrize(("age", "told"), [(0.0, False), (1.9, False), (6.2, True)])
def test_what_a_power_cut_would_take_is_told_beyond_two_seconds(age: float, told: bool):
    problems = _unsynced_problems(r.SessionStatus(path="x", unsynced_s=age))
    assert [problem.text for problem in problems] == (
        ["slow: the last 6 s are not on it yet; a power cut now would take them"] if told else []
    )


def test_what_was_set_aside_is_told_while_it_is_recorded():
    events = tuple(
        r.EventStatus(timestamp=1.0, kind=kind, text=f"{kind} {number}")
        for number, kind in enumerate(("joined", "set aside", "stopped", "set aside", "label"))
    )
    session = r.SessionStatus(path="x", events=events)
    [problem] = _in_the_way(session, True)
    assert (problem.severity, problem.subject) == ("warning", "session")
    assert problem.text == "set aside 3 (and 1 more before it)"
    [problem] = _in_the_way(r.SessionStatus(path="x", events=events[:3]), True)
    assert problem.text == "set aside 1"
    assert _in_the_way(session, False) == _in_the_way(None, True) == []
    assert _in_the_way(r.SessionStatus(path="x", events=events[:1]), True) == []


def test_a_thing_in_the_recorders_way_is_a_line_while_it_records(tmp_path: Path, unique: str):
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.streams(Stream("emg", PluggedSource(2, 200.0)))
    app.open()
    try:
        wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
        session = app.start_recording()
        (session.path / "meta.json").unlink()
        os.mkfifo(session.path / "meta.json")
        session.save_meta()
        wait_for(lambda: [one for one in app.status().problems if "meta.json was in the way" in one.text])
        [problem] = [one for one in app.status().problems if "in the way" in one.text]
        assert (problem.severity, problem.subject) == ("warning", "session")
        app.stop_recording()
        wait_for(lambda: app.status().state == "idle")
        assert not [one for one in app.status().problems if "in the way" in one.text]
    finally:
        app.shut()
