"""Two users and one sessions folder, shared by a group (setgid, umask 002): either finishes what the other began."""

from __future__ import annotations

import _strptime  # noqa: F401  (who becomes another user may not reach the interpreter's files any more)
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from myogestic_tui.control.spawn import attach
from myogestic_tui.session import (
    finish_interrupted,
    list_trash,
    pack_session,
    recover_session,
    restore_session,
    trash_session,
    verify_session,
)
from myogestic_tui.session.format.lock import lock_sessions_folder
from tests.session.folders import recorded
from tests.session.known import STREAMS
from tests.session.users import GROUP, ONE, OTHER, as_user, needs_root, open_folder

EMG = STREAMS[0]
pytestmark = needs_root


@pytest.fixture
def shared() -> Iterator[Path]:
    with open_folder() as base:
        sessions = base / "sessions"
        sessions.mkdir()
        os.chown(sessions, ONE, GROUP)
        sessions.chmod(0o2775)
        yield sessions


def cut_off_by(uid: int, shared: Path) -> Path:
    """A session whose recorder was killed: its process ends with the journal as it is."""

    def record() -> Path:
        return recorded(shared, [(EMG, 1600, 100)]).path

    path = Path(as_user(uid, record))
    assert path.is_dir(), path
    return path


@pytest.mark.parametrize(("one", "other"), [(ONE, OTHER), (OTHER, ONE)])
def test_either_finishes_what_the_other_began(shared: Path, one: int, other: int):
    folder = cut_off_by(one, shared)
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o060 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o060}, "the group may read and write"
    assert as_user(other, lambda: recover_session(folder)) == str(folder)
    archive = Path(as_user(one, lambda: pack_session(folder)))
    assert as_user(other, lambda: verify_session(archive).ok) == "True"
    assert not folder.exists()
    again = cut_off_by(other, shared)
    assert as_user(one, lambda: len(finish_interrupted(shared))) == "0"
    assert as_user(one, lambda: pack_session(again)).endswith(".zip")
    trashed = Path(as_user(other, lambda: trash_session(archive)))
    assert as_user(one, lambda: restore_session(trashed)) == str(archive)
    assert list_trash(shared) == []


@pytest.mark.parametrize("umask", [0o002, 0o022])
def test_who_holds_a_folder_is_told_at_once_by_name_pid_and_user(shared: Path, umask: int):
    read, write = os.pipe()
    go, stop = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(stop)
        os.setgroups([])
        os.setgid(GROUP)
        os.setuid(ONE)
        os.umask(umask)
        lock = lock_sessions_folder(shared, socket="/nowhere")
        os.write(write, b"held")
        os.read(go, 1)
        lock.release()
        os._exit(0)
    os.close(go)
    try:
        assert os.read(read, 4) == b"held"
        for attempt in (lambda: lock_sessions_folder(shared), lambda: attach(shared, start=False)):
            said = as_user(OTHER, attempt)
            assert f"(pid {pid})" in said, said
            assert str(ONE) in said, said
    finally:
        os.close(stop)
        os.waitpid(pid, 0)
        os.close(read)
        os.close(write)


def test_a_lock_that_another_user_left_behind_is_no_obstacle(shared: Path):
    folder = cut_off_by(ONE, shared)
    (folder / ".lock").chmod(0o644)
    assert as_user(OTHER, lambda: recover_session(folder)) == str(folder)


def test_a_parking_place_of_another_user_does_not_bring_a_session_back(shared: Path):
    parking = shared / ".myogestic" / "packed"
    assert as_user(ONE, lambda: parking.mkdir(parents=True)) == "None"
    parking.chmod(0o755)
    folder = cut_off_by(OTHER, shared)
    archive = Path(as_user(OTHER, lambda: pack_session(folder)))
    assert not folder.exists()
    assert as_user(OTHER, lambda: trash_session(archive)).endswith(".zip")
    assert as_user(OTHER, lambda: finish_interrupted(shared)) == "[]"
    assert not archive.exists()
