"""Whatever is wrong with a folder that was cut off: no chunk of it is ever removed; `salvage` saves what decodes."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import zarr

from myogestic_tui.errors import SessionDamagedError
from myogestic_tui.session import (
    Session,
    list_trash,
    open_session_store,
    pack_session,
    recover_session,
    restore_session,
    salvage_session,
    session_state,
    unfinished_sessions,
    verify_session,
)
from myogestic_tui.session.format.journal import EVENTS, Frame, FrameReader
from myogestic_tui.session.format.zstd_frame import decoded_bound, decompress
from myogestic_tui.session.library.catalog import Catalog
from myogestic_tui.session.reading.reader import damage_in
from tests.session.folders import cut_off, recorded
from tests.session.known import STREAMS

EMG, IMU, _ = STREAMS
N, FS = 1600, 500
Damage = Callable[[Path], object]


@pytest.fixture
def journaled(tmp_path: Path) -> Path:
    """A session folder whose recorder was cut off after three whole chunks and a flush."""
    session = recorded(tmp_path / "rec", [(EMG, N, 100), (IMU, 300, 10)])
    session.flush()
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    return folder


@pytest.fixture
def with_meta(tmp_path: Path) -> Path:
    """The same in the layout of other recorders: no journal, and only the fields that all of them write."""
    session = recorded(tmp_path / "rec", [(EMG, N, 100), (IMU, 300, 10)])
    session.finish()
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    for derived in ("emg_clock", "emg_overview", "imu_clock", "imu_overview"):
        shutil.rmtree(folder / f"{derived}.zarr")
    kept = ("n_channels", "fs", "dtype", "channel_names")
    edit_meta(folder, lambda meta: {"streams": {s: {k: v[k] for k in kept} for s, v in meta["streams"].items()}})
    return folder


@pytest.fixture(params=["meta", "no meta"])
def plain(request: pytest.FixtureRequest, with_meta: Path) -> Path:
    """That one, or one whose recorder did not come to write its metadata."""
    if request.param == "no meta":
        (with_meta / "meta.json").unlink()
    return with_meta


def edit_meta(folder: Path, change: Callable[[dict], dict]) -> None:
    path = folder / "meta.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def tear(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name / "zarr.json").write_text('{"shape": [')


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def drop_segments(folder: Path) -> None:
    for path in (folder / "journal").glob("emg.*"):
        path.unlink()


def chunks(folder: Path) -> set[str]:
    """Digests of the chunks of samples and time stamps of ``emg``: what was recorded."""
    paths = [*folder.glob("emg.zarr/c/*/*"), *folder.glob("emg_timestamps.zarr/c/*")]
    return {digest(path.read_bytes()) for path in paths if path.is_file()}


def digest(data: bytes) -> str:
    """Of what a chunk decodes to, as packing compresses those that were stored raw; of any other file, as it is."""
    with suppress(ValueError):
        data = decompress(data) if decoded_bound(data) is not None else data
    return sha256(data).hexdigest()


def everything(sessions_dir: Path) -> set[str]:
    """Digests of all files in a sessions folder, its trash and its archives."""
    found = set()
    for path in sessions_dir.rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found |= {digest(archive.read(name)) for name in archive.namelist()}
        elif path.is_file():
            found.add(digest(path.read_bytes()))
    return found


def assert_lossless(folder: Path, damage: Damage) -> None:
    damage(folder)
    before = chunks(folder)
    for attempt in (recover_session, pack_session):
        if folder.exists():
            with suppress(SessionDamagedError):
                attempt(folder)
        assert before <= everything(folder.parent), attempt
    if folder.exists():
        salvage_session(folder)
    assert before <= everything(folder.parent)


PLAIN: dict[str, Damage] = {
    "data unreadable": lambda folder: tear(folder, "emg.zarr"),
    "stamps unreadable": lambda folder: tear(folder, "emg_timestamps.zarr"),
    "both unreadable": lambda folder: tear(folder, "emg.zarr", "emg_timestamps.zarr"),
    "no data": lambda folder: shutil.rmtree(folder / "emg.zarr"),
    "no stamps": lambda folder: shutil.rmtree(folder / "emg_timestamps.zarr"),
    "chunk of stamps": lambda folder: flip(folder / "emg_timestamps.zarr/c/1"),
    "chunk of data": lambda folder: flip(folder / "emg.zarr/c/1/0"),
    "fewer stamps": lambda folder: shorten(folder, "emg_timestamps.zarr"),
    "less data": lambda folder: shorten(folder, "emg.zarr"),
}


def shorten(folder: Path, name: str) -> None:
    path = folder / name / "zarr.json"
    about = json.loads(path.read_text())
    about["shape"][0] = 700
    path.write_text(json.dumps(about))


@pytest.mark.parametrize("damage", PLAIN.values(), ids=PLAIN.keys())
def test_no_chunk_of_another_recorders_folder_is_removed(plain: Path, damage: Damage):
    assert_lossless(plain, damage)


JOURNALED: dict[str, Damage] = {
    "both unreadable": lambda folder: tear(folder, "emg.zarr", "emg_timestamps.zarr"),
    "no journal of the stream": drop_segments,
    "neither": lambda folder: (drop_segments(folder), tear(folder, "emg.zarr", "emg_timestamps.zarr")),
    "no arrays": lambda folder: (shutil.rmtree(folder / "emg.zarr"), drop_segments(folder)),
    "chunk of stamps": lambda folder: flip(folder / "emg_timestamps.zarr/c/0"),
    "chunk of data": lambda folder: flip(folder / "emg.zarr/c/0/0"),
    "meta": lambda folder: (folder / "meta.json").write_text("{"),
    "shorter than its chunks": lambda folder: (
        drop_segments(folder),
        shorten(folder, "emg.zarr"),
        shorten(folder, "emg_timestamps.zarr"),
    ),
}


@pytest.mark.parametrize("damage", JOURNALED.values(), ids=JOURNALED.keys())
def test_no_chunk_of_our_own_folder_is_removed(journaled: Path, damage: Damage):
    assert_lossless(journaled, damage)


def test_a_folder_with_an_unreadable_array_is_damaged_and_salvage_saves_the_rest(plain: Path):
    tear(plain, "emg_timestamps.zarr")
    assert session_state(plain) == "damaged"
    assert unfinished_sessions(plain.parent) == []
    [entry] = Catalog(plain.parent).entries()
    assert entry.state == "damaged"
    assert "emg" in entry.problem
    before = everything(plain)
    for attempt in (recover_session, pack_session):
        with pytest.raises(SessionDamagedError, match=r"emg.*`myogestic-tui salvage`"):
            attempt(plain)
    assert everything(plain) == before
    saved = salvage_session(plain)
    assert verify_session(saved).ok
    with open_session_store(saved) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, N))
        np.testing.assert_array_equal(session.ts_stores["emg"][:], EMG.stamps(0, N))
        np.testing.assert_array_equal(session.stores["imu"][:], IMU.data(0, 300))
    assert [trashed.path.name for trashed in list_trash(plain.parent)] == [plain.name]


def test_samples_without_any_time_stamps_are_kept_beside_the_streams(with_meta: Path):
    shutil.rmtree(with_meta / "emg_timestamps.zarr")
    with open_session_store(with_meta) as session:
        assert session.n_samples("emg") == 0
    with zipfile.ZipFile(salvage_session(with_meta)) as archive:
        kept = [name for name in archive.namelist() if name.startswith("unpaired/emg.zarr/c/")]
    assert len(kept) == -(-N // FS)


def test_chunks_behind_the_end_go_to_the_trash_from_where_they_can_be_restored(plain: Path):
    shorten(plain, "emg_timestamps.zarr")
    recover_session(plain)
    with open_session_store(plain) as session:
        assert session.n_samples("emg") == 700
    [trashed] = list_trash(plain.parent)
    assert trashed.path.name == f"{plain.name}-damaged"
    kept = {str(path.relative_to(trashed.path)) for path in trashed.path.rglob("*") if path.is_file()}
    assert {"emg.zarr/c/2/0", "emg.zarr/c/3/0", "emg_timestamps.zarr/c/2", "emg_timestamps.zarr/c/3"} <= kept
    assert restore_session(trashed.path).name == f"{plain.name}-damaged"


def test_a_recovery_after_a_kill_puts_nothing_aside(journaled: Path):
    recover_session(journaled)
    assert list_trash(journaled.parent) == []


@pytest.mark.parametrize(("field", "value"), [("n_channels", 5), ("fs", -3), ("fs", 1e300), ("dtype", "int16")])
def test_arrays_count_where_the_metadata_says_what_they_do_not_have(with_meta: Path, field: str, value: object):
    def change(meta: dict) -> dict:
        meta["streams"]["emg"] |= {field: value, "channel_names": None}
        return meta

    edit_meta(with_meta, change)
    said = (with_meta / "meta.json").read_text()
    recover_session(with_meta)
    with open_session_store(with_meta) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, N))
        info = session.stream_info("emg")
        assert (info.n_channels, info.fs, info.dtype) == (EMG.info.n_channels, FS, EMG.info.dtype)
        assert "meta.json says" in session.findings[0].text
    [trashed] = list_trash(with_meta.parent)
    assert (trashed.path / "meta.json").read_text() == said
    assert verify_session(with_meta).ok


def test_a_recovery_tells_which_stamps_cannot_be_read(journaled: Path):
    flip(journaled / "emg_timestamps.zarr/c/0")
    with open_session_store(journaled) as session:
        assert "500 of 1600 time stamps are no numbers" in session.summary().streams["emg"].remarks
    recover_session(journaled)
    [text] = damage_in(journaled)
    assert text.startswith("emg: the time stamps of samples 0–499 cannot be read: emg_timestamps.zarr/c/0 does not")


# ---------------------------------------------------------------- what the journal still has


def test_labels_that_reached_their_file_survive_a_journal_that_was_cut(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 600, 100)], class_names=["a", "b"])
    for k in range(8):
        session.add_label(k % 2, timestamp=float(k))
    session.undo_label()
    session.save_meta()
    copy = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    whole = (copy / "journal" / EVENTS).read_bytes()
    ends = [frame.end for frame in frames_in(copy)]  # of the stream, of 8 labels, and of the one taken back
    for number, size in enumerate([0, *ends[:7], ends[3] + 20, len(whole)]):
        folder = Path(shutil.copytree(copy, tmp_path / f"s{number}" / "cut"))
        (folder / "journal" / EVENTS).write_bytes(whole[:size])
        recover_session(folder)
        with open_session_store(folder) as reader:
            assert [label.timestamp for label in reader.label_track] == [float(k) for k in range(7)]
            damaged = any(finding.kind == "damage" for finding in reader.findings)
        assert damaged == (size < len(whole))
        assert bool(list_trash(folder.parent)) == damaged


def frames_in(folder: Path) -> list[Frame]:
    fd = os.open(folder / "journal" / EVENTS, os.O_RDONLY)
    try:
        return list(FrameReader(fd))
    finally:
        os.close(fd)


def test_intact_frames_that_do_not_join_on_are_kept(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 15_250, 250)])
    session.save_meta()
    append_more(session, 15_250, 15_450)
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    first, *others = sorted((folder / "journal").glob("emg.*"))
    assert others, "the journal continued in a new segment"
    kept = {path.name: path.read_bytes() for path in others}
    first.unlink()
    recover_session(folder)
    [trashed] = list_trash(folder.parent)
    assert {path.name: path.read_bytes() for path in (trashed.path / "journal").iterdir()} == kept


def append_more(session: Session, start: int, stop: int) -> None:
    for at in range(start, stop, 10):
        session.append("emg", EMG.data(at, at + 10), EMG.stamps(at, at + 10))


def test_salvage_keeps_the_journal_of_a_stream_it_cannot_read(tmp_path: Path):
    session = recorded(tmp_path / "rec", [(EMG, 220, 20)])
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    (folder / "meta.json").write_text("{")
    (folder / "journal" / EVENTS).unlink()
    for name in ("emg.zarr", "emg_timestamps.zarr", "emg_clock.zarr", "emg_overview.zarr"):
        shutil.rmtree(folder / name)
    segments = {digest(path.read_bytes()) for path in (folder / "journal").iterdir()}
    with pytest.raises(SessionDamagedError, match="salvage"):
        recover_session(folder)
    with suppress(SessionDamagedError):
        salvage_session(folder)
    assert segments <= everything(folder.parent)


def test_arrays_that_claim_more_than_the_journal_has_are_cut_to_it(journaled: Path):
    for name in ("emg.zarr", "emg_timestamps.zarr"):
        about = json.loads((journaled / name / "zarr.json").read_text())
        about["shape"][0] = 2000
        (journaled / name / "zarr.json").write_text(json.dumps(about))
    before = chunks(journaled)
    recover_session(journaled)
    with open_session_store(journaled) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, N))
        assert "1600 count" in session.findings[0].text
    assert before <= everything(journaled.parent)
    assert verify_session(journaled).ok


# ---------------------------------------------------------------- names, files and shapes that are none


@pytest.mark.parametrize("stem", ["../../VICTIM/emg", "/tmp/evil", "..", ".hidden", "a\\b", "x" * 300])
def test_no_stream_leads_out_of_the_session(with_meta: Path, stem: str):
    victim = Path(shutil.copytree(with_meta, with_meta.parent / "VICTIM"))
    before = everything(victim)

    def rename(meta: dict) -> dict:
        return {"streams": {stem: meta["streams"]["emg"], **meta["streams"]}}

    edit_meta(with_meta, rename)
    files = set(with_meta.parent.parent.iterdir())
    assert verify_session(with_meta).findings[0].kind == "damage"
    recover_session(with_meta)
    with open_session_store(with_meta) as session:
        assert list(session.streams) == ["emg", "imu"]
    assert everything(victim) == before
    assert set(with_meta.parent.parent.iterdir()) == files


def make_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "inside").write_text("x")


ODD: dict[str, Damage] = {
    "meta.json a folder": lambda folder: make_folder(folder / "meta.json"),
    "labels.json a folder": lambda folder: make_folder(folder / "labels.json"),
    "an array a file": lambda folder: (shutil.rmtree(folder / "imu.zarr"), (folder / "imu.zarr").write_text("x")),
    "chunks a file": lambda folder: (shutil.rmtree(folder / "imu.zarr/c"), (folder / "imu.zarr/c").write_text("x")),
    "a segment a folder": lambda folder: make_folder(folder / "journal/emg.00000009.journal"),
    "the journal a file": lambda folder: (shutil.rmtree(folder / "journal"), (folder / "journal").write_text("x")),
}


@pytest.mark.parametrize("damage", ODD.values(), ids=ODD.keys())
def test_what_is_no_file_is_no_dead_end(journaled: Path, damage: Damage):
    damage(journaled)
    with open_session_store(journaled):
        pass
    saved = salvage_session(journaled)
    with open_session_store(saved if saved.is_file() else pack_session(saved)) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, session.n_samples("emg")))
        assert session.n_samples("emg") >= 1500


def test_an_archive_that_is_none_is_one_row_that_says_why(journaled: Path):
    make_folder(journaled.parent / "x.session.zip")
    os.mkfifo(journaled.parent / "y.session.zip")
    assert unfinished_sessions(journaled.parent) == [journaled]
    listed = {entry.path.name: entry for entry in Catalog(journaled.parent).entries()}
    assert sorted(listed) == sorted([journaled.name, "y.session.zip"])
    assert (listed["y.session.zip"].state, "no regular file" in listed["y.session.zip"].problem) == ("damaged", True)


def test_a_shape_larger_than_any_recording_ends_nothing(journaled: Path):
    for name in ("emg.zarr", "emg_timestamps.zarr"):
        about = json.loads((journaled / name / "zarr.json").read_text())
        about["shape"][0] = 10**13
        (journaled / name / "zarr.json").write_text(json.dumps(about))
    recover_session(journaled)
    with open_session_store(journaled) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, N))


def test_samples_of_a_type_that_no_stream_has_are_kept_beside_the_streams(tmp_path: Path):
    folder = tmp_path / "s" / "2026-01-01_00-00-00"
    folder.mkdir(parents=True)
    for name, dtype in (("video.zarr", "uint8"), ("video_timestamps.zarr", "float64")):
        zarr.create_array(
            folder / name,
            shape=(300,) if "_" in name else (300, 2),
            chunks=(100,) if "_" in name else (100, 2),
            dtype=dtype,
        )[:] = 7
    assert session_state(folder) == "damaged"
    assert not verify_session(folder).ok
    with zipfile.ZipFile(salvage_session(folder)) as archive:
        assert "unpaired/video.zarr/c/2/0" in archive.namelist()


def test_label_fields_of_another_recorder_are_not_lost(with_meta: Path):
    text = json.dumps([{"timestamp": 3.0, "class_index": 1, "confidence": 0.5}])
    (with_meta / "labels.json").write_text(text)
    recover_session(with_meta)
    assert not list_trash(with_meta.parent), "nothing was left out"
    assert json.loads((with_meta / "labels.json").read_text()) == json.loads(text)
