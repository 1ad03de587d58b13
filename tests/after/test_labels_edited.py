"""Labels edited after the recording: samples keep their bytes, the first version stays, a kill leaves old or new."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.cli.command_table import run
from myogestic_tui.errors import ConfigError, SessionError, SessionLockedError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import (
    Session,
    edit_labels,
    finish_interrupted,
    labeled_windows,
    open_session_store,
    pack_session,
    verify_session,
)
from myogestic_tui.session.export import export_session
from myogestic_tui.session.format.label_edits import EDITS
from myogestic_tui.session.library.edit import edit_session
from myogestic_tui.session.library.label_changes import Drop, MarkBad, Relabel, Shift, Split
from myogestic_tui.session.reading.onsets import find_onsets

from .conftest import LATE_S

METADATA = ("meta.json", "labels.json", "labels.original.json", "manifest.json")


def member(path: Path, name: str) -> bytes | None:
    if path.is_dir():
        file = path / name
        return file.read_bytes() if file.exists() else None
    with zipfile.ZipFile(path) as archive:
        return archive.read(name) if name in archive.namelist() else None


def sample_hashes(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("manifest.json").decode().splitlines()[1:-1]
    entries = json.loads("{" + "".join(lines) + "}")
    return {name: entry["sha256"] for name, entry in entries.items() if name not in METADATA}


def track(path: Path) -> list[tuple[float, int, bool]]:
    with open_session_store(path) as session:
        start = session.meta.anchors[0].lsl
        return [(round(one.timestamp - start, 6), one.class_index, one.bad) for one in session.label_track]


def test_labels_of_a_session_that_a_script_filled_faster_than_time_can_be_moved(tmp_path) -> None:
    session = Session(tmp_path, class_names=["Rest", "Fist"], reserve_bytes=0)
    start = session.started_at
    session.init_stream("emg", StreamInfo(1, 100.0, type="EMG"))
    session.append("emg", np.ones((60_000, 1), np.float32), start + np.arange(60_000) / 100)  # ten minutes
    for at, index in ((0.5, 0), (300.0, 1)):
        session.add_label(index, start + at)
    session.finish()
    edit_labels(session.path, [Shift(5.0)])
    assert [at for at, *_ in track(session.path)] == pytest.approx([5.5, 305.0], abs=0.1)
    with pytest.raises(ConfigError, match="outside the recording of 59"):
        edit_labels(session.path, [Shift(400.0)])


def test_an_edit_names_the_account_by_its_rights_and_not_by_the_environment(trials, monkeypatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "whoever-logged-in")
    path = trials(packed=False)
    edit_labels(path, [MarkBad(1)])
    names = [account.pw_name for account in pwd.getpwall() if account.pw_uid == os.geteuid()]
    with open_session_store(path) as session:
        assert session.label_edits[-1].who in (names or [str(os.geteuid())])


@pytest.mark.parametrize("packed", [False, True])
def test_an_edit_changes_labels_alone_and_keeps_who_when_old_and_new(trials, packed: bool) -> None:
    path = trials(packed=packed)
    original = member(path, "labels.json")
    hashes = sample_hashes(path) if packed else None
    with open_session_store(path) as session:
        samples = session.stores["emg"][:]
    changes = [Shift(0.25), Relabel(2, "Pinch"), MarkBad(4), Drop(6), Split(13.0)]
    done = edit_labels(path, changes, who="me")
    assert done.path == path
    assert track(path) == [
        (0.25, 0, False),
        (3.25, 2, False),
        (6.25, 0, False),
        (9.25, 1, True),
        (12.25, 0, False),
        (13.25, 0, False),
        (15.25, -1, False),
        (18.25, 0, False),
        (21.25, 1, False),
    ]
    assert member(path, "labels.original.json") == original
    meta = json.loads(member(path, "meta.json"))
    assert meta["bad_trials"] == [3]
    [edit] = meta["edits"]
    assert (edit["who"], edit["at"][:2], edit["fields"]) == ("me", "20", ["labels"])
    assert "trial 2 Fist relabelled Pinch" in edit["what"]
    olds = [one["old"] for one in edit["changes"] if one["old"]]
    assert olds == json.loads(original)
    news = [one["new"] for one in edit["changes"] if one["new"]]
    assert news == json.loads(member(path, "labels.json"))
    outcome = verify_session(path)
    assert outcome.ok, outcome.findings
    assert any("labels were edited once" in finding.text for finding in outcome.findings)
    with open_session_store(path) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], samples)
        assert "by me" in session.summary().labels_edited
    if packed:
        assert sample_hashes(path) == hashes
    else:
        assert track(pack_session(path))[3] == (9.25, 1, True)


@pytest.mark.parametrize("seconds", [0.25, 0.1, 1 / 3, 1e-7])
def test_a_shift_there_and_back_gives_the_same_bytes(trials, seconds: float) -> None:
    path = trials()
    first = member(path, "labels.json")
    for step in (seconds, seconds, -seconds, -2 * seconds, seconds):
        edit_labels(path, [Shift(step)])
    assert member(path, "labels.json") == first == member(path, "labels.original.json")
    with open_session_store(path) as session:
        assert len(session.label_edits) == 5


def test_labels_that_another_program_wrote_come_back_byte_for_byte(trials) -> None:
    path = trials()
    foreign = json.dumps([{**one, "theirs": {"a": 1}} for one in json.loads(member(path, "labels.json"))], indent=3)
    (path / "labels.json").write_text(foreign)
    edit_labels(path, [Shift(0.1), MarkBad(1)])
    assert all(one["theirs"] == {"a": 1} for one in json.loads(member(path, "labels.json")))
    edit_labels(path, [Shift(-0.1), MarkBad(1, False)])
    assert member(path, "labels.json").decode() == foreign


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Relabel(99, "Fist"), "no trial 99"),
        (Relabel(0, "Fist"), "no trial 0"),
        (Relabel(1, "Fits"), "Rest, Fist, Pinch"),
        (Relabel(1, 7), "no class 7"),
        (Relabel(1, "-1"), "no class '-1'"),
        (MarkBad(-1), "no trial -1"),
        (Shift(250.0), "outside the recording"),
        (Shift(float("nan")), "give seconds"),
        (Shift(float("inf")), "give seconds"),
        (Shift(-3.5, (3,)), "before the one"),
        (Split(-2.0), "no trial holds"),
        (Split(float("nan")), "no trial holds"),
        (Split(3.0), "no trial holds 3 s"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(trials, change, why: str) -> None:
    path = trials()
    if change == Split(3.0):  # exactly where a trial begins
        with open_session_store(path) as session:
            at = session.label_track[1].timestamp - session.meta.anchors[0].lsl
        change = Split(at)
        why = "no trial holds"
    before = {name: member(path, name) for name in METADATA}
    with pytest.raises(ConfigError, match=why):
        edit_labels(path, [MarkBad(1), change])
    assert {name: member(path, name) for name in METADATA} == before


def test_what_changes_nothing_is_no_edit(trials) -> None:
    path = trials()
    before = member(path, "meta.json")
    assert edit_labels(path, [Shift(0.0), MarkBad(1, False), Relabel(1, "Rest")]).what == []
    assert member(path, "meta.json") == before
    assert member(path, "labels.original.json") is None


def test_a_session_that_is_recorded_or_cut_off_is_not_edited(tmp_path: Path) -> None:
    session = Session(tmp_path, reserve_bytes=0)
    session.add_label(0)
    with pytest.raises(SessionLockedError, match="being recorded"):
        edit_labels(session.path, [MarkBad(1)])
    session.finish()
    (session.path / "journal").mkdir()
    with pytest.raises(SessionError, match="recover"):
        edit_labels(session.path, [MarkBad(1)])


def test_the_history_of_edits_is_no_field_that_rename_takes(trials) -> None:
    path = trials()
    edit_labels(path, [MarkBad(2)])
    with pytest.raises(ConfigError, match="edits"):
        edit_session(path, {EDITS: "none"})
    edit_session(path, {"subject": "P1"})
    with open_session_store(path) as session:
        assert len(session.label_edits) == 1
        assert len(session.meta.extra[EDITS]) == 2


# ---------------------------------------------------------------- kills

_WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}


def edit_and_die_before(path: Path, step: int) -> bool:
    """Edit a session in a child that is killed before its so-manieth change to the disk; True if it got to its end."""
    pid = os.fork()
    if pid:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, -signal.SIGKILL)
        return code == 0
    left = iter(range(step))

    def hook(event: str, args: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in _WRITES) and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    edit_labels(path, [Shift(0.25), MarkBad(3)], who="me")
    os._exit(0)


@pytest.mark.parametrize("packed", [False, True])
def test_killed_before_any_change_to_the_disk_there_is_the_old_or_the_new(trials, tmp_path, packed: bool) -> None:
    """Of the second edit: the first version is that of before the first."""
    path = trials(n_trials=4, packed=packed)
    edit_labels(path, [MarkBad(1)], who="first")
    original, old = member(path, "labels.original.json"), track(path)
    new = [(at + 0.25, index, place in (0, 2)) for place, (at, index, _) in enumerate(old)]
    states, step, ended = [], 0, False
    while not ended:
        there = tmp_path / f"kill{step}"
        there.mkdir()
        copied = Path((shutil.copytree if path.is_dir() else shutil.copy)(path, there / path.name))
        ended = edit_and_die_before(copied, step)
        if packed:
            finish_interrupted(there)
            [copied] = there.glob("*.session.zip")
            assert [*there.rglob("*.tmp"), *there.rglob("*.work")] == []
        outcome = verify_session(copied)
        assert outcome.ok, outcome.findings
        is_new = track(copied) != old
        assert track(copied) == (new if is_new else old)
        assert member(copied, "labels.original.json") == original
        with open_session_store(copied) as session:
            assert len(session.label_edits) == (2 if is_new else 1)
            assert f"edited {'2 times' if is_new else 'once'}" in session.summary().labels_edited
        states.append(is_new)
        if not packed:
            edit_labels(copied, [Relabel(4, "Pinch")], who="again")
            assert len(json.loads(member(copied, "meta.json"))[EDITS]) == (3 if is_new else 2)
            assert verify_session(copied).ok
        shutil.rmtree(there)
        step += 1 if step < 40 else 7
    assert states == sorted(states), "once new, never old again"
    assert (states[0], states[-1]) == (False, True)
    assert step >= 5


def test_labels_changed_by_another_program_since_are_told(trials) -> None:
    path = trials()
    edit_labels(path, [MarkBad(2)])
    labels = json.loads(member(path, "labels.json"))
    (path / "labels.json").write_text(json.dumps(labels[:-1]))
    assert any("another program" in finding.text for finding in verify_session(path).findings)
    edit_labels(path, [MarkBad(1)])
    assert verify_session(path).ok


def test_a_first_version_that_is_gone_or_changed_is_damage(trials) -> None:
    path = trials()
    edit_labels(path, [MarkBad(2)])
    first = path / "labels.original.json"
    first.write_bytes(first.read_bytes().replace(b'"class_index":1', b'"class_index":2'))
    assert not verify_session(path).ok
    first.unlink()
    [damage] = [finding for finding in verify_session(path).findings if finding.kind == "damage"]
    assert "labels.original.json is missing" in damage.text
    edit_labels(path, [MarkBad(1)])
    assert not first.exists()


# ---------------------------------------------------------------- what reads them


def test_windows_exports_and_info_follow_the_edited_labels_and_say_so(trials, tmp_path, caplog, capsys) -> None:
    path = trials()
    edit_labels(path, [Relabel(1, "Pinch"), MarkBad(2), Drop(3)], who="me")
    _, classes, groups = labeled_windows([path], "emg", 0.5, 0.5)
    assert set(classes.tolist()) == {0, 1, 2}
    assert len(set(groups.tolist())) == 6
    assert any("labels were edited once" in record.getMessage() for record in caplog.records)
    for format_name in ("csv", "npz", "xdf", "edf"):
        with open_session_store(path) as session:
            out = export_session(session, format_name, tmp_path)
        assert any("labels were edited once" in text for text in out.remarks), format_name
    assert run(["info", str(path)]) == 0
    told = capsys.readouterr().out
    assert "labels were edited once" in told
    assert "bad trials   2" in told
    assert run(["info", str(path), "--json"]) == 0
    assert "by me" in json.loads(capsys.readouterr().out)["labels_edited"]


# ---------------------------------------------------------------- the command


def test_the_command_lists_edits_and_takes_its_own_table_back(trials, tmp_path, capsys) -> None:
    path = trials(packed=True)
    assert run(["labels", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["TRIAL", "START", "SECONDS", "CLASS", "BAD", "FROM", "MAY", "BE", "OFF"]
    assert lines[2].split() == ["2", "3.000", "3.000", "Fist", "key"]
    assert run(["labels", str(path), "--csv"]) == 0
    table = tmp_path / "labels.csv"
    text = capsys.readouterr().out
    table.write_text(text)
    assert run(["labels", str(path), "--from", str(table)]) == 0
    assert "nothing to change" in capsys.readouterr().err
    table.write_text(text.replace(",1,Fist,0", ",1,Pinch,1", 1))
    assert run(["labels", str(path), "--from", str(table), "--who", "Ada", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["labels"][1]["name"], told["labels"][1]["bad"]) == ("Pinch", True)
    assert told["edits"][0]["who"] == "Ada"
    assert run(["labels", str(path), "--shift", "0.25", "--relabel", "1=Pinch", "--drop", "3"]) == 0
    assert "edited 2 times" in capsys.readouterr().out
    assert run(["labels", str(path), "--shift", "-0.25", "--trial", "2"]) == 0
    assert "trial 2 shifted -0.25 s" in capsys.readouterr().err
    assert run(["labels", str(path), "--original"]) == 0
    assert member(path, "labels.json") == member(path, "labels.original.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column time"),
        ("time\n1\n", "no column class"),
        ("start_s,class_name\n1,Fits\n", r"line 2: no class 'Fits'"),
        ("start_s,class_name\nsoon,Fist\n", "line 2: start_s is 'soon'"),
        ("start_s,class_name\n,Fist\n", "line 2: there is no time"),
        ("start_s,class_index\n1,one\n", "whole number"),
        ("start_s,class_index\n1,9\n", "no class 9"),
        ("start_s,class_index,bad\n1,1,perhaps\n", "bad is 'perhaps'"),
        ("start_s,class_index\n1e9,1\n", "outside the recording"),
        ("start_s,class_index\nnan,1\n", "write seconds"),
        ("a\0b,c\n", "no column time|no table"),
    ],
)
def test_a_table_that_is_none_is_refused_by_line(trials, tmp_path, capsys, text: str, why: str) -> None:
    path = trials(n_trials=2)
    table, before = tmp_path / "labels.csv", member(path, "labels.json")
    table.write_text(text)
    assert run(["labels", str(path), "--from", str(table)]) == 2
    assert re.search(why, capsys.readouterr().err)
    assert member(path, "labels.json") == before


@pytest.mark.parametrize(
    "words",
    [
        ["--relabel", "7"],
        ["--relabel", "x=Fist"],
        ["--trial", "1"],
        ["--apply"],
        ["--shift", "1", "--to-onset"],
        ["--original", "--bad", "1"],
        ["--bad", "x"],
    ],
)
def test_options_that_make_no_sense_are_a_usage_error(trials, words: list[str]) -> None:
    assert run(["labels", str(trials(n_trials=2)), *words]) == 2


# ---------------------------------------------------------------- onsets


def test_onsets_are_proposed_from_the_samples_and_written_on_request_only(trials, capsys) -> None:
    path = trials()
    before = member(path, "labels.json")
    assert run(["labels", str(path), "--to-onset"]) == 0
    assert "7 of 8 trials to be shifted" in capsys.readouterr().err
    assert member(path, "labels.json") == before
    with open_session_store(path) as session:
        found = find_onsets(session)
    assert found[0].shift_s is None
    assert "the session begins with it" in found[0].why_not
    assert [one.shift_s for one in found[1:]] == pytest.approx([LATE_S] * 7, abs=0.015)
    assert run(["labels", str(path), "--to-onset", "--apply"]) == 0
    with open_session_store(path) as session:
        assert [one.shift_s for one in find_onsets(session)[1:]] == pytest.approx([0.0] * 7, abs=0.005)


def test_no_onset_is_invented_where_the_signal_does_not_change(trials, tmp_path) -> None:
    path = trials()
    edit_labels(path, [Split(7.4)])
    with open_session_store(path) as session:
        found = {one.trial: one for one in find_onsets(session)}
    assert found[4].shift_s is None
    assert "dB only" in found[4].why_not


def test_onsets_need_a_signal(tmp_path: Path) -> None:
    session = Session(tmp_path, class_names=["a"], reserve_bytes=0)
    session.add_label(0)
    session.finish()
    assert run(["labels", str(session.path), "--to-onset"]) == 2
    assert run(["labels", str(session.path), "--to-onset", "--stream", "emg"]) == 1
    assert os.path.exists(session.path)
