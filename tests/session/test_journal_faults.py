from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import list_trash, open_session_store, recover_session, session_state
from myogestic_tui.session.format.journal import EVENTS, FrameReader, list_segments
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS, Known

SMALL = Known("emg", StreamInfo(2, 500.0, "int16"))
CHUNK = 4


@pytest.fixture(params=[SMALL, STREAMS[2]], ids=["numbers", "text"])
def stream(request: pytest.FixtureRequest) -> Known:
    return request.param


@pytest.fixture
def folder(tmp_path: Path, stream: Known) -> Path:
    """Ten frames in the journal, nothing in Zarr."""
    session = recorded(tmp_path / "sessions", [(stream, 10 * CHUNK, CHUNK)])
    session.add_label(1, timestamp=5.0)
    found = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    return found


def frames_of(path: Path) -> list[tuple[int, int, int]]:
    """``(offset, end, index of the first sample)`` of each frame."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return [(frame.offset, frame.end, frame.first) for frame in FrameReader(fd)]
    finally:
        os.close(fd)


def segment_of(folder: Path, stream: Known) -> Path:
    [segment] = list_segments(folder)[stream.name]
    return segment


def n_samples(folder: Path, stream: Known) -> int:
    with open_session_store(folder) as reader:
        assert [label.class_index for label in reader.label_track] == [1]
        return stream.assert_prefix(reader)


def test_the_journal_cut_at_every_byte_of_its_last_two_frames_keeps_all_before(folder: Path, stream: Known):
    segment = segment_of(folder, stream)
    whole, frames = segment.read_bytes(), frames_of(segment)
    for size in range(frames[-2][0], len(whole)):
        segment.write_bytes(whole[:size])
        expected = sum(CHUNK for _, end, _ in frames if end <= size)
        with open_session_store(folder) as reader:
            assert stream.assert_prefix(reader) == expected
            torn = size not in {end for _, end, _ in frames}
            assert [finding.kind for finding in reader.findings] == ["observation"] * torn
        if size % 23 == 0:
            copy = cut_off(folder, folder.with_name(f"{size}"))
            assert n_samples(recover_session(copy), stream) == expected
            shutil.rmtree(copy)


def test_every_byte_of_a_frame_flipped_keeps_all_before_and_reports_the_rest(folder: Path, stream: Known):
    segment = segment_of(folder, stream)
    whole, frames = bytearray(segment.read_bytes()), frames_of(segment)
    start, end, first = frames[6]
    for at in range(start, end):
        whole[at] ^= 0x10
        segment.write_bytes(whole)
        whole[at] ^= 0x10
        with open_session_store(folder) as reader:
            assert stream.assert_prefix(reader) == first
            [finding] = reader.findings
            assert finding.kind == "damage"
            assert f"behind sample {first - 1}" in finding.text
            assert f"{3 * CHUNK} intact samples from {first + CHUNK} to {10 * CHUNK - 1} would not" in finding.text


def test_the_last_frame_flipped_is_reported(folder: Path, stream: Known):
    segment = segment_of(folder, stream)
    whole, frames = bytearray(segment.read_bytes()), frames_of(segment)
    start, end, first = frames[-1]
    for at in range(start, end):
        whole[at] ^= 0xFF
        segment.write_bytes(whole)
        whole[at] ^= 0xFF
        with open_session_store(folder) as reader:
            assert stream.assert_prefix(reader) == first
            assert len(reader.findings) == 1


def test_recovery_keeps_damaged_segments_in_the_trash_folder(folder: Path, stream: Known):
    segment = segment_of(folder, stream)
    whole, frames = bytearray(segment.read_bytes()), frames_of(segment)
    whole[frames[4][0] + 30] ^= 1
    segment.write_bytes(whole)
    name = segment.name
    recover_session(folder)
    [trashed] = list_trash(folder.parent)
    kept = list(trashed.path.glob(f"journal/{name}"))
    assert [path.read_bytes() for path in kept] == [bytes(whole)]
    assert not (folder / "journal").exists()
    with open_session_store(folder) as reader:
        assert stream.assert_prefix(reader) == 4 * CHUNK
        assert [finding.kind for finding in reader.findings] == ["damage"]


def test_recovery_keeps_metadata_that_it_could_not_read(tmp_path: Path):
    session = recorded(tmp_path / "s", [(SMALL, 40, 4)])
    session.add_label(1)
    session.finish()
    (session.path / "meta.json").write_text('{"streams": 3}')
    (session.path / "labels.json").write_text("[{}]")
    recover_session(session.path)
    [trashed] = list_trash(session.path.parent)
    assert {path.name: path.read_text() for path in trashed.path.iterdir()} == {
        "meta.json": '{"streams": 3}',
        "labels.json": "[{}]",
    }


def test_damage_in_samples_that_are_in_zarr_already_loses_nothing(tmp_path: Path):
    stream = Known("emg", StreamInfo(2, 100.0, "float32"))
    session = recorded(tmp_path / "s", [(stream, 330, 10)])
    session.flush()
    folder = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    segment = segment_of(folder, stream)
    whole = bytearray(segment.read_bytes())
    whole[frames_of(segment)[20][0] + 40] ^= 1  # samples 200 to 209, of 300 in whole chunks
    segment.write_bytes(whole)
    with open_session_store(folder) as reader:
        assert stream.assert_prefix(reader) == 330
        assert [finding.kind for finding in reader.findings] == ["observation"]


def test_a_power_cut_in_a_flushed_partial_chunk_is_mended_from_the_journal(tmp_path: Path):
    stream = Known("emg", StreamInfo(2, 100.0, "float32"))
    session = recorded(tmp_path / "s", [(stream, 330, 10)])
    session.flush()
    folder = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    (folder / "emg.zarr/c/3/0").write_bytes(b"")
    with open_session_store(folder) as reader:
        assert stream.assert_prefix(reader) == 330
        np.testing.assert_array_equal(reader.stores["emg"][:], stream.data(0, 330))
    with open_session_store(recover_session(folder)) as reader:
        assert stream.assert_prefix(reader) == 330


def test_a_lost_event_does_not_take_the_others_with_it(tmp_path: Path):
    session = recorded(tmp_path / "s", [(SMALL, 40, 4)])
    for number in range(5):
        session.add_label(number, timestamp=float(number))
    folder = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    events = folder / "journal" / EVENTS
    whole, frames = bytearray(events.read_bytes()), frames_of(events)
    whole[frames[3][0] + 35] ^= 1  # after the stream: labels 0 and 1, then label 2
    events.write_bytes(whole)
    with open_session_store(folder) as reader:
        assert [label.class_index for label in reader.label_track] == [0, 1, 3, 4]
        assert [finding.kind for finding in reader.findings] == ["damage"]
    events.write_bytes(whole[: frames[3][0] + 9])
    with open_session_store(recover_session(folder)) as reader:
        assert [label.class_index for label in reader.label_track] == [0, 1]


def test_garbage_in_place_of_the_journal_is_survived(folder: Path, stream: Known):
    segment = segment_of(folder, stream)
    rng = np.random.default_rng(5)
    for content in (b"", bytes(5000), rng.bytes(5000), b"MGJ1" * 1000):
        segment.write_bytes(content)
        (folder / "journal" / EVENTS).write_bytes(content)
        with open_session_store(folder) as reader:
            assert stream.assert_prefix(reader) == 0
    assert session_state(folder) == "unfinished"
    recover_session(folder)
    assert session_state(folder) == "recovered"


def test_a_lost_shape_of_committed_samples_is_told_by_the_other_array(tmp_path: Path):
    stream = Known("emg", StreamInfo(2, 100.0, "float32"))
    session = recorded(tmp_path / "s", [(stream, 330, 10)])
    session.save_meta()
    folder = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    for name in ("emg.zarr", "emg_timestamps.zarr"):
        (folder / name / "zarr.json").write_bytes(b"{}")
        with open_session_store(folder) as reader:
            assert stream.assert_prefix(reader) == 330
    with open_session_store(recover_session(folder)) as reader:
        assert stream.assert_prefix(reader) == 330
        np.testing.assert_array_equal(reader.stores["emg"][:], stream.data(0, 330))


def test_at_every_step_of_the_checkpoints_the_folder_holds_all_samples(tmp_path: Path):
    stream = Known("emg", StreamInfo(2, 100.0, "int16"))
    session = recorded(tmp_path / "s", [(stream, 0, 1)])
    rng = np.random.default_rng(11)
    n = segments = 0
    for step in range(40):
        more = int(rng.choice([0, 1, 30, 70, 130]))
        feed(session, stream, n, n + more, int(rng.choice([1, 9, 200])))
        n += more
        session.flush() if step % 7 == 0 else session.save_meta()
        copy = cut_off(session.path, tmp_path / "copy")
        with open_session_store(copy) as reader:
            assert stream.assert_prefix(reader) == n
            assert reader.findings == []
        segments += int(max(list_segments(copy)["emg"]).name.split(".")[1]) > 1
        shutil.rmtree(copy)
    session.finish()
    assert 0 < segments < 40, "segments were begun, and dropped"
