"""A montage from the configuration, the command line and scripts: into the recording, onto the screens, remembered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, ChannelGrid, GridLayout, Stream, StreamInfo
from myogestic_tui.app import interface as r
from myogestic_tui.cli.command_table import run
from myogestic_tui.config import parse_config
from myogestic_tui.control.embedded import hosted
from myogestic_tui.errors import ConfigError, NotAllowedError
from myogestic_tui.session import open_session_store
from myogestic_tui.session.reading.facts import read_facts
from tests.sending import RampSource, wait_for

TEXT = """
[[montage]]
stream = "emg"
grid = "2x3"
channels = "1-6"
order = "columns"
muscle = "biceps brachii"
side = "left"
distance = 10
"""
GRID = ChannelGrid("left biceps brachii", ((0, 2, 4), (1, 3, 5)), "biceps brachii", "left", 10.0)


@contextmanager
def running(folder: Path, text: str = TEXT, n_channels: int = 8, **stream: object) -> Iterator[App]:
    app = App("montage", config=parse_config(text), sessions_dir=folder / "sessions")
    app.streams(Stream("emg", source=RampSource(n_channels), **stream))
    app.open()
    try:
        wait_for(lambda: app.ctx.streams["emg"].info is not None)
        yield app
    finally:
        app.shut()


def row(app: App) -> r.StreamStatus:
    return next(one for one in app.status().streams if one.name == "emg")


def grids(app: App) -> tuple[ChannelGrid, ...] | None:
    return app.ctx.streams["emg"].info.channel_grids


def test_the_configuration_s_montage_is_in_the_session_and_on_the_screens(tmp_path):
    with running(tmp_path) as app:
        assert row(app).places == ((0, 2, 4), (1, 3, 5))
        assert row(app).grid_labels == (("left biceps brachii", 0, 0),)
        assert row(app).montage == ("left biceps brachii: 2x3, 10 mm, channels 1-6",)
        session = app.start_recording()
        wait_for(lambda: session.snapshot().n_samples.get("emg", 0) > 20)
        with open_session_store(session.path) as unfinished:
            assert unfinished.stream_info("emg").channel_grids == (GRID,)
        app.stop_recording()
    with open_session_store(session.path) as stored:
        assert stored.stream_info("emg").channel_grids == (GRID,)
        plain = json.loads((stored.path.parent / "meta.json").read_bytes()) if stored.path.is_dir() else None
        assert plain is None
        assert stored.meta.streams["emg"].extra["channel_grids"] == [
            {"label": "left biceps brachii", "cells": [[0, 2, 4], [1, 3, 5]]}
        ]


def test_a_montage_that_does_not_fit_is_told_and_no_place_is_made_up(tmp_path):
    with running(tmp_path, n_channels=4) as app:
        assert grids(app) is None
        assert row(app).places == ()
        (problem,) = [one for one in app.status().problems if one.subject == "emg"]
        assert "montage: grid 'left biceps brachii': no channel 6; there are 4" in problem.text
        session = app.start_recording()
        wait_for(lambda: session.snapshot().n_samples.get("emg", 0) > 20)
        app.stop_recording()
    with open_session_store(session.path) as stored:
        assert stored.stream_info("emg").channel_grids is None


def test_a_montage_of_a_stream_that_is_not_there_is_told(tmp_path):
    with running(tmp_path, TEXT.replace("emg", "egm")) as app:
        assert [one.subject for one in app.status().problems if "montage" in one.subject] == ["montage egm"]


def test_it_is_fixed_while_the_stream_is_recorded(tmp_path):
    with running(tmp_path) as app:
        session = app.start_recording()
        wait_for(lambda: session.snapshot().n_samples.get("emg", 0) > 20)
        reply = app.execute(r.SetMontage(stream="emg", layouts=(GridLayout(grid="2x4"),)))
        assert not reply.ok
        assert "being recorded" in reply.message
        with pytest.raises(NotAllowedError):
            app.ctx.streams["emg"].set_montage([GridLayout(grid="2x4")])
        assert grids(app) == (GRID,)
        app.stop_recording()
        assert app.execute(r.SetMontage(stream="emg", layouts=(GridLayout(grid="2x4"),))).ok
        assert row(app).places == ((0, 1, 2, 3), (4, 5, 6, 7))
    with open_session_store(session.path) as stored:
        assert stored.stream_info("emg").channel_grids == (GRID,)


def test_what_the_operator_says_goes_first_is_remembered_and_can_be_reset(tmp_path):
    one, two = (GridLayout(grid="2x2", channels=channels, label=channels) for channels in ("1-4", "5-8"))
    with running(tmp_path) as app:
        assert app.execute(r.SetMontage(stream="emg", layouts=(one,))).ok
        assert app.execute(r.SetMontage(stream="emg", layouts=(two,), add=True)).ok
        refused = app.execute(r.SetMontage(stream="emg", layouts=(GridLayout(grid="3x3"),)))
        assert (refused.ok, "9 places for the 8 channels" in refused.message) == (False, True)
        assert [grid.label for grid in grids(app)] == ["1-4", "5-8"]
    with running(tmp_path) as app:
        assert [grid.label for grid in grids(app)] == ["1-4", "5-8"]
        assert app.execute(r.SetMontage(stream="emg", layouts=None)).ok
        assert grids(app) == (GRID,)
    with running(tmp_path) as app:
        assert grids(app) == (GRID,)
        assert app.execute(r.SetMontage(stream="emg", layouts=())).ok
    with running(tmp_path) as app:
        assert grids(app) is None


def test_a_script_gives_a_montage_or_its_source_does(tmp_path):
    with running(tmp_path, "", montage=[GridLayout(grid="2x4", muscle="triceps")]) as app:
        assert grids(app) == (ChannelGrid("triceps", ((0, 1, 2, 3), (4, 5, 6, 7)), "triceps"),)
    source = RampSource(4)
    source.info = StreamInfo(4, 500.0, channel_grids=[ChannelGrid("IN1", [[0, 1], [2, 3]])])
    stream = Stream("emg", source)
    stream.start()
    try:
        wait_for(lambda: stream.info is not None)
        assert stream.info.channel_grids == (ChannelGrid("IN1", ((0, 1), (2, 3))),)
        stream.set_montage([GridLayout(cells=((4, 3), (2, 1)))])
        assert stream.info.channel_grids[0].cells == ((3, 2), (1, 0))
        with pytest.raises(ConfigError):
            stream.set_montage([GridLayout(grid="3x3")])
        stream.set_montage([])
        assert stream.info.channel_grids[0].label == "IN1"
    finally:
        stream.stop()


def test_ctl_montage_sets_shows_and_refuses(tmp_path, capsys):
    def ctl(*arguments: str) -> tuple[int, str]:
        code = run(["ctl", "montage", "--sessions", str(tmp_path / "sessions"), *arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    with running(tmp_path) as app, hosted(app):
        assert ctl() == (0, "emg  left biceps brachii: 2x3, 10 mm, channels 1-6\n")
        assert ctl("emg", "2x4", "--muscle", "triceps", "--side", "right", "--distance", "8")[0] == 0
        assert grids(app) == (ChannelGrid("right triceps", ((0, 1, 2, 3), (4, 5, 6, 7)), "triceps", "right", 8.0),)
        assert ctl("emg", "--cells", "1 2 / - 3")[0] == 0
        assert ctl("emg", "--channels", "8", "--muscle", "deltoid", "--add")[0] == 0
        code, text = ctl("--json")
        assert (code, json.loads(text)["emg"]["channel_grids"]) == (
            0,
            [{"label": "emg 1", "cells": [[0, 1], [None, 2]]}, {"label": "deltoid", "cells": [[7]]}],
        )
        assert ctl("emg", "--none") == (0, "emg: no electrode has a place\n")
        assert ctl("emg") == (0, "emg  no electrode has a place\n")
        assert ctl("emg", "--reset")[0] == 0
        assert grids(app) == (GRID,)
        for arguments, words in {
            ("emg", "3x3"): "9 places for the 8 channels",
            ("emgg", "2x4"): "no connected stream 'emgg'",
            ("emgg",): "no connected stream 'emgg'",
            ("emg", "2by4"): "give rows x columns",
            ("emg", "--cells", "1 1"): "channel 1 has two places",
            ("emg", "--cells", "1 9"): "no channel 9; there are 8",
            ("emg", "2x4", "--reset"): "give a grid, or --none, or --reset",
        }.items():
            code, text = ctl(*arguments)
            assert code != 0
            assert words in text
        assert grids(app) == (GRID,)


def test_ctl_montage_says_why_there_is_none(tmp_path, capsys):
    with running(tmp_path, n_channels=4) as app, hosted(app):
        assert run(["ctl", "montage", "--sessions", str(tmp_path / "sessions")]) == 0
        assert "emg  montage: grid 'left biceps brachii': no channel 6; there are 4" in capsys.readouterr().out
        assert run(["ctl", "montage", "--sessions", str(tmp_path / "sessions"), "emg", "--reset"]) == 1
        assert "emg: grid 'left biceps brachii': no channel 6" in capsys.readouterr().err


def test_info_prints_the_electrodes_and_reports_those_that_cannot_be(tmp_path, capsys):
    from myogestic_tui.session import Session, verify_session

    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", StreamInfo(8, 100.0, channel_grids=[GRID]))
    session.close()
    assert run(["info", str(session.path)]) == 0
    assert "electrodes   emg left biceps brachii: 2x3, 10 mm, channels 1-6" in capsys.readouterr().out
    with open_session_store(session.path) as reader:
        fields = dict(read_facts(reader).fields)
        assert fields["electrodes"] == "emg left biceps brachii: 2x3, 10 mm, channels 1-6"
    assert run(["info", "--json", str(session.path)]) == 0
    told = json.loads(capsys.readouterr().out)["electrodes"]
    assert told["emg"]["channel_grids"][0]["cells"] == [[0, 2, 4], [1, 3, 5]]
    meta = session.path / "meta.json"
    plain = json.loads(meta.read_bytes())
    plain["streams"]["emg"]["channel_grids"][0]["cells"] = [[0, 99]]
    meta.write_text(json.dumps(plain))
    outcome = verify_session(session.path)
    assert outcome.ok
    assert [one.text for one in outcome.findings if "electrodes have no place" in one.text]
    assert run(["info", str(session.path)]) == 0
    assert (
        "its electrodes have no place: grid 'left biceps brachii': no channel 100; there are 8"
        in capsys.readouterr().out
    )


def test_the_montage_of_a_finished_session_is_told_later(tmp_path, capsys):
    from myogestic_tui.session import Session, verify_session

    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", StreamInfo(8, 100.0))
    session.append("emg", np.ones((50, 8), np.float32), session.started_at + np.arange(50) / 100)
    path = str(session.pack_to_zip())
    told = [
        "--channels",
        "1-6",
        "--order",
        "columns",
        "--muscle",
        "biceps brachii",
        "--side",
        "left",
        "--distance",
        "10",
    ]
    assert run(["montage", path, "emg", "2x3", *told]) == 0
    assert "emg left biceps brachii: 2x3, 10 mm, channels 1-6" in capsys.readouterr().out
    assert run(["montage", path, "emg", "--channels", "8", "--muscle", "triceps", "--add"]) == 0
    with open_session_store(path) as stored:
        assert stored.stream_info("emg").channel_grids == (GRID, ChannelGrid("triceps", ((7,),), "triceps"))
        assert [one["fields"] for one in stored.meta.extra["edits"]] == [["montage of emg"]] * 2
        np.testing.assert_array_equal(stored.get_continuous("emg")[0], np.ones((50, 8)))
    assert verify_session(path).ok
    before = Path(path).read_bytes()
    for arguments, words in {
        ("emg", "3x3"): "9 places for the 8 channels",
        ("emg", "--channels", "1", "--add", "--label", "again"): "channel 1 is in two grids",
        ("imu", "2x4"): "no stream 'imu'",
        ("emg",): "give a grid, or --none",
    }.items():
        assert run(["montage", path, *arguments]) != 0
        assert words in capsys.readouterr().err
    assert Path(path).read_bytes() == before
    assert run(["montage", path, "emg", "--none"]) == 0
    with open_session_store(path) as stored:
        assert stored.stream_info("emg").channel_grids is None


KILLED = """
import os, sys
import numpy as np
from myogestic_tui import ChannelGrid, StreamInfo
from myogestic_tui.session import Session
session = Session(sys.argv[1], reserve_bytes=0)
os.unlink(session.path / "meta.json")
grid = ChannelGrid("g", ((0, 1), (2, 3)), "biceps", "left", 8.0)
session.init_stream("emg", StreamInfo(4, 100.0, channel_grids=[grid]))
session.append("emg", np.ones((50, 4), np.float32), np.arange(50) / 100)
os.unlink(session.path / "meta.json")
print(session.path, flush=True)
os._exit(9)
"""


def test_a_montage_outlives_a_kill_by_the_journal_alone(tmp_path):
    from myogestic_tui.session import recover_session

    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, timeout=240)
    path = recover_session(done.stdout.strip())
    with open_session_store(path) as stored:
        grids = stored.stream_info("emg").channel_grids
        assert grids == (ChannelGrid("g", ((0, 1), (2, 3)), "biceps", "left", 8.0),)
