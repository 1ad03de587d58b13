"""Sessions of boxes whose clocks are hours apart, in one: by comparisons that stand in them, or not at all."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.cli.command_table import run
from myogestic_tui.errors import ClockError, ConfigError, SessionError
from myogestic_tui.session import open_session_store, unfinished_sessions, verify_session
from myogestic_tui.session.merging.merge import merge_sessions
from myogestic_tui.session.packing.interrupted_work import clean_up

from .boxes import PULSES, SECONDS, Box, of_labels, pulses

HOUR = 3600.0


@pytest.fixture
def left():
    return Box("left", 0.0)


@pytest.fixture
def right():
    return Box("right", 5 * HOUR, drift_ppm=40.0)


def both(tmp_path, left, right, **options):
    """Each has its own device; the right one also recorded the labels of the left one."""
    of_left = {"emg": (left, {"uid": "u-emg-left"}, left.compares(left))}
    of_right = {
        "emg": (right, {"uid": "u-emg-right"}, right.compares(right)),
        "labels of left": (left, of_labels(left), right.compares(left)),
    }
    return [
        left.record(tmp_path / "left", of_left, labels=(3.0, 9.0)),
        right.record(tmp_path / "right", of_right, **options),
    ]


def test_a_shared_pulse_lands_within_a_millisecond(tmp_path, left, right):
    out = merge_sessions(both(tmp_path, left, right), tmp_path / "both.session.zip")
    assert verify_session(out).ok
    with open_session_store(out) as session:
        assert session.streams == ["emg_left", "emg_right", "labels_of_left"]
        for name in ("emg_left", "emg_right"):
            assert np.abs(pulses(session, name) - left.reads(PULSES)).max() < 1e-3, name
        assert [label.timestamp for label in session.label_track] == pytest.approx(left.reads([3.0, 9.0]), abs=1e-9)
        assert {note.text for note in session.notes} == {"left: tape", "right: tape"}
        assert [note.timestamp for note in session.notes] == pytest.approx(left.reads([1.0, 1.0]), abs=1e-3)
        told = session.meta.extra["merged"]["sessions"][1]
        assert told["clock_offset_s"] == pytest.approx(-5 * HOUR, abs=1e-3)
        assert 0 < told["clock_error_s"] < 2e-3
        assert told["clock_comparisons"] == 15
        assert any("the clock of right is known by 15 comparisons" in one.text for one in session.findings)
        assert session.timeline("emg_right").gaps == ()


def test_a_stream_may_be_as_wrong_as_its_own_box_says_and_the_clock_between_the_boxes(tmp_path, left, right):
    noise = 0.004
    of_right = {
        "emg": (right, {"uid": "u-emg-right"}, right.compares(right)),
        "bare": (right, {}, None),
        "labels of left": (left, of_labels(left), right.compares(left, noise=noise)),
    }
    paths = [
        left.record(tmp_path / "a", {"emg": (left, {"uid": "u-emg-left"}, left.compares(left))}),
        right.record(tmp_path / "b", of_right),
    ]
    out = merge_sessions(paths, tmp_path / "m.session.zip")
    with open_session_store(out) as session, open_session_store(paths[1]) as alone:
        between = session.meta.extra["merged"]["sessions"][1]["clock_error_s"]
        assert between > noise / 2
        for name in ("emg", "bare"):
            merged = name if name == "bare" else "emg_right"
            error = session.timeline(merged).error_s
            assert between <= error, name
            assert session.meta.all_streams[merged].time.error_s == pytest.approx(error)
            assert session.summary().streams[merged].error_s == pytest.approx(error)
        assert session.timeline("emg_right").error_s == pytest.approx(between + alone.timeline("emg").error_s, rel=0.1)
    with open_session_store(out) as session, open_session_store(paths[0]) as alone:
        assert session.timeline("emg_left").error_s == alone.timeline("emg").error_s


def test_stamps_that_an_import_placed_are_brought_to_the_first_clock_with_their_error(tmp_path, left, right):
    of_right = {"emg": (right, {}, None), "labels": (left, of_labels(left), right.compares(left))}
    paths = [
        left.record(tmp_path / "a", {"emg": (left, {}, None)}),
        right.record(tmp_path / "b", of_right, placed=["emg"]),
    ]
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        assert np.abs(pulses(session, "emg_right") - left.reads(PULSES)).max() < 1e-3
        assert session.timeline("emg_right").error_s >= 0.02


def test_a_merged_session_is_merged_once_more_and_no_error_is_forgotten(tmp_path, left, right):
    third = Box("third", -7 * HOUR)
    paths = both(tmp_path, left, right)
    of_third = {"emg": (third, {}, None), "labels": (left, of_labels(left), third.compares(left, seed=9))}
    first = merge_sessions(paths, tmp_path / "m.session.zip")
    again = merge_sessions([third.record(tmp_path / "c", of_third), first], tmp_path / "n.session.zip")
    with open_session_store(first) as before, open_session_store(again) as session:
        assert np.abs(pulses(session, "emg_right") - third.reads(PULSES)).max() < 1e-3
        more = session.meta.extra["merged"]["sessions"][1]["clock_error_s"]
        known = before.meta.all_streams["emg_right"].clock_error_s
        assert session.meta.all_streams["emg_right"].clock_error_s == pytest.approx(known + more)


def test_samples_and_raw_time_stamps_are_copied_as_they_are(tmp_path, left, right):
    paths = both(tmp_path, left, right)
    out = merge_sessions(paths, tmp_path / "both.session.zip")
    with open_session_store(out) as merged:
        for path, new in zip(paths, ("emg_left", "emg_right"), strict=True):
            with open_session_store(path) as one:
                assert np.array_equal(merged.timestamps(new, "raw"), one.timestamps("emg", "raw"))
                assert np.array_equal(merged.stores[new][:], one.stores["emg"][:])
                assert merged.stream_info(new) == one.stream_info("emg")


def test_a_recorders_own_streams_without_comparisons_come_along_by_its_clock(tmp_path, left, right):
    of_right = {"emg": (right, {}, None), "labels": (left, of_labels(left), right.compares(left))}
    paths = [left.record(tmp_path / "a", {"emg": (left, {}, None)}), right.record(tmp_path / "b", of_right)]
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        assert np.abs(pulses(session, "emg_right") - left.reads(PULSES)).max() < 1e-3


def test_what_the_first_session_knows_of_time_stays_as_it_is(tmp_path, left, right):
    of_right = {"emg": (right, {}, None), "labels": (left, of_labels(left), right.compares(left))}
    paths = [left.record(tmp_path / "a", {"emg": (left, {}, None)}), right.record(tmp_path / "b", of_right)]
    with (
        open_session_store(paths[0]) as before,
        open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session,
    ):
        assert (session.timeline("emg_left").basis, before.timeline("emg").basis) == ("uncompared", "uncompared")
        assert session.timeline("emg_left").error_s == before.timeline("emg").error_s
        assert session.timeline("emg_right").basis == "lsl"
        assert np.array_equal(session.timestamps("emg_left"), before.timestamps("emg"))


def test_recorders_of_one_computer_need_no_comparison(tmp_path, left):
    other = Box("left", 0.0)
    other.origin = left.origin
    paths = [box.record(tmp_path / str(i), {"emg": (box, {}, None)}) for i, box in enumerate((left, other))]
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        assert session.streams == ["emg_1", "emg_2"]
        assert np.abs(pulses(session, "emg_2") - left.reads(PULSES)).max() < 1e-6


def test_an_outlet_that_both_recorded_ties_their_clocks(tmp_path, left, right):
    amp = Box("amp", -2 * HOUR, drift_ppm=-30.0)
    paths = [
        box.record(tmp_path / box.name, {"shared": (amp, {"uid": "u-amp"}, box.compares(amp, seed=3))})
        for box in (left, right)
    ]
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        for name in ("shared_left", "shared_right"):
            assert np.abs(pulses(session, name) - left.reads(PULSES)).max() < 1e-3


def test_three_boxes_are_tied_in_a_chain(tmp_path, left, right):
    third = Box("third", -7 * HOUR, drift_ppm=-20.0)
    paths = both(tmp_path, left, right)
    of_third = {"emg": (third, {}, None), "labels": (right, of_labels(right), third.compares(right, seed=9))}
    paths.append(third.record(tmp_path / "third", of_third))
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        assert np.abs(pulses(session, "emg_third") - left.reads(PULSES)).max() < 1e-3
        assert len(session.meta.extra["merged"]["sessions"][2]["clock_compared"]) == 2


def test_without_comparisons_nothing_is_merged_even_where_wall_clocks_agree(tmp_path, left, right):
    paths = [
        left.record(tmp_path / "a", {"emg": (left, {}, None)}),
        right.record(tmp_path / "b", {"emg": (right, {}, None)}),
    ]
    with pytest.raises(ClockError, match=r"nothing tells how the clock of right .* lies to that of left"):
        merge_sessions(paths, tmp_path / "m.session.zip")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a", "b"]


def test_equal_host_names_are_no_comparison(tmp_path, left, right):
    named = Box("left", 3 * HOUR)
    of_right = {"labels": (named, {"uid": "u-other"}, right.compares(named))}
    paths = [left.record(tmp_path / "a", {"emg": (left, {}, None)}), right.record(tmp_path / "b", of_right)]
    with pytest.raises(ClockError, match="nothing tells"):
        merge_sessions(paths, tmp_path / "m.session.zip")


def test_a_comparison_of_an_earlier_boot_does_not_count(tmp_path, left, right):
    before = Box("left", 90 * HOUR)  # the outlet began again under the same id, on a clock that began again
    of_right = {"labels": (before, of_labels(left), right.compares(before))}
    paths = [left.record(tmp_path / "a", {"emg": (left, {}, None)}), right.record(tmp_path / "b", of_right)]
    with pytest.raises((ClockError, SessionError), match=r"nothing tells|not recorded at the same time"):
        merge_sessions(paths, tmp_path / "m.session.zip")


def test_clocks_that_are_not_known_well_enough_are_refused_with_the_error(tmp_path, left, right):
    of_right = {"labels": (left, of_labels(left), right.compares(left, noise=0.03))}
    paths = [left.record(tmp_path / "a", {"emg": (left, {}, None)}), right.record(tmp_path / "b", of_right)]
    with pytest.raises(ClockError, match=r"may lie \d+\.\d ms off .* 10 ms are allowed"):
        merge_sessions(paths, tmp_path / "m.session.zip")
    merge_sessions(paths, tmp_path / "m.session.zip", max_error_s=0.5)


def test_sessions_of_different_times_are_refused(tmp_path, left, right):
    of_right = {"labels": (left, of_labels(left), right.compares(left, since=50.0))}
    paths = [
        left.record(tmp_path / "a", {"emg": (left, {}, None)}),
        right.record(tmp_path / "b", of_right, begins=50.0, ends=80.0),
    ]
    with pytest.raises(SessionError, match=r"not recorded at the same time: 20\.0 s"):
        merge_sessions(paths, tmp_path / "m.session.zip")


def test_a_box_that_came_late_and_was_killed_early_is_missing_there(tmp_path, left, right):
    paths = both(tmp_path, left, right, begins=6.0, ends=20.0)
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        gaps = {gap.kind: gap.seconds for gap in session.timeline("emg_right").gaps}
        assert gaps == {"head": pytest.approx(6.0, abs=0.1), "tail": pytest.approx(10.0, abs=0.1)}
        assert session.meta.all_streams["emg_right"].joined_at == pytest.approx(left.reads(6.0), abs=1e-3)
        assert session.duration_s == pytest.approx(SECONDS, abs=1e-6)


def test_labels_that_all_boxes_have_alike_are_one_track_and_others_are_refused(tmp_path, left, right):
    paths = both(tmp_path, left, right, labels=(3.0, 9.001))
    with open_session_store(merge_sessions(paths, tmp_path / "m.session.zip")) as session:
        assert len(session.label_track) == 2
    other = both(tmp_path / "2", left, right, labels=(3.0, 9.5))
    with pytest.raises(SessionError, match=r"label 2 of .* differ .*--labels-from"):
        merge_sessions(other, tmp_path / "n.session.zip")
    out = merge_sessions(other, tmp_path / "n.session.zip", labels_from=other[1])
    with open_session_store(out) as session:
        assert [label.timestamp for label in session.label_track] == pytest.approx(left.reads([3.0, 9.5]), abs=1e-3)
        assert all(label.uncertainty_s > 0 for label in session.label_track)


def test_bad_input_is_named_and_nothing_is_written(tmp_path, left, right):
    paths = both(tmp_path, left, right)
    out = tmp_path / "m.session.zip"
    for wrong, error, words in (
        (lambda: merge_sessions(paths[:1], out), ConfigError, "two sessions"),
        (lambda: merge_sessions([paths[0], paths[0]], out), ConfigError, "given twice"),
        (lambda: merge_sessions(paths, tmp_path / "m.zip"), ConfigError, r"\.session\.zip"),
        (lambda: merge_sessions(paths, tmp_path / "no" / "m.session.zip"), SessionError, "no folder"),
        (lambda: merge_sessions(paths, out, labels_from=tmp_path / "x"), ConfigError, "none of the sessions"),
        (lambda: merge_sessions(paths, paths[0]), SessionError, "is there already"),
    ):
        with pytest.raises(error, match=words):
            wrong()
    assert not list(tmp_path.glob("*.zip"))
    assert {one.name for one in tmp_path.iterdir()} == {"left", "right"}


def test_a_disk_without_links_gets_the_archive_too(tmp_path, left, right, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    out = merge_sessions(both(tmp_path, left, right), tmp_path / "m.session.zip")
    assert verify_session(out).ok
    assert {one.name for one in tmp_path.iterdir()} == {"left", "right", "m.session.zip"}


def _killed_merge(folder: Path, paths: list[Path]) -> None:
    """A process that merges and is killed while it packs."""
    code = (
        "import os, signal, sys\n"
        "from myogestic_tui.session.merging import merge\n"
        "merge.set_merged_meta = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "merge.merge_sessions(sys.argv[2:], sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder / "m.session.zip"), *map(str, paths)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_merge_left_goes_with_the_next_merge_or_recorder(tmp_path, left, right):
    paths = both(tmp_path, left, right)
    for after in (
        lambda: merge_sessions(paths, tmp_path / "m.session.zip"),
        lambda: clean_up(tmp_path),
    ):
        _killed_merge(tmp_path, paths)
        assert list(tmp_path.glob(".myogestic/merging/*/*/emg_left.zarr"))
        assert not unfinished_sessions(tmp_path)
        after()
        assert not list(tmp_path.rglob("emg_left.zarr"))
        (tmp_path / "m.session.zip").unlink(missing_ok=True)


def test_the_command_prints_what_was_merged(tmp_path, left, right, capsys):
    paths = both(tmp_path, left, right)
    assert run(["merge", *map(str, paths), "-o", str(tmp_path / "m.session.zip"), "--json"]) == 0
    told = capsys.readouterr()
    assert set(json.loads(told.out)["streams"]) == {"emg_left", "emg_right", "labels of left"}
    assert "the clock of right is known by 15 comparisons" in told.err
    assert run(["merge", str(paths[0]), "-o", str(tmp_path / "x.session.zip")]) == 2
