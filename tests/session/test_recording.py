from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest
import zarr

from myogestic_tui.clock import local_clock
from myogestic_tui.errors import (
    ConfigError,
    SessionClosedError,
    SessionError,
    SourceError,
    StreamChangedError,
    UnknownStreamError,
)
from myogestic_tui.info import NUMERIC_DTYPES, StreamInfo
from myogestic_tui.session import LabelEvent, Session, open_session_store, recover_session
from myogestic_tui.session.format import event_log
from myogestic_tui.session.format.meta import decode_labels, encode_labels
from myogestic_tui.session.reading.facts import read_facts
from myogestic_tui.session.recording import checkpoint
from myogestic_tui.stream.source import ClockEstimate
from tests.processes import run_alone
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS, Known
from tests.windows.making import LONG_AGO

EMG, IMU, MARKS = STREAMS


@pytest.fixture
def session(tmp_path: Path):
    made = Session(tmp_path / "sessions", reserve_bytes=0)
    yield made
    made.close()


def test_what_goes_in_comes_out_of_folder_and_archive(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 1234, 32), (IMU, 321, 7), (MARKS, 12, 1)])
    session.finish()
    folder = session.path
    for path in (lambda: folder, session.pack_to_zip):
        with open_session_store(path()) as reader:
            assert reader.streams == ["emg", "imu", "marks"]
            for stream, n in ((EMG, 1234), (IMU, 321), (MARKS, 12)):
                assert stream.assert_prefix(reader) == n
                np.testing.assert_array_equal(reader.stores[stream.name][:], stream.data(0, n))
                np.testing.assert_array_equal(reader.ts_stores[stream.name][:], stream.stamps(0, n))
                assert reader.stream_info(stream.name).np_dtype == stream.info.np_dtype
            assert reader.findings == []
    assert session.path.name.endswith(".session.zip")
    assert not folder.exists()
    assert session.pack_to_zip() == session.path


def test_arrays_are_laid_out_as_the_format_says(session: Session):
    for dtype in NUMERIC_DTYPES:
        session.init_stream(dtype, StreamInfo(3, 250.0, dtype))
    session.init_stream("text", StreamInfo(2, 0.0, "string"))
    session.init_stream("slow", StreamInfo(1, 0.5))
    session.finish()
    for dtype in NUMERIC_DTYPES:
        array = zarr.open_array(session.path / f"{dtype}.zarr", mode="r")
        assert (array.shape, array.chunks, array.dtype) == ((0, 3), (250, 3), np.dtype(dtype))
    assert zarr.open_array(session.path / "text.zarr", mode="r").dtype == np.dtypes.StringDType()
    assert zarr.open_array(session.path / "slow.zarr", mode="r").chunks == (1024, 1)
    stamps = zarr.open_array(session.path / "slow_timestamps.zarr", mode="r")
    assert (stamps.shape, stamps.chunks, stamps.dtype) == ((0,), (1024,), np.float64)


@pytest.mark.parametrize("layout", [(8, 1e9), (10**6, 0.0), (1, 2**20 + 1, "string"), (1, 1e300)])
def test_a_rate_that_nobody_could_record_is_refused_in_words(layout: tuple):
    with pytest.raises(ConfigError, match="is the rate right"):
        StreamInfo(*layout)


def test_metadata_that_could_not_be_read_again_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch):
    session.init_stream("emg", replace(EMG.info, desc_xml="x" * (13 * 2**20)))
    monkeypatch.setattr(event_log, "MOST_TOLD", 14 * 2**20)
    session.add_label(1)
    with pytest.raises(ConfigError, match="start another one"):
        session.add_note("x" * 2**20)
    feed(session, EMG, 0, 10, 10)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.findings == []
        assert EMG.assert_prefix(reader) == 10
        assert len(reader.label_track) == 1


def test_a_session_without_samples_is_a_session(session: Session):
    session.init_stream("emg", EMG.info)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.stores["emg"].shape == (0, 8)
        assert reader.summary().streams["emg"].n_samples == 0


