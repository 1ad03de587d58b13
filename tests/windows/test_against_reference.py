"""Windows agree with a sample-by-sample reference over random recordings."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myogestic_tui.errors import ConfigError
from myogestic_tui.session.format.meta import LabelEvent
from myogestic_tui.session.signal.alignment import Alignment
from myogestic_tui.session.signal.gapless_runs import find_runs
from myogestic_tui.session.signal.window_bounds import Cut, Wanted, class_of, cut_windows
from tests.windows import reference
from tests.windows.streams import RATES, label_events, recordings


def refuse(error: Exception) -> None:
    raise error


slow = settings(deadline=None, max_examples=75, suppress_health_check=list(HealthCheck))


@slow
@given(st.data())
def test_labelled_windows_are_those_of_the_reference(data):
    stream = data.draw(recordings())
    events, classes = data.draw(label_events(stream))
    bad = data.draw(st.sets(st.integers(0, 8)))
    track = [LabelEvent(t, c, bad=i in bad) for i, (t, c) in enumerate(zip(events, classes, strict=True))]
    chosen = data.draw(st.sampled_from([None, {0, 1}, {-1}, {2}]))
    include_bad = data.draw(st.booleans())
    fs = stream.info.fs
    n, hop = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 60))
    cut = Cut(n / fs, hop / fs)
    assert cut.lengths("emg", stream.info) == (n, hop)

    edges, times = stream.timeline.edges, stream.times(0, stream.n_samples)
    expected = []
    for label, samples in reference.windows(edges, times, fs, events, cut.win_seconds, cut.hop_seconds):
        class_index = track[label].class_index if label >= 0 else -1
        if label >= 0 and track[label].bad and not include_bad:
            continue
        if (class_index >= 0) if chosen is None else (class_index in chosen):
            expected.append((class_index, samples))
    runs = Wanted(None if chosen is None else frozenset(chosen), include_bad).runs(stream, track, n, hop).runs
    got = list(cut_windows(stream, runs, n, hop, refuse))
    assert [class_of(run, track) for run, _, _ in got] == [class_index for class_index, _ in expected]
    for (_, window, ts), (_, samples) in zip(got, expected, strict=True):
        assert window.flags.c_contiguous
        assert window.flags.owndata
        np.testing.assert_array_equal(window, stream.rows(0, stream.n_samples)[samples].T)
        np.testing.assert_array_equal(ts, times[samples])


@slow
@given(st.data())
def test_aligned_values_are_those_of_the_reference(data):
    stream = data.draw(recordings(rates=[0.0, *RATES], longest=600))
    edges, times = stream.timeline.edges, stream.times(0, stream.n_samples)
    values = stream.rows(0, stream.n_samples)
    interpolate = data.draw(st.booleans())
    count = 1 if interpolate else data.draw(st.integers(1, 9))
    causal = not interpolate and data.draw(st.booleans())
    alignment = Alignment(stream, count, causal=causal, interpolate=interpolate)
    near = st.floats(95, 125)
    if np.isfinite(times).any():
        near = near | st.sampled_from(times[np.isfinite(times)].tolist())
    for instant in data.draw(st.lists(near, min_size=1, max_size=6)):
        expected = reference.aligned_value(values, edges, times, stream.info.fs, instant, count, causal, interpolate)
        got = alignment.value(instant)
        assert (got is None) == (expected is None)
        if expected is not None:
            assert got.dtype == np.float64
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@slow
@given(st.data())
def test_runs_cover_every_sample_with_a_time_once(data):
    stream = data.draw(recordings(rates=[0.0, *RATES]))
    covered = [i for run in find_runs(stream) for i in range(run.start, run.stop)]
    times = stream.times(0, stream.n_samples)
    assert covered == np.flatnonzero(np.isfinite(times)).tolist()


@pytest.mark.parametrize("fs", [2048.0, 2000.0, 1000 / 3, 51.2, 4000.0, 30000.0])
@pytest.mark.parametrize("seconds", [0.1, 0.2, 0.3, 0.7, 1.1])
def test_float_error_drops_no_sample(fs, seconds):
    from myogestic_tui.info import StreamInfo

    n, _ = Cut(seconds, seconds).lengths("emg", StreamInfo(1, fs))
    exact = Fraction(str(seconds)) * Fraction(fs)
    assert n == math.floor(exact + Fraction(1, 10**9))


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "0.2", None, True])
def test_lengths_that_are_none_are_refused(value):
    with pytest.raises(ConfigError, match="win_seconds"):
        Cut(value, 0.1)
    with pytest.raises(ConfigError, match="hop_seconds"):
        Cut(0.1, value)
