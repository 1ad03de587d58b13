"""What goes from the journal into the arrays: everything, once, and nothing where nothing is new."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError, DiskError, SessionClosedError, SourceError
from myogestic_tui.info import MOST_CLASSES, StreamInfo
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.session.format.commit import commit
from myogestic_tui.session.format.finalize import anchor_at
from myogestic_tui.session.format.journal import (
    ARRIVED_NUMBERS,
    ARRIVED_TEXT,
    NUMBERS,
    TEXT,
    Frame,
    fits,
    segment_path,
)
from myogestic_tui.session.format.layout import JOURNAL, array_name
from myogestic_tui.session.format.zarr_format import ArraySpec, create_array
from myogestic_tui.session.recording import active_session, checkpoint, disk_reserve, journal_writer
from myogestic_tui.session.recording.checkpoint import Threads
from myogestic_tui.session.recording.disk_reserve import byte_rate, free_bytes
from myogestic_tui.session.recording.journal_writer import StreamJournal
from myogestic_tui.session.recording.zarr_committer import StreamCommitter
from myogestic_tui.stream.source import ClockEstimate
from tests.processes import open_files
from tests.sending import wait_for
from tests.session.folders import recorded
from tests.session.known import STREAMS, Known
from tests.session.test_disk import files_no_larger_than

EMG, _, MARKS = STREAMS
CHUNK = int(EMG.info.fs)
BEGAN = 5.0


class Way:
    """A stream's journal and what follows it, without the threads of a session."""

    def __init__(self, base: Path, stream: Known = EMG) -> None:
        self.folder = base / "session"
        (self.folder / JOURNAL).mkdir(parents=True)
        specs = {"": ArraySpec.data(stream.info), "_timestamps": ArraySpec.timestamps(stream.info)}
        for derived, spec in {**specs, "_arrival": ArraySpec.arrival()}.items():
            create_array(self.folder, array_name("emg", derived), spec)
        if not stream.info.is_string:
            create_array(self.folder, array_name("emg", "_overview"), ArraySpec.overview(stream.info))
        self.stream = stream
        self.journal = StreamJournal(self.folder, "emg", stream.info, BEGAN)
        self.committer = StreamCommitter(self.journal)

    def append(self, start: int, stop: int, arrived: float | None = None) -> None:
        self.journal.append(self.stream.data(start, stop), self.stream.stamps(start, stop), arrived)

    def checkpoint(self, *, tail: bool = False) -> int:
        """As a session does it; how many arrays changed their shape."""
        self.committer.pump()
        if tail:
            self.committer.write_tail()
        arrivals = self.committer.write_arrivals(tail=tail)
        shapes = [*self.committer.shapes(tail=tail), *([arrivals] if arrivals is not None else [])]
        commit(self.folder, shapes)
        self.committer.committed(tail=tail)
        return len(shapes)


@pytest.fixture
def way(tmp_path: Path):
    made = Way(tmp_path)
    yield made
    made.journal.release()


@pytest.mark.parametrize("tail", [False, True])
@pytest.mark.parametrize("n", [0, 10, CHUNK, CHUNK + 10, 3 * CHUNK])
def test_where_nothing_is_new_nothing_is_written(way: Way, n: int, tail: bool):
    way.append(0, n, BEGAN + 1.0)
    way.checkpoint(tail=tail)
    assert way.checkpoint(tail=tail) == 0


def test_the_arrival_record_is_whole_wherever_its_rows_are(way: Way):
    n = 600
    rows = [(0.0, BEGAN)]
    for number in range(n):
        way.append(number, number + 1, BEGAN + 1.0 + number)
        rows.append((number + 1.0, BEGAN + 1.0 + number))
        if number in (100, 300):
            way.checkpoint(tail=True)
            np.testing.assert_array_equal(way.committer.arrivals(), rows)
    way.checkpoint(tail=True)
    np.testing.assert_array_equal(way.committer.arrivals(), rows)


def test_a_journal_that_is_closed_gives_the_first_reason(way: Way):
    way.append(0, 10)
    way.journal.close(SessionClosedError("finished"))
    way.journal.close(DiskError("the disk is gone"))
    with pytest.raises(SessionClosedError, match="finished"):
        way.append(10, 20)
    assert way.journal.n_samples == 10


def test_segments_of_whole_chunks_go_and_no_others(way: Way):
    way.append(0, CHUNK)
    way.journal.rotate()
    way.append(CHUNK, CHUNK + 1)
    way.journal.rotate()
    assert [way.journal.would_drop(n) for n in (0, CHUNK - 1, CHUNK, CHUNK + 1)] == [False, False, True, True]
    way.journal.drop(CHUNK - 1)
    assert segment_path(way.folder, "emg", 1).exists()
    way.journal.drop(CHUNK)
    assert [segment_path(way.folder, "emg", number).exists() for number in (1, 2, 3)] == [False, True, True]
    way.journal.drop(2 * CHUNK)
    assert [segment_path(way.folder, "emg", number).exists() for number in (2, 3)] == [False, True]


