"""Columns of a view: least and greatest of exactly the samples stamped within each, kept up as samples come."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.stream.envelope import Envelopes
from myogestic_tui.stream.ring import RingBuffer
from tests.stream.scripted import ScriptedSource, chunk
from tests.stream.test_recording import Running


@dataclass(frozen=True)
class Look:
    seconds: float = 10.0
    columns: int = 100
    first_channel: int = 0
    n_channels: int = 4
    until: float | None = None
    highpass_hz: float | None = None
    notch_hz: float | None = None
    remove_offset: bool = False
    rms: bool = False
    rms_every: int = 0


class Drawn:
    """A ring and the envelopes drawn from it."""

    def __init__(self, info: StreamInfo, seconds: float = 30.0) -> None:
        self.info, self.ring = info, RingBuffer(info, seconds)
        self.envelopes = Envelopes(info, self.ring)

    def add(self, data, stamps):
        self.ring.write(np.asarray(data).astype(self.info.np_dtype), np.asarray(stamps, dtype=np.float64))

    def draw(self, view):
        return self.envelopes.draw(view)


def brute_force(data, stamps, view, last):
    """Each column on its own, by the definition."""
    width = view.seconds / view.columns
    low = np.full((data.shape[1], view.columns), np.nan, dtype=np.float32)
    high = low.copy()
    for column in range(view.columns):
        k = last - view.columns + 1 + column
        inside = data[np.floor(stamps / width) == k].astype(np.float32)
        for channel in range(data.shape[1] if len(inside) else 0):
            values = inside[:, channel][~np.isnan(inside[:, channel])]
            if len(values):
                low[channel, column], high[channel, column] = values.min(), values.max()
    return (last - view.columns + 1) * width, low, high


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([20.0, 60.0, 500.0]),
    st.sampled_from(["float32", "float64", "int16", "int64"]),
    st.floats(0.5, 8.0),
    st.integers(1, 60),
)
def test_it_equals_brute_force_however_samples_come(seed, fs, dtype, seconds, columns):
    """Random chunks and frames, gaps, jittered stamps that overlap, missing values."""
    rng = np.random.default_rng(seed)
    drawn, view = Drawn(StreamInfo(3, fs, dtype), 30.0), Look(seconds, columns, 0, 3)
    stamps = 1000.0 + np.arange(round(fs * 20)) / fs + rng.uniform(0, 0.05, round(fs * 20)) * rng.integers(0, 2)
    stamps[len(stamps) // 2 :] += rng.integers(0, 2) * 3.0
    data = rng.normal(0, 1000, (len(stamps), 3)).astype(dtype)
    if data.dtype.kind == "f":
        data[rng.random(data.shape) < 0.05] = np.nan
    ends = np.cumsum(rng.integers(1, 200, len(stamps)))
    for part in np.split(np.arange(len(stamps)), ends[ends < len(stamps)]):
        drawn.add(data[part], stamps[part])
        if rng.random() < 0.3:
            drawn.draw(view)
    start, low, high = drawn.draw(view)
    last = round(start / (seconds / columns)) + columns - 1
    expected = brute_force(data, stamps, view, last)
    assert last == int(np.floor(stamps.max() / (seconds / columns)))
    assert start == pytest.approx(expected[0])
    np.testing.assert_array_equal(low, expected[1])
    np.testing.assert_array_equal(high, expected[2])
    assert low.dtype == high.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30 * 2048 - 1), st.integers(0, 3))
def test_a_spike_of_a_single_sample_is_always_seen(place, channel):
    info = StreamInfo(4, 2048.0)
    drawn = Drawn(info, 40.0)
    data = np.zeros((30 * 2048, 4), dtype=np.float32)
    data[place, channel] = 7.0
    drawn.add(data, 500.0 + np.arange(len(data)) / info.fs)
    _, low, high = drawn.draw(Look(seconds=31.0, columns=112))
    assert np.nanmax(high[channel]) == 7.0
    assert np.nanmax(np.delete(high, channel, axis=0)) == 0.0
    assert np.nanmin(low) == 0.0


def test_full_columns_stay_what_they_are_as_time_goes_on():
    """No shimmer: a column shows the same values in every frame that it is in."""
    info, rng = StreamInfo(2, 500.0), np.random.default_rng(3)
    drawn, view, seen = Drawn(info), Look(5.0, 50, 0, 2), {}
    for block in range(100):
        drawn.add(rng.normal(size=(37, 2)), 50.0 + np.arange(block * 37, (block + 1) * 37) / info.fs)
        start, low, _ = drawn.draw(view)
        first = round(start / 0.1)
        for column in range(49):
            values = tuple(low[:, column].tolist())
            if not np.isnan(values).any() and first + column > 500:
                assert seen.setdefault(first + column, values) == values


def test_only_the_channels_asked_for_are_drawn():
    drawn = Drawn(StreamInfo(6, 100.0))
    drawn.add(*chunk(0, 500, drawn.info, 10.0))
    _, _, high = drawn.draw(Look(5.0, 10, first_channel=4, n_channels=16))
    np.testing.assert_array_equal(high[:, -1], [4994.0, 4995.0])
    assert drawn.draw(Look(first_channel=9))[1].shape == (0, 100)


def test_scrolling_back_shows_what_was_there_also_when_the_ring_has_moved_on():
    info = StreamInfo(1, 100.0)
    drawn = Drawn(info, 10.24)
    view = Look(5.0, 50, 0, 1)
    frames = {}
    for second in range(60):
        drawn.add(*chunk(second * 100, 100, info, 1000.0))
        start, low, high = drawn.draw(view)
        frames[second] = (start, low, high)
    for second in (20, 40, 59):
        start, low, high = frames[second]
        again = drawn.draw(Look(5.0, 50, 0, 1, until=start + 5.0 - 0.05))
        assert again[0] == pytest.approx(start)
        np.testing.assert_array_equal(again[1][:, :-1], low[:, :-1])
        np.testing.assert_array_equal(again[2][:, :-1], high[:, :-1])
    assert np.isnan(drawn.draw(Look(5.0, 50, 0, 1, until=900.0))[1]).all()
    assert np.isnan(drawn.draw(Look(5.0, 50, 0, 1, until=2000.0))[1]).all()


def test_samples_that_nobody_looked_at_in_time_leave_a_hole_not_a_lie():
    info = StreamInfo(1, 100.0)
    drawn, view = Drawn(info, 10.24), Look(40.0, 40, 0, 1)
    drawn.add(*chunk(0, 500, info, 0.0))
    drawn.draw(view)
    for first in range(500, 3500, 500):
        drawn.add(*chunk(first, 500, info, 0.0))
    start, low, _ = drawn.draw(view)
    shown = np.flatnonzero(~np.isnan(low[0])) + round(start)
    assert set(range(5)) <= set(shown)
    assert set(range(25, 35)) <= set(shown)
    assert not set(range(6, 24)) & set(shown)


def test_a_clock_set_back_starts_anew_and_one_odd_stamp_does_not():
    info = StreamInfo(1, 100.0)
    drawn, view = Drawn(info), Look(5.0, 50, 0, 1)
    data, stamps = chunk(0, 1000, info, 5000.0)
    stamps[500], stamps[600], stamps[700] = 9e6, np.nan, 3.0
    drawn.add(data, stamps)
    start, low, _ = drawn.draw(view)
    assert start + 5.0 == pytest.approx(5010.0, abs=0.11)
    assert not np.isnan(low).any()
    drawn.add(*chunk(0, 100, info, 70.0))
    start, low, _ = drawn.draw(view)
    assert start + 5.0 == pytest.approx(71.0, abs=0.11)
    assert np.count_nonzero(~np.isnan(low)) == 10


def test_the_offset_that_is_taken_off_is_steady():
    info, rng = StreamInfo(2, 500.0), np.random.default_rng(0)
    drawn, view, offsets = Drawn(info), Look(5.0, 50, 0, 2, remove_offset=True), set()
    for block in range(200):
        stamps = 10.0 + np.arange(block * 50, (block + 1) * 50) / info.fs
        drawn.add(rng.normal(size=(50, 2)) * 10 + [3000.0, -20000.0], stamps)
        _, low, high = drawn.draw(view)
        if block > 50:
            offsets.add(float(np.round(drawn.draw(Look(5.0, 50, 0, 2))[1][0, 10] - low[0, 10], 2)))
            assert abs(np.nanmean(low + high)) < 10
    assert len(offsets) == 1


def test_display_filters_take_out_offset_and_hum_and_go_on_from_chunk_to_chunk():
    info, fs = StreamInfo(2, 1000.0), 1000.0
    t = np.arange(20000) / fs
    data = np.column_stack((5000.0 + 100 * np.sin(2 * np.pi * 50 * t), 20 * np.sin(2 * np.pi * 130 * t) - 900.0))
    view = Look(2.0, 40, 0, 2, highpass_hz=10.0, notch_hz=50.0, remove_offset=True)
    whole, pieces = Drawn(info), Drawn(info)
    whole.add(data, 100.0 + t)
    for first in range(0, 20000, 70):
        pieces.add(data[first : first + 70], 100.0 + t[first : first + 70])
        pieces.draw(view)
    _, low, high = whole.draw(view)
    assert np.abs(high[0]).max() < 5.0
    assert high[1].min() == pytest.approx(20.0, abs=1.0)
    assert low[1].max() == pytest.approx(-20.0, abs=1.0)
    np.testing.assert_allclose(pieces.draw(view)[2], high, atol=1e-3)


def test_a_missing_value_does_not_silence_a_filter():
    info = StreamInfo(1, 1000.0)
    drawn = Drawn(info)
    data, t = np.sin(np.arange(5000.0))[:, None], np.arange(5000) / 1000.0
    data[1000:1003] = np.nan
    drawn.add(data, 10.0 + t)
    assert not np.isnan(drawn.draw(Look(4.0, 40, 0, 1, highpass_hz=10.0))[1]).any()


def test_filters_that_the_rate_does_not_allow_are_left_out():
    drawn = Drawn(StreamInfo(1, 60.0))
    drawn.add(*chunk(0, 600, drawn.info, 10.0))
    plain = drawn.draw(Look(5.0, 10, 0, 1))
    np.testing.assert_array_equal(drawn.draw(Look(5.0, 10, 0, 1, notch_hz=50.0, highpass_hz=40.0))[1], plain[1])


def test_nothing_to_draw_is_drawn_as_nothing():
    assert np.isnan(Drawn(StreamInfo(4, 100.0)).draw(Look())[1]).all()
    with Running(ScriptedSource(StreamInfo(1, 0.0, "string"))) as stream:
        assert stream.envelopes is None
    with Running(ScriptedSource(StreamInfo(1, 100.0), there=False)) as stream:
        assert stream.envelopes is None


def test_viewers_and_the_worker_do_not_disturb_each_other():
    info, end, wrong = StreamInfo(4, 1000.0), threading.Event(), []
    source = ScriptedSource(info)

    def look() -> None:
        while not end.is_set():
            _, low, high = stream.envelopes.draw(Look(2.0, 50))
            if (np.nan_to_num(high - low) < 0).any():
                wrong.append(1)

    with Running(source) as stream:
        viewers = [threading.Thread(target=look) for _ in range(2)]
        for viewer in viewers:
            viewer.start()
        start = local_clock()
        for first in range(0, 5000, 100):
            source.put(chunk(first, 100, info, start))
        source.give()
        end.set()
        for viewer in viewers:
            viewer.join(120.0)
        _, _low, high = stream.envelopes.draw(Look(2.0, 50))
    assert wrong == []
    assert high[0, -2] == pytest.approx(49990.0, abs=500)


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_the_rms_of_each_column_is_that_of_its_samples_without_the_mean_of_the_window(offset):
    rng = np.random.default_rng(3)
    stamps = 100.0 + np.arange(2000) / 200.0
    data = (rng.normal(size=(2000, 4)) * (1, 5, 50, 200) + offset).astype(np.float32)
    data[300:320, 1] = np.nan
    drawn = Drawn(StreamInfo(4, 200.0))
    view = Look(seconds=5.0, columns=20, remove_offset=True, rms=True)
    for at in range(0, 2000, 37):
        drawn.ring.write(data[at : at + 37], stamps[at : at + 37])
        drawn.envelopes.draw_rms(view)
    start, rms = drawn.envelopes.draw_rms(view)
    window = (stamps >= start) & (stamps < start + 5.0)
    mean = np.nanmean(data[window].astype(np.float64), axis=0)
    for column in range(20):
        there = (stamps >= start + column * 0.25 - 1e-9) & (stamps < start + (column + 1) * 0.25 - 1e-9)
        expected = np.sqrt(np.nanmean((data[there].astype(np.float64) - mean) ** 2, axis=0))
        np.testing.assert_allclose(rms[:, column], expected, rtol=2e-3)


def test_extremes_and_rms_of_one_answer_are_of_the_same_samples():
    rng = np.random.default_rng(4)
    stamps = 100.0 + np.arange(2000) / 200.0
    data = rng.normal(size=(2000, 4)).astype(np.float32)
    drawn = Drawn(StreamInfo(4, 200.0))
    view = Look(seconds=5.0, columns=80, rms_every=4)
    for at in range(0, 2000, 37):
        drawn.add(data[at : at + 37], stamps[at : at + 37])
        start, low, high, rms = drawn.envelopes.draw_both(view)
        newest = stamps[: at + 37][-1]
        assert round(start / 0.25) == pytest.approx(start / 0.25)
        assert start + 5.0 - 0.25 <= newest + 1e-9 < start + 5.0 + 1e-9
    assert low.shape == high.shape == (4, 80)
    for column in range(20):
        there = (stamps >= start + column * 0.25 - 1e-9) & (stamps < start + (column + 1) * 0.25 - 1e-9)
        if not there.any():
            assert np.isnan(rms[:, column]).all()
            continue
        np.testing.assert_allclose(
            rms[:, column], np.sqrt(np.mean(data[there].astype(np.float64) ** 2, axis=0)), rtol=1e-5
        )
        np.testing.assert_array_equal(np.nanmax(high[:, 4 * column : 4 * column + 4], axis=1), data[there].max(axis=0))
        np.testing.assert_array_equal(np.nanmin(low[:, 4 * column : 4 * column + 4], axis=1), data[there].min(axis=0))