def test_stores_are_the_arrays_that_grow(session: Session):
    session.init_stream("emg", EMG.info)
    array, stamps = session.stores["emg"], session.ts_stores["emg"]
    feed(session, EMG, 0, 730, 32)
    session.flush()
    assert session.stores["emg"] is array
    np.testing.assert_array_equal(array[:], EMG.data(0, 730))
    np.testing.assert_array_equal(stamps[:], EMG.stamps(0, 730))
    feed(session, EMG, 730, 1700, 32)
    session.save_meta()  # a plain checkpoint: whole chunks
    assert array.shape == (1500, 8)
    np.testing.assert_array_equal(array[:], EMG.data(0, 1500))
    feed(session, EMG, 1700, 1720, 4)
    session.finish()
    np.testing.assert_array_equal(session.stores["emg"][:], EMG.data(0, 1720))
    with pytest.raises(SessionError):
        array[0] = 0


def test_a_flush_does_not_shrink_or_lose_anything_later(session: Session):
    session.init_stream("emg", EMG.info)
    for start in range(0, 3000, 100):
        feed(session, EMG, start, start + 100, 33)
        session.flush()
        session.save_meta()
        assert session.stores["emg"].shape[0] == start + 100
    session.finish()
    with open_session_store(session.path) as reader:
        assert EMG.assert_prefix(reader) == 3000
        assert reader.overview_stores["emg"].shape == (6, 8, 3)


def test_chunks_of_the_wrong_kind_are_refused_and_nothing_is_written(session: Session):
    session.init_stream("emg", EMG.info)
    good, stamps = EMG.data(0, 10), EMG.stamps(0, 10)
    for data, times in (
        (good.T, stamps),
        (good[:, 0], stamps),
        (good[:, :7], stamps),
        (good.astype("float64"), stamps),
        (good.astype("int32"), stamps),
        (good, stamps[:9]),
        (good, stamps[:, None]),
        (good.tolist(), stamps),
        (good, ["?"] * 10),
    ):
        with pytest.raises(SourceError):
            session.append("emg", data, times)
    with pytest.raises(UnknownStreamError, match="emg"):
        session.append("EEG", good, stamps)
    session.append("emg", good[:0], stamps[:0])
    session.append("emg", np.asfortranarray(good), np.repeat(stamps, 2)[::2])
    session.finish()
    with open_session_store(session.path) as reader:
        assert EMG.assert_prefix(reader) == 10


def test_streams_with_awkward_names_do_not_meet(session: Session):
    names = ["EMG 1", "EMG/1", "emg_1", "emg_1_timestamps", "..", "", "é", "emg_1_clock", "x" * 300]
    info = StreamInfo(1, 100.0)
    stems = [session.init_stream(name, info) for name in names]
    assert len({stem.lower() for stem in stems}) == len(names)
    for number, name in enumerate(names):
        session.append(name, np.full((3, 1), number, "float32"), np.arange(3.0))
    session.finish()
    arrays = [path.name.lower() for path in session.path.iterdir() if path.name.endswith(".zarr")]
    assert len(set(arrays)) == 5 * len(names)
    with open_session_store(session.path) as reader:
        for number, name in enumerate(names):
            assert (reader.stores[name][:] == number).all()
            assert reader.meta.streams[stems[number]].name == name


def test_a_stream_that_came_back_otherwise_is_refused(session: Session):
    stem = session.init_stream("emg", StreamInfo(8, 500.0, uid="a"))
    assert session.init_stream("emg", StreamInfo(8, 500.0, uid="b")) == stem
    for info in (StreamInfo(9, 500.0), StreamInfo(8, 501.0), StreamInfo(8, 500.0, "int16")):
        with pytest.raises(StreamChangedError, match="emg"):
            session.init_stream("emg", info)


