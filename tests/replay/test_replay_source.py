"""A recorded stream as a live one: the same samples, the recorded spacing, whatever the speed."""

from __future__ import annotations

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, StreamNotFoundError
from myogestic_tui.session import Session, open_session_store
from myogestic_tui.sources import replay_source
from myogestic_tui.sources.replay_source import ReplaySource
from myogestic_tui.stream.source import ClockedSource, Source
from tests.windows.making import EMG, OFFSET, START, emg_of, fill, make_session


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return make_session(tmp_path_factory.mktemp("replayed"), gap=(2.0, 0.5))


@pytest.fixture
def clock(monkeypatch):
    """The recorder's clock, put forward by hand."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    found = Clock()
    monkeypatch.setattr(replay_source, "local_clock", found)
    return found


def drain(source):
    """All that a source without loop gives, at speed 0."""
    data, stamps = [], []
    while not source.finished:
        block, times = source.read()
        data.append(block)
        stamps.append(times)
    return np.concatenate(data), np.concatenate(stamps)


def test_it_is_a_source(packed):
    source = ReplaySource(packed, "emg")
    assert isinstance(source, Source)
    assert isinstance(source, ClockedSource)
    assert source.connect() == open_session_store(packed).stream_info("emg")
    source.disconnect()
    source.disconnect()
    assert source.read()[1].shape == (0,)


def test_as_fast_as_possible_gives_every_sample_once(packed, clock):
    source = ReplaySource(packed, "emg", speed=0, loop=False)
    source.connect()
    data, stamps = drain(source)
    source.disconnect()
    np.testing.assert_array_equal(data, emg_of(8000))
    np.testing.assert_allclose(stamps, 100.0 + np.arange(8000) / 1000, atol=1e-5)


def test_gaps_are_kept_on_request(packed, clock):
    source = ReplaySource(packed, "emg", speed=0, loop=False, gaps=True)
    source.connect()
    _, stamps = drain(source)
    source.disconnect()
    expected = 100.0 + np.arange(8000) / 1000 + 0.5 * (np.arange(8000) >= 2000)
    np.testing.assert_allclose(stamps, expected, atol=1e-5)


def test_samples_come_when_they_are_due(packed, clock):
    source = ReplaySource(packed, "emg", gaps=True)
    source.connect()
    got = 0
    for now, total in [
        (100.0005, 1),
        (100.0995, 100),
        (101.9995, 2000),
        (102.4, 2000),
        (102.5005, 2001),
        (104.0005, 3501),
    ]:
        clock.now = now
        data, stamps = source.read()
        np.testing.assert_array_equal(data, emg_of(8000)[got:total])
        assert len(stamps) == total - got
        assert (stamps <= now).all()
        got = total
    source.disconnect()


@pytest.mark.parametrize("speed", [0.5, 4.0])
def test_speed_stretches_time(packed, clock, speed):
    source = ReplaySource(packed, "emg", speed=speed)
    source.connect()
    clock.now = 100.0 + 1.0005 / speed
    data, stamps = source.read()
    assert len(data) == 1001
    np.testing.assert_allclose(np.diff(stamps), 0.001 / speed, rtol=1e-3)
    source.disconnect()


def test_the_end_is_followed_by_the_beginning(packed, clock):
    source = ReplaySource(packed, "emg", speed=1.0)
    source.connect()
    parts, times = [], []
    for step in range(1, 200):
        clock.now = 100.0 + 0.1 * step
        data, stamps = source.read()
        parts.append(data)
        times.append(stamps)
    source.disconnect()
    data, stamps = np.concatenate(parts), np.concatenate(times)
    np.testing.assert_array_equal(data, np.concatenate([emg_of(8000)] * 3)[: len(data)])
    assert len(data) == pytest.approx(19900, abs=105)
    np.testing.assert_allclose(np.diff(stamps), 0.001, atol=1e-5)


def test_recorded_stamps_come_with_the_recorded_offsets(packed):
    source = ReplaySource(packed, "emg", speed=0, loop=False, timestamps="recorded")
    source.connect()
    with open_session_store(packed) as session:
        np.testing.assert_array_equal(drain(source)[1], session.timestamps("emg", clock="raw"))
    estimates = source.take_clock_estimates()
    source.disconnect()
    assert {round(estimate.offset, 6) for estimate in estimates} == {OFFSET}
    assert source.take_clock_estimates() == []


def test_text_and_control_streams_keep_step(packed, clock):
    sources = [
        ReplaySource(packed, name, speed=0, loop=False, gaps=True, start_at=500.0) for name in ("emg", "markers")
    ]
    infos = [source.connect() for source in sources]
    (_, emg), (texts, markers) = (drain(source) for source in sources)
    assert infos[1].is_string
    assert texts[:, 0].tolist() == ["go", "größer µ", ""]
    assert emg[0] == pytest.approx(500.0, abs=1e-4)
    np.testing.assert_allclose(markers, [501.0, 502.5, 504.0], atol=1e-4)
    for source in sources:
        source.disconnect()


def test_an_empty_stream_ends_at_once(tmp_path, clock):
    session = Session(tmp_path)
    session.init_stream("emg", EMG)
    session.finish()
    for speed in (0, 1.0):
        source = ReplaySource(session.path, "emg", speed=speed, loop=True)
        source.connect()
        clock.now += 1
        assert source.read()[0].shape == (0, 4)
        assert source.finished
        source.disconnect()


def test_connect_again_starts_from_the_beginning(packed, clock):
    source = ReplaySource(packed, "emg", speed=0)
    for _ in range(2):
        source.connect()
        np.testing.assert_array_equal(source.read()[0], emg_of(8000)[:4000])
    source.disconnect()


def test_what_cannot_be_replayed_is_said(packed, tmp_path):
    for speed in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="speed"):
            ReplaySource(packed, "emg", speed=speed)
    with pytest.raises(ConfigError, match="timestamps"):
        ReplaySource(packed, "emg", timestamps="old")
    with pytest.raises(StreamNotFoundError, match="EEG"):
        ReplaySource(packed, "EEG").connect()
    with pytest.raises(StreamNotFoundError, match="not there"):
        ReplaySource(tmp_path / "gone", "emg").connect()


def test_stamps_that_step_back_go_out_in_order(tmp_path, clock):
    session = Session(tmp_path)
    times = START + np.arange(1000) / 1000
    times[500:510] -= 0.05
    fill(session, "emg", EMG, emg_of(1000), times)
    session.finish()
    source = ReplaySource(session.path, "emg", speed=0, loop=False)
    source.connect()
    data, stamps = drain(source)
    source.disconnect()
    np.testing.assert_array_equal(data, emg_of(1000))
    assert (np.diff(stamps) >= 0).all()
