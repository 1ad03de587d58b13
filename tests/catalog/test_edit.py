"""Editing a session changes what it says of itself, and not one sample."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, SessionDamagedError, SessionLockedError
from myogestic_tui.session import Session, finish_interrupted, open_session_store, verify_session
from myogestic_tui.session.library.edit import edit_session
from myogestic_tui.session.packing.work_folder import EDITING, work_folder
from myogestic_tui.session.reading.archive_of import archives_of


def test_an_edited_archive_holds_the_same_samples_under_its_new_name(record) -> None:
    archive = record(name="first", subject="P01")
    with open_session_store(archive) as before:
        samples, labels = before.stores["emg"][:], before.label_track
    edited = edit_session(
        archive, {"name": "second", "task": "grasp", "take": "7", "note": "after the fact", "hand": "L"}
    )
    assert edited.name.endswith("_second.session.zip")
    assert [*(edited.parent / ".myogestic" / EDITING).iterdir()] == []
    assert [path.name for path in edited.parent.glob("*.zip*")] == [edited.name]
    with open_session_store(edited) as after:
        np.testing.assert_array_equal(after.stores["emg"][:], samples)
        assert after.label_track == labels
        assert (after.meta.subject, after.meta.task, after.meta.take) == ("P01", "grasp", 7)
        assert [note.text for note in after.notes] == ["as recorded", "after the fact"]
        assert after.meta.extra["hand"] == "L"
        assert after.notes[1].timestamp >= after.notes[0].timestamp
    assert verify_session(edited).ok


def test_an_edited_archive_is_still_found_by_the_folder_that_it_was_recorded_in(record) -> None:
    archive = record()
    folder = archive.with_name(archive.name.removesuffix(".session.zip"))
    edited = edit_session(edit_session(archive, {"subject": "P02"}), {"name": "second"})
    assert archives_of(folder) == [edited]


def test_a_finished_folder_is_edited_in_place(tmp_path: Path) -> None:
    session = Session(tmp_path, reserve_bytes=0)
    session.finish()
    assert edit_session(session.path, {"subject": "P02"}) == session.path
    with open_session_store(session.path) as after:
        assert after.meta.subject == "P02"


def test_two_edits_of_one_session_do_not_meet(record) -> None:
    archive = record()
    content = archive.read_bytes()
    name = archive.name.removesuffix(".session.zip")
    with work_folder(archive.parent, EDITING, name), pytest.raises(SessionLockedError, match=r"pid \d+"):
        edit_session(archive, {"name": "x"})
    assert archive.read_bytes() == content
    assert edit_session(archive, {"name": "x"}).name.endswith("_x.session.zip")


@pytest.mark.parametrize("changes", [{"take": "first"}, {"streams": "x"}, {"created": "now"}, {"": "x"}])
def test_what_cannot_be_edited_is_refused_by_name(record, changes) -> None:
    archive = record()
    content = archive.read_bytes()
    with pytest.raises(ConfigError):
        edit_session(archive, changes)
    assert archive.read_bytes() == content


def test_a_damaged_archive_is_not_edited(record) -> None:
    archive = record()
    content = bytearray(archive.read_bytes())
    content[content.index(b"emg.zarr/c/0/0") + 200] ^= 1
    archive.write_bytes(content)
    with pytest.raises(SessionDamagedError, match="salvage"):
        edit_session(archive, {"name": "x"})
    assert archive.read_bytes() == bytes(content)


def test_a_session_with_members_that_its_manifest_does_not_list_is_not_edited(record) -> None:
    archive = record()
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("lab/notes.txt", "x")
    content = archive.read_bytes()
    with pytest.raises(SessionDamagedError, match="lab/notes"):
        edit_session(archive, {"name": "x"})
    assert archive.read_bytes() == content


@pytest.mark.parametrize(
    ("note", "is_finished"),
    [
        ("{old}\n{new}", True),
        ("{old}\n{old}", False),
        ("{old}\n", False),
        ("\n{new}", False),
        ("{old}\nnot there", False),
        ("../{folder}/{old}\n{new}", False),
        ("{old}\0\n{new}", False),
        ("\udcff\n{new}", False),
    ],
)
def test_only_an_archive_whose_replacement_is_in_place_goes(record, note: str, is_finished: bool) -> None:
    old, new = record(), record()
    texts = {"old": old.name, "new": new.name, "folder": old.parent.name}
    folder = old.parent / ".myogestic" / EDITING
    folder.mkdir(parents=True)
    (folder / "x.work.replaced").write_bytes(note.format(**texts).encode("utf-8", "surrogateescape"))
    finish_interrupted(old.parent)
    assert (old.exists(), new.exists()) == (not is_finished, True)


def test_a_note_of_a_replacement_that_was_done_goes(record) -> None:
    new = record()
    folder = new.parent / ".myogestic" / EDITING
    folder.mkdir(parents=True)
    (folder / "x.work.replaced").write_text(f"gone.session.zip\n{new.name}")
    finish_interrupted(new.parent)
    assert list(folder.iterdir()) == []
    assert new.exists()


def test_an_edit_killed_before_the_old_archive_went_is_finished_at_the_next_start(record, monkeypatch) -> None:
    archive = record(name="first")
    content = archive.read_bytes()

    def killed(*_: object, **__: object) -> None:
        os._exit(9)

    pid = os.fork()
    if pid == 0:
        monkeypatch.setattr(Path, "unlink", killed)
        edit_session(archive, {"name": "second"})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert len(list(archive.parent.glob("*.session.zip"))) == 2
    finish_interrupted(archive.parent)
    [kept] = archive.parent.glob("*.session.zip")
    assert kept.name.endswith("_second.session.zip")
    assert verify_session(kept).ok
    assert not [path for path in (archive.parent / ".myogestic").rglob("*") if "edit" in path.name and path.is_file()]
    kept.unlink()
    archive.write_bytes(content)
    finish_interrupted(archive.parent)
    assert archive.exists()


def test_odd_metadata_of_another_recorder_does_not_keep_a_session_from_being_edited(tmp_path: Path) -> None:
    session = Session(tmp_path, reserve_bytes=0)
    session.finish()
    meta = json.loads((session.path / "meta.json").read_text())
    for anchor, edits in (("yesterday", 5), ("2026-05-17T14:23:05", None)):
        meta |= {"anchors": [{"utc": anchor, "lsl": 1.0}], "edits": edits}
        (session.path / "meta.json").write_text(json.dumps(meta))
        edit_session(session.path, {"note": "n"})
    with open_session_store(session.path) as after:
        assert [note.text for note in after.notes] == ["n"]
