"""Only sessions are packed, recovered and moved: never a folder of sessions, or one of somebody else's."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, StreamInfo
from myogestic_tui.errors import ConfigError, DiskError, MyoGesticError, SessionDamagedError, SessionError
from myogestic_tui.session import (
    Session,
    finish_interrupted,
    list_sessions,
    list_trash,
    open_session_store,
    pack_session,
    recover_session,
    salvage_session,
    session_state,
    unfinished_sessions,
    verify_session,
)
from myogestic_tui.session.library.copy import copy_session
from myogestic_tui.session.library.edit import edit_session
from myogestic_tui.session.packing import zip_writer
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS
from tests.session.users import open_folder

EMG = STREAMS[0]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return recorded(tmp_path / "s", [(EMG, 2500, 100)]).pack_to_zip()


def unzip_into(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)


def test_a_folder_of_sessions_is_none_whatever_lies_in_it(archive: Path, tmp_path: Path):
    live = recorded(tmp_path / "s" / "P01", [(EMG, 1000, 100)])
    unzip_into(archive, tmp_path / "s" / "P01")
    unzip_into(archive, tmp_path / "s")
    files = sorted(path for path in (tmp_path / "s").rglob("*") if path.is_file())
    assert list_sessions(tmp_path / "s") == [archive]
    finish_interrupted(tmp_path / "s")
    for attempt in (recover_session, pack_session, salvage_session, verify_session):
        for folder in (tmp_path / "s", tmp_path / "s" / "P01"):
            with pytest.raises(SessionError):
                attempt(folder)
    feed(live, EMG, 1000, 1500, 100)
    live.finish()
    passing = {"journal", ".lock", ".ballast"}
    assert [path for path in files if not path.exists() and not passing & {*path.parts}] == []
    with open_session_store(live.path) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, 1500))


@pytest.mark.parametrize("what", ["meta.json", "journal", "a session"])
def test_a_recording_starts_in_any_folder_but_a_session(archive: Path, tmp_path: Path, what: str):
    folder = tmp_path / "trial5"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "x.partial").write_text("x")
    if what == "meta.json":
        (folder / what).write_text('{"subject": "P01"}')
    elif what == "journal":
        (folder / what).mkdir()
    else:
        unzip_into(archive, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    app = App("test", sessions_dir=tmp_path / "sessions")
    if what == "a session":
        with pytest.raises(SessionError, match="is a session itself"):
            app.start_recording(folder)
    else:
        assert app.start_recording(folder).path.parent == folder
        app.stop_recording()
    app.shut()
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("name", ["../../../thesis", "/etc", "..", "a/b", "\\0", ""])
def test_a_manifest_that_names_another_folder_is_refused(archive: Path, tmp_path: Path, monkeypatch, name: str):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("1")
    head_bytes = zip_writer.head_bytes
    monkeypatch.setattr(zip_writer, "head_bytes", lambda _, *rest: head_bytes(name.replace("\\0", "\0"), *rest))
    unzip_into(archive, tmp_path / "s" / "again")
    (tmp_path / "s" / "again" / "manifest.json").unlink()
    with pytest.raises(MyoGesticError):
        edit_session(pack_session(tmp_path / "s" / "again"), {"note": "seen"})
    assert (tmp_path / "thesis" / "chapter").read_text() == "1"


def test_a_copy_is_not_made_onto_itself(archive: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(archive.parent)
    for folder in (archive.parent, tmp_path / "link"):
        with pytest.raises(ConfigError, match="already"):
            copy_session(archive, str(folder))
    assert archive.exists()


def test_an_archive_that_was_deflated_again_is_whole(archive: Path, tmp_path: Path):
    again = tmp_path / "again.session.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    outcome = verify_session(again)
    assert outcome.ok, outcome.findings
    with open_session_store(again) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, 2500))


def test_a_text_too_long_for_the_comment_keeps_nothing_from_being_packed(tmp_path: Path):
    for text in ("s" * 70_000, "short"):
        session = Session(tmp_path, fields={"subject": text, "task": text}, reserve_bytes=0)
        session.finish()
    assert len(finish_interrupted(tmp_path)) == 2


# ---------------------------------------------------------------- salvage


def test_a_shape_that_two_others_contradict_loses_nothing(tmp_path: Path):
    session = recorded(tmp_path / "s", [(EMG, 2500, 100)])
    session.finish()
    about = session.path / "emg.zarr/zarr.json"
    about.write_text(about.read_text().replace("2500", "1500"))
    with open_session_store(salvage_session(session.path)) as saved:
        np.testing.assert_array_equal(saved.stores["emg"][:], EMG.data(0, 2500))
        assert "1500 or 2500 samples; 2500 count" in saved.meta.extra["salvage"][-1]["doubtful"][0]


def damage_chunks(archive: Path, numbers: list[int]) -> None:
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as packed:
        for number in numbers:
            data[packed.getinfo(f"emg.zarr/c/{number}/0").header_offset + 200] ^= 1
    archive.write_bytes(data)


def test_a_better_copy_is_salvaged_anew(archive: Path, tmp_path: Path):
    backup = archive.read_bytes()
    damage_chunks(archive, [0, 1, 2, 3])
    with open_session_store(salvage_session(archive)) as first:
        assert first.n_samples("emg") == 500
    archive.write_bytes(backup)
    damage_chunks(archive, [1])
    with open_session_store(salvage_session(archive)) as second:
        assert second.n_samples("emg") == 2000
    assert len(list_trash(archive.parent)) == 2


# ---------------------------------------------------------------- the journal once more


def test_samples_in_the_arrays_outlive_their_journal(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 250, 10)])
    session.flush()
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    [segment] = (folder / "journal").glob("emg.*")
    segment.write_bytes(segment.read_bytes()[: segment.stat().st_size // 2])
    recover_session(folder)
    with open_session_store(folder) as reader:
        np.testing.assert_array_equal(reader.stores["emg"][:], EMG.data(0, 250))
        assert "250 count" in reader.findings[0].text


def test_segments_join_on_in_whatever_order_they_are_named(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 640, 10)])
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    [segment] = (folder / "journal").glob("emg.*")
    data, frames = segment.read_bytes(), 32
    half = len(data) // 64 * frames
    (folder / "journal" / "emg.00000002.journal").write_bytes(data[:half])
    segment.write_bytes(data[half:])
    recover_session(folder)
    with open_session_store(folder) as reader:
        np.testing.assert_array_equal(reader.stores["emg"][:], EMG.data(0, 640))


def test_marks_and_equal_labels_outlive_their_events(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 250, 10)], class_names=["a"])
    for _ in range(3):
        session.add_label(0, timestamp=1.0)
    session.mark_trial(2)
    session.mark_channel("emg", 4)
    session.mark_channel("emg", 5)
    session.mark_channel("emg", 5, bad=False)
    session.save_meta()
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    whole = Path(shutil.copytree(folder, tmp_path / "whole" / "cut"))
    events = folder / "journal" / "@events.journal"
    data = events.read_bytes()
    events.write_bytes(data[: data.index(b"Labelled", data.index(b"Labelled") + 1) - 40])
    for one in (folder, whole):
        recover_session(one)
        with open_session_store(one) as reader:
            assert [label.timestamp for label in reader.label_track] == [1.0] * 3
            assert [label.bad for label in reader.label_track] == [False, False, True]
            assert reader.meta.bad_channels == {"emg": [4]}
            assert bool(reader.findings) == (one == folder)


# ---------------------------------------------------------------- what cannot be read


def as_nobody(work) -> str:
    """What happens to a user who may read nothing that was forbidden; the type and text of what was raised."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            work()
            os.write(write, b"ok")
        except BaseException as error:
            os.write(write, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_cannot_be_read_keeps_nobody_from_the_others(archive: Path, tmp_path: Path):
    with open_folder() as place:
        sessions = place / "sessions"
        shutil.copytree(archive.parent, sessions)
        sessions.chmod(0o755)
        (sessions / "lost+found").mkdir(mode=0o700)
        session = recorded(sessions, [(EMG, 250, 10)])
        unreadable = cut_off(session.path, sessions / "2020-01-01_00-00-00")
        session.pack_to_zip()
        os.chmod(unreadable / "journal", 0o000)

        def look() -> None:
            assert {path.name for path in list_sessions(sessions)} >= {archive.name}
            unfinished_sessions(sessions)
            list_trash(sessions)

        assert as_nobody(look) == "ok"
        for attempt in (open_session_store, session_state, recover_session, pack_session, salvage_session):
            assert not as_nobody(lambda attempt=attempt: attempt(unreadable)).startswith("PermissionError")
        os.chmod(unreadable / "journal", 0o755)


def test_what_is_no_file_does_not_hang_anybody(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 250, 10)])
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    for name in ("meta.json", "labels.json", "emg.zarr/zarr.json", "journal/@events.journal"):
        for odd in (os.mkfifo, lambda path: Path(path).symlink_to("/dev/zero")):
            again = Path(shutil.copytree(folder, tmp_path / "again" / "cut"))
            (again / name).unlink()
            odd(again / name)
            for attempt in (session_state, open_session_store, recover_session, pack_session):
                try:
                    attempt(again)
                except (SessionDamagedError, DiskError):
                    continue
            shutil.rmtree(again.parent)
    (tmp_path / "s" / ".myogestic").mkdir(exist_ok=True)
    (tmp_path / "s" / ".myogestic" / "trash").write_text("x")
    from myogestic_tui.session import trash_session

    recover_session(folder)
    with pytest.raises(DiskError, match="trash"):
        trash_session(folder)