def test_what_is_in_the_arrays_leaves_the_journal(way: Way):
    n = 40
    for number in range(n):
        way.append(number * CHUNK, (number + 1) * CHUNK)
        way.checkpoint()
        files = sorted((way.folder / JOURNAL).iterdir())
        assert [segment.path for segment in way.journal.segments] == files
        assert len(files) == (2 if (number + 1) % 8 == 0 else 1) or number == 0
        held = sum(segment.size for segment in way.journal.segments)
        assert held <= 9 * CHUNK * (EMG.info.n_channels * 4 + 8 + 36)
    assert way.committer.published == n * CHUNK


def test_many_small_frames_begin_a_segment_once_a_chunk_is_stored(way: Way):
    for number in range(CHUNK + 1):
        way.append(number, number + 1)
        if number in (300, CHUNK - 2):
            way.checkpoint()
            assert len(way.journal.segments) == 1
    way.checkpoint()
    assert len(way.journal.segments) == 2
    way.append(CHUNK + 1, 2 * CHUNK)
    way.checkpoint()
    assert len(way.journal.segments) == 1


def test_few_frames_of_many_chunks_share_a_segment(tmp_path: Path):
    way = Way(tmp_path, Known("emg", StreamInfo(1, 100.0)))
    for n, segments in ((255, 1), (256, 2)):
        while way.journal.n_samples < n:
            way.append(way.journal.n_samples, way.journal.n_samples + 1)
        way.checkpoint()
        assert len(way.journal.segments) == segments
    way.journal.release()


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i8", ">i4"])
def test_stamps_of_another_type_are_stored_as_what_they_say(way: Way, dtype: str):
    stamps = np.arange(1000, 1010).astype(dtype)
    way.journal.append(EMG.data(0, 10), stamps)  # type: ignore[arg-type]
    way.journal.append(EMG.data(10, 20), [*range(1010, 1020)])  # type: ignore[arg-type]
    way.checkpoint(tail=True)
    np.testing.assert_array_equal(way.committer._stamps[:20], np.arange(1000.0, 1020.0))


@pytest.mark.parametrize("dtype", [">f4", "<f8", "<i4"])
def test_samples_of_another_type_are_refused(way: Way, dtype: str):
    with pytest.raises(SourceError, match="the stream is float32"):
        way.journal.append(EMG.data(0, 10).astype(dtype), EMG.stamps(0, 10))
    assert way.journal.n_samples == 0


@pytest.mark.parametrize("stream", [EMG, MARKS], ids=["numbers", "text"])
def test_how_far_a_stream_is_is_told_in_samples_bytes_and_seconds(stream: Known, tmp_path: Path):
    session = recorded(tmp_path, [(stream, 30, 7)])
    told = session.snapshot()
    text_bytes = sum(4 + len(str(cell).encode()) for cell in stream.data(0, 30).ravel())
    content = text_bytes if stream.info.is_string else stream.data(0, 30).nbytes
    assert told.bytes == content + 8 * 30
    progress = told.streams[stream.name]
    behind = 30 / stream.info.fs if stream.info.fs else 0.0
    assert (progress.n_samples, progress.backlog, progress.backlog_s) == (30, 30, behind)
    assert told.backlog_s == behind
    session.finish()


