"""`export`, `replay` and `trash` on a packed session."""

from __future__ import annotations

import csv
from pathlib import Path


def test_an_export_prints_its_files_and_says_what_is_lost(call, session, tmp_path):
    done = call("export", session, "--to", "csv", "--stream", "emg")
    assert done.code == 0, done.err
    files = [tmp_path / line for line in done.out.splitlines()]
    assert all(file.parent == tmp_path / "exports" for file in files)
    with files[0].open() as file:
        assert len(list(csv.reader(file))) == 1 + 300
    assert "csv holds no clock offsets" in done.err


def test_an_export_does_not_replace_a_file_unless_told(call, session):
    assert call("export", session, "--to", "npz").code == 0
    refused = call("export", session, "--to", "npz")
    assert refused.code == 2
    assert "--overwrite" in refused.err or "overwrite" in refused.err
    told = call("export", session, "--to", "npz", "--overwrite", "--json").json()
    assert [Path(path).suffix for path in told["paths"]] == [".npz"]


def test_an_unknown_format_lists_those_there_are(call, session):
    done = call("export", session, "--to", "docx")
    assert done.code == 2
    assert "xdf" in done.err


def test_a_replay_sends_every_stream_under_a_new_name_and_ends(run, session):
    done = run("replay", session, "--speed", 10)
    assert (done.code, done.out) == (0, "emg-replay\n")


def test_trash_and_back(call, session, tmp_path):
    trashed = Path(call("trash", session).out.strip())
    assert trashed.is_file()
    assert not session.exists()
    (listed,) = call("trash", "--json").json()
    assert (listed["path"], listed["was"]) == (str(trashed), str(session))
    assert call("trash", "--restore", session).code == 0
    assert session.is_file()
    assert call("trash", "--json").json() == []


def test_the_trash_is_emptied_only_when_asked_twice(call, session):
    call("trash", session)
    assert call("trash", "--empty").code == 130
    assert len(call("trash", "--json").json()) == 1
    assert "freed" in call("trash", "--empty", "--yes").err
    assert call("trash", "--json").json() == []
