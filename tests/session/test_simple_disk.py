"""A disk as cameras and data loggers have it (FAT): no second names for a file, no modes, no room kept in advance."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from myogestic_tui.session import (
    list_trash,
    open_session_store,
    recover_session,
    restore_session,
    salvage_session,
    trash_session,
    verify_session,
)
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS

EMG, IMU, MARKS = STREAMS


def be_simple(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    for call in ("link", "symlink", "chmod", "fchmod", "chown", "mkfifo"):
        monkeypatch.setattr(os, call, refused)

    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unsupported)


def test_everything_works_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    session = recorded(tmp_path / "sessions", [(EMG, 1700, 100), (IMU, 300, 10), (MARKS, 5, 1)])
    session.add_label(0)
    session.flush()
    feed(session, EMG, 1700, 2100, 100)
    cut = cut_off(session.path, tmp_path / "sessions" / "cut off")
    be_simple(monkeypatch)
    another = recorded(tmp_path / "sessions", [(EMG, 700, 100)])
    another.flush()
    another.finish()
    assert verify_session(another.path).ok
    archive = session.pack_to_zip()
    assert verify_session(archive).ok
    trashed = trash_session(archive)
    assert restore_session(trashed) == archive
    (cut / "emg.zarr" / "c" / "9").mkdir()
    (cut / "emg.zarr" / "c" / "9" / "0").write_bytes(b"stray")
    recover_session(cut)
    assert verify_session(cut).ok
    for path in (archive, cut):
        with open_session_store(path) as reader:
            assert EMG.assert_prefix(reader) == 2100
            assert IMU.assert_prefix(reader) == 300
            assert MARKS.assert_prefix(reader) == 5
            assert len(reader.label_track) == 1
    (cut / "emg.zarr" / "c" / "0" / "0").write_bytes(b"damaged")
    saved = salvage_session(cut)
    assert verify_session(saved).ok
    assert cut.name in {trashed.path.name for trashed in list_trash(tmp_path / "sessions")}


def test_what_recovery_replaces_is_kept_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    session = recorded(tmp_path / "sessions", [(EMG, 1700, 100)])
    session.flush()
    cut = cut_off(session.path, tmp_path / "sessions" / "cut off")
    session.finish()
    be_simple(monkeypatch)
    journal = next((cut / "journal").glob("emg.*"))
    data = bytearray(journal.read_bytes())
    data[-20] ^= 1
    journal.write_bytes(data)
    recover_session(cut)
    [kept] = list((tmp_path / "sessions/.myogestic/trash").rglob(journal.name))
    assert kept.read_bytes() == data