def test_a_stream_of_no_name_that_can_be_written_is_refused(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    with pytest.raises(ConfigError):
        session.init_stream("\ud800", StreamInfo(1, 100.0))
    session.finish()


def test_fields_that_could_not_be_read_again_are_refused(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    with pytest.raises(ConfigError, match="words and numbers"):
        session.set_fields(weights=[1] * 4_000_000)
    session.finish()
    assert verify_session(session.path).ok


# ---------------------------------------------------------------- what others put beside it


def test_odd_company_does_not_hide_a_session(tmp_path: Path):
    session = recorded(tmp_path / "s", [(EMG, 250, 10)])
    session.finish()
    (session.path / "backup").mkdir()
    for name in ("meta.json", "labels.json"):
        shutil.copy(session.path / name, session.path / "backup")
    (session.path / "loop").symlink_to("loop")
    assert list_sessions(tmp_path / "s") == [session.path]


def test_a_session_is_not_taken_for_a_sessions_folder(tmp_path: Path):
    from myogestic_tui.session.format.lock import lock_sessions_folder

    session = recorded(tmp_path / "s", [(EMG, 250, 10)])
    session.finish()
    with pytest.raises(DiskError, match="is a session itself"):
        lock_sessions_folder(session.path)
    assert list_sessions(tmp_path / "s") == [session.path]


def test_a_file_that_comes_while_its_folder_is_packed_is_not_lost(tmp_path: Path):
    session = recorded(tmp_path / "s", [(EMG, 2500, 100)])
    session.finish()

    def write(done: int, total: int) -> None:
        if done > 0.9 * total:
            (session.path / "remarks.txt").write_text("two")

    with pytest.raises(SessionError, match="changed while"):
        pack_session(session.path, write)
    assert [path.name for path in (tmp_path / "s").glob("*.zip*")] == []
    with zipfile.ZipFile(pack_session(session.path)) as archive:
        assert archive.read("remarks.txt") == b"two"


def test_a_damaged_overview_keeps_nothing_from_being_recovered(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 1600, 100)])
    session.flush()
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    (folder / "emg_overview.zarr/c/0/0/0").unlink()
    recover_session(folder)
    with open_session_store(folder) as reader:
        np.testing.assert_array_equal(reader.stores["emg"][:], EMG.data(0, 1600))
        assert not np.isnan(reader.overview_stores["emg"][:]).any()


def test_damaged_segments_go_to_the_trash_all_of_them(tmp_path: Path, monkeypatch):
    from myogestic_tui.session.recording import checkpoint, zarr_committer

    monkeypatch.setattr(zarr_committer, "_ROTATE_FRAMES", 1)
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 1000.0)
    session = recorded(tmp_path / "rec", [(EMG, 520, 10)])
    session.save_meta()
    feed(session, EMG, 520, 700, 10)
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    first, *_ = segments = sorted((folder / "journal").glob("emg.*"))
    data = bytearray(first.read_bytes())
    data[-300] ^= 1
    first.write_bytes(data)
    kept = {path.name: path.read_bytes() for path in segments}
    recover_session(folder)
    [trashed] = list_trash(folder.parent)
    assert {path.name: path.read_bytes() for path in (trashed.path / "journal").iterdir()} == kept
    assert any("when it was recovered" in finding.text for finding in verify_session(folder).findings)
