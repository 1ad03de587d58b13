"""Whatever an outlet sends arrives once, in order, bit for bit, with its own stamps."""

from __future__ import annotations

import threading
import time

import numpy as np
import psutil
import pytest

from myogestic_tui.errors import SourceError
from myogestic_tui.info import NUMERIC_DTYPES, StreamInfo
from myogestic_tui.sources import LSLSource, Outlet
from tests.processes import run_alone
from tests.sources.helpers import Reader

SPEED_UP = 8.0
"""How much faster than real time the ten seconds pass."""


def extremes(dtype: str, count: int, n_channels: int) -> np.ndarray:
    """Values that a cast would spoil: the ends of the range, NaN, infinities, and random bits between."""
    rng = np.random.default_rng(0)
    if dtype.startswith("float"):
        values = rng.standard_normal((count, n_channels)).astype(dtype)
        values[0] = np.resize([np.nan, np.inf, -np.inf, np.finfo(dtype).max, np.finfo(dtype).tiny, -0.0], n_channels)
        return values
    limits = np.iinfo(dtype)
    values = rng.integers(limits.min, limits.max, (count, n_channels), dtype, endpoint=True)
    values[0] = np.resize([limits.min, limits.max], n_channels)
    return values


@pytest.mark.parametrize("dtype", NUMERIC_DTYPES)
def test_every_numeric_format_keeps_its_dtype_and_its_bits(dtype: str, unique: str) -> None:
    data = extremes(dtype, 3000, 6)
    stamps = 1000.0 + np.arange(3000) / 1000.0
    with Outlet(unique, StreamInfo(6, 1000.0, dtype, source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        for part in np.split(np.arange(3000), [1, 33, 700, 701]):
            outlet.push(data[part], stamps[part])
        reader.until_count(3000)
    assert reader.info.dtype == dtype
    assert reader.data.tobytes() == data.tobytes()
    np.testing.assert_array_equal(reader.stamps, stamps)


def test_ten_seconds_of_64_channels_at_2048_hz(unique: str) -> None:
    fs, n_channels, chunk = 2048.0, 64, 32
    total = int(10 * fs)
    data = (np.arange(total)[:, None] * 64 + np.arange(n_channels)[None, :]).astype(np.float32)
    with Outlet(unique, StreamInfo(n_channels, fs, source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        start = time.monotonic()
        stamps = start + np.arange(total) / fs

        def send() -> None:
            for first in range(0, total, chunk):
                outlet.push(data[first : first + chunk], stamps[first : first + chunk])
                time.sleep(max(0.0, start + (stamps[first] - start) / SPEED_UP - time.monotonic()))

        sender = threading.Thread(target=send)
        sender.start()
        reader.until_count(total)
        sender.join()
        assert reader.read() == 0
    np.testing.assert_array_equal(reader.data, data)
    np.testing.assert_array_equal(reader.stamps, stamps)


def test_a_backlog_longer_than_one_pull_is_read_at_once(unique: str) -> None:
    total = 40_000
    data = np.arange(total, dtype=np.int32)[:, None]
    with Outlet(unique, StreamInfo(1, 500.0, "int32", source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        outlet.push(data, 5.0 + data[:, 0] / 500.0)
        reader.until_count(total)
    assert reader.chunks < 100
    np.testing.assert_array_equal(reader.data, data)


def test_samples_that_were_read_do_not_change_afterwards(unique: str) -> None:
    with Outlet(unique, StreamInfo(2, 100.0, source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        for value in range(20):
            outlet.push(np.full((10, 2), value, np.float32), 1.0 + (value * 10 + np.arange(10)) / 100.0)
            reader.until_count((value + 1) * 10)
    np.testing.assert_array_equal(reader.data[:, 0], np.repeat(np.arange(20), 10))


MARKERS = [
    "Fist",
    "",
    "Öffnen ✊ 手 🤚",
    "x" * 100_000,
    b"caf\xe9",
    b"\xff\xfe\x00zero",
    "two\nlines\tand a tab",
    "after",
]
READ_BACK = [
    "Fist",
    "",
    "Öffnen ✊ 手 🤚",
    "x" * 100_000,
    "caf\\xe9",
    "\\xff\\xfe\x00zero",
    "two\nlines\tand a tab",
    "after",
]


def test_markers_arrive_as_text_and_a_broken_one_costs_nothing_beside_it(unique: str) -> None:
    stamps = [10.0 + index for index in range(len(MARKERS))]
    with (
        Outlet(unique, StreamInfo(1, 0.0, "string", type="Markers", source_id="x")) as outlet,
        Reader(LSLSource(unique)) as reader,
    ):
        assert outlet.wait_for_consumers(120)
        outlet.push_text([[marker] for marker in MARKERS], stamps)
        reader.until_count(len(MARKERS))
    assert reader.info.is_string
    assert not reader.info.is_regular
    assert reader.data[:, 0].tolist() == READ_BACK
    assert reader.stamps.tolist() == stamps
    assert all(text.encode("utf-8").decode("utf-8") == text for text in reader.data[:, 0])


def test_markers_of_several_channels_keep_their_places(unique: str) -> None:
    rows = [[f"{row}-{channel}" for channel in range(3)] for row in range(1000)]
    with Outlet(unique, StreamInfo(3, 0.0, "string", source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        outlet.push_text(rows, list(range(1, 1001)))
        reader.until_count(1000)
    assert reader.data.tolist() == rows


def _grown_by_asking(name: str) -> list[int]:
    info = StreamInfo(1, 0.0, "string", source_id="x")
    with Outlet(name, info), Reader(LSLSource(name)) as reader:
        process = psutil.Process()
        for _ in range(2000):
            reader.read()
        grown = []
        for _ in range(3):  # liblsl's own threads take some, but not each time
            before = process.memory_info().rss
            for _ in range(5_000):
                reader.read()
            grown.append(process.memory_info().rss - before)
        return grown


def test_asking_for_markers_in_vain_costs_no_memory(unique: str) -> None:
    assert min(run_alone(_grown_by_asking, unique)) < 1.3e6


def test_irregular_samples_keep_their_stamps(unique: str) -> None:
    rng = np.random.default_rng(1)
    stamps = 50.0 + np.cumsum(rng.exponential(0.3, 200))
    data = rng.standard_normal((200, 2))
    with Outlet(unique, StreamInfo(2, 0.0, "float64", source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        for index in range(200):
            outlet.push(data[index : index + 1], stamps[index : index + 1])
        reader.until_count(200)
    assert reader.info.fs == 0.0
    np.testing.assert_array_equal(reader.stamps, stamps)
    np.testing.assert_array_equal(reader.data, data)


def test_a_stream_of_half_a_hertz(unique: str) -> None:
    stamps = 100.0 + 2.0 * np.arange(5)
    with Outlet(unique, StreamInfo(1, 0.5, source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        for index in range(5):
            outlet.push(np.full((1, 1), index, np.float32), stamps[index : index + 1])
            reader.until_count(index + 1)
    assert reader.info.fs == 0.5
    assert reader.info.chunk_length == 1024
    np.testing.assert_array_equal(reader.stamps, stamps)


def test_wall_clock_stamps_are_not_touched(unique: str) -> None:
    stamps = 1_780_000_000.125 + np.arange(50) / 100.0
    with Outlet(unique, StreamInfo(1, 100.0, source_id="x")) as outlet, Reader(LSLSource(unique)) as reader:
        assert outlet.wait_for_consumers(120)
        outlet.push(np.zeros((50, 1), np.float32), stamps)
        reader.until_count(50)
    np.testing.assert_array_equal(reader.stamps, stamps)


def test_an_outlet_refuses_what_its_stream_cannot_carry(unique: str) -> None:
    with Outlet(unique, StreamInfo(2, 100.0)) as outlet:
        with pytest.raises(SourceError, match="float64"):
            outlet.push(np.zeros((5, 2)), np.arange(5.0))
        with pytest.raises(SourceError, match=r"\(2, 5\)"):
            outlet.push(np.zeros((2, 5), np.float32), np.arange(5.0))
        with pytest.raises(SourceError):
            outlet.push_text([["a", "b"]], [1.0])
