"""What windows are cut with: margins, channels, filters, other rates; and what is known of each."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from myogestic_tui.errors import ConfigError, NotFiniteError, OtherStreamError
from myogestic_tui.session import (
    Session,
    aligned_windows,
    causal_filter,
    iter_aligned_windows,
    iter_labeled_windows,
    labeled_windows,
    open_session_store,
    trial_windows,
    windows,
)
from myogestic_tui.session.window_sets import gathered_windows, windows_bag, windows_on_cluster
from myogestic_tui.sources import live_windows
from tests.windows.making import EMG, OFFSET, START, emg_of, fill, make_session

SOS = signal.butter(4, [20, 450], "bandpass", fs=1000.0, output="sos")


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return make_session(tmp_path_factory.mktemp("packed"), fields=None)


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    return make_session(tmp_path_factory.mktemp("gappy"), gap=(2.6, 0.4))


def recorded(folder, data, labels, info=EMG, bad_channels=(), names=("Rest", "Fist"), **meta):
    session = Session(folder, class_names=list(names), fields=meta)
    fill(session, "emg", info, data.astype(info.np_dtype), START + np.arange(len(data)) / info.fs, OFFSET)
    for at, index in labels:
        session.add_label(index, START + at)
    for channel in bad_channels:
        session.mark_channel("emg", channel)
    session.finish()
    return session.path


def test_every_window_tells_whose_it_is(tmp_path):
    paths = [
        recorded(tmp_path / "a", emg_of(3000), [(0.5, 0), (1.5, 1)], subject="P01", take=1),
        recorded(tmp_path / "b", emg_of(3000), [(0.25, 1)], subject="P02"),
    ]
    W = windows(paths, "emg", 0.5, 0.25)
    names = [path.name for path in paths]
    names = names if names[0] != names[1] else [str(path) for path in paths]
    assert W.meta["session"].tolist() == [names[0]] * 8 + [names[1]] * 10
    assert W.meta["subject"].tolist() == ["P01"] * 8 + ["P02"] * 10
    assert W.meta["take"].tolist() == [1] * 8 + [-1] * 10
    assert W.meta["trial"].tolist() == [0] * 3 + [1] * 5 + [0] * 10
    np.testing.assert_allclose(W.meta["trial_s"][:8], [0, 0.25, 0.5, 0, 0.25, 0.5, 0.75, 1.0], atol=1e-5)
    np.testing.assert_allclose(W.meta["start_s"][:3], START + np.array([0.5, 0.75, 1.0]), atol=1e-5)
    with open_session_store(paths[0]) as session:
        assert set(W.meta["error_s"][:8]) == {session.timeline("emg").error_s}
    assert W.class_names == ("Rest", "Fist")
    assert (W.fs, W.channel_names) == (1000.0, ("E1", "E2", "E3", "E4"))
    for number, window in enumerate(iter_labeled_windows(paths, "emg", 0.5, 0.25)):
        assert tuple(window.meta) == W.meta[number].item()
        assert window[2] == W.y[number]
        np.testing.assert_array_equal(window[0], W.X[number])
    fists = W[W.y == 1]
    assert len(fists) == 15
    assert "Fist 15" in repr(fists)


def test_sessions_of_one_file_name_are_told_apart(tmp_path):
    path = recorded(tmp_path / "a", emg_of(2000), [(0.0, 0)])
    (tmp_path / "b").mkdir()
    again = path.rename(tmp_path / "b" / path.name)
    one = recorded(tmp_path / "a", emg_of(2000), [(0.0, 0)])
    one = one.rename(one.with_name(again.name))
    W = windows([one, again], "emg", 0.5, 0.5)
    assert W.meta["session"].tolist() == [str(one)] * 4 + [str(again)] * 4
    assert W.groups("session").tolist() == W.groups("trial").tolist() == [0] * 4 + [1] * 4


def test_the_columns_are_the_same_by_dask(gappy):
    import dask

    how = {"skip_start_s": 0.3, "classes": ["Fist", "Rest"]}
    here = windows(gappy, "emg", 0.2, 0.1, **how)
    with dask.config.set(scheduler="sync"):
        there = windows_on_cluster(gappy, "emg", 0.2, 0.1, **how)
        bag = windows_bag(gappy, "emg", 0.2, 0.1, **how).compute()
    np.testing.assert_array_equal(here.X, there.X)
    assert here.meta.tolist() == there.meta.tolist() == [tuple(window.meta) for window in bag]
    assert here.class_names == there.class_names == ("Fist", "Rest")
    assert here.y.tolist() == there.y.tolist()
    assert set(here.y.tolist()) == {0, 1}


def test_the_start_of_a_trial_is_left_out_and_labels_may_come_later(packed):
    whole = list(iter_labeled_windows(packed, "emg", 0.2, 0.1))
    data = emg_of(8000)
    for skip, delay in ((0.3, 0.0), (0.0, 0.25), (0.3, -0.1), (5.0, 0.0)):
        got = list(iter_labeled_windows(packed, "emg", 0.2, 0.1, skip_start_s=skip, delay_s=delay))
        expected = []
        for begin, end, index in ((0.5, 2.0, 0), (2.0, 3.5, 1), (3.5, 5.0, 2), (6.5, 8.0 - delay, 1)):
            first, last = round(1000 * (begin + delay + skip)), round(1000 * (end + delay))
            expected += [(start, index) for start in range(first, last - 199, 100)]
        assert [(round((ts[0] - START) * 1000), index) for _, ts, index in got] == expected
        for (first, _), (window, _, _) in zip(expected, got, strict=True):
            np.testing.assert_array_equal(window, data[first : first + 200].T)
        assert all(window.meta.trial_s >= skip - 1e-5 for window in got)
    assert len(whole) == 14 * 4
    for bad in ({"skip_start_s": -0.1}, {"delay_s": float("nan")}, {"skip_start_s": "0.3"}, {"skip_start_s": None}):
        with pytest.raises(ConfigError, match=next(iter(bad))):
            iter_labeled_windows(packed, "emg", 0.2, 0.1, **bad)
    with pytest.raises(TypeError, match="skip_s"):
        iter_labeled_windows(packed, "emg", 0.2, 0.1, skip_s=1)


def test_classes_are_chosen_by_name_and_numbered_as_given(packed):
    W = windows(packed, "emg", 0.2, 0.1, ["Pinch", "Fist"])
    assert W.class_names == ("Pinch", "Fist")
    assert np.bincount(W.y).tolist() == [14, 28]
    assert [index for _, _, index in iter_labeled_windows(packed, "emg", 0.2, 0.1, ["Fist"])] == [0] * 28
    with pytest.raises(ConfigError, match="no session has a class 'Fits'; there are Fist, Pinch, Rest"):
        windows(packed, "emg", 0.2, 0.1, ["Rest", "Fits"])
    for bad in ("Rest", {"Rest", "Fist"}, ["Rest", "Rest"], ["Rest", 1]):
        with pytest.raises(ConfigError, match="classes"):
            windows(packed, "emg", 0.2, 0.1, bad)


def test_channels_by_name_are_found_wherever_a_session_has_them(tmp_path):
    data = emg_of(2000)
    turned = replace(EMG, channel_names=("E4", "E3", "E2", "E1"))
    paths = [
        recorded(tmp_path / "a", data, [(0.0, 0)]),
        recorded(tmp_path / "b", data[:, ::-1], [(0.0, 0)], turned),
    ]
    W = windows(paths, "emg", 0.5, 0.5, channels=["E3", "E1"])
    assert W.channel_names == ("E3", "E1")
    np.testing.assert_array_equal(W.X[:4], W.X[4:])
    np.testing.assert_array_equal(W.X[0], data[:500, [2, 0]].T)
    with pytest.raises(OtherStreamError, match="channel 1 is E4, not E1"):
        windows(paths, "emg", 0.5, 0.5)
    with pytest.raises(OtherStreamError, match="channel 1 is E3, not E2"):
        windows(paths, "emg", 0.5, 0.5, channels=[1])
    assert windows(paths[0], "emg", 0.5, 0.5, channels=[3, 0]).channel_names == ("E4", "E1")
    with pytest.raises(OtherStreamError, match="no channel 'E9'"):
        windows(paths, "emg", 0.5, 0.5, channels=["E9"])
    with pytest.raises(OtherStreamError, match="no channel 4"):
        windows(paths, "emg", 0.5, 0.5, channels=[4])
    for bad in ("E1", [], ["E1", "E1"], [0.5], [-1], 3, ["E1", 0]):
        with pytest.raises(ConfigError, match="channels"):
            windows(paths, "emg", 0.5, 0.5, channels=bad)


def test_bad_channels_are_left_out_of_all_sessions(tmp_path, caplog):
    data = emg_of(2000)
    paths = [
        recorded(tmp_path / "a", data, [(0.0, 0)], bad_channels=[1]),
        recorded(tmp_path / "b", data, [(0.0, 0)], bad_channels=[3]),
    ]
    with caplog.at_level(logging.WARNING):
        W = windows(paths, "emg", 0.5, 0.5)
    assert W.channel_names == ("E1", "E3")
    assert "emg: marked bad and left out: E2, E4" in caplog.text
    np.testing.assert_array_equal(W.X[0], data[:500, [0, 2]].T)
    assert windows(paths, "emg", 0.5, 0.5, channels=None).X.shape[1] == 4
    assert labeled_windows(paths, "emg", 0.5, 0.5)[0].shape[1] == 4
    worst = recorded(tmp_path / "c", data, [(0.0, 0)], bad_channels=range(4))
    with pytest.raises(ConfigError, match="every channel of emg is marked bad"):
        windows(worst, "emg", 0.5, 0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_left_out_or_an_error(tmp_path, caplog, value):
    data = emg_of(2000)
    data[1234, 2] = value
    path = recorded(tmp_path, data, [(0.0, 0)])
    kept = [start for start in range(0, 1801, 100) if not start <= 1234 < start + 200]
    with caplog.at_level(logging.WARNING):
        W = windows(path, "emg", 0.2, 0.1)
    assert np.round((W.meta["start_s"] - START) * 1000).astype(int).tolist() == kept
    assert np.isfinite(W.X).all()
    assert "2 windows with values that are no finite numbers left out" in caplog.text
    assert len(windows(path, "emg", 0.2, 0.1, on_nan="keep")) == len(kept) + 2
    assert len(list(iter_labeled_windows(path, "emg", 0.2, 0.1))) == len(kept) + 2
    assert len(list(iter_labeled_windows(path, "emg", 0.2, 0.1, on_nan="drop"))) == len(kept)
    with pytest.raises(NotFiniteError, match=r"emg has a value that is no finite number in the window .* 1\.10 s"):
        list(iter_labeled_windows(path, "emg", 0.2, 0.1, on_nan="raise"))
    assert len(windows(path, "emg", 0.2, 0.1, channels=["E1", "E2"])) == len(kept) + 2


def test_windows_of_huge_values_stay(tmp_path):
    data = np.full((2000, 4), 3e38, np.float32)
    data[500, 0] = np.inf
    data[501, 0] = -np.inf
    assert len(windows(recorded(tmp_path, data, [(0.0, 0)]), "emg", 0.5, 0.5)) == 3


def filtered(data):
    """From its first value on, which was there before."""
    return signal.sosfilt(SOS, data, axis=0, zi=signal.sosfilt_zi(SOS)[:, :, None] * data[0])[0].astype("float32")


def test_a_filter_runs_over_the_whole_signal_from_every_gap_on(gappy):
    data = emg_of(8000).astype(float)
    whole = np.concatenate([filtered(data[:2600]), filtered(data[2600:])])
    got = list(iter_labeled_windows(gappy, "emg", 0.2, 0.1, filter=causal_filter(SOS, fs=1000.0)))
    plain = list(iter_labeled_windows(gappy, "emg", 0.2, 0.1))
    assert len(got) == len(plain) > 30
    for (window, ts, index), (raw, raw_ts, raw_index) in zip(got, plain, strict=True):
        at = np.flatnonzero((data[:, 0].astype("float32") == raw[0, 0]) & (data[:, 1].astype("float32") == raw[1, 0]))[
            0
        ]
        np.testing.assert_array_equal(window, whole[at : at + 200].T)
        np.testing.assert_allclose(ts, raw_ts, atol=1e-9)
        assert index == raw_index
        assert window.flags.c_contiguous
        assert window.dtype == np.float32
    with pytest.raises(ConfigError, match="designed for 2000 Hz; emg has 1000 Hz"):
        iter_labeled_windows(gappy, "emg", 0.2, 0.1, filter=causal_filter(SOS, fs=2000.0))
    for bad in (np.ones((2, 5)), np.ones(6), [], "butter", np.full((1, 6), np.nan)):
        with pytest.raises(ConfigError, match="second-order"):
            causal_filter(bad)
    with pytest.raises(ConfigError, match="causal_filter"):
        windows(gappy, "emg", 0.2, 0.1, filter=SOS)


def test_a_filter_begins_anew_behind_a_value_that_is_no_number(tmp_path):
    data = emg_of(2000)
    data[700] = np.nan
    path = recorded(tmp_path, data, [(0.0, 0)])
    W = windows(path, "emg", 0.1, 0.1, filter=causal_filter(SOS))
    expected = np.concatenate([filtered(data[:700].astype(float)), data[700:701], filtered(data[701:].astype(float))])
    starts = [start for start in range(0, 2000, 100) if start != 700]
    np.testing.assert_array_equal(W.X, np.stack([expected[start : start + 100].T for start in starts]))


def test_what_is_filtered_for_integers_is_float(tmp_path):
    info = replace(EMG, dtype="int16")
    data = emg_of(2000, info)
    W = windows(recorded(tmp_path, data, [(0.0, 0)], info), "emg", 0.5, 0.5, filter=causal_filter(SOS))
    assert W.X.dtype == np.float32
    np.testing.assert_array_equal(W.X[0], filtered(data.astype(float))[:500].T)


def test_another_rate_is_brought_to_one(tmp_path):
    def sine(fs, seconds=4.0):
        t = np.arange(round(fs * seconds)) / fs
        return np.stack([np.sin(2 * np.pi * 40 * t + channel) for channel in range(4)], 1)

    paths = [
        recorded(tmp_path / "a", sine(1000.0), [(1.0, 0), (2.0, 1)]),
        recorded(tmp_path / "b", sine(2048.0), [(1.0, 0), (2.0, 1)], replace(EMG, fs=2048.0)),
        recorded(tmp_path / "c", sine(500.0), [(1.0, 0), (2.0, 1)], replace(EMG, fs=500.0)),
    ]
    with pytest.raises(OtherStreamError, match="rate is 2048 Hz, not 1000 Hz; resample=HZ"):
        windows(paths, "emg", 0.2, 0.1)
    W = windows(paths, "emg", 0.2, 0.1, resample=1000.0)
    assert W.X.shape[1:] == (4, 200)
    assert W.fs == 1000.0
    assert len(set(W.meta["session"])) == 3 or len(W) > 60
    start = W.meta["start_s"][:, None] - START + np.arange(200) / 1000
    for channel in range(4):
        np.testing.assert_allclose(W.X[:, channel], np.sin(2 * np.pi * 40 * start + channel), atol=0.01)
    whole = windows(paths[0], "emg", 0.2, 0.1)
    np.testing.assert_array_equal(W.X[: len(whole)], whole.X)  # this one has that rate already
    for bad in (0, -1000.0, float("inf"), "1000"):
        with pytest.raises(ConfigError, match="resample"):
            windows(paths, "emg", 0.2, 0.1, resample=bad)
    with pytest.raises(ConfigError, match="cannot be resampled"):
        windows(paths, "emg", 0.2, 0.1, resample=1e8)


def test_a_resampled_stream_has_its_gap(gappy):
    got = list(iter_labeled_windows(gappy, "emg", 0.2, 0.1, resample=500.0, classes=[-1, 0, 1, 2]))
    plain = list(iter_labeled_windows(gappy, "emg", 0.2, 0.1, classes=[-1, 0, 1, 2]))
    assert all(np.diff(ts).max() < 0.0021 for _, ts, _ in got)
    assert abs(len(got) - len(plain)) <= 3
    assert {index for _, _, index in got} == {-1, 0, 1, 2}
    assert all(window.shape == (4, 100) for window, _, _ in got)


def test_aligned_windows_are_arrays_too(packed):
    pairs = list(iter_aligned_windows(packed, "emg", ["vhi_control"], 0.2, 0.1, causal=True, cut_at_labels=True))
    W = aligned_windows(packed, "emg", ["vhi_control"], 0.2, 0.1, causal=True, cut_at_labels=True)
    np.testing.assert_array_equal(W.X, np.stack([window for window, _, _ in pairs]))
    np.testing.assert_array_equal(W.Y["vhi_control"], np.stack([aligned["vhi_control"] for _, aligned, _ in pairs]))
    assert W.y.tolist() == [pair.class_index for pair in pairs]
    assert W.meta.tolist() == [tuple(pair.meta) for pair in pairs]
    assert set(W.y.tolist()) == {0, 1, 2}
    everywhere = aligned_windows(packed, "emg", ["vhi_control"], 0.2, 0.1)
    assert len(everywhere) > len(W)
    assert len(W[:3].Y["vhi_control"]) == 3
    assert aligned_windows(packed, "emg", ["vhi_control"], 99.0, 0.1).X.shape == (0, 4, 99000)


def test_one_window_for_each_trial_around_its_label(gappy):
    W = trial_windows(gappy, "emg", 0.2, 0.5)
    with open_session_store(gappy) as session:
        trials = session.get_trials("emg", 0.2, 0.5)
        assert len(trials) > 1
        np.testing.assert_array_equal(W.X, np.stack([trial.data for trial in trials]))
        assert W.meta["trial"].tolist() == [trial.index for trial in trials]
        assert W.y.tolist() == [trial.class_index for trial in trials]
    np.testing.assert_allclose(W.meta["trial_s"], -0.2, atol=1e-3)
    fists = trial_windows(gappy, "emg", 0.2, 0.5, ["Fist"], filter=causal_filter(SOS))
    assert len(fists) == np.count_nonzero(W.y == 1)
    for bad in ((-0.1, 0.5), (0.2, -0.3), (0.2, "x"), (float("nan"), 1)):
        with pytest.raises(ConfigError):
            trial_windows(gappy, "emg", *bad)
    with pytest.raises(ConfigError, match="skip_start_s"):
        trial_windows(gappy, "emg", 0.2, 0.5, skip_start_s=0.1)


def test_a_cluster_filters_and_leaves_out_as_one_process_does(gappy):
    import dask

    how = {"filter": causal_filter(SOS), "resample": 500.0, "channels": ["E4", "E2"], "on_nan": "drop"}
    how["filter"] = causal_filter(signal.butter(2, 20, "highpass", fs=500.0, output="sos"), fs=500.0)
    with dask.config.set(scheduler="sync"):
        for there, here in zip(
            gathered_windows(gappy, "emg", 0.2, 0.1, **how), labeled_windows(gappy, "emg", 0.2, 0.1, **how), strict=True
        ):
            np.testing.assert_array_equal(there, here)


def test_that_no_window_came_out_is_told(packed, caplog):
    for cut in (windows, labeled_windows, iter_labeled_windows):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = cut(packed, "emg", 3.0, 0.1)
            assert len(found[1] if isinstance(found, tuple) else list(found)) == 0
        assert "emg: no window of 3 s under any label asked for" in caplog.text
    for cut in (lambda: iter_aligned_windows(packed, "emg", [], 99.0, 0.1), lambda: live_windows(packed, "emg", 99, 1)):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert list(cut()) == []
        assert "emg: no window of 99 s fits between its gaps" in caplog.text


@pytest.mark.parametrize("paths", [None, 3, [3], b"sessions", [None]])
def test_paths_are_paths(paths):
    with pytest.raises(ConfigError, match="paths is"):
        windows(paths, "emg", 0.2, 0.1)


@pytest.mark.parametrize("rate", [0, -5, "x", float("inf"), float("nan"), True])
def test_a_rate_is_above_0(packed, rate):
    with pytest.raises(ConfigError, match=r"resample is .*; give a rate in Hz"):
        windows(packed, "emg", 0.2, 0.1, resample=rate)
    with pytest.raises(ConfigError, match=r"fs is .*; give a rate in Hz"):
        causal_filter(SOS, fs=rate)


def test_stamps_taken_as_they_are_give_no_classes_to_choose(packed):
    for classes in (["Rest"], {0, 1}):
        with pytest.raises(ConfigError, match="no sample gets a label"):
            iter_labeled_windows(packed, "emg", 0.2, 0.1, classes, times="raw")
    assert {index for _, _, index in iter_labeled_windows(packed, "emg", 0.2, 0.1, {-1}, times="raw")} == {-1}
