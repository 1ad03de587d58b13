"""An archive is a plain zip that anyone can read, always the same bytes, and plain zips of others are read too."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
import zarr
from zarr.storage import ZipStore

from myogestic_tui.errors import DiskError, SessionDamagedError
from myogestic_tui.session import (
    finish_interrupted,
    open_session_store,
    pack_session,
    read_archive_summary,
    salvage_session,
    verify_session,
)
from myogestic_tui.session.archive import zip_format as zb
from myogestic_tui.session.archive.archive import Archive
from myogestic_tui.session.archive.summary_comment import comment_bytes, decode_comment
from myogestic_tui.session.archive.zip_index import single_folder
from myogestic_tui.session.format.summary import StreamSummary, Summary
from tests.archive.sessions import EMG, STREAMS, assert_holds, rewrite, samples_of
from tests.processes import open_files


def test_a_packed_session_holds_what_was_recorded(archive):
    assert_holds(archive)


@pytest.mark.parametrize(("at", "what"), [(0, "no local header"), (8, "another name or method"), (30, "another name")])
def test_a_member_is_read_from_where_its_header_is(archive, at, what):
    with zipfile.ZipFile(archive) as plain:
        offset = plain.getinfo("labels.json").header_offset
    data = bytearray(archive.read_bytes())
    data[offset + at] ^= 1
    archive.write_bytes(data)
    with Archive(archive) as damaged:
        with pytest.raises(SessionDamagedError, match=what):
            damaged.read("labels.json")
        with pytest.raises(SessionDamagedError, match=what):
            list(damaged.blocks("labels.json"))
        assert damaged.read("meta.json")


@pytest.mark.parametrize("use", ["close", "with", "refused"])
def test_no_file_stays_open(archive, use):
    if use == "close":
        Archive(archive).close()
    elif use == "with":
        with Archive(archive) as opened:
            opened.read("labels.json")
    else:
        archive.write_bytes(archive.read_bytes()[:-1])
        with pytest.raises(SessionDamagedError):
            Archive(archive)
    assert open_files(archive) == []


def test_a_member_that_does_not_inflate_is_damaged(archive, tmp_path):
    plain = rewrite(archive, tmp_path / "plain.zip", lambda _, data: data, compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(plain) as opened:
        info = opened.getinfo("meta.json")
    data = bytearray(plain.read_bytes())
    data[info.header_offset + 30 + len("meta.json")] = 0xFF
    plain.write_bytes(data)
    with Archive(plain) as damaged:
        with pytest.raises(SessionDamagedError, match="does not inflate"):
            damaged.read("meta.json")
        with pytest.raises(SessionDamagedError, match="does not inflate"):
            list(damaged.blocks("meta.json"))


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        ([], b""),
        ([b"meta.json"], b""),
        ([b"meta.json", b"emg.zarr/zarr.json"], b""),
        ([b"emg.zarr/zarr.json", b"emg.zarr/c/0"], b""),
        ([b"s/meta.json", b"s/emg.zarr/zarr.json"], b"s/"),
        ([b"s/t/meta.json", b"s/t/labels.json"], b"s/"),
        ([b"s/meta.json", b"t/meta.json"], b""),
        ([b"s/meta.json", b"labels.json"], b""),
    ],
)
def test_a_single_folder_around_everything_is_left_out(names, folder):
    assert single_folder(names) == folder


def test_a_closed_archive_reads_nothing_and_closes_nobody_elses_file(archive, tmp_path):
    closed = Archive(archive)
    closed.close()
    with open(tmp_path / "another", "w+b") as another:  # takes the number that is free now
        another.write(bytes(1000))
        with pytest.raises((OSError, DiskError)):
            closed.read("labels.json")
        closed.close()
        another.flush()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_is_read_up_to_the_limit_and_not_beyond(archive, tmp_path, compression):
    plain = rewrite(archive, tmp_path / "plain.zip", lambda _, data: data, compression=compression)
    with Archive(plain) as opened:
        size = opened.size("meta.json")
        data = opened.read("meta.json", limit=size)
        assert len(data) == size
        with pytest.raises(SessionDamagedError, match=f"claims {size} bytes"):
            opened.read("meta.json", limit=size - 1)


def test_other_programs_read_our_archives(archive):
    with zipfile.ZipFile(archive) as plain:
        assert plain.testzip() is None
        assert {info.compress_type for info in plain.infolist()} == {zipfile.ZIP_STORED}
    with ZipStore(archive, mode="r") as store:
        np.testing.assert_array_equal(zarr.open_array(store, path="emg.zarr", mode="r")[:], samples_of(*STREAMS["emg"]))


def test_packing_the_same_folder_gives_the_same_bytes(folder, archive, tmp_path):
    elsewhere = Path(shutil.copytree(folder, tmp_path / "elsewhere" / folder.name))
    assert pack_session(elsewhere).read_bytes() == archive.read_bytes()


def test_the_manifest_is_json_with_size_and_hash_of_every_member(archive):
    with zipfile.ZipFile(archive) as plain:
        manifest = msgspec.json.decode(plain.read("manifest.json"))
        assert manifest["streams"] == {name: n for name, (_, n) in STREAMS.items()}
        assert [*manifest["members"], "manifest.json"] == plain.namelist()
        assert all(manifest["members"][i.filename]["bytes"] == i.file_size for i in plain.infolist()[:-1])


def test_the_summary_in_the_comment_is_what_opening_says(archive):
    with open_session_store(archive) as session:
        assert read_archive_summary(archive) == session.summary()


def test_a_comment_stays_within_64_kb_whatever_a_session_holds():
    stream = StreamSummary(n_samples=1, n_channels=1, fs=1.0, dtype="float32")
    many = Summary(path="x", state="packed", name="n" * 100_000, streams={f"stream {i}": stream for i in range(2000)})
    assert len(comment_bytes(many)) <= 0xFFFF
    assert decode_comment(comment_bytes(many)) is None
    few = Summary(path="", state="packed", name="take", streams={"emg": stream})
    assert decode_comment(comment_bytes(few)) == few


def test_a_summary_too_long_for_the_comment_comes_from_the_session(made_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(zb, "MAX_COMMENT", 300)
    folder = Path(shutil.copytree(made_folder, tmp_path / made_folder.name))
    assert set(read_archive_summary(pack_session(folder)).streams) == set(STREAMS)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("top", ["", "2026-05-17_14-23-05/"])
def test_plain_zips_of_other_programs_are_read(archive, tmp_path, compression, top):
    foreign = tmp_path / "foreign.session.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(foreign, "w", compression) as new:
        if top:
            new.writestr(top, b"")
        for name in old.namelist():
            new.writestr(top + name, old.read(name))
    assert_holds(foreign)
    assert set(read_archive_summary(foreign).streams) == set(STREAMS)


def test_archives_of_the_plain_recorder_are_read_verified_and_salvaged(tmp_path):
    folder = tmp_path / "2026-05-17_14-23-05"
    arrays = {"emg": np.zeros((500, 4), np.float32), "emg_timestamps": 100.0 + np.arange(500) / 50.0}
    arrays["emg"][100:] = samples_of(EMG, 400)
    for name, values in arrays.items():
        array = zarr.create_array(
            folder / f"{name}.zarr", shape=values.shape, chunks=(50, *values.shape[1:]), dtype=values.dtype
        )
        array[:] = values
    streams = {"emg": {"n_channels": 4, "fs": 50.0, "dtype": "float32"}}
    meta = {"app_name": "theirs", "created": "2026-05-17T14:23:05", "streams": streams, "class_names": ["Rest"]}
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "labels.json").write_text(json.dumps([{"timestamp": 101.0, "class_index": 0}]))
    path = tmp_path / "theirs.session.zip"
    shutil.make_archive(str(path.with_suffix("")), "zip", tmp_path, folder.name)
    with open_session_store(path) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], arrays["emg"])
    outcome = verify_session(path)
    assert outcome.ok
    assert any("samples 0–99 (0.0–2.0 s) are absent, all zeros or lost" in f.text for f in outcome.findings)
    path.write_bytes(path.read_bytes()[:-30])
    assert not verify_session(path).ok
    saved = salvage_session(path)
    with open_session_store(saved) as session:
        np.testing.assert_array_equal(session.stores["emg"][:], arrays["emg"][100:])
        np.testing.assert_array_equal(session.ts_stores["emg"][:], arrays["emg_timestamps"][100:])


def test_sizes_beyond_four_gigabytes_are_found(tmp_path):
    path, size = tmp_path / "large.zip", (1 << 32) + 5
    first = zb.Member(b"large", zb.STORED, 0, size, size, 0)
    second = zb.Member(b"behind", zb.STORED, 0, 0, 0, zb.local_size(b"large", size) + size)
    directory = zb.central_entry(first) + zb.central_entry(second)
    with open(path, "wb") as file:
        file.write(zb.local_header(b"large", 0, size))
        file.seek(second.offset)  # a hole in the file: no disk is used
        file.write(zb.local_header(b"behind", 0, 0))
        file.write(directory + zb.end_records(2, len(directory), file.tell(), b""))
    with Archive(path) as archive:
        assert list(archive.members()) == [first, second]
        assert archive.data_offset(first) == zb.local_size(b"large", size)
        assert archive.read("behind") == b""
    with zipfile.ZipFile(path) as plain:
        assert [(i.file_size, i.header_offset) for i in plain.infolist()] == [(size, 0), (0, second.offset)]


def test_more_members_than_a_plain_directory_counts(tmp_path):
    path, names = tmp_path / "many.zip", [b"m%d" % i for i in range(0x10005)]
    at, blocks, members = 0, [], []
    for name in names:
        members.append(zb.Member(name, zb.STORED, 0, 0, 0, at))
        blocks.append(zb.local_header(name, 0, 0))
        at += len(blocks[-1])
    directory = b"".join(map(zb.central_entry, members))
    path.write_bytes(b"".join(blocks) + directory + zb.end_records(len(names), len(directory), at, b"note"))
    with Archive(path) as archive, zipfile.ZipFile(path) as plain:
        assert len(archive) == len(plain.infolist()) == len(names)
        assert archive.read("m65540") == b""


def test_nothing_to_finish_where_nothing_was_interrupted(archive, tmp_path):
    before = archive.read_bytes()
    assert finish_interrupted(tmp_path) == []
    assert finish_interrupted(tmp_path / "nowhere") == []
    assert archive.read_bytes() == before


@pytest.mark.parametrize("size", [0, 8170, 8171, 30_000, 65_535])
def test_an_archive_with_a_long_comment_opens(archive, tmp_path, size):
    plain = rewrite(archive, tmp_path / "plain.zip", lambda _, data: data)
    with zipfile.ZipFile(plain, "a") as opened:
        opened.comment = b"c" * size
    with Archive(plain) as read:
        assert read.comment == b"c" * size
        assert len(read) == len([*read.names()])


def test_that_an_archive_has_no_manifest_is_told(archive, tmp_path):
    plain = rewrite(archive, tmp_path / "plain.zip", lambda _, data: data)
    [finding] = verify_session(plain).findings
    assert finding.kind == "observation"
    assert finding.text.startswith("no manifest.json: another program packed this")


def test_rewritten_members_are_a_foreign_session(archive, tmp_path):
    foreign = rewrite(archive, tmp_path / "foreign.zip", lambda _, data: data)
    with open_session_store(foreign) as session:
        assert session.stream_info("emg").channel_names == EMG.channel_names