def test_labels_are_in_time_order_and_on_the_disk_when_add_label_returns(session: Session, tmp_path: Path):
    before = local_clock()
    now = session.add_label(2)
    assert before <= now.timestamp <= local_clock()
    session.add_label(1, timestamp=7.0, source="key", uncertainty_s=0.25)
    session.add_label(class_index=-1, timestamp=8.0)
    expected = [LabelEvent(7.0, 1, source="key", uncertainty_s=0.25), LabelEvent(8.0, -1, source="script"), now]
    assert session.label_track == expected
    with open_session_store(cut_off(session.path, tmp_path / "cut off")) as reader:
        assert reader.label_track == expected
    for index, at in ((-2, None), (2**40, None), (0, float("nan")), (0, float("inf"))):
        with pytest.raises(ConfigError):
            session.add_label(index, at)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.label_track == expected


def test_undo_takes_back_what_was_added_last(session: Session, tmp_path: Path):
    assert session.undo_label() is None
    first, second = session.add_label(0, 5.0), session.add_label(1, 4.0)
    assert session.label_track == [second, first]
    assert session.undo_label() == second
    third = session.add_label(2, 6.0)
    with open_session_store(cut_off(session.path, tmp_path / "cut off")) as reader:
        assert reader.label_track == [first, third] == session.label_track


@pytest.mark.parametrize("written", [None, "before", "after"])
@pytest.mark.parametrize("told", [True, False])
def test_a_label_of_another_class_is_that_one_label_after_a_stop_and_after_a_power_cut(
    tmp_path: Path, written: str | None, told: bool
):
    """Whichever of journal and ``labels.json`` the disk had newer."""
    session = Session(tmp_path, reserve_bytes=0)
    labels = [session.add_label(class_index, float(at)) for at, class_index in enumerate((0, 1, 0), start=1)]
    session.mark_trial(1)
    before = cut_off(session.path, tmp_path / "before")
    changed = session.relabel(1, 2)
    assert changed == session.label_track[1] == msgspec.structs.replace(labels[1], class_index=2, bad=True)
    with pytest.raises(ConfigError):
        session.relabel(3, 1)
    with pytest.raises(ConfigError):
        session.relabel(0, -2)
    after = cut_off(session.path, tmp_path / "after")
    relabelled = session.label_track
    session.finish()
    assert decode_labels((session.path / "labels.json").read_bytes()) == relabelled
    folder = after if told else before
    if written is not None:
        tracks = {"before": [labels[0], msgspec.structs.replace(labels[1], bad=True), labels[2]], "after": relabelled}
        (folder / "labels.json").write_bytes(encode_labels(tracks[written]))
    recover_session(folder)
    with open_session_store(folder) as reader:
        found = [(label.timestamp, label.class_index, label.bad) for label in reader.label_track]
    new = 2 if told or written == "after" else 1
    assert found == [(1.0, 0, False), (2.0, new, True), (3.0, 0, False)]


