"""Chunks decoded ahead by threads: the same windows, and no thread is left behind."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, iter_labeled_windows, open_session_store
from myogestic_tui.session.format import arrays
from myogestic_tui.session.signal import sample_reader, streamdata
from tests.windows.making import make_session


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_session(tmp_path_factory.mktemp("ahead"), more=False, seed=3, gap=(2.6, 0.3))


@pytest.fixture
def helpers():
    """Tells the threads that decode for this test; another one's may not be collected yet."""
    others = set(threading.enumerate())
    return lambda: [one for one in threading.enumerate() if one.name.startswith("decode_") and one not in others]


@pytest.mark.parametrize("how", [{}, {"channels": ["E3", "E1"]}], ids=["all", "some"])
@pytest.mark.parametrize("hop_s", [0.05, 1.3])
def test_they_are_those_of_one_thread(path, how, hop_s, monkeypatch, helpers):
    monkeypatch.setattr(sample_reader.os, "cpu_count", lambda: 4)
    threaded = iter_labeled_windows(path, "emg", 0.2, hop_s, **how)
    first = next(threaded)
    assert helpers()
    got = [first, *threaded]
    assert not helpers()
    monkeypatch.setattr(sample_reader, "MOST_THREADS", 1)
    alone = iter_labeled_windows(path, "emg", 0.2, hop_s, **how)
    expected = [next(alone)]
    assert not helpers()
    expected += alone
    for (window, ts, index), (window_2, ts_2, index_2) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(window, window_2)
        np.testing.assert_array_equal(ts, ts_2)
        assert index == index_2


def test_whoever_stops_early_leaves_no_thread(path, monkeypatch, helpers):
    monkeypatch.setattr(sample_reader.os, "cpu_count", lambda: 4)
    some = iter_labeled_windows(path, "emg", 0.2, 0.1)
    next(some)
    assert helpers()
    some.close()
    assert not helpers()


class AtOnce(ThreadPoolExecutor):
    """Does everything the moment it is submitted: as threads do that are as quick as can be."""

    def submit(self, work, /, *args, **options):
        done = Future()
        done.set_result(work(*args, **options))
        return done


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Sixty chunks of 100 samples."""
    session = Session(tmp_path_factory.mktemp("long"), reserve_bytes=0)
    session.init_stream("emg", StreamInfo(3, 100.0))
    samples = np.random.default_rng(1).standard_normal((6000, 3)).astype(np.float32)
    session.append("emg", samples, 1000.0 + np.arange(6000) / 100.0)
    session.finish()
    return session.pack_to_zip(), samples


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, AtOnce])
@pytest.mark.parametrize("large", [False, True], ids=["two blocks ahead", "one block ahead"])
def test_stretches_that_were_not_announced_are_right_too(long, pool, large, monkeypatch):
    monkeypatch.setattr(sample_reader.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(sample_reader, "ThreadPoolExecutor", pool)
    monkeypatch.setattr(sample_reader, "_BLOCK_BYTES", 1)
    if large:
        monkeypatch.setattr(sample_reader, "_LARGE_BYTES", 1)
    rng, (path, samples), n = np.random.default_rng(7), long, 70
    announced = list(range(0, len(samples) - n, 45))
    with open_session_store(path) as session:
        stream = session.stream_data("emg")
        for others in (0, 3):
            with closing(sample_reader.SampleReader(stream, n, announced)) as reader:
                for first in announced:
                    for one in (*rng.integers(0, len(samples) - n, rng.integers(0, others + 1)).tolist(), first):
                        np.testing.assert_array_equal(reader.take(one, one + n), samples[one : one + n].T)


def test_each_chunk_of_time_stamps_is_decoded_once(long, monkeypatch):
    decoded, decode = Counter(), arrays.decode_chunk

    def counted(spec, data, *, where):
        decoded[where] += 1
        return decode(spec, data, where=where)

    monkeypatch.setattr(arrays, "decode_chunk", counted)
    monkeypatch.setattr(streamdata, "HELD_STAMPS", 0)  # as of a session that is too long for its stamps to be kept
    path, samples = long
    windows = list(iter_labeled_windows(path, "emg", 0.5, 0.25, classes={-1}))
    assert len(windows) == (len(samples) - 50) // 25 + 1
    times = {where: n for where, n in decoded.items() if where.startswith("emg_timestamps.zarr/")}
    assert len(times) == 60
    assert sum(times.values()) <= 62, "the first and the last are looked at by themselves, too"
