"""Which samples a recording gets: all between start and stop, once, in order, whatever the source does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui import Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import DiskError
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.stream import Condition
from myogestic_tui.stream.capture import Take
from myogestic_tui.stream.chunks import Chunk
from tests.sending import wait_for
from tests.stream.scripted import ClockedScriptedSource, MonitoredScriptedSource, ScriptedSource, chunk, estimate

INFO = StreamInfo(3, 100.0)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path)
    yield session
    session.finish()


class Running:
    """A stream on a scripted source, with its worker running."""

    def __init__(self, source: ScriptedSource, **options: Any) -> None:
        self.source = source
        self.stream = Stream("emg", source, **options)
        self.stream.poll_s = 0.005

    def __enter__(self) -> Stream:
        self.stream.start()
        if self.source.there:
            wait_for(lambda: self.stream.info is not None)
        return self.stream

    def __exit__(self, *_: object) -> None:
        assert self.stream.stop(120.0)


def stored(session: Session) -> tuple[np.ndarray, np.ndarray]:
    session.finish()
    with open_session_store(session.path) as reader:
        return reader.stores["emg"][:], reader.ts_stores["emg"][:]


def test_samples_stamped_between_start_and_stop_are_stored_once_in_order(session):
    source = ScriptedSource(INFO)
    start = local_clock()
    with Running(source) as stream:
        source.give(chunk(0, 20, INFO, start))
        stream.begin(session, start + 0.3)
        source.give(chunk(20, 20, INFO, start), chunk(40, 20, INFO, start))
        source.put_for_the_end(stream, chunk(60, 20, INFO, start), chunk(80, 20, INFO, start))
        assert stream.finish(start + 0.7, 30.0)
        assert not stream.recording
    data, stamps = stored(session)
    np.testing.assert_array_equal(data[:, 0], np.arange(30, 71) * 10)
    np.testing.assert_array_equal(stamps, start + np.arange(30, 71) / 100.0)


def test_samples_read_before_begin_is_called_but_stamped_after_the_start_are_stored(session):
    """The start is an instant; the call that tells the stream comes a little later."""
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        start = local_clock()
        source.give(chunk(0, 20, INFO, start), chunk(20, 10, INFO, start))
        stream.begin(session, start + 0.15)
        source.put_for_the_end(stream, chunk(30, 10, INFO, start))
        assert stream.finish(start + 0.35, 30.0)
    data, _ = stored(session)
    np.testing.assert_array_equal(data[:, 0], np.arange(15, 36) * 10)


def test_samples_from_long_before_the_start_are_not_taken_for_a_stamp_in_the_future(session):
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        start = local_clock()
        data, stamps = chunk(0, 20, INFO, start)
        stamps[3] += 40.0
        source.give((data, stamps))
        stream.begin(session, start + 2.0)
        source.give(chunk(200, 10, INFO, start))
        assert stream.finish(local_clock(), 30.0)
    np.testing.assert_array_equal(stored(session)[0][:, 0], np.arange(200, 210) * 10)


def test_a_stream_whose_stamps_run_backwards_is_recorded_all_the_same(session):
    take = Take(session, "emg", 100.0)
    take.join(INFO, None, [])
    data = chunk(0, 40, INFO, 0.0)[0]
    stamps = 99.9 - np.arange(40) / 100.0
    for first, read_at in ((0, 100.1), (10, 101.9), (20, 102.1), (30, 102.2)):
        part = slice(first, first + 10)
        take.add(Chunk(data[part], stamps[part], stamps[part], read_at, read_at))
    np.testing.assert_array_equal(stored(session)[1], stamps[20:])


def test_the_cut_is_made_on_corrected_time(session):
    source = ClockedScriptedSource(INFO)
    offset = 5000.0
    with Running(source) as stream:
        start = local_clock()
        source.estimates = [estimate(offset)]
        source.give(chunk(0, 1, INFO, start - offset))
        assert stream.clock_offset == pytest.approx(offset)
        stream.begin(session, start + 0.095)
        source.put_for_the_end(stream, chunk(1, 39, INFO, start - offset))
        assert stream.finish(start + 0.205, 30.0)
    data, stamps = stored(session)
    np.testing.assert_array_equal(data[:, 0], np.arange(10, 21) * 10)
    assert stamps[0] + offset == pytest.approx(start + 0.1, abs=0.001)


def test_a_stream_in_another_clock_is_cut_by_arrival(session):
    source = ScriptedSource(INFO)
    with Running(source) as stream:
        source.give(chunk(0, 10, INFO, 1.7e9))
        assert stream.lag_s == 0.0, "how late it is nobody knows"
        stream.begin(session, local_clock())
        source.give(chunk(10, 10, INFO, 1.7e9), chunk(20, 10, INFO, 1.7e9))
        assert stream.finish(local_clock(), 30.0)
        source.give(chunk(30, 10, INFO, 1.7e9))
    data, stamps = stored(session)
    np.testing.assert_array_equal(data[:, 0], np.arange(10, 30) * 10)
    assert stamps[0] == 1.7e9 + 0.1


def test_a_stream_that_connects_late_joins_with_the_time_it_did(session):
    source = ScriptedSource(INFO, there=False)
    with Running(source) as stream:
        begun = local_clock()
        stream.begin(session, begun)
        wait_for(lambda: "on the network" in stream.message)
        source.there = True
        wait_for(lambda: stream.info is not None)
        assert stream.message == ""
        source.give(chunk(0, 10, INFO, local_clock()))
        assert stream.finish(local_clock() + 0.05, 30.0)
    data, _ = stored(session)
    assert len(data) >= 5
    with open_session_store(session.path) as reader:
        assert reader.meta.streams["emg"].joined_at >= begun


def test_a_stream_that_is_there_joins_as_begin_returns_even_without_a_sample(session):
    with Running(ScriptedSource(INFO)) as stream:
        stream.begin(session, local_clock())
        assert session.stores["emg"].shape == (0, 3)
        assert stream.finish(local_clock(), 30.0)
    with open_session_store(session.path) as reader:
        assert reader.meta.streams["emg"].joined_at is None


def test_a_stream_ticked_in_the_middle_says_when_it_joined(session):
    with Running(ScriptedSource(INFO)) as stream:
        at = local_clock()
        stream.begin(session, at, late=True)
        stream.finish(local_clock(), 30.0)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.meta.streams["emg"].joined_at == at


def test_a_stream_that_never_connects_does_not_hold_up_the_stop(session):
    with Running(ScriptedSource(INFO, there=False)) as stream:
        stream.begin(session, local_clock())
        assert stream.recording
        assert stream.finish(local_clock(), 30.0)
        assert not stream.recording
    session.finish()
    with open_session_store(session.path) as reader:
        assert list(reader.streams) == []


def test_a_stream_that_goes_on_without_reaching_the_end_is_given_up_after_the_timeout(session):
    """Its stamps lag: they never come to the instant of the stop, though samples arrive all the time."""
    source = ScriptedSource(INFO)
    end = threading.Event()

    def feed() -> None:
        first = 0
        while not end.is_set():
            source.give(chunk(first, 1, StreamInfo(3, 1e6), local_clock() - 30.0))
            first += 1

    with Running(source) as stream:
        feeder = threading.Thread(target=feed)
        feeder.start()
        stream.begin(session, local_clock() - 60.0)
        began = local_clock()
        assert not stream.finish(local_clock(), 0.5)
        assert local_clock() - began < 100.0
        end.set()
        feeder.join(120.0)
    assert len(stored(session)[0]) > 0


def test_clock_estimates_go_to_the_session_also_those_from_before_the_start(session):
    source = ClockedScriptedSource(INFO)
    with Running(source) as stream:
        source.estimates = [estimate(0.001), estimate(0.002)]
        source.give()
        wait_for(lambda: stream.health().clock_offset is not None)
        stream.begin(session, local_clock())
        source.estimates = [estimate(0.003)]
        source.give()
        source.give()
        stream.finish(local_clock(), 30.0)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.clock_stores["emg"][:, 1].tolist() == [0.001, 0.002, 0.003]


def test_an_interruption_tells_why_there_is_a_gap(session):
    source = MonitoredScriptedSource(INFO)
    start = local_clock() - 20.0
    with Running(source) as stream:
        stream.begin(session, start)
        source.give(chunk(0, 800, INFO, start))
        source.state = Condition("lost", "no data for 1.2 s; searching", "its outlet was gone")
        assert stream.condition().state == "lost"
        source.give()
        source.state = Condition("live")
        source.give(chunk(1200, 800, INFO, start))
        stream.finish(local_clock(), 30.0)
        assert stream.health().gaps == 1
        assert stream.health().lost_s == pytest.approx(4.0, abs=0.02)
        assert stream.health().lost_samples == 400
    session.finish()
    with open_session_store(session.path) as reader:
        (gap,) = reader.meta.streams["emg"].gaps
        assert (gap.index, gap.reason) == (800, "its outlet was gone")


def test_a_session_that_takes_no_more_ends_the_recording_and_not_the_stream(session):
    source = ScriptedSource(INFO)
    start = local_clock()
    with Running(source) as stream:
        stream.begin(session, start)
        source.give(chunk(0, 10, INFO, start))
        session.finish()
        source.give(chunk(10, 10, INFO, start))
        assert not stream.recording
        assert "not recorded any more" in stream.message
        source.give(chunk(20, 10, INFO, start))
        np.testing.assert_array_equal(stream.get_window(0.1)[0][0], np.arange(20, 30) * 10)
        assert stream.finish(local_clock(), 30.0)


class FullDisk:
    """A session on a disk that fills after ``room`` samples; real ones take minutes to fill."""

    def __init__(self, room: int) -> None:
        self.room = room

    def init_stream(self, *_: object, **__: object) -> None: ...

    def add_clock_estimates(self, *_: object) -> None: ...

    def mark_arrival(self, *_: object) -> None: ...

    def append(self, _: str, data: np.ndarray, __: np.ndarray, ___: float) -> None:
        self.room -= len(data)
        if self.room < 0:
            raise DiskError("no space left on the device")


def test_a_full_disk_ends_the_recording_and_not_the_stream():
    source = ScriptedSource(INFO)
    start = local_clock()
    with Running(source) as stream:
        stream.begin(FullDisk(15), start)
        source.give(chunk(0, 10, INFO, start), chunk(10, 10, INFO, start), chunk(20, 10, INFO, start))
        assert "no space left" in stream.message
        assert not stream.recording
        assert stream.get_window(0.3)[0].shape == (3, 30)


class Kept:
    """Where a take puts samples, kept in memory: thousands of takes in a property test."""

    def __init__(self) -> None:
        self.stamps: list[np.ndarray] = []

    def append(self, _: str, data: np.ndarray, stamps: np.ndarray, arrived: float) -> None:
        assert len(data) == len(stamps) > 0
        self.stamps.append(stamps)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=12),
    st.floats(-2.0, 60.0),
    st.floats(0.0, 60.0),
    st.integers(0, 2**32 - 1),
)
def test_every_cut_takes_each_sample_once_and_leaves_none_out(sizes, start, length, seed):
    """Stamps with jitter: from the first one at or after the start up to a last one at or before the end."""
    rng = np.random.default_rng(seed)
    stamps = np.arange(sum(sizes)) + rng.uniform(-0.4, 0.4, sum(sizes)) * rng.integers(0, 2)
    take, kept = Take(sink := Kept(), "emg", start), sink
    take.end = start + length
    for part in np.split(stamps, np.cumsum(sizes)[:-1]):
        if not take.done.is_set():
            take.add(Chunk(part[:, None], part, part, 0.0, part[-1]))
    got = np.concatenate(kept.stamps) if kept.stamps else np.empty(0)
    inside = np.flatnonzero((stamps >= start) & (stamps <= take.end))
    np.testing.assert_array_equal(got, stamps[inside[0] : inside[-1] + 1] if inside.size else [])
    assert take.done.is_set() == bool((stamps > take.end).any())
