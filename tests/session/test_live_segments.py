"""A reader beside a recorder that continues in a new journal segment: what it comes upon in between is no damage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.session.format.journal import Frame, FrameReader, list_segments, segment_path
from myogestic_tui.session.format.layout import JOURNAL
from myogestic_tui.session.reading import journal_tail as reading
from myogestic_tui.session.reading.journal_tail import JournalTail
from myogestic_tui.session.recording import journal_writer as writing
from myogestic_tui.session.recording.journal_writer import StreamJournal

INFO = StreamInfo(4, 100.0)
N = 50
CHUNK = np.zeros((N, 4), np.float32), np.arange(float(N))
WAIT_S = 60.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[StreamJournal]:
    (tmp_path / JOURNAL).mkdir()
    made = StreamJournal(tmp_path, "emg", INFO, 0.0)
    made.append(*CHUNK)
    yield made
    made.release()


def look(folder: Path) -> JournalTail:
    tail = JournalTail("emg", list_segments(folder)["emg"], INFO)
    tail.join(0)
    tail.close()
    return tail


def test_what_a_recorder_writes_while_a_reader_is_between_two_segments_is_no_damage(
    journal: StreamJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    between, written = threading.Event(), threading.Event()

    class Paused(FrameReader):
        def __iter__(self) -> Iterator[Frame]:
            yield from super().__iter__()
            between.set()
            assert written.wait(WAIT_S)

    def append_before_the_change(folder: Path) -> None:
        """The next segment has its name, and the recorder still writes to the one before it."""
        looks.append(pool.submit(look, tmp_path))
        assert between.wait(WAIT_S)
        journal.append(*CHUNK)

    looks = []
    monkeypatch.setattr(reading, "FrameReader", Paused)
    monkeypatch.setattr(writing, "sync_folder", append_before_the_change)
    with ThreadPoolExecutor(1) as pool:
        journal.rotate()
        journal.append(*CHUNK)
        written.set()
        tail = looks[0].result(WAIT_S)
    assert tail.findings == []
    assert tail.end == N
    assert look(tmp_path).end == 3 * N


def test_a_frame_that_was_torn_before_anything_came_into_the_next_segment_is_a_torn_tail(
    journal: StreamJournal, tmp_path: Path
):
    journal.append(*CHUNK)
    journal.rotate()
    first = segment_path(tmp_path, "emg", 1)
    with open(first, "r+b") as file:
        file.truncate(first.stat().st_size - 70)
    tail = look(tmp_path)
    assert [one.kind for one in tail.findings] == ["observation"]
    assert tail.end == N


def test_a_frame_that_is_torn_with_others_behind_it_is_damage(journal: StreamJournal, tmp_path: Path):
    journal.append(*CHUNK)
    journal.rotate()
    journal.append(*CHUNK)
    first = segment_path(tmp_path, "emg", 1)
    with open(first, "r+b") as file:
        file.truncate(first.stat().st_size - 70)
    assert [one.kind for one in look(tmp_path).findings] == ["damage"]


def test_a_segment_that_is_dropped_while_it_is_listed_is_looked_for_again(
    journal: StreamJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It must not be taken for one that is none: without any segment a reader would miss all that no array has."""
    journal.rotate()
    listed = writing.os.scandir

    def drop_after_it(path: Path) -> Iterator[object]:
        entries = [entry for entry in listed(path) if entry.name != journal.segments[-1].path.name]
        journal.drop(N)
        return iter(entries)

    monkeypatch.setattr("myogestic_tui.session.format.journal.os.scandir", drop_after_it)
    with pytest.raises(FileNotFoundError):
        look(tmp_path)
