"""`rename`, `note` and `copy` on a packed session."""

from __future__ import annotations

from pathlib import Path

from myogestic_tui.session import open_session_store, verify_session


def test_a_name_goes_into_the_metadata_and_the_files_name(call, session):
    told = call("rename", session, "P07 grasp", "--subject", "P07", "--set", "hand=right", "--json").json()
    renamed = Path(told["path"])
    assert told["name"] == "P07 grasp"
    assert renamed.name.endswith("_P07_grasp.session.zip")
    assert not session.exists()
    with open_session_store(renamed) as reader:
        assert reader.meta.subject == "P07"
        assert reader.meta.extra["hand"] == "right"
    assert verify_session(renamed).ok


def test_nothing_to_change_is_said(call, session):
    done = call("rename", session)
    assert done.code == 2
    assert "--subject" in done.err
    assert call("rename", session, "--set", "hand").code == 2


def test_a_note_is_added(call, session):
    assert call("note", session, "electrode 17 came off").code == 0
    assert "electrode 17 came off" in call("info", session).out


def test_a_copy_is_proven_and_the_source_stays_unless_asked(call, session, tmp_path):
    (told,) = call("copy", session, tmp_path / "stick", "--json").json()
    assert Path(told["copy"]).read_bytes() == session.read_bytes()
    assert call("copy", session, tmp_path / "stick", "--remove").code == 0
    assert not session.exists()
    assert len(call("trash", "--json").json()) == 1


def test_another_file_of_that_name_is_not_overwritten(call, session, tmp_path):
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / session.name).write_bytes(b"somebody else's")
    done = call("copy", session, tmp_path / "stick")
    assert done.code == 1
    assert "nothing was overwritten" in done.err
    assert (tmp_path / "stick" / session.name).read_bytes() == b"somebody else's"
