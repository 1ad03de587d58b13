"""Salvage saves what decodes, lists what does not, invents nothing, and keeps the original until all is proven."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from myogestic_tui.errors import MyoGesticError, SessionDamagedError
from myogestic_tui.session import (
    list_trash,
    open_session_store,
    pack_session,
    restore_session,
    salvage_session,
    verify_session,
)
from myogestic_tui.session.format.zarr_format import ArraySpec, array_json
from tests.archive.faults import flips
from tests.archive.sessions import (
    EMG,
    START,
    STREAMS,
    assert_holds,
    cut_off_folder,
    entries,
    flip,
    open_session,
    rewrite,
    samples_of,
    stamps_of,
)

WHOLE = samples_of(*STREAMS["emg"])
TIMES = stamps_of(*STREAMS["emg"])
PAGE = 4096


def assert_part(path: Path, kept: list[tuple[int, int]]) -> None:
    """Of ``emg``, the runs of samples `kept`, and no others, each with its own time stamp."""
    rows = np.concatenate([np.arange(first, stop) for first, stop in kept]) if kept else np.empty(0, int)
    with open_session_store(path) as session:
        assert session.meta.state == "salvaged"
        np.testing.assert_array_equal(session.stores["emg"][:], WHOLE[rows])
        np.testing.assert_array_equal(session.ts_stores["emg"][:], TIMES[rows])
    outcome = verify_session(path)
    assert outcome.ok, outcome.findings


def loss(path: Path) -> dict:
    with open_session_store(path) as session:
        return session.meta.extra["salvage"][-1]


def test_a_whole_session_is_left_alone(archive, tmp_path):
    before = archive.read_bytes()
    assert salvage_session(archive) == archive
    assert archive.read_bytes() == before
    assert list_trash(tmp_path) == []


def test_damaged_samples_are_cut_out_and_listed(archive, tmp_path):
    damaged_name = archive.name
    flip(archive, "emg.zarr/c/3/0")
    flip(archive, "emg.zarr/c/4/0")
    saved = salvage_session(archive)
    assert_part(saved, [(0, 150), (250, 480)])
    assert saved.name == damaged_name.replace(".session.zip", "_salvaged.session.zip")
    assert entries(tmp_path) == [saved.name]
    assert [*(tmp_path / ".myogestic" / "salvaging").iterdir()] == []
    assert [trashed.path.name for trashed in list_trash(tmp_path)] == [damaged_name]
    [hole] = loss(saved)["holes"]
    assert (hole["stream"], hole["first_sample"], hole["n_samples"], hole["index"]) == ("emg", 150, 100, 150)
    assert hole["seconds"] == pytest.approx(2.0)
    assert "emg.zarr/c/3/0" in hole["reason"]
    with open_session_store(saved) as session:
        [gap] = session.meta.streams["emg"].gaps
        assert (gap.index, gap.seconds) == (150, pytest.approx(2.0))
        assert "damage" in gap.reason
        assert len(session.label_track) == 2
        assert session.clock_stores["emg"].shape == (3, 4)
        assert session.stream_info("emg").channel_names == EMG.channel_names


def test_samples_without_time_stamps_are_kept_beside_the_stream(archive):
    flip(archive, "emg_timestamps.zarr/c/2")
    saved = salvage_session(archive)
    assert_part(saved, [(0, 100), (150, 480)])
    assert loss(saved)["unpaired"] == ["emg.zarr/c/2/0"]
    import zarr
    from zarr.storage import ZipStore

    with ZipStore(saved, mode="r") as store:
        unpaired = zarr.open_array(store, path="unpaired/emg.zarr", mode="r")
        np.testing.assert_array_equal(unpaired[100:150], WHOLE[100:150])


def test_an_archive_cut_short_keeps_pairs_up_to_the_cut(archive):
    data = archive.read_bytes()
    with zipfile.ZipFile(archive) as plain:
        at = plain.getinfo("emg.zarr/c/6/0").header_offset
    archive.write_bytes(data[: at + 100])
    saved = salvage_session(archive)
    assert_part(saved, [(0, 300)])
    with open_session_store(saved) as session:
        assert [label.class_index for label in session.label_track] == [0, 1]
        assert session.class_names == ["Rest", "Fist"]


@pytest.mark.parametrize("where", ["before", "behind", "both"])
def test_bytes_around_an_archive_cost_nothing(archive, where):
    data = archive.read_bytes()
    archive.write_bytes(b"junk" * (where != "behind") + data + b"junk" * (where != "before"))
    saved = salvage_session(archive)
    assert_part(saved, [(0, 480)])
    assert loss(saved)["holes"] == []


@pytest.mark.parametrize("member", ["emg.zarr/zarr.json", "emg_timestamps.zarr/zarr.json", "manifest.json"])
def test_what_can_be_told_from_elsewhere_costs_nothing(archive, member):
    flip(archive, member)
    assert_part(salvage_session(archive), [(0, 480)])


@pytest.mark.parametrize("member", ["meta.json", "labels.json"])
def test_damaged_metadata_is_said_to_be_doubtful(archive, member):
    flip(archive, member, at=-12)
    saved = salvage_session(archive)
    assert_part(saved, [(0, 480)])
    assert [text for text in loss(saved)["doubtful"] if text.startswith(member)]


def test_a_name_lost_from_the_directory_is_found_at_the_member(archive):
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"emg.zarr/c/3/0")
    data[at] ^= 1
    archive.write_bytes(data)
    assert_part(salvage_session(archive), [(0, 480)])


def test_a_folder_with_a_damaged_chunk(folder, tmp_path):
    chunk = folder / "emg.zarr/c/5/0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    (folder / "emg.zarr/c/0/0").unlink()
    saved = salvage_session(folder)
    assert_part(saved, [(50, 250), (300, 480)])
    assert [trashed.path.name for trashed in list_trash(tmp_path)] == [folder.name]
    assert entries(tmp_path) == [saved.name]


def test_a_session_cut_off_is_recovered_first(tmp_path):
    folder = cut_off_folder(tmp_path)
    assert salvage_session(folder) == folder
    assert_holds(folder)


def test_a_plain_zip_of_another_program(archive, tmp_path):
    def without(name: str, data: bytes) -> bytes | None:
        return None if name == "emg.zarr/c/9/0" else data

    path = rewrite(archive, tmp_path / "theirs.zip", without, compression=zipfile.ZIP_DEFLATED)
    assert_part(salvage_session(path), [(0, 450)])


def test_nothing_to_save_leaves_the_original(tmp_path):
    path = tmp_path / "noise.session.zip"
    path.write_bytes(random.Random(1).randbytes(10_000))
    with pytest.raises(SessionDamagedError, match="nothing in it can be read"):
        salvage_session(path)
    assert entries(tmp_path) == [path.name]
    with pytest.raises(FileNotFoundError):
        salvage_session(tmp_path / "nowhere")


def test_salvaging_what_was_salvaged_keeps_both_records(archive):
    flip(archive, "emg.zarr/c/3/0")
    saved = salvage_session(archive)
    flip(saved, "emg.zarr/c/0/0")
    again = salvage_session(saved)
    assert_part(again, [(50, 150), (200, 480)])
    with open_session_store(again) as session:
        assert [record["source"] for record in session.meta.extra["salvage"]] == [archive.name, saved.name]


def test_the_original_can_be_had_back(archive):
    flip(archive, "emg.zarr/c/3/0")
    damaged = archive.read_bytes()
    salvage_session(archive)
    assert restore_session(archive) == archive
    assert archive.read_bytes() == damaged


def test_a_salvage_killed_before_the_trash_is_taken_up(archive, tmp_path):
    flip(archive, "emg.zarr/c/3/0")
    damaged = archive.read_bytes()
    saved = salvage_session(archive)
    before = saved.read_bytes()
    archive.write_bytes(damaged)  # as if the last step had not been taken
    assert salvage_session(archive) == saved
    assert saved.read_bytes() == before
    assert entries(tmp_path) == [saved.name]


def test_a_bit_of_a_members_name_costs_nothing(made_archive, tmp_path):
    """Bit 7 makes a name of the directory one that is no text."""
    data = made_archive.read_bytes()
    with zipfile.ZipFile(made_archive) as plain:
        start, names = plain.start_dir, [info.filename.encode() for info in plain.infolist()]
    at = start
    for number, name in enumerate(names):
        at = data.index(name, at + 46)
        if number % 3 and not name.endswith(b".json"):
            continue
        path = tmp_path / str(number) / made_archive.name
        path.parent.mkdir()
        flipped = bytearray(data)
        flipped[at + number % len(name)] ^= 0x80
        path.write_bytes(flipped)
        for level in ("quick", "full"):
            outcome = verify_session(path, level)
            assert not outcome.ok
            json.loads(msgspec.json.encode(outcome))
        saved = salvage_session(path)
        assert_part(saved, [(0, 480)])
        json.dumps(loss(saved)).encode()
        shutil.rmtree(path.parent)


FAILED_ONCE: tuple[int, ...] = ()
"""First bytes at which the search below has failed: each is tried in every run."""


@pytest.mark.parametrize("first", [0, *FAILED_ONCE, None])
def test_any_flipped_byte_leaves_what_is_around_it(made_archive, tmp_path, first):
    """Every so many bytes, from the first on and from one drawn for this run, which a failure names."""
    data = made_archive.read_bytes()
    step = len(data) // 25
    first = random.randrange(step) if first is None else first
    print(f"first byte: {first} of {len(data)}")
    for number, (_, damaged) in enumerate(flips(data, step, first)):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / made_archive.name
        path.write_bytes(damaged)
        saved = salvage_session(path)
        with open_session_store(saved) as session:
            times = session.ts_stores["emg"][:]
            rows = np.rint((times - START) * EMG.fs).astype(int)
            np.testing.assert_array_equal(session.stores["emg"][:], WHOLE[rows])
            assert len(rows) >= len(WHOLE) - 50
            assert set(STREAMS) <= set(session.streams)
            told = session.meta.extra["salvage"][-1]["doubtful"] if "salvage" in session.meta.extra else []
            for name in set(session.streams) - set(STREAMS):  # damaged metadata that are read, and said to be, name it
                assert any("meta.json" in one for one in told)
                assert session.stores[name].shape[0] == 0
        shutil.rmtree(folder)


def test_a_stream_that_only_damaged_metadata_name_is_reported_and_empty(made_archive, tmp_path):
    data = bytearray(made_archive.read_bytes())
    data[data.index(b'"markers": {') + 1] ^= 0x20
    path = tmp_path / made_archive.name
    path.write_bytes(data)
    saved = salvage_session(path)
    with open_session_store(saved) as session:
        assert {name: session.stores[name].shape[0] for name in ("markers", "Markers")} == {"markers": 5, "Markers": 0}
    told = loss(saved)
    assert [(hole["stream"], hole["n_samples"]) for hole in told["holes"]] == [("Markers", 5)]
    assert any("meta.json was read although it is damaged" in one for one in told["doubtful"])


def test_a_stream_without_samples_is_saved_as_one(tmp_path):
    session = open_session(tmp_path)
    session.init_stream("silent", EMG)
    session.finish()
    (session.path / "emg.zarr/c/3/0").unlink()
    saved = salvage_session(session.path)
    with open_session_store(saved) as reader:
        shapes = [array["silent"].shape for array in (reader.stores, reader.ts_stores)]
        assert shapes == [(0, EMG.n_channels), (0,)]
    assert verify_session(saved).ok


def test_what_the_summary_knows_is_kept_where_the_metadata_are_lost(tmp_path):
    session = open_session(tmp_path, name="grasp")
    session.finish()
    created = session.meta.created
    archive = session.pack_to_zip()
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as plain:
        info = plain.getinfo("meta.json")
    start = info.header_offset + 30 + len(info.filename)
    data[start : start + info.file_size] = b"x" * info.file_size
    archive.write_bytes(data)
    with open_session_store(salvage_session(archive)) as saved:
        assert (saved.meta.created, saved.meta.name) == (created, "grasp")
        np.testing.assert_array_equal(saved.stores["emg"][:], WHOLE)


def test_a_cut_off_session_that_was_zipped_by_hand_is_saved(tmp_path):
    folder = cut_off_folder(tmp_path / "from")
    plain = tmp_path / "by hand.zip"
    with zipfile.ZipFile(plain, "w") as new:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                new.write(path, path.relative_to(folder))
    saved = salvage_session(plain)
    assert verify_session(saved).ok
    with open_session_store(saved) as session:
        n = session.stores["emg"].shape[0]
        np.testing.assert_array_equal(session.stores["emg"][:], WHOLE[:n])


def test_a_count_that_the_samples_have_lost_is_that_of_their_time_stamps(archive, tmp_path):
    """Nothing but the stamps' own array knows that they end before the last chunk is full."""

    def edit(name: str, data: bytes) -> bytes | None:
        if name == "emg.zarr/zarr.json":
            return array_json(ArraySpec.data(EMG), 500)
        return None if name == "meta.json" else data

    plain = rewrite(archive, tmp_path / "plain.zip", edit)
    saved = salvage_session(plain)
    with open_session_store(saved) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], WHOLE)
    assert any("500" in text and "480" in text for text in loss(saved)["doubtful"])


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut short"])
def test_a_page_that_the_disk_cannot_read_costs_what_is_in_it(archive, monkeypatch, cut):
    with zipfile.ZipFile(archive) as plain:
        bad, last = (plain.getinfo(f"emg.zarr/c/{number}/0").header_offset for number in (3, 9))
    if cut:
        archive.write_bytes(archive.read_bytes()[:last])
    first, stop = bad - bad % PAGE, bad - bad % PAGE + PAGE
    real = os.pread

    def pread(fd: int, size: int, at: int) -> bytes:
        """As the system reads: up to the page that cannot be read, and in that page nothing."""
        if os.readlink(f"/proc/self/fd/{fd}") != str(archive) or at >= stop or at + size <= first:
            return real(fd, size, at)
        if at >= first:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, first - at, at)

    monkeypatch.setattr(os, "pread", pread)
    original = archive.name
    saved = salvage_session(archive)
    with open_session_store(saved) as session:
        kept = session.stores["emg"][:]
    holes = [hole for hole in loss(saved)["holes"] if hole["stream"] == "emg"]
    lost = np.concatenate([hole["first_sample"] + np.arange(hole["n_samples"]) for hole in holes])
    assert 150 in lost
    assert (479 in lost) == cut
    assert len(lost) < 400
    np.testing.assert_array_equal(kept, np.delete(WHOLE, lost, axis=0))
    assert [trashed.path.name for trashed in list_trash(archive.parent)] == [original]


def test_other_files_come_along_and_those_of_impossible_names_under_possible_ones(folder):
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    (folder / "notes" / "odd1.txt").write_text("odd")
    archive = pack_session(folder)
    archive.write_bytes(archive.read_bytes().replace(b"notes/odd1.txt", b"notes/odd\xff.txt"))
    saved = salvage_session(archive)
    with zipfile.ZipFile(saved) as plain:
        assert plain.read("notes/mine.txt") == b"mine"
        [odd] = [name for name in plain.namelist() if "odd" in name]
        assert odd.startswith("unpaired/notes/odd")
        assert plain.read(odd) == b"odd"
    told = [text for text in loss(saved)["doubtful"] if "is no name of a file" in text]
    assert len(told) == 1
    assert "mine" not in told[0]
    assert_part(saved, [(0, 480)])


def test_a_session_that_is_in_use_is_left_alone(folder):
    from myogestic_tui.session.format.lock import lock_session

    (folder / "emg.zarr/c/0/0").unlink()
    with lock_session(folder, purpose="copying"), pytest.raises(MyoGesticError, match="copying"):
        salvage_session(folder)
    assert pack_session(folder).exists()
