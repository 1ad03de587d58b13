"""While a session is recorded, a trial is moved: an event in the journal, in the session whatever ends the recorder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from myogestic_tui import App
from myogestic_tui.app import interface as r
from myogestic_tui.cli.command_table import run
from myogestic_tui.clock import local_clock
from myogestic_tui.control.embedded import hosted
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, open_session_store, recover_session, verify_session


@pytest.fixture
def session(tmp_path: Path):
    start = local_clock() - 100
    made = Session(tmp_path / "s", class_names=["Rest", "Fist"], started_at=start, reserve_bytes=0)
    for place in range(4):
        made.add_label(place % 2, start + 10 + 10 * place)
    yield made
    made.finish()


def times(labels) -> list[float]:
    first = labels[0].timestamp
    return [round(one.timestamp - first, 6) for one in labels]


def test_a_moved_label_is_where_it_was_moved_to_in_every_view(session, tmp_path: Path) -> None:
    at = session.label_track[1].timestamp
    assert session.move_label(1, at + 0.25).timestamp == at + 0.25
    assert times(session.label_track) == [0, 10.25, 20, 30]
    with open_session_store(session.path) as live:
        assert times(live.label_track) == [0, 10.25, 20, 30]
        assert live.findings == []
    session.finish()
    with open_session_store(session.path) as finished:
        assert times(finished.label_track) == [0, 10.25, 20, 30]
    assert verify_session(session.path).ok


def test_a_move_that_no_checkpoint_has_seen_survives_a_kill_and_no_label_comes_back(session, tmp_path: Path) -> None:
    session.flush()
    session.move_label(1, session.label_track[1].timestamp + 0.25)
    session.move_label(1, session.label_track[1].timestamp + 0.25)
    session.relabel(1, 0)
    copied = tmp_path / "killed"
    shutil.copytree(session.path, copied)
    (copied / ".lock").unlink(missing_ok=True)
    recover_session(copied)
    with open_session_store(copied) as killed:
        assert times(killed.label_track) == [0, 10.5, 20, 30]
        assert killed.label_track[1].class_index == 0
        assert not [one for one in killed.findings if one.kind == "damage"]


@pytest.mark.parametrize(("index", "by"), [(1, -11.0), (1, 11.0), (3, 100.0), (0, -11.0), (9, 0.1), (-1, 0.1)])
def test_a_label_stays_between_its_neighbours_and_now(session, index: int, by: float) -> None:
    before = session.label_track
    at = before[min(max(index, 0), 3)].timestamp
    with pytest.raises(ConfigError):
        session.move_label(index, at + by)
    assert session.label_track == before


@pytest.mark.parametrize("at", [float("nan"), float("inf"), "soon"])
def test_a_time_that_is_none_is_refused(session, at: object) -> None:
    with pytest.raises(ConfigError, match="seconds"):
        session.move_label(1, at)


def test_the_command_moves_a_trial_and_the_session_tells_who_did(tmp_path: Path, capsys) -> None:
    app = App("move", sessions_dir=tmp_path / "sessions")
    app.open()
    try:
        app.start_recording()
        now = local_clock()
        for place in range(3):
            app.add_label(place % 2, now + place * 1e-3)
        reply = app.execute(r.MoveLabel(seconds=5e-4, trial=2, actor="tui 7"))
        assert reply.ok
        assert reply.message.startswith("trial 2 class 1 moved by +0.00")
        refused = app.execute(r.MoveLabel(seconds=5.0, trial=2))
        assert not refused.ok
        assert "between" in refused.message
        with hosted(app):
            words = ["ctl", "--sessions", str(tmp_path / "sessions"), "move-trial"]
            assert run([*words, "--trial", "2", "--", "-0.0005"]) == 0
            assert run([*words, "--trial", "9", "1"]) == 1
            assert "no such trial" in capsys.readouterr().err
        session = app.ctx.session
        assert session is not None
        app.stop_recording()
        with open_session_store(session.path) as finished:
            told = [event for event in finished.meta.events if event.kind == "trial"]
            assert told[0].who == "tui 7"
            assert len(told) == 2
    finally:
        app.shut()
    assert os.path.isdir(tmp_path / "sessions")
