"""What goes from the journal into the arrays: everything, once, and nothing where nothing is new."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, DiskError, SessionClosedError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session
from myogestic_tui.session.format.commit import commit
from myogestic_tui.session.format.journal import segment_path
from myogestic_tui.session.format.layout import JOURNAL, array_name
from myogestic_tui.session.format.zarr_format import ArraySpec, create_array
from myogestic_tui.session.recording.journal_writer import StreamJournal
from myogestic_tui.session.recording.zarr_committer import StreamCommitter
from tests.session.folders import recorded
from tests.session.known import STREAMS, Known

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
    ],
    ids=["label", "undo", "relabel", "mark", "note", "stop"],
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


def test_a_trial_is_bad_unless_told_otherwise(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.add_label(0)
    session.mark_trial(0)
    assert [label.bad for label in session.label_track] == [True]
    session.mark_trial(0, bad=False)
    assert [label.bad for label in session.label_track] == [False]
    session.finish()


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
