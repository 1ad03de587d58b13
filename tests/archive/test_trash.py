"""Sessions are put aside, not deleted, and come back as they were."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError, SessionError, SessionLockedError
from myogestic_tui.session import empty_trash, list_trash, restore_session, trash_session
from myogestic_tui.session.format.lock import lock_session
from myogestic_tui.session.format.trash_slots import make_folder
from tests.archive.sessions import assert_holds, entries, finished_folder, open_session


@pytest.fixture(params=["folder", "archive"])
def session(request) -> Path:
    return request.getfixturevalue(request.param)


def test_there_and_back(session, tmp_path):
    where = trash_session(session)
    assert not session.exists()
    assert entries(tmp_path) == []
    [trashed] = list_trash(tmp_path)
    assert (trashed.path, trashed.original) == (where, session)
    assert abs(datetime.now(UTC) - trashed.trashed_at) < timedelta(minutes=5)
    assert trashed.bytes > 10_000
    assert_holds(where)
    assert restore_session(session) == session
    assert_holds(session)
    assert list_trash(tmp_path) == []


def test_back_by_its_place_in_the_trash(session):
    assert restore_session(trash_session(session)) == session


def test_a_sessions_folder_behind_a_link_is_used_and_the_link_stays(archive, tmp_path):
    """As on a box whose sessions lie on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "sessions").mkdir()
    moved = Path(shutil.move(archive, tmp_path / "home" / "sessions"))
    make_folder(tmp_path / "home" / "sessions" / ".myogestic" / "packed")
    trashed = trash_session(moved)
    assert restore_session(trashed) == moved
    assert (tmp_path / "home").is_symlink()
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == ["sessions"]
    assert sorted(path.name for path in (tmp_path / "disk/sessions/.myogestic").iterdir()) == ["packed", "trash"]


def test_a_link_in_the_place_of_a_folder_of_ours_gets_another_name(archive, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".myogestic").mkdir()
    (tmp_path / ".myogestic" / "packed").symlink_to(tmp_path / "elsewhere")
    make_folder(tmp_path / ".myogestic" / "packed")
    assert not (tmp_path / ".myogestic" / "packed").is_symlink()
    assert [path.name for path in (tmp_path / ".myogestic").iterdir() if path.is_symlink()] == ["packed-2"]
    assert archive.exists()


def test_a_lock_that_somebody_removed_does_not_keep_a_session_from_the_trash(folder):
    with lock_session(folder, purpose="salvaging"):
        (folder / ".lock").unlink()
        trashed = trash_session(folder, own_lock=True)
    assert_holds(restore_session(trashed))


def test_the_same_name_twice(archive, tmp_path):
    data = archive.read_bytes()
    trash_session(archive)
    archive.write_bytes(data + b"second")
    trash_session(archive)
    archive.write_bytes(data + b"third")
    assert len(list_trash(tmp_path)) == 2
    back = restore_session(archive)
    assert back.read_bytes() == data + b"second"
    assert archive.read_bytes() == data + b"third"
    assert restore_session(archive).read_bytes() == data
    assert len(entries(tmp_path)) == 3


def test_emptied_only_when_asked(tmp_path):
    for _ in range(2):
        trash_session(finished_folder(tmp_path, {}))
    [latest, first] = list_trash(tmp_path)
    assert empty_trash(tmp_path, before=latest.trashed_at) == first.bytes
    assert list_trash(tmp_path) == [latest]
    assert empty_trash(tmp_path) == latest.bytes
    assert list_trash(tmp_path) == []
    assert empty_trash(tmp_path) == 0


def test_a_session_in_use_stays_where_it_is(tmp_path):
    session = open_session(tmp_path)
    with pytest.raises(SessionLockedError):
        trash_session(session.path)
    assert session.path.exists()
    where = session.discard()
    assert [trashed.path for trashed in list_trash(tmp_path)] == [where]
    assert_holds(restore_session(where))


def test_only_sessions_go_to_the_trash(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "thesis.tex", tmp_path / "folder", tmp_path):
        with pytest.raises(SessionError, match="no session"):
            trash_session(path)
        assert path.exists()


def test_what_is_not_there_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        trash_session(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="not in the trash"):
        restore_session(tmp_path / "nothing")
    assert list_trash(tmp_path) == []
    assert list_trash(tmp_path / "nowhere") == []


def test_a_move_that_the_disk_refuses_changes_nothing(archive, tmp_path, monkeypatch):
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(DiskError, match="nothing was changed"):
        trash_session(archive)
    assert archive.exists()
    assert list_trash(tmp_path) == []
