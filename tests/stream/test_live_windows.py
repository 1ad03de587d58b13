"""Windows of a live stream: each hop once, with its own stamps, those that a recording of it gives."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
import pytest
from scipy import signal

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError, NotFiniteError, OtherStreamError, StreamNotFoundError
from myogestic_tui.session import causal_filter, iter_aligned_windows
from myogestic_tui.session.signal.window_bounds import Cut
from myogestic_tui.session.windowing.recipe import Recipe
from myogestic_tui.sources import ReplaySource, live_windows
from myogestic_tui.stream.hop_cutter import HopCutter
from myogestic_tui.stream.ring import RingBuffer
from tests.stream.scripted import ScriptedSource, chunk
from tests.stream.test_recording import Running
from tests.windows.making import make_session

INFO = StreamInfo(3, 100.0)
SOS = causal_filter(signal.butter(4, [20, 450], "bandpass", fs=1000.0, output="sos"), fs=1000.0)
SLOW = causal_filter(signal.butter(2, 20, "highpass", fs=400.0, output="sos"), fs=400.0)


def test_each_hop_is_given_once_whatever_comes_at_once():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source) as stream, stream.windows(0.2, 0.1) as windows:
        sizes = [5, 25, 1, 1, 1, 60, 7]
        for first, count in zip(np.cumsum([0, *sizes]).tolist(), sizes, strict=False):
            source.give(chunk(first, count, INFO, start))
        got = list(islice(windows, 9))
        assert (windows.missed, windows.gaps, windows.dropped) == (0, 0, 0)
    for number, (window, stamps) in enumerate(got):
        expected, at = chunk(10 * number, 20, INFO, start)
        np.testing.assert_array_equal(window, expected.T)
        np.testing.assert_array_equal(stamps, at)
        assert window.flags.c_contiguous


def test_windows_begin_with_what_comes_after_the_call_and_end_with_the_stream():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source) as stream:
        source.give(chunk(0, 55, INFO, start))
        windows = stream.windows(0.1, 0.25)
        source.give(chunk(55, 45, INFO, start))
        assert [window[0, 0] for window, _ in islice(windows, 2)] == [550, 800]
        rest: list = []
        reader = threading.Thread(target=lambda: rest.extend(windows))
        reader.start()
    reader.join(120.0)
    assert not reader.is_alive()
    assert rest == []


def test_one_that_is_closed_elsewhere_ends():
    with Running(ScriptedSource(INFO)) as stream:
        windows = stream.windows(0.1, 0.1)
        threading.Timer(0.05, windows.close).start()
        assert list(windows) == []
        assert stream.poll_interval == 0.005


def test_what_was_overwritten_before_it_was_asked_for_is_counted():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source, buffer_seconds=10.0) as stream:  # 1024 samples
        windows = stream.windows(0.2, 0.1)
        source.give(chunk(0, 100, INFO, start))
        assert next(windows)[0][0, 0] == 0
        for first in range(100, 2100, 100):
            source.give(chunk(first, 100, INFO, start))
        list(islice(windows, 8))  # what it had taken already
        window, stamps = next(windows)
        assert window[0, 0] == 10 * (2100 - 1024)
        assert stamps[0] == start + (2100 - 1024) / 100
        assert (windows.missed, windows.gaps) == (98, 1)


def test_no_window_holds_a_gap_nor_a_stamp_that_is_no_number():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source) as stream, stream.windows(0.2, 0.1) as windows:
        data, stamps = chunk(0, 100, INFO, start)
        stamps[37:] += 0.5
        stamps[70] = np.nan
        source.give((data, stamps))
        assert [window[0, 0] // 10 for window, _ in islice(windows, 4)] == [0, 10, 37, 47]
        assert next(windows)[0][0, 0] == 710


def test_packets_that_come_late_and_catch_up_are_no_gaps():
    rng = np.random.default_rng(0)
    info = StreamInfo(1, 250.0)
    times = np.arange(5000) / 250.0
    late = np.repeat(np.where(rng.random(500) < 0.3, rng.random(500) * 0.06, 0.0), 10)
    cutter = HopCutter(Recipe.of("emg", Cut(0.2, 0.1), None, {}), info)
    parts = [slice(at, at + 10) for at in range(0, 5000, 10)]
    found = [window for part in parts for window in cutter.feed(times[part, None], (times + late)[part])]
    assert cutter.gaps <= 3
    assert len(found) > 185


def test_values_that_are_no_numbers_are_dropped_and_counted_or_raised():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source) as stream:
        dropping, keeping, raising = (stream.windows(0.2, 0.2, on_nan=how) for how in ("drop", "keep", "raise"))
        data, stamps = chunk(0, 60, INFO, start)
        data[25, 1] = np.nan
        source.give((data, stamps))
        assert [window[0, 0] for window, _ in islice(dropping, 2)] == [0, 400]
        assert dropping.dropped == 1
        assert len(list(islice(keeping, 3))) == 3
        with pytest.raises(NotFiniteError):
            list(islice(raising, 3))


def test_bad_arguments_are_told_by_the_call():
    stream = Stream("emg", ScriptedSource(INFO))
    for bad in ((0, 0.1), (0.2, -1), (0.2, "x")):
        with pytest.raises(ConfigError):
            stream.windows(*bad)
    with pytest.raises(ConfigError, match="no labels"):
        stream.windows(0.2, 0.1, channels="good")
    with pytest.raises(ConfigError, match="no labels"):
        stream.windows(0.2, 0.1, skip_start_s=0.3)
    with pytest.raises(ConfigError, match="poll_s"):
        Stream("emg", ScriptedSource(INFO), poll_s=0)
    with Running(ScriptedSource(INFO)) as running, pytest.raises(OtherStreamError, match="no channel 'E9'"):
        next(running.windows(0.2, 0.1, channels=["E9"]))
    with Running(ScriptedSource(INFO)) as running, pytest.raises(ConfigError, match="less than one sample"):
        next(running.windows(0.2, 0.001))


def test_a_poll_of_ones_own_holds_whoever_attaches(tmp_path):
    own, other = Stream("own", ScriptedSource(INFO), poll_s=0.02), Stream("other", ScriptedSource(INFO))
    app = App("poll", sessions_dir=tmp_path)
    app.streams(own, other)
    for outside, here, expected in (
        (0, False, 0.2),
        (1, False, 0.1),
        (1, True, 0.05),
        (0, True, 0.05),
        (0, False, 0.2),
    ):
        app.parts.set_viewers(outside, here=here)
        assert (own.poll_interval, other.poll_interval) == (0.02, expected)
    with other.windows(0.2, 0.1):
        assert (own.poll_interval, other.poll_interval) == (0.02, 0.025)
    assert other.poll_interval == 0.2
    left = other.windows(0.2, 0.1)
    assert other.poll_interval == 0.025
    del left  # a loop that was left with break
    assert other.poll_interval == 0.2


def test_samples_and_stamps_of_an_irregular_window_are_of_one_instant():
    ring, end = RingBuffer(StreamInfo(1, 0.0, "float64"), 2.0), threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not end.is_set():
            data, stamps = ring.newest_lasting(0.5)
            if len(stamps) and not ((data[:, 0] == stamps).all() and stamps[0] > stamps[-1] - 0.5):
                torn.append(len(stamps))

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(0, 60000, 37):
        stamps = np.arange(first, first + 37) / 1000
        ring.write(stamps[:, None], stamps)
    end.set()
    reader.join()
    assert torn == []
    assert len(ring.newest_lasting(0.5)[1]) == 500


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    return make_session(tmp_path_factory.mktemp("live"), gap=(2.6, 0.4), more=False)


HOWS = [
    {},
    {"channels": ["E4", "E2"]},
    {"filter": SOS},
    {"resample": 400.0},
    {"resample": 400.0, "filter": SLOW, "channels": [2, 0]},
]


@pytest.mark.parametrize("how", HOWS, ids=lambda how: "+".join(how) or "plain")
@pytest.mark.parametrize("lengths", [(0.2, 0.1), (0.1, 0.25)])
def test_live_windows_are_those_of_the_recording(gappy, how, lengths):
    live = list(live_windows(gappy, "emg", *lengths, **how))
    recorded = list(iter_aligned_windows(gappy, "emg", [], *lengths, times="raw", **how))
    assert len(live) == len(recorded) > 20
    for (window, stamps), (expected, _, ts) in zip(live, recorded, strict=True):
        np.testing.assert_array_equal(window, expected)
        np.testing.assert_allclose(stamps, ts, atol=1e-9)
        assert window.dtype == expected.dtype


def test_a_stream_that_runs_gives_the_same_as_the_recording(gappy):
    source = ReplaySource(gappy, "emg", speed=20.0, loop=False, timestamps="recorded", gaps=True)
    stream = Stream("emg", source)
    windows = stream.windows(0.2, 0.1, filter=SOS)
    stream.start()
    expected = list(iter_aligned_windows(gappy, "emg", [], 0.2, 0.1, times="raw", filter=SOS))
    try:
        got = list(islice(windows, len(expected)))
    finally:
        assert stream.stop(30.0)
    assert (windows.missed, len(got)) == (0, len(expected))
    for (window, stamps), (recorded, _, ts) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(window, recorded)
        np.testing.assert_allclose(stamps, ts, atol=1e-9)


def test_what_cannot_be_replayed_is_told_by_the_call(gappy, tmp_path):
    with pytest.raises(ConfigError, match="no labels"):
        live_windows(gappy, "emg", 0.2, 0.1, delay_s=0.1)
    with pytest.raises(ConfigError, match="designed for 400 Hz"):
        live_windows(gappy, "emg", 0.2, 0.1, filter=SLOW)
    with pytest.raises(StreamNotFoundError):
        live_windows(tmp_path, "emg", 0.2, 0.1)
