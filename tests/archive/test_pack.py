"""Packing: one archive in the place of a folder, or the folder as it was; never none, never half of one."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import resource
import shutil
import subprocess
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import DiskError, SessionDamagedError, SessionError, SessionLockedError
from myogestic_tui.session import (
    finish_interrupted,
    iter_labeled_windows,
    open_session_store,
    pack_session,
    verify_session,
)
from myogestic_tui.session.archive.tree import File
from myogestic_tui.session.format.layout import LOCK
from myogestic_tui.session.format.lock import lock_session
from myogestic_tui.session.packing import pack
from myogestic_tui.session.packing.pack import source_of, temporary, write_archive
from myogestic_tui.session.packing.zip_writer import Source
from tests.archive.sessions import (
    assert_holds,
    cut_off_folder,
    entries,
    finished_folder,
    open_session,
)
from tests.session.folders import recorded
from tests.session.known import STREAMS as STREAMS_KNOWN


class Stop(Exception):
    pass


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_archive_takes_the_folders_place(folder, tmp_path):
    archive = pack_session(folder)
    assert entries(tmp_path) == [archive.name] == [f"{folder.name}.session.zip"]
    assert verify_session(archive).ok
    assert_holds(archive)


def test_packing_again_gives_the_archive(folder):
    archive = pack_session(folder)
    before = archive.read_bytes()
    assert pack_session(folder) == archive
    assert archive.read_bytes() == before


def test_a_named_session_says_so_in_its_file_name(tmp_path):
    archive = pack_session(finished_folder(tmp_path, {}, name="Grasp / 07"))
    assert archive.name.endswith("_Grasp_07.session.zip")
    with open_session_store(archive) as session:
        assert session.meta.name == "Grasp / 07"


def test_a_session_cut_off_is_recovered_first(tmp_path):
    archive = pack_session(cut_off_folder(tmp_path))
    assert_holds(archive)
    assert entries(tmp_path) == [archive.name]


def test_files_that_others_put_there_come_along(folder):
    (folder / "notes.txt").write_text("electrode 17 re-taped")
    (folder / "empty").write_bytes(b"")
    with zipfile.ZipFile(pack_session(folder)) as archive:
        assert archive.read("notes.txt") == b"electrode 17 re-taped"
        assert archive.read("empty") == b""


def test_a_link_in_the_folder_is_refused(folder):
    (folder / "link").symlink_to("nowhere")
    with pytest.raises(SessionError, match="neither a file nor a folder"):
        pack_session(folder)
    assert (folder / "meta.json").exists()


@pytest.mark.parametrize("name", [b"no\\folder", b"latin-\xe4"])
def test_a_name_that_no_archive_can_hold_is_refused(folder, tmp_path, name):
    with open(os.path.join(os.fsencode(folder), name), "wb"):
        pass
    with pytest.raises(SessionError, match="rename that file"):
        pack_session(folder)
    assert entries(tmp_path) == [folder.name]


def test_what_is_no_session_is_not_packed(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("all of it")
    with pytest.raises(SessionError, match="no session"):
        pack_session(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        pack_session(tmp_path / "nowhere")
    assert (tmp_path / "other" / "thesis.tex").exists()


def test_progress_goes_from_nothing_to_all(folder):
    told = []
    pack_session(folder, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0


def test_packing_waits_while_it_is_to_pause(folder):
    answers = iter([True, True, False])
    asked = []

    def should_pause() -> bool:
        asked.append(next(answers, False))
        return asked[-1]

    pack_session(folder, should_pause=should_pause)
    assert asked[:3] == [True, True, False]


@pytest.mark.parametrize("part", [0.1, 0.45, 0.6, 0.95])
def test_packing_called_off_leaves_the_folder_as_it_was(folder, tmp_path, part):
    before = everything(folder)

    def progress(done: int, total: int) -> None:
        if done >= part * total:
            raise Stop

    with pytest.raises(Stop):
        pack_session(folder, progress)
    assert everything(folder) == before
    assert entries(tmp_path) == [folder.name]


@pytest.mark.parametrize("place", ["header", "content", "manifest", "directory", "end", "behind"])
def test_a_disk_that_holds_something_else_than_it_was_given_is_noticed(folder, tmp_path, place):
    before = everything(folder)
    spoilt = []

    def progress(done: int, total: int) -> None:
        if done > total // 2 and not spoilt:  # all is written, and is being read back
            [written] = tmp_path.glob("*.tmp")
            spoilt.append(spoil(written, place))

    with pytest.raises(DiskError, match="reads back"):
        pack_session(folder, progress)
    assert spoilt
    assert everything(folder) == before
    assert entries(tmp_path) == [folder.name]


def spoil(path: Path, place: str) -> bool:
    """Flip a bit of an archive's last members, or of what stands behind them; or put a byte there."""
    data = bytearray(path.read_bytes())
    last = data.rindex(b"PK\x03\x04", 0, data.rindex(b"PK\x03\x04"))
    places = {
        "header": last + 12,
        "content": last + 80,
        "manifest": data.rindex(b'"members":{'),
        "directory": data.rindex(b"PK\x01\x02") + 16,
        "end": data.rindex(b"PK\x05\x06") + 12,
    }
    if place == "behind":
        data.append(0)
    else:
        data[places[place]] ^= 1
    path.write_bytes(data)
    return True


