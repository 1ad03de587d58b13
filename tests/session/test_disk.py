from __future__ import annotations

import errno
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from myogestic_tui.errors import DiskError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store, recover_session, session_state
from myogestic_tui.session.recording import checkpoint
from tests.session.folders import feed, recorded
from tests.session.known import Known

EMG = Known("emg", StreamInfo(8, 1000.0))


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """As on a full disk, writes come short and then fail, for files above ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill_until_refused(session: Session, stream: Known, start: int = 0) -> int:
    """Append until the disk refuses; how many samples `append` had returned from."""
    n = start
    while True:
        try:
            feed(session, stream, n, n + 100, 100)
            n += 100
            if start and n % 1000 == 0:
                session.save_meta()
        except DiskError:
            return n


def note_until_refused(session: Session) -> None:
    while True:
        session.add_note("x" * 10_000)


def watched(session: Session) -> tuple[threading.Event, list[DiskError]]:
    errors: list[DiskError] = []
    said = threading.Event()

    def say(error: DiskError) -> None:
        errors.append(error)
        said.set()

    session.on_error = say
    return said, errors


def assert_all_there(path: Path, n: int) -> None:
    with open_session_store(path) as reader:
        assert EMG.assert_prefix(reader) == n
        assert len(reader.label_track) == 1


def test_too_little_room_is_refused_at_the_start(small_disk: Path):
    with pytest.raises(DiskError, match=r"17 MB left, and 200 MB stay reserved; free some space"):
        Session(small_disk)
    with pytest.raises(DiskError, match="18 MB stay reserved"):
        Session(small_disk, reserve_bytes=18 * 10**6)
    assert list(small_disk.iterdir()) == []
    Session(small_disk, reserve_bytes=10**6).finish()


def test_a_disk_that_is_full_at_the_start_is_said_so(small_disk: Path):
    fill(small_disk, leave=0)
    with pytest.raises(DiskError, match=r"No space left|cannot"):
        Session(small_disk, reserve_bytes=0)
    (small_disk / "filler").unlink()
    Session(small_disk, reserve_bytes=0).finish()


def fill(disk: Path, leave: int) -> None:
    free = os.statvfs(disk)
    with open(disk / "filler", "wb") as file:
        size = free.f_bavail * free.f_frsize - leave
        for start in range(0, size, 4096):
            file.write(bytes(min(4096, size - start)))


def test_a_disk_that_fills_up_while_recording_loses_nothing(small_disk: Path, tmp_path: Path):
    session = recorded(small_disk, [(EMG, 0, 1)])
    session.add_label(1)
    said, errors = watched(session)
    n = fill_until_refused(session, EMG)
    assert said.wait(240)
    assert errors == [session.error]
    assert "no space left" in str(session.error).lower()
    with pytest.raises(DiskError):
        feed(session, EMG, n, n + 1, 1)
    with pytest.raises(DiskError):
        session.add_label(2)
    assert_all_there(session.path, n)
    room = Path(shutil.copytree(session.path, tmp_path / "elsewhere"))
    assert_all_there(recover_session(room), n)
    later = recorded(tmp_path / "later", [(EMG, 500, 100)])
    later.add_label(0)
    later.finish()
    assert_all_there(later.path, 500)


def test_at_a_full_disk_the_session_is_finished_with_what_is_safe(small_disk: Path, monkeypatch: pytest.MonkeyPatch):
    """What was kept back is enough for the last seconds, so that nothing is left to be recovered."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.01)
    session = recorded(small_disk, [(EMG, 0, 1)])
    session.add_label(1)
    said, _ = watched(session)
    feed(session, EMG, 0, 20_000, 100)
    session.save_meta()
    fill(small_disk, leave=200_000)
    n = fill_until_refused(session, EMG, start=20_000)
    assert said.wait(240)
    session.finish()
    assert session.state == "finished"
    assert_all_there(session.path, n)
    with open_session_store(session.path) as reader:
        assert reader.meta.ended_by == f"stopped by the recorder: {session.error}"
    (small_disk / "filler").unlink()
    assert_all_there(session.pack_to_zip(), n)


def test_a_short_write_is_cut_back_and_the_session_finished(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 0, 1)])
    session.add_label(1)
    said, errors = watched(session)
    with files_no_larger_than(300_001):
        n = fill_until_refused(session, EMG)
        assert said.wait(240)
    assert 300_001 // 40 - 200 < n < 300_001 // 40
    assert len(errors) == 1
    session.finish()
    assert session_state(session.path) == "finished"
    assert_all_there(session.path, n)


def test_a_label_that_finds_no_room_ends_the_session_and_nothing_is_lost(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 1500, 100)])
    session.add_label(1)
    said, _ = watched(session)
    with files_no_larger_than(150_000):
        with pytest.raises(DiskError):
            note_until_refused(session)
        assert said.wait(240)
    session.finish()
    assert_all_there(session.path, 1500)


def test_a_chunk_that_the_disk_refused_is_written_at_the_end(small_disk: Path):
    session = recorded(small_disk, [(EMG, 2900, 100)])
    session.add_label(1)
    said, _ = watched(session)
    fill(small_disk, leave=0)
    with pytest.raises(DiskError):
        session.save_meta()
    assert said.wait(240)
    session.finish()
    assert session.state == "finished"
    assert_all_there(session.path, 2900)
    with open_session_store(session.path) as reader:
        assert reader.overview_stores["emg"].shape == (3, 8, 3)


@pytest.mark.parametrize("failing", ["journal", "events"])
def test_a_failed_sync_ends_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str):
    """No disk here fails on demand: the one call that would say so does."""
    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.01)
    session = recorded(tmp_path, [(EMG, 1500, 100)])
    session.add_label(1)
    said, errors = watched(session)
    appended = threading.Event()

    def fail(_: int) -> None:
        assert appended.wait(240)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        if failing == "journal":
            feed(session, EMG, 1500, 1600, 100)
            appended.set()
        else:
            appended.set()
            with pytest.raises(DiskError, match="Input/output error"):
                session.undo_label()
        assert said.wait(240)
    assert "Input/output error" in str(errors[0])
    session.finish()
    assert session.state == "finished"
    with open_session_store(session.path) as reader:
        assert EMG.assert_prefix(reader) == 1500 + 100 * (failing == "journal")


def test_what_is_kept_back_is_gone_after_the_end(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 10, 10)])
    assert (session.path / ".ballast").stat().st_size > 100_000
    session.finish()
    assert not (session.path / ".ballast").exists()
