"""The ring and what is read from it: the newest samples, channels first, as copies."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.stream.ring import RingBuffer
from tests.stream.scripted import ScriptedSource, chunk
from tests.stream.test_recording import Running

INFO = StreamInfo(3, 100.0)


def test_a_window_is_the_newest_samples_channels_first():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source, window_seconds=0.5) as stream:
        source.give(chunk(0, 40, INFO, start))
        assert stream.get_window()[0].shape == (3, 40)
        source.give(chunk(40, 40, INFO, start))
        window, stamps = stream.get_window()
        np.testing.assert_array_equal(window, chunk(30, 50, INFO, start)[0].T)
        np.testing.assert_array_equal(stamps, start + np.arange(30, 80) / 100.0)
        assert window.dtype == np.float32
        assert window.flags.c_contiguous
        assert stream.get_window(0.1)[0].shape == (3, 10)
        window[:] = -1
        assert stream.get_window()[0].min() >= 0


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32", "float64"])
def test_windows_keep_the_wire_dtype(dtype):
    info = StreamInfo(2, 100.0, dtype)
    source = ScriptedSource(info)
    with Running(source) as stream:
        source.give(chunk(0, 10, info, local_clock()))
        assert stream.get_window()[0].dtype == np.dtype(dtype)


def test_text_and_irregular_streams_have_windows_by_their_stamps():
    info = StreamInfo(1, 0.0, "string")
    source, now = ScriptedSource(info), local_clock()
    with Running(source) as stream:
        source.give((np.array([["a"], ["ü"], ["c" * 5000]], dtype=object), np.array([now - 30.0, now - 0.5, now])))
        assert stream.get_window()[0].tolist() == [["ü", "c" * 5000]]
        assert stream.get_window(60.0)[0].shape == (1, 3)
        assert stream.get_timestamps(1.0).tolist() == [now - 0.5, now]
        assert stream.health().n_bytes == 1 + 2 + 5000 + 3 * 8
        assert stream.quality() == ()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2500), min_size=1, max_size=12), st.integers(0, 6000), st.integers(0, 3000))
def test_the_ring_is_the_end_of_all_that_was_written(sizes, index, count):
    ring = RingBuffer(StreamInfo(2, 100.0), 10.0)
    everything = np.arange(2 * sum(sizes), dtype=np.float32).reshape(-1, 2)
    for part in np.split(everything, np.cumsum(sizes)[:-1]):
        ring.write(part, part[:, 0].astype(np.float64))
    kept = everything[-ring.capacity :] if sum(sizes) else everything
    assert ring.written == len(everything)
    data, stamps = ring.newest(count)
    np.testing.assert_array_equal(data, kept[len(kept) - min(count, len(kept)) :])
    np.testing.assert_array_equal(stamps, data[:, 0])
    first, data, stamps = ring.since(index, slice(1, 2), 700)
    assert first == min(max(index, len(everything) - len(kept)), len(everything))
    np.testing.assert_array_equal(data, everything[first : first + 700, 1:])
    np.testing.assert_array_equal(stamps, everything[first : first + 700, 0])


def test_readers_never_see_a_chunk_half_written():
    ring, end = RingBuffer(StreamInfo(4, 1000.0), 2.0), threading.Event()
    torn: list[int] = []

    def read() -> None:
        while not end.is_set():
            data, stamps = ring.newest(ring.capacity)
            if (len(stamps) and not (np.diff(stamps) == 1).all()) or (data != stamps[:, None] % 1024).any():
                torn.append(len(stamps))

    reader = threading.Thread(target=read)
    reader.start()
    for block in range(400):
        stamps = np.arange(block * 333, (block + 1) * 333, dtype=np.float64)
        ring.write(np.repeat(stamps[:, None] % 1024, 4, axis=1).astype(np.float32), stamps)
    end.set()
    reader.join()
    assert torn == []


def test_a_fast_stream_holds_two_seconds_while_it_rests_and_all_again_once_it_is_looked_at():
    info, start = StreamInfo(256, 8000.0), local_clock()
    source = ScriptedSource(info)
    with Running(source, buffer_seconds=4.0) as stream:
        source.give(*(chunk(n * 8000, 8000, info, start) for n in range(3)))
        assert stream.get_window(4.0)[0].shape == (256, 24_000)
        stream.resting = True
        source.give(chunk(24_000, 8000, info, start))
        window, stamps = stream.get_window(4.0)
        np.testing.assert_array_equal(window, chunk(16_000, 16_000, info, start)[0].T)
        np.testing.assert_array_equal(stamps, start + np.arange(16_000, 32_000) / 8000.0)
        stream.resting = False
        source.give(chunk(32_000, 8000, info, start))
        np.testing.assert_array_equal(stream.get_window(4.0)[0], chunk(16_000, 24_000, info, start)[0].T)


@given(
    st.integers(0, 3000),
    st.integers(1, 3000),
    st.integers(0, 3000),
    st.integers(1, 5000),
    st.integers(0, 7000),
)
def test_a_ring_of_another_size_holds_no_sample_that_was_never_written(before, capacity, after, count, index):
    ring, held = RingBuffer(INFO, 1.0), 1024
    for first, n in ((0, before), (before, after)):
        ring.write(*chunk(first, n, INFO, 0.0))
        if first == 0 and ring.capacity == 1024:
            held = min(before, 1024, capacity)
            ring.resize(capacity)
    written = before + after
    oldest = max(before - held, written - capacity, 0)
    first = max(oldest, written - count)
    np.testing.assert_array_equal(ring.newest(count)[0], chunk(first, written - first, INFO, 0.0)[0])
    first, data, stamps = ring.since(index)
    assert first == min(max(oldest, index), written)
    np.testing.assert_array_equal(data, chunk(first, written - first, INFO, 0.0)[0])
    np.testing.assert_array_equal(stamps, np.arange(first, written) / INFO.fs)


def test_a_stream_of_few_bytes_holds_as_much_while_it_rests():
    source, start = ScriptedSource(INFO), local_clock()
    with Running(source) as stream:
        stream.resting = True
        source.give(chunk(0, 900, INFO, start), chunk(900, 90, INFO, start))
        assert stream.get_window(9.9)[0].shape == (3, 990)