def test_marks_notes_and_fields_survive(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0, fields={"subject": "P07", "take": 4, "hand": "left"})
    session.mark_channel("emg", 7)  # before it joins
    session.init_stream("emg", EMG.info, joined_at=3.5)
    session.mark_channel("emg", 3)
    session.mark_channel("emg", 7, bad=False)
    session.add_label(0, 1.0)
    session.add_label(1, 2.0)
    session.mark_trial(-1)
    session.add_note("electrode 17 re-taped", 1.5, uncertainty_s=0.75)
    session.add_note("lone \udcff surrogate")
    session.set_fields(task="grasp", hand="right", take=np.int64(4))
    values = (1.0, 0.5, 0.001, 0.5), (2.0, 0.5, float("nan"), 1.5), tuple(map(np.float64, (6.0, 0.5, 0.001, 5.5)))
    session.add_clock_estimates("emg", [ClockEstimate(*row) for row in values])
    session.add_gap_reason("emg", np.int64(100), "lost")
    for wrong in (
        lambda: session.mark_trial(5),
        lambda: session.add_note("when?", float("nan")),
        lambda: session.add_note("when?", 1.0, uncertainty_s=float("inf")),
        lambda: session.set_fields(take="four"),
        lambda: session.set_fields(class_names="Rest"),
    ):
        with pytest.raises(ConfigError):
            wrong()
    with pytest.raises(UnknownStreamError):
        session.add_gap_reason("eeg", 1, "?")
    copy = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    for path in (lambda: copy, lambda: recover_session(copy), lambda: session.path, session.pack_to_zip):
        with open_session_store(path()) as reader:
            meta = reader.meta
            assert (meta.subject, meta.task, meta.take, meta.extra["hand"]) == ("P07", "grasp", 4, "right")
            assert meta.bad_channels == {"emg": [3]}
            assert [label.bad for label in reader.label_track] == [False, True]
            assert [note.text for note in reader.notes] == ["electrode 17 re-taped", "lone \\udcff surrogate"]
            assert (reader.notes[0].timestamp, reader.notes[0].uncertainty_s) == (1.5, 0.75)
            assert read_facts(reader).notes[0][1] == "electrode 17 re-taped (±0.8 s)"
            assert meta.streams["emg"].joined_at == 3.5
            np.testing.assert_array_equal(reader.clock_stores["emg"][:, 1], [0.5, 0.5])


def test_class_names_once_given_stick(tmp_path: Path):
    session = Session(tmp_path, class_names=["Rest", "Fist"], reserve_bytes=0)
    session.save_meta("other app", class_names=None)
    session.class_names = []
    assert session.class_names == ["Rest", "Fist"]
    session.class_names = np.array(["Rest", "Fist", "Pinch"])
    session.set_fields(subject=7, task=None)
    session.add_label(1)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.class_names == ["Rest", "Fist", "Pinch"]
        assert (reader.meta.app_name, reader.meta.subject, reader.meta.task) == ("other app", "7", "")
        assert reader.summary().labels == {"Rest": 0, "Fist": 1, "Pinch": 0}


def test_nothing_is_taken_after_the_end(session: Session):
    session.init_stream("emg", EMG.info)
    feed(session, EMG, 0, 10, 10)
    session.finish()
    session.finish()
    for late in (
        lambda: feed(session, EMG, 10, 20, 10),
        lambda: session.add_label(0),
        lambda: session.add_note("late"),
        lambda: session.init_stream("imu", IMU.info),
        lambda: session.flush(),
        lambda: session.add_clock_estimates("emg", [ClockEstimate(0, 0, 0, 0)]),
    ):
        with pytest.raises(SessionClosedError):
            late()
    assert session.state == "finished"
    assert EMG.assert_prefix(open_session_store(session.path)) == 10


def test_several_threads_append_each_to_its_stream(session: Session):
    streams = [Known(f"s{number}", StreamInfo(4, 1000.0)) for number in range(6)]
    for stream in streams:
        session.init_stream(stream.name, stream.info)
    threads = [threading.Thread(target=feed, args=(session, stream, 0, 5000, 13)) for stream in streams]
    for thread in threads:
        thread.start()
    for _ in range(20):
        session.flush()
        session.add_label(0)
    for thread in threads:
        thread.join()
    session.finish()
    with open_session_store(session.path) as reader:
        assert [stream.assert_prefix(reader) for stream in streams] == [5000] * 6
        assert len(reader.label_track) == 20


def test_a_session_folder_is_taken_up_again(tmp_path: Path):
    first = recorded(tmp_path / "a", [(EMG, 777, 10)])
    first.add_label(3, timestamp=2.0)
    folder = cut_off(first.path, tmp_path / "2026-05-17_14-23-05")
    first.finish()
    again = Session(folder)
    assert again.state == "recovered"
    assert [label.class_index for label in again.label_track] == [3]
    np.testing.assert_array_equal(again.stores["emg"][:], EMG.data(0, 777))
    again.save_meta(class_names=["a", "b", "c", "d"])
    with pytest.raises(SessionClosedError):
        feed(again, EMG, 777, 780, 3)
    archive = again.pack_to_zip()
    with open_session_store(archive) as reader:
        assert EMG.assert_prefix(reader) == 777
        assert reader.class_names == ["a", "b", "c", "d"]


