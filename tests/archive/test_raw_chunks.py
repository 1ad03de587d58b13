"""Chunks that were stored raw: read like any other, compressed when packed, held against what was recorded."""

from __future__ import annotations

import random
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from myogestic_tui.errors import DiskError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import finish_interrupted, open_session_store, pack_session, verify_session
from myogestic_tui.session.archive import raw_chunks
from myogestic_tui.session.archive.recorded_digest import recorded_digest
from myogestic_tui.session.format.zarr_format import RAW_LEVEL
from myogestic_tui.session.format.zstd_frame import compress, decompress
from myogestic_tui.session.library.edit import edit_session
from myogestic_tui.session.packing.pack import source_of, write_archive
from tests.archive.killing import duration, kill_and_restart
from tests.archive.raw import STREAMS, chunks_of_numbers, raw_frame, store_raw
from tests.archive.sessions import assert_holds, entries, finished_folder, samples_of
from tests.archive.test_pack import everything, spoil

CHUNK = "emg.zarr/c/3/0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_raw(finished_folder(tmp_path_factory.mktemp("raw"), STREAMS))


@pytest.fixture
def raw(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def members(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_folder_of_raw_chunks_reads_and_verifies_as_any_other(made):
    assert_holds(made, STREAMS)
    assert verify_session(made).ok
    for name in ("emg", "wide"):
        np.testing.assert_array_equal(zarr.open_array(made / f"{name}.zarr", mode="r")[:], samples_of(*STREAMS[name]))


def test_every_raw_chunk_is_compressed_in_the_archive_and_decodes_to_what_was_recorded(raw):
    before, specs = everything(raw), {str(path.relative_to(raw)): spec for path, spec in chunks_of_numbers(raw).items()}
    archive = pack_session(raw)
    assert_holds(archive, STREAMS)
    assert verify_session(archive).ok
    packed = members(archive)
    assert sorted(packed) == sorted([*before, "manifest.json"])
    for name, content in before.items():
        if name in specs:
            assert decompress(packed[name]) == decompress(content)
            assert len(packed[name]) <= 0.9 * specs[name].chunk_nbytes, f"{name} is not compressed"
        else:
            assert packed[name] == content


def test_a_raw_chunk_that_does_not_shrink_stays_as_it_is(tmp_path):
    noise = np.random.default_rng(3).integers(-128, 128, (120, 2), np.int8)
    folder = finished_folder(tmp_path, {"emg": (StreamInfo(2, 50.0, "int8"), 120)})
    chunk = raw_frame(noise[:50].tobytes())
    (folder / "emg.zarr/c/0/0").write_bytes(chunk)
    assert members(pack_session(folder))["emg.zarr/c/0/0"] == chunk


def test_a_chunk_that_silence_made_a_little_smaller_is_compressed_too(tmp_path):
    folder = finished_folder(tmp_path, {"wide": STREAMS["wide"]})
    chunk = folder / "wide.zarr/c/0/0"
    samples = np.frombuffer(decompress(chunk.read_bytes()), np.int32).reshape(2000, 40).copy()
    samples[:200] = 0
    chunk.write_bytes(compress(samples.tobytes(), RAW_LEVEL))
    stored = chunk.stat().st_size
    assert 0.8 * samples.nbytes < stored < samples.nbytes
    packed = members(pack_session(folder))["wide.zarr/c/0/0"]
    assert decompress(packed) == samples.tobytes()
    assert len(packed) < 0.5 * stored


def test_what_an_array_that_is_not_understood_has_stays_as_it_is(raw):
    (raw / "emg.zarr/zarr.json").write_bytes(b"{")
    before = everything(raw)
    packed = members(pack_session(raw))
    assert {name for name in before if packed[name] != before[name]} == {
        name for name in before if "/c/" in name and not name.startswith(("emg.zarr/", "markers.zarr/"))
    }


@pytest.mark.parametrize("at", [12, 60, -2], ids=["header", "samples", "checksum"])
def test_a_damaged_raw_chunk_is_packed_as_it_is_and_reported(raw, at):
    damaged = bytearray((raw / CHUNK).read_bytes())
    damaged[at] ^= 0x10
    (raw / CHUNK).write_bytes(damaged)
    found = verify_session(raw)
    assert not found.ok
    archive = pack_session(raw)
    assert members(archive)[CHUNK] == damaged
    assert [finding.text for finding in verify_session(archive).findings if finding.kind == "damage"] == [
        finding.text for finding in found.findings if finding.kind == "damage"
    ]


def test_a_chunk_that_is_compressed_to_something_else_is_noticed(raw, tmp_path, monkeypatch):
    before = everything(raw)

    def compress_wrongly(content: bytes, level: int) -> bytes:
        return compress(bytes([content[0] ^ 1]) + content[1:], level)

    monkeypatch.setattr(raw_chunks, "compress", compress_wrongly)
    with pytest.raises(DiskError, match="reads back"):
        pack_session(raw)
    assert everything(raw) == before
    assert entries(tmp_path) == [raw.name]


def spoil_unused_bit(path: Path) -> bool:
    """Flip a bit of the last frame that no decoder looks at: it decodes as before, and is not what was written."""
    data = bytearray(path.read_bytes())
    data[data.rindex(b"\x28\xb5\x2f\xfd") + 4] ^= 0x10
    path.write_bytes(data)
    return True


@pytest.mark.parametrize("place", ["header", "content", "unused bit"])
def test_a_disk_that_holds_a_compressed_chunk_otherwise_is_noticed(raw, tmp_path, place):
    before, spoilt = everything(raw), []

    def progress(done: int, total: int) -> None:
        if done > total // 2 and not spoilt:  # all is written, and is being read back
            [written] = tmp_path.glob("*.tmp")
            spoilt.append(spoil_unused_bit(written) if place == "unused bit" else spoil(written, place))

    with pytest.raises(DiskError, match="reads back"):
        pack_session(raw, progress)
    assert everything(raw) == before
    assert entries(tmp_path) == [raw.name]


def test_progress_goes_from_nothing_to_all_though_the_archive_is_smaller(raw):
    told = []
    pack_session(raw, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0


def test_killed_while_raw_chunks_are_packed(made, tmp_path):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    longest = 1.1 * duration(pack_session, made, tmp_path)
    for run in range(8):
        archive = kill_and_restart(pack_session, made, tmp_path / f"run{run}", rng, longest)
        assert_holds(archive, STREAMS)
        assert len(members(archive)[CHUNK]) < 400


def test_a_folder_whose_archive_is_in_place_goes_though_its_chunks_are_raw(made, raw, tmp_path):
    archive = pack_session(raw)
    content = archive.read_bytes()
    shutil.copytree(made, raw)
    assert finish_interrupted(tmp_path) == [archive]
    assert entries(tmp_path) == [archive.name]
    assert archive.read_bytes() == content


def test_a_folder_of_which_an_archive_holds_other_samples_stays(made, raw, tmp_path):
    archive = pack_session(raw)
    shutil.copytree(made, raw)
    samples = bytearray(decompress((raw / CHUNK).read_bytes()))
    samples[0] ^= 1
    (raw / CHUNK).write_bytes(raw_frame(bytes(samples)))
    [packed] = finish_interrupted(tmp_path)
    assert packed != archive
    assert decompress(members(packed)[CHUNK]) == samples


def test_what_was_recorded_has_one_hash_before_and_after_packing(raw):
    before = recorded_digest(raw)
    assert recorded_digest(pack_session(raw)) == before


def test_editing_an_archive_compresses_nothing_so_that_its_hash_stays(raw, tmp_path):
    archive = tmp_path / "as-it-was.session.zip"
    write_archive(archive, source_of(raw), lambda n: None)
    before, digest = members(archive), recorded_digest(archive)
    assert before[CHUNK] == (raw / CHUNK).read_bytes()
    edited = edit_session(archive, {"subject": "P02"})
    after = members(edited)
    assert {name for name in before if after[name] != before[name]} == {"meta.json", "manifest.json"}
    assert recorded_digest(edited) == digest


def test_what_a_reader_has_open_reads_on_in_the_archive(raw):
    with open_session_store(raw) as reader:
        pack_session(raw)
        np.testing.assert_array_equal(reader.stores["emg"][:], samples_of(*STREAMS["emg"]))