@pytest.mark.parametrize(
    "say",
    [
        lambda session: session.add_label(1),
        lambda session: session.undo_label(),
        lambda session: session.relabel(0, 1),
        lambda session: session.mark_trial(0),
        lambda session: session.add_note("a note"),
        lambda session: session.request_stop(),
        lambda session: session.init_stream("emg", EMG.info),
    ],
    ids=["label", "undo", "relabel", "mark", "note", "stop", "join"],
)
def test_what_is_said_of_a_session_is_on_the_disk_on_return(
    say: Callable[[Session], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    session = Session(tmp_path, reserve_bytes=0)
    session.add_label(0)
    events = session.path / JOURNAL / "@events.journal"
    synced: list[int] = []

    def fdatasync(fd: int, real: Callable[[int], None] = os.fdatasync) -> None:
        if os.fstat(fd).st_ino == events.stat().st_ino:
            synced.append(events.stat().st_size)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    before = events.stat().st_size
    say(session)
    assert events.stat().st_size > before
    assert synced
    assert synced[-1] == events.stat().st_size
    monkeypatch.undo()
    session.finish()


def test_a_channel_that_was_marked_before_its_stream_joined_is_marked(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.mark_channel("emg", 7)
    session.mark_channel("emg", 2)
    session.mark_channel("emg", 2, bad=False)
    session.init_stream("emg", EMG.info)
    assert session.meta.bad_channels == {"emg": [7]}
    session.finish()


@pytest.mark.parametrize("seconds", [0.0, 10.0, -3.0])
def test_a_recording_that_began_before_is_anchored_then_on_both_clocks(seconds: float, tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0, started_at=local_clock() - seconds)
    [start] = session.meta.anchors
    now = anchor_at()
    apart = datetime.fromisoformat(now.utc) - datetime.fromisoformat(start.utc)
    assert apart.total_seconds() == pytest.approx(now.lsl - start.lsl, abs=0.05)
    assert now.lsl - start.lsl == pytest.approx(seconds, abs=5.0)
    session.finish()


def test_how_many_samples_a_stream_has_is_known_by_its_name_and_its_stem(tmp_path: Path):
    session = recorded(tmp_path, [(Known("a b", EMG.info), 30, 10)])
    assert (session.n_samples("a b"), session.n_samples("a_b"), session.n_samples("c")) == (30, 30, 0)
    session.finish()
    assert session.n_samples("a b") == 30


def test_a_session_that_is_closed_holds_no_file_open(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 1200, 100)])
    assert open_files(tmp_path)
    session.finish()
    assert session.stores["emg"][:].shape == (1200, 8)
    session.pack_to_zip()
    assert session.stores["emg"][:].shape == (1200, 8)
    session.close()
    assert open_files(tmp_path) == []


def test_a_trial_is_bad_unless_told_otherwise(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.add_label(0)
    session.mark_trial(0)
    assert [label.bad for label in session.label_track] == [True]
    session.mark_trial(0, bad=False)
    assert [label.bad for label in session.label_track] == [False]
    session.finish()


@pytest.mark.parametrize("wrong", [-1, MOST_CLASSES])
def test_a_channel_or_a_class_that_cannot_be_is_refused(wrong: int, tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.add_label(MOST_CLASSES - 1)
    session.relabel(0, 0)
    session.mark_channel("emg", MOST_CLASSES - 1)
    with pytest.raises(ConfigError, match="channels count from 0"):
        session.mark_channel("emg", wrong)
    for refused in (lambda n: session.add_label(n), lambda n: session.relabel(0, n)):
        with pytest.raises(ConfigError, match="classes count from 0"):
            refused(min(wrong, MOST_CLASSES) - (wrong < 0))
    assert [label.class_index for label in session.label_track] == [0]
    session.finish()


def test_what_a_stream_takes_in_a_second_is_known():
    numbers, texts = StreamInfo(8, 500.0, "int16"), StreamInfo(3, 10.0, "string")
    assert byte_rate([numbers]) == 500 * (8 * 2 + 8)
    assert byte_rate([texts]) == 10 * (3 * 16 + 8)
    assert byte_rate([numbers, texts]) == byte_rate([numbers]) + byte_rate([texts])
    assert byte_rate([]) == 0


@pytest.mark.parametrize("n", [1, 2, 3, 50])
def test_texts_that_are_too_long_for_one_frame_come_in_several(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(journal_writer, "MAX_PAYLOAD", 100)
    way = Way(tmp_path, MARKS)
    way.append(0, n)
    way.append(n, 2 * n)
    way.checkpoint(tail=True)
    assert way.committer.n_read == 2 * n
    long = np.array([["x" * 100]], object)
    with pytest.raises(SourceError, match="a text of more than 100 bytes"):
        way.journal.append(long, np.array([5000.0]))
    assert way.journal.n_samples == 2 * n
    way.append(2 * n, 3 * n)
    way.checkpoint(tail=True)
    assert way.committer.n_read == 3 * n
    way.journal.release()


def test_a_segment_that_cannot_be_begun_is_the_disks_refusal(way: Way, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    way.append(0, 10)
    for place in ("new_file_of", "sync_folder"):
        with monkeypatch.context() as patch:
            patch.setattr(journal_writer, place, refuse)
            with pytest.raises(DiskError, match="emg: cannot continue in a new journal segment: No space left"):
                way.journal.rotate()
    way.append(10, 20)
    assert way.journal.n_samples == 20
    assert len(way.journal.segments) == 1


@pytest.mark.parametrize("room", [1, 40, 5000])
def test_nothing_of_a_frame_that_found_no_room_is_left(way: Way, room: int):
    way.append(0, 100)
    [segment] = way.journal.segments
    with (
        files_no_larger_than(segment.size + room),
        pytest.raises(DiskError, match="after sample 100"),
    ):
        way.append(100, 1000)
    assert segment.path.stat().st_size == segment.size
    way.checkpoint(tail=True)
    assert way.committer.n_read == 100


def test_clock_offsets_come_into_the_arrays_while_a_session_is_recorded(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 10, 10)])
    session.add_clock_estimates("emg", [ClockEstimate(1.0, 0.5, 0.001, 0.5)])
    shape = session.path / "emg_clock.zarr" / "zarr.json"
    for _ in range(active_session._CLOCK_EVERY):
        assert json.loads(shape.read_bytes())["shape"] == [0, 4]
        session.save_meta()
    assert json.loads(shape.read_bytes())["shape"] == [1, 4]
    session.finish()


@pytest.mark.parametrize("n", [1, 1024, 1025, 2100])
def test_all_clock_offsets_are_in_the_arrays_and_written_once(n: int, tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 10, 10)])
    rows = [(float(i), 0.5 * i, 0.001, 0.5) for i in range(n)]
    for first in range(0, n, 500):
        session.add_clock_estimates("emg", [ClockEstimate(*row) for row in rows[first : first + 500]])
        session.flush()
        assert session._recording is not None
        assert session._recording._write_clocks() == []
    session.finish()
    with open_session_store(session.path) as reader:
        np.testing.assert_array_equal(reader.clock_stores["emg"][:], rows)


def test_what_is_asked_for_behind_the_end_is_refused(tmp_path: Path):
    done: list[str] = []

    class Work:
        def sync(self) -> None: ...

        def checkpoint(self, action: str) -> None:
            done.append(action)

        def fail(self, error: DiskError) -> None: ...

    threads = Threads(Work(), "test")
    first, *others = [threads.request(action) for action in ("finish", "flush", "checkpoint")]
    threads.start()
    first.result(60)
    for future in (*others, threads.request("flush")):
        with pytest.raises(SessionClosedError, match="the session is finished"):
            future.result(60)
    threads.stop_syncing()
    assert done == ["finish"]


def test_the_age_of_what_is_not_on_the_disk_counts_from_the_last_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.02)
    session = Session(tmp_path, reserve_bytes=0)
    recording = session._recording
    assert recording is not None
    session.init_stream("emg", EMG.info)
    recording._synced_at -= 1000.0
    session.append("emg", EMG.data(0, 10), EMG.stamps(0, 10))
    wait_for(lambda: time.monotonic() - recording._synced_at < 500.0)
    session.append("emg", EMG.data(10, 20), EMG.stamps(10, 20))
    assert session.snapshot().unsynced_s < 500.0
    session.finish()


