"""What a power cut leaves: names that were synced, a last second at most, and torn tails that are no damage."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from myogestic_tui.session import Session, open_session_store, recover_session, trash_session, verify_session
from myogestic_tui.session.format.journal import segment_path
from myogestic_tui.session.reading.reader import damage_in
from myogestic_tui.session.recording import checkpoint, zarr_committer
from myogestic_tui.session.recording.active_session import Recording
from tests.sending import wait_for
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS

EMG, IMU, MARKS = STREAMS


class Calls:
    """The calls of `os` that change names, and those that bring them to the disk, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str]] = []
        for name in ("mkdir", "rename", "replace"):
            self._watch(monkeypatch, name)
        opened, fsync = os.open, os.fsync

        def open_(path, flags, mode=0o777, **more):
            fd = opened(path, flags, mode, **more)
            if flags & os.O_CREAT:
                self.made.append(("create", os.fspath(path)))
            return fd

        def fsync_(fd):
            self.made.append(("sync", os.readlink(f"/proc/self/fd/{fd}")))
            fsync(fd)

        monkeypatch.setattr(os, "open", open_)
        monkeypatch.setattr(os, "fsync", fsync_)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(os, name)

        def call(*args, **more):
            done = real(*args, **more)
            self.made.append((name, os.fspath(args[-1] if name != "mkdir" else args[0])))
            return done

        monkeypatch.setattr(os, name, call)

    def synced_after(self, kind: str, path: Path) -> bool:
        """Whether the name at `path` reached the disk after it was made."""
        at = self.made.index((kind, str(path)))
        return ("sync", str(path.parent)) in self.made[at:]


def test_the_names_of_a_session_are_on_the_disk_when_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls = Calls(monkeypatch)
    session = Session(tmp_path / "new" / "sessions", reserve_bytes=0)
    for path in (tmp_path / "new", tmp_path / "new" / "sessions", session.path, session.path / "journal"):
        assert calls.synced_after("mkdir", path), path
    session.init_stream(EMG.name, EMG.info)
    assert calls.synced_after("create", session.path / "journal" / "emg.00000001.journal")
    session.finish()


def test_a_segment_is_on_the_disk_before_anything_is_written_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zarr_committer, "_ROTATE_CHUNKS", 1)
    session = recorded(tmp_path, [(EMG, 1100, 100)])
    calls = Calls(monkeypatch)
    session.flush()
    segment = session.path / "journal" / "emg.00000002.journal"
    assert segment.stat().st_size == 0
    assert calls.synced_after("create", segment)
    session.finish()


def test_a_place_in_the_trash_is_on_the_disk_before_a_session_moves_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    session = recorded(tmp_path, [(EMG, 600, 100)])
    session.finish()
    calls = Calls(monkeypatch)
    where = trash_session(session.path)
    for path in (tmp_path / ".myogestic", tmp_path / ".myogestic" / "trash", where.parent):
        assert calls.synced_after("mkdir", path), path
    assert calls.made.index(("sync", str(where.parent.parent))) < calls.made.index(("rename", str(where)))


def test_a_slow_disk_syncs_all_streams_at_once_and_its_lag_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fed, together, slow = threading.Event(), threading.Barrier(len(STREAMS) + 1), threading.Event()
    real_sync, real = Recording.sync, os.fdatasync

    def sync(recording: Recording) -> None:
        fed.wait()
        real_sync(recording)

    def fdatasync(fd: int) -> None:
        if "@events" not in os.readlink(f"/proc/self/fd/{fd}") and not slow.is_set():
            together.wait(240)
            slow.wait()
        real(fd)

    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.05)
    monkeypatch.setattr(Recording, "sync", sync)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    session = recorded(tmp_path, [(stream, 50, 10) for stream in STREAMS])
    fed.set()
    try:
        together.wait(240)
        wait_for(lambda: session.snapshot().unsynced_s > 2.0)
    finally:
        slow.set()
    wait_for(lambda: session.snapshot().unsynced_s == 0)
    session.finish()