def test_gaps_are_counted_and_their_reasons_kept(session: Session):
    stream = Known("emg", StreamInfo(1, 1000.0))
    session.init_stream("emg", stream.info, began=LONG_AGO)
    stamps = stream.stamps(0, 12000)
    stamps[5000:] += 0.25
    for at in range(0, 12000, 100):
        session.append("emg", stream.data(at, at + 100), stamps[at : at + 100], arrived=LONG_AGO)
    session.add_gap_reason("emg", 5000, "the cable was pulled")
    session.flush()
    assert (session.snapshot().gaps, session.snapshot().lost_samples) == (1, 250)
    session.finish()
    with open_session_store(session.path) as reader:
        [gap] = reader.meta.streams["emg"].gaps
        assert (gap.index, gap.reason) == (5000, "the cable was pulled")
        assert gap.seconds == pytest.approx(0.25, abs=1e-3)
        assert reader.gaps("emg")[0].index == 5000
        summary = reader.summary().streams["emg"]
        assert (summary.gaps, summary.lost_samples) == (1, 250)
        assert summary.measured_fs == pytest.approx(1000.0, rel=1e-6)


def test_twenty_sessions_one_after_another_are_twenty_archives(tmp_path: Path):
    archives = []
    for number in range(20):
        session = recorded(tmp_path, [(EMG, 40 + number, 8)])
        archives.append(session.pack_to_zip())
    assert len(set(archives)) == 20
    for number, archive in enumerate(archives):
        with open_session_store(archive) as reader:
            assert EMG.assert_prefix(reader) == 40 + number


def test_twenty_sessions_side_by_side_are_twenty_folders(tmp_path: Path):
    sessions = [Session(tmp_path, reserve_bytes=0) for _ in range(20)]
    assert len({session.path for session in sessions}) == 20
    for session in sessions:
        session.finish()


def _grown_while_all_waits_for_zarr(folder: Path) -> int:
    checkpoint.CHECKPOINT_SECONDS = 1e6
    session = Session(folder, reserve_bytes=0)
    session.init_stream("emg", StreamInfo(64, 2048.0))
    data, stamps = np.zeros((2048, 64), "float32"), np.arange(2048) / 2048
    with open_session_store(session.path) as reader:  # what reading imports is none of it
        assert reader.n_samples("emg") == 0
    before = psutil.Process().memory_info().rss
    for second in range(200):
        session.append("emg", data, second + stamps)
    assert session.snapshot().streams["emg"].backlog == 200 * 2048
    assert session.snapshot().backlog_s == 200
    with open_session_store(session.path) as reader:
        assert reader.n_samples("emg") == 200 * 2048
    session.finish()
    assert session.snapshot().backlog_s == 0
    return psutil.Process().memory_info().rss - before


def test_what_waits_for_zarr_waits_on_the_disk_and_not_in_memory(tmp_path: Path):
    assert run_alone(_grown_while_all_waits_for_zarr, tmp_path) < 60e6  # of 108 MB


def test_a_gap_that_only_the_last_samples_tell_counts(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", StreamInfo(1, 100.0), began=999.9)
    stamps = 1000.0 + np.arange(290) / 100.0
    stamps[130:] += 0.5  # in the second chunk; the third one is not whole
    for start in range(0, 290, 10):
        rows = stamps[start : start + 10]
        session.append("emg", np.zeros((10, 1), np.float32), rows, arrived=float(rows[-1]) + 0.01)
    session.finish()
    with open_session_store(session.path) as reader:
        stream = reader.meta.streams["emg"]
        assert [(gap.index, round(gap.seconds, 2)) for gap in stream.gaps] == [(130, 0.5)]
        assert stream.last_timestamp == stamps[-1]