@pytest.mark.parametrize(("more", "is_there"), [(-1, False), (0, True)])
def test_what_is_kept_back_is_a_quarter_of_what_is_free_at_most(
    more: int, is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    size = 8 * 1000 * (8 * 4 + 8)
    monkeypatch.setattr(disk_reserve, "free_bytes", lambda _: 4 * size + more)
    ballast = disk_reserve.Ballast(tmp_path)
    ballast.fit([StreamInfo(8, 1000.0)])
    assert [path.stat().st_size for path in tmp_path.iterdir()] == ([size] if is_there else [])
    ballast.drop()
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_folder_nothing_is_free(tmp_path: Path):
    assert free_bytes(tmp_path) > 0
    assert free_bytes(tmp_path / "gone") == 0


def test_a_frame_fits_a_stream_by_its_kind_and_its_size():
    numbers, texts = StreamInfo(2, 100.0, "int16"), StreamInfo(2, 0.0, "string")
    for kind, arrival in ((NUMBERS, 0), (ARRIVED_NUMBERS, 8)):
        for extra in (-1, 0, 1):
            frame = Frame(kind, 0, 3, 0, memoryview(bytes(arrival + 3 * 8 + 3 * 2 * 2 + extra)))
            assert (fits(frame, numbers), fits(frame, texts)) == (extra == 0, False)
    for kind, arrival in ((TEXT, 0), (ARRIVED_TEXT, 8)):
        for extra in (-1, 0, 50):
            frame = Frame(kind, 0, 3, 0, memoryview(bytes(arrival + 3 * 8 + 3 * 2 * 4 + extra)))
            assert (fits(frame, numbers), fits(frame, texts)) == (False, extra >= 0)


@pytest.mark.parametrize("take", ["third", True, 1.5, 1 << 63, -(1 << 63) - 1])
def test_what_is_no_take_number_is_refused(take: object, tmp_path: Path):
    with pytest.raises(ConfigError, match="take is"):
        Session(tmp_path / "s", fields={"take": take})
    assert not (tmp_path / "s").exists()
    session = Session(tmp_path / "t", fields={"take": 7}, reserve_bytes=0)
    with pytest.raises(ConfigError, match="take is"):
        session.set_fields(take=take)
    assert session.meta.take == 7
    session.finish()


@pytest.mark.parametrize("fs", [0.0, 100.0])
def test_a_session_of_no_samples_is_not_behind(fs: float, tmp_path: Path):
    session = recorded(tmp_path, [(Known("emg", StreamInfo(1, fs)), 0, 1)])
    assert session.snapshot().backlog_s == 0.0
    session.finish()
