"""Chunks decoded ahead by threads: the same windows, and no thread is left behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from myogestic_tui.session import iter_labeled_windows
from myogestic_tui.session.signal import decode_ahead
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
    monkeypatch.setattr(decode_ahead.os, "cpu_count", lambda: 4)
    threaded = iter_labeled_windows(path, "emg", 0.2, hop_s, **how)
    first = next(threaded)
    assert helpers()
    got = [first, *threaded]
    assert not helpers()
    monkeypatch.setattr(decode_ahead, "MOST_THREADS", 1)
    alone = iter_labeled_windows(path, "emg", 0.2, hop_s, **how)
    expected = [next(alone)]
    assert not helpers()
    expected += alone
    for (window, ts, index), (window_2, ts_2, index_2) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(window, window_2)
        np.testing.assert_array_equal(ts, ts_2)
        assert index == index_2


def test_whoever_stops_early_leaves_no_thread(path, monkeypatch, helpers):
    monkeypatch.setattr(decode_ahead.os, "cpu_count", lambda: 4)
    some = iter_labeled_windows(path, "emg", 0.2, 0.1)
    next(some)
    assert helpers()
    some.close()
    assert not helpers()
