"""Samples that nobody waits for are read together, once a second; what is known of their arrival stays the same."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.sources import LSLSource
from myogestic_tui.stream.pace import Pace
from myogestic_tui.stream.recent_reads import RecentReads
from tests.sending import RampOutlet, wait_for
from tests.stream.scripted import ScriptedSource

INFO = StreamInfo(4, 1000.0)
NOW = 500.05  # recorder's clock; the next second begins 0.95 s later


class Waiting(ScriptedSource):
    """A source that tells what waits in it."""

    n_waiting: int | None = 0

    def waiting(self) -> int | None:
        return self.n_waiting


def calm(source: ScriptedSource, info: StreamInfo = INFO, lag: float = 0.03, *, all_well: bool = True) -> Pace:
    """The pace of a stream just after a read at `NOW` whose newest sample is so old."""
    pace = Pace(source)
    pace.prepare(info)
    pace.compare(np.array([NOW - lag]), NOW)
    pace.follow(NOW, calm=all_well)
    return pace


def test_what_comes_waits_until_the_next_second_and_is_dated_by_the_look_that_saw_it():
    source = Waiting(INFO)
    pace = calm(source)
    for look in range(1, 5):
        source.n_waiting = 200 * look
        assert pace.lets_wait(NOW + 0.2 * look)
    assert not pace.lets_wait(501.1)
    assert pace.date(800, 501.1) == NOW + 0.8
    assert pace.date(801, 501.1) == 501.1  # one more came after that look


def test_looks_are_as_frequent_as_before_and_the_read_is_not_late():
    pace = calm(Waiting(INFO))
    assert pace.until_look(0.2, NOW) == 0.2
    assert 0.0 <= pace.until_look(0.2, 500.95) <= 0.15
    assert pace.until_look(0.2, 503.0) == 0.0
    pace.hurry()
    assert pace.until_look(0.2, 500.95) == 0.2


def test_as_soon_as_nothing_more_comes_it_is_read_and_the_silence_counts_from_the_last_look_that_saw_more():
    source = Waiting(INFO)
    pace = calm(source)
    source.n_waiting = 150
    assert pace.lets_wait(NOW + 0.2)
    assert not pace.lets_wait(NOW + 0.4)
    assert pace.date(150, NOW + 0.4) == NOW + 0.2


def test_nothing_waits_where_the_source_has_more_to_do_or_somebody_asks():
    source = Waiting(INFO)
    source.n_waiting = None
    assert not calm(source).lets_wait(NOW + 0.2)
    source.n_waiting = 200
    pace = calm(source)
    pace.hurry()
    assert not pace.lets_wait(NOW + 0.2)
    assert not calm(source, all_well=False).lets_wait(NOW + 0.2)


def test_the_first_read_after_an_empty_one_is_no_reason_to_wait():
    source = Waiting(INFO)
    pace = calm(source)
    pace.follow(NOW, calm=True)
    source.n_waiting = 200
    assert not pace.lets_wait(NOW + 0.2)


@pytest.mark.parametrize("lag", [0.6, -0.6, 1e9, np.nan])
def test_samples_whose_stamps_do_not_tell_when_they_came_do_not_wait(lag: float):
    source = Waiting(INFO)
    source.n_waiting = 200
    assert not calm(source, lag=lag).lets_wait(NOW + 0.2)


@pytest.mark.parametrize(
    "info",
    [StreamInfo(256, 10_000.0), StreamInfo(1, 0.0), StreamInfo(1, 0.0, "string"), StreamInfo(1, 100.0, "string")],
    ids=["fast", "irregular", "text", "regular text"],
)
def test_fast_and_irregular_streams_and_text_do_not_wait(info: StreamInfo):
    source = Waiting(info)
    source.n_waiting = 200
    assert not calm(source, info).lets_wait(NOW + 0.2)


def test_samples_do_not_wait_in_a_source_that_cannot_tell_of_them():
    assert not calm(ScriptedSource(INFO)).lets_wait(NOW + 0.2)


def test_how_long_a_source_pauses_does_not_depend_on_how_often_it_is_read():
    reads = RecentReads()
    for second in range(5):
        for look in range(1, 5):
            reads.hear(second + 0.2 * look)
        reads.add(1000 * (second + 1), 1000, second + 1.0)
    assert reads.pace == pytest.approx(0.2)
    assert reads.newest_at == 5.0
    reads.hear(5.2)
    assert reads.newest_at == 5.2


def test_a_stream_that_nobody_watches_is_read_once_a_second_and_at_once_when_the_recording_ends(tmp_path: Path):
    name = f"pace-{uuid.uuid4().hex[:8]}"
    session = Session(tmp_path)
    with RampOutlet(name, fs=500.0) as outlet:
        stream = Stream("emg", LSLSource(name))
        stream.resting = True
        stream.start()
        try:
            wait_for(lambda: stream.n_received)
            stream.begin(session, local_clock())
            wait_for(lambda: session.n_samples("emg") and longest_read(stream) > 0.7 * outlet.fs)
            asked = local_clock()
            assert stream.finish(asked, 60.0)
        finally:
            stream.stop()
    session.finish()
    with open_session_store(session.path) as stored:
        stamps = stored.timestamps("emg", clock="raw")
    sent = outlet.all_stamps
    first = int(np.searchsorted(sent, stamps[0]))
    np.testing.assert_array_equal(stamps, sent[first : first + len(stamps)])
    assert abs(stamps[-1] - asked) < 25 / outlet.fs


def longest_read(stream: Stream) -> int:
    """Samples of its greatest read so far."""
    return max(read.end - read.first for read in stream._reads.since(0.0, 0))