def test_an_empty_zarr_json_of_the_first_seconds_is_no_damage(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 1200, 100), (IMU, 20, 10)])
    folder = cut_off(session.path, tmp_path / "cut")
    session.finish()
    for path in folder.glob("*.zarr/zarr.json"):
        path.write_bytes(b"" if "emg" in path.parts[-2] else bytes(path.stat().st_size))
    (folder / "emg.zarr" / "c" / "0").mkdir(parents=True)  # as of a checkpoint that the cut came into
    (folder / "emg.zarr" / "c" / "0" / "0").write_bytes(b"")
    assert damage_in(folder) == []
    recover_session(folder)
    assert damage_in(folder) == []
    assert verify_session(folder).ok
    with open_session_store(folder) as reader:
        assert EMG.assert_prefix(reader) == 1200
        assert IMU.assert_prefix(reader) == 20


def test_a_hole_in_what_was_not_synced_is_a_torn_tail(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 1000, 100)])
    feed(session, EMG, 1000, 1800, 400)
    folder = cut_off(session.path, tmp_path / "cut")
    session.finish()
    segment = folder / "journal" / "emg.00000001.journal"
    with open(segment, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        page = (size - 3 * 400 * 8 * 4 // 2) // 4096 * 4096
        file.seek(page)
        file.write(bytes(4096))
    left = segment.read_bytes()
    recover_session(folder)
    assert damage_in(folder) == []
    with open_session_store(folder) as reader:
        n = EMG.assert_prefix(reader)
        assert 1000 <= n < 1800
        assert any("when the power went" in finding.text for finding in reader.findings)
    [kept] = (folder.parent / ".myogestic" / "trash").rglob(segment.name)
    assert kept.read_bytes() == left


@pytest.mark.parametrize("pages", [(1, 2), (2, 5), (4, 5)], ids=str)
def test_a_last_frame_of_which_pages_were_not_written_is_a_torn_tail(tmp_path: Path, pages: tuple[int, int]):
    session = recorded(tmp_path / "rec", [(EMG, 10, 10)])
    feed(session, EMG, 10, 410, 400)
    folder = cut_off(session.path, tmp_path / "cut")
    session.finish()
    segment = folder / "journal" / "emg.00000001.journal"
    whole = segment.read_bytes()
    start, stop = (4096 * page for page in pages)
    hole = whole[start:stop]
    segment.write_bytes(whole[:start] + bytes(len(hole)) + whole[start + len(hole) :])
    assert damage_in(folder) == []
    recover_session(folder)
    assert verify_session(folder).ok
    with open_session_store(folder) as reader:
        assert EMG.assert_prefix(reader) == 10


def test_a_flipped_bit_in_the_journal_is_damage(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 1000, 100)])
    folder = cut_off(session.path, tmp_path / "cut")
    session.finish()
    segment = folder / "journal" / "emg.00000001.journal"
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    assert damage_in(folder)


def test_a_finish_begins_no_new_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zarr_committer, "_ROTATE_CHUNKS", 1)
    session = recorded(tmp_path, [(EMG, 1600, 100)])
    calls = Calls(monkeypatch)
    session.finish()
    assert not [path for kind, path in calls.made if kind == "create" and path.endswith("emg.00000002.journal")]


def test_a_recovery_cut_off_while_it_makes_what_the_recorder_had_not_made_yet_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The end came while a stream joined, and then again while its arrival record was written."""
    session = recorded(tmp_path, [(EMG, 0, 1)])
    folder = cut_off(session.path, tmp_path / "cut")
    session.finish()
    shutil.rmtree(folder / "emg_arrival.zarr")
    segment_path(folder, "emg", 1).unlink()

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("myogestic_tui.session.recovery.recover.commit", cut)
        with pytest.raises(KeyboardInterrupt):
            recover_session(folder)
    assert (folder / "emg_arrival.zarr" / "c").is_dir()
    recover_session(folder)
    with open_session_store(folder) as reader:
        assert [one for one in reader.findings if one.kind == "damage"] == []
    assert verify_session(folder).ok


def test_what_is_marked_is_on_the_disk_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.02)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 1e6)
    session = recorded(tmp_path, [(EMG, 10, 10)])
    wait_for(lambda: session.snapshot().unsynced_s == 0)
    synced, real = threading.Event(), os.fdatasync

    def fdatasync(fd: int) -> None:
        real(fd)
        if os.readlink(f"/proc/self/fd/{fd}").endswith("@events.journal"):
            synced.set()

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    session.mark_channel("emg", 3, bad=True)
    assert synced.wait(240)
    session.finish()