def test_without_room_for_a_second_copy_it_stays_a_folder(folder, tmp_path):
    before = everything(folder)
    with pytest.raises(DiskError, match="stays as a folder"):
        pack_session(folder, keep_free=1 << 60)
    assert everything(folder) == before
    assert entries(tmp_path) == [folder.name]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here; the limit on file sizes stands in for it")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk(folder, small_disk):
    on_disk = Path(shutil.copytree(folder, small_disk / folder.name))
    (on_disk / "recording.bin").write_bytes(b"x" * (7 << 20))

    def fill_up(done: int, total: int) -> None:
        with suppress(OSError), open(small_disk / "other", "ab", buffering=0) as other:
            while other.write(b"x" * (1 << 16)) == 1 << 16:
                pass

    before = everything(on_disk)
    with pytest.raises(DiskError, match="stays as a folder"):
        pack_session(on_disk, fill_up)
    assert everything(on_disk) == before
    assert entries(small_disk) == [folder.name, "other"]
    (small_disk / "other").unlink()
    assert_holds(pack_session(on_disk))


def _pack_with_small_files(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    try:
        pack_session(folder)
    except DiskError as error:
        os._exit(7 if "stays as a folder" in str(error) else 8)


def test_a_write_that_the_system_refuses(folder, tmp_path):
    before = everything(folder)
    child = multiprocessing.get_context("forkserver").Process(target=_pack_with_small_files, args=(folder,))
    child.start()
    child.join()
    assert child.exitcode == 7
    assert everything(folder) == before
    assert entries(tmp_path) == [folder.name]
    assert_holds(pack_session(folder))


def test_two_packs_never_meet(folder, tmp_path):
    refused = []

    def progress(done: int, total: int) -> None:
        if not refused:
            with pytest.raises(SessionLockedError, match=str(os.getpid())) as error:
                pack_session(folder)
            refused.append(error)

    archive = pack_session(folder, progress)
    assert entries(tmp_path) == [archive.name]
    assert_holds(archive)


def test_two_processes_that_pack_one_folder_make_one_archive(folder, tmp_path):
    context = multiprocessing.get_context("forkserver")
    children = [context.Process(target=_pack_or_yield, args=(folder,)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert {child.exitcode for child in children} <= {0, 3}
    assert entries(tmp_path) == [f"{folder.name}.session.zip"]
    assert_holds(tmp_path / f"{folder.name}.session.zip")


def _pack_or_yield(folder: Path) -> None:
    try:
        pack_session(folder)
    except SessionLockedError:
        os._exit(3)


def test_a_session_that_is_being_recorded_is_not_packed(tmp_path):
    session = open_session(tmp_path)
    with pytest.raises(SessionLockedError):
        pack_session(session.path)
    assert finish_interrupted(tmp_path) == []
    session.finish()
    assert finish_interrupted(tmp_path) == [session.path]
    assert_holds(session.path)


def test_the_name_of_another_sessions_archive_is_left_alone(folder, tmp_path):
    other = tmp_path / f"{folder.name}.session.zip"
    other.write_bytes(b"something else")
    archive = pack_session(folder)
    assert other.read_bytes() == b"something else"
    assert_holds(archive)
    assert entries(tmp_path) == sorted([archive.name, other.name])


# ------------------------------------------------------------ what a kill leaves, put there by hand


def test_a_half_written_archive_goes(folder, tmp_path):
    (tmp_path / f"{folder.name}.session.zip.tmp").write_bytes(b"half of it")
    [archive] = finish_interrupted(tmp_path)
    assert entries(tmp_path) == [archive.name]
    assert_holds(archive)


@pytest.mark.parametrize("again", [False, True], ids=["removed", "made anew"])
def test_a_file_that_is_cleaned_up_before_it_is_locked_is_somebody_elses(folder, tmp_path, monkeypatch, again):
    real = fcntl.flock

    def flock(fd: int, how: int) -> None:
        for tmp in tmp_path.glob("*.tmp"):
            tmp.unlink()
            if again:
                tmp.touch()
        real(fd, how)

    monkeypatch.setattr("myogestic_tui.session.packing.pack.fcntl.flock", flock)
    path = tmp_path / "x.session.zip"
    with pytest.raises(SessionLockedError, match="is being written by another process"), temporary(path):
        pass


def test_an_archive_that_cannot_be_opened_gets_no_name(folder, tmp_path):
    (tmp_path / "up").write_text("up")
    source = Source(folder, [File("../up", 2)], {}, b"", "x")
    with pytest.raises(SessionDamagedError, match="could leave the archive"):
        write_archive(tmp_path / "x.session.zip", source, lambda done: None)
    assert entries(tmp_path) == [folder.name, "up"]


def test_only_what_packing_left_is_cleaned_up(folder, tmp_path):
    (tmp_path / "half.session.zip.tmp").write_bytes(bytes(100))
    (tmp_path / "folder.session.zip.tmp").mkdir()
    os.mkfifo(tmp_path / "fifo.session.zip.tmp")
    (tmp_path / "link.session.zip.tmp").symlink_to(folder / "meta.json")
    work = tmp_path / ".myogestic"
    for kind in ("salvaging", "editing"):
        (work / kind / "killed.work" / "emg.zarr").mkdir(parents=True)
        (work / kind / "killed.work" / "meta.json").write_text("{}")
        (work / kind / "somebody else's").mkdir()
        (work / kind / "link.work").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    untouched = (tmp_path / "elsewhere").stat().st_mtime_ns
    [archive] = finish_interrupted(tmp_path)
    assert (tmp_path / "elsewhere").stat().st_mtime_ns == untouched, "nothing is locked through a link"
    assert entries(tmp_path) == sorted(
        ["elsewhere", archive.name, *(f"{name}.session.zip.tmp" for name in ("folder", "fifo", "link"))]
    )
    for kind in ("salvaging", "editing"):
        assert sorted(os.listdir(work / kind)) == ["link.work", "somebody else's"]
    assert_holds(archive)


def test_an_archive_that_is_being_written_is_left_alone(folder, tmp_path):
    seen = []

    def progress(done: int, total: int) -> None:
        if not seen:
            seen.append(finish_interrupted(tmp_path))

    assert_holds(pack_session(folder, progress))
    assert seen == [[]]


def test_a_folder_whose_archive_is_in_place_goes(folder, archive, tmp_path):
    before = archive.read_bytes()
    assert finish_interrupted(tmp_path) == [archive]
    assert entries(tmp_path) == [archive.name]
    assert archive.read_bytes() == before


def test_a_folder_that_differs_from_its_archive_stays(folder, archive, tmp_path):
    before = archive.read_bytes()
    labels = (folder / "labels.json").read_bytes()
    (folder / "labels.json").write_bytes(labels.replace(b'"class_index":1', b'"class_index":0'))
    [packed] = finish_interrupted(tmp_path)
    assert packed != archive
    assert archive.read_bytes() == before
    with open_session_store(packed) as session:
        assert [label.class_index for label in session.label_track] == [0, 0]


def test_a_damaged_archive_beside_its_folder_does_not_cost_the_folder(folder, archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[:-100])
    [packed] = finish_interrupted(tmp_path)
    assert packed != archive
    assert_holds(packed)


def test_half_deleted_folders_are_deleted(archive, folder, tmp_path):
    parked = tmp_path / ".myogestic" / "packed"
    parked.mkdir(parents=True)
    folder.rename(parked / folder.name)
    (parked / folder.name / "meta.json").unlink()
    assert finish_interrupted(tmp_path) == []
    assert not parked.exists()
    assert entries(tmp_path) == [archive.name]


def test_a_folder_goes_all_at_once(folder, tmp_path, monkeypatch):
    def die(path: Path, **_: object) -> None:
        (path / "meta.json").unlink()
        raise Stop

    monkeypatch.setattr("myogestic_tui.session.packing.pack.remove_folder", die)
    with pytest.raises(Stop):
        pack_session(folder)
    monkeypatch.undo()
    [name] = entries(tmp_path)
    assert_holds(tmp_path / name)
    assert finish_interrupted(tmp_path) == []
    assert entries(tmp_path) == [name]


def test_one_folder_that_cannot_be_packed_does_not_keep_the_others(folder, tmp_path):
    other = finished_folder(tmp_path)
    (folder / "link").symlink_to("nowhere")
    with pytest.raises(SessionError, match="neither a file nor a folder"):
        finish_interrupted(tmp_path)
    assert entries(tmp_path) == sorted([folder.name, f"{other.name}.session.zip"])


def test_twenty_sessions_in_two_seconds_are_twenty_archives(tmp_path):
    for _ in range(20):
        open_session(tmp_path, {}).finish()
    assert len(finish_interrupted(tmp_path)) == 20
    assert len(entries(tmp_path)) == 20


def test_pack_to_zip_blocks_and_may_be_called_again(tmp_path):
    session = open_session(tmp_path)
    archive = session.pack_to_zip()
    assert session.path == archive == session.pack_to_zip()
    assert_holds(archive)


def test_a_folder_locked_for_something_else_is_refused(folder):
    with lock_session(folder, purpose="copying"), pytest.raises(SessionLockedError, match="copying"):
        pack_session(folder)
    assert not (folder / LOCK).exists()


def test_a_reader_goes_on_in_the_archive_that_takes_the_place_of_its_folder(tmp_path):
    session = recorded(tmp_path, [(STREAMS_KNOWN[0], 3000, 100)])
    session.add_label(0, timestamp=float(STREAMS_KNOWN[0].stamps(0, 1)[0]))
    session.finish()
    expected = list(iter_labeled_windows(session.path, "emg", 0.2, 0.1))
    with open_session_store(session.path) as reader:
        windows = iter_labeled_windows(session.path, "emg", 0.2, 0.1)
        first = next(windows)
        stamps = reader.ts_stores["emg"]
        assert stamps.shape == (3000,)
        archive = pack_session(session.path)
        np.testing.assert_array_equal(reader.stores["emg"][:], STREAMS_KNOWN[0].data(0, 3000))
        np.testing.assert_array_equal(stamps[:], STREAMS_KNOWN[0].stamps(0, 3000))
        for (window, _, _), (wanted, _, _) in zip([first, *windows], expected, strict=True):
            np.testing.assert_array_equal(window, wanted)
        archive.unlink()


@pytest.fixture
def packing_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A session that somebody else is packing; `waited` is set once that was found."""
    session, waited = open_session(tmp_path), threading.Event()
    session.finish()
    real = pack.session_holder

    def session_holder(folder: Path):
        waited.set()
        return real(folder)

    monkeypatch.setattr(pack, "session_holder", session_holder)
    return session, waited


def test_a_session_that_another_process_packs_is_waited_for(packing_elsewhere, tmp_path):
    session, waited = packing_elsewhere
    with ThreadPoolExecutor(1) as pool:
        with lock_session(session.path, purpose="packing"):
            archive = pool.submit(session.pack_to_zip)
            assert waited.wait(240)
            assert not archive.done()
        assert archive.result(240) == session.path
    assert entries(tmp_path) == [session.path.name]
    assert_holds(session.path)


def test_an_archive_that_another_process_made_meanwhile_is_the_answer(packing_elsewhere, tmp_path):
    session, waited = packing_elsewhere
    folder = session.path
    with ThreadPoolExecutor(1) as pool:
        lock = lock_session(folder, purpose="packing")
        answer = pool.submit(session.pack_to_zip)
        assert waited.wait(240)
        archive = folder.with_name(f"{folder.name}.session.zip")
        write_archive(archive, source_of(folder), lambda n: None)
        folder.rename(tmp_path / ".gone")
        lock.release()
        assert answer.result(240) == session.path == archive
    assert_holds(archive)


@pytest.mark.parametrize("purpose", ["recovering", "editing", "moving to the trash"])
def test_a_session_that_is_used_otherwise_is_not_packed(packing_elsewhere, purpose):
    session, _ = packing_elsewhere
    with lock_session(session.path, purpose=purpose), pytest.raises(SessionLockedError):
        session.pack_to_zip()
    assert session.path.is_dir()
