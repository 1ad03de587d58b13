"""Windows, trials and continuous signal from real sessions on the disk."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import numpy as np
import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.errors import ConfigError, OtherStreamError, SessionError, UnknownStreamError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import (
    Session,
    iter_aligned_windows,
    iter_labeled_windows,
    labeled_windows,
    open_session_store,
)
from myogestic_tui.session.window_sets import gathered_windows, windows_bag
from tests.windows.making import EMG, OFFSET, START, emg_of, fill, make_session


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return make_session(tmp_path_factory.mktemp("packed"))


def test_labels_land_on_the_right_samples_of_a_source_3_s_off(packed):
    data = emg_of(8000)
    got = list(iter_labeled_windows([packed], "emg", 0.2, 0.1, classes={0, 1}))
    assert [cls for _, _, cls in got] == [0] * 14 + [1] * 14 + [1] * 14
    for window, ts, _ in got:
        first = round((ts[0] - START) * 1000)
        np.testing.assert_array_equal(window, data[first : first + 200].T)
        np.testing.assert_allclose(ts, START + np.arange(first, first + 200) / 1000, atol=1e-5)
    assert got[0][1][0] == pytest.approx(START + 0.5, abs=1e-5)
    assert got[14][1][0] == pytest.approx(START + 2.0, abs=1e-5)


def test_unlabelled_signal_is_there_when_asked_for(packed):
    got = list(iter_labeled_windows(packed, "emg", 0.25, 0.25, classes={-1}))
    assert {cls for _, _, cls in got} == {-1}
    firsts = [round(ts[0] - START, 2) for _, ts, _ in got]
    assert firsts == [0.0, 0.25, 5.0, 5.25, 5.5, 5.75, 6.0, 6.25]


def test_no_window_holds_a_gap(tmp_path):
    path = make_session(tmp_path, gap=(1.0, 0.5), labels=[(START, 0)], more=False)
    got = list(iter_labeled_windows([path], "emg", 0.3, 0.1))
    assert len(got) == 8 + 68
    assert all(np.diff(ts).max() < 0.002 for _, ts, _ in got)


def sessions_of(folder, *infos):
    """A session of one label for each layout of ``emg``."""
    for number, info in enumerate(infos):
        session, start = Session(folder / str(number), class_names=["Rest"]), local_clock()
        fill(session, "emg", info, emg_of(1000, info), start + np.arange(1000) / info.fs)
        session.add_label(0, start)
        session.finish()
        yield session.path


OTHERS = [
    ({"type": "GYRO"}, "type is 'GYRO', not 'EMG'"),
    ({"units": ("mV",) * 4}, "units is mV, not microvolts"),
    ({"source_id": "amp-2"}, "source_id is 'amp-2', not 'amp-1'; any_source=True"),
]


@pytest.mark.parametrize(("change", "words"), OTHERS)
@pytest.mark.parametrize("cut", [labeled_windows, iter_labeled_windows, gathered_windows, windows_bag])
def test_windows_of_another_stream_under_the_same_name_are_refused(tmp_path, change, words, cut):
    import dask

    paths = list(sessions_of(tmp_path, EMG, replace(EMG, **change)))
    with dask.config.set(scheduler="sync"):
        with pytest.raises(OtherStreamError, match=re.escape(words)):
            list(cut(paths, "emg", 0.2, 0.1))
        if "source_id" in change:
            assert len(list(cut(paths, "emg", 0.2, 0.1, any_source=True)))


def test_aligned_streams_are_to_be_the_same_too(tmp_path):
    paths = list(sessions_of(tmp_path, EMG, replace(EMG, source_id="amp-2")))
    with pytest.raises(OtherStreamError, match="amp-2"):
        list(iter_aligned_windows(paths, "emg", ["emg"], 0.2, 0.1))


def test_what_one_session_does_not_tell_is_no_difference(tmp_path):
    alike = [EMG, replace(EMG, units=("uV",) * 4), replace(EMG, units=None, type="", source_id="")]
    assert len(list(iter_labeled_windows(sessions_of(tmp_path, *alike), "emg", 0.2, 0.1))) == 3 * 9


def test_bad_trials_are_left_out_unless_asked_for(tmp_path):
    session = Session(tmp_path)
    fill(session, "emg", EMG, emg_of(3000), START + np.arange(3000) / 1000)
    for k in range(3):
        session.add_label(0, START + k)
    session.mark_trial(1)
    session.finish()
    starts = [round(ts[0] - START) for _, ts, _ in iter_labeled_windows(session.path, "emg", 1.0, 1.0)]
    assert starts == [0, 2]
    assert len(list(iter_labeled_windows(session.path, "emg", 1.0, 1.0, include_bad=True))) == 3
    assert [trial.index for trial in open_session_store(session.path).get_trials("emg")] == [0, 2]


def test_aligned_values_follow_the_definition(packed):
    got = list(iter_aligned_windows([packed], "emg", ["vhi_control"], 0.2, 0.05))
    for window, aligned, ts in got:
        assert window.shape == (4, 200)
        centre = (ts[0] + ts[-1]) / 2 - START - 0.25
        nearest = max(0.0, np.round(centre * 60))
        np.testing.assert_allclose(aligned["vhi_control"], [nearest, -nearest], atol=0.51)
    # The control stream begins 0.25 s late and ends 0.25 s after the EMG: nothing is made up before it.
    first_centre = (got[0][2][0] + got[0][2][-1]) / 2 - START
    assert 0.25 - 5 / 60 <= first_centre <= 0.25 + 0.05
    line = list(iter_aligned_windows(packed, "emg", ["vhi_control"], 0.2, 0.05, interpolate=True))
    for _, aligned, ts in line:
        centre = (ts[0] + ts[-1]) / 2 - START - 0.25
        assert centre >= 0
        np.testing.assert_allclose(aligned["vhi_control"], [centre * 60, -centre * 60], atol=1e-2)
    last = list(iter_aligned_windows(packed, "emg", ["vhi_control"], 0.2, 0.05, 3, causal=True))
    for _, aligned, ts in last:
        k = np.floor((ts[-1] - START - 0.25) * 60 + 1e-3)
        np.testing.assert_allclose(aligned["vhi_control"], [k - 1, 1 - k], atol=1e-6)


def test_aligned_windows_are_cut_at_labels_only_when_asked(packed):
    whole = list(iter_aligned_windows(packed, "emg", [], 1.0, 1.0))
    assert len(whole) == 8
    cut = list(iter_aligned_windows(packed, "emg", [], 1.0, 1.0, classes={0, 1, 2}))
    assert len(cut) == 4


def test_arrays_fit_grouped_cross_validation(packed, tmp_path):
    other = make_session(tmp_path, seed=8)
    X, y, groups = labeled_windows([packed, other], "emg", 0.2, 0.1)
    windows = list(iter_labeled_windows([packed, other], "emg", 0.2, 0.1))
    assert X.shape == (len(windows), 4, 200)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, np.stack([window for window, _, _ in windows]))
    np.testing.assert_array_equal(y, [cls for _, _, cls in windows])
    assert np.unique(groups).tolist() == list(range(8))
    assert all(len(set(y[groups == group])) == 1 for group in range(8))
    assert set(labeled_windows([packed, other], "emg", 0.2, 0.1, group_by="session")[2]) == {0, 1}


def test_sessions_that_differ_are_refused_by_name(packed, tmp_path):
    other = make_session(tmp_path, info=StreamInfo(3, 1000.0), more=False)
    with pytest.raises(OtherStreamError, match="channel count is 3, not 4"):
        labeled_windows([packed, other], "emg", 0.2, 0.1)


def test_bad_arguments_raise_before_the_first_window_is_asked_for(packed):
    for bad in (0, -0.1, float("nan"), "0.2"):
        with pytest.raises(ConfigError):
            iter_labeled_windows([packed], "emg", bad, 0.1)
        with pytest.raises(ConfigError):
            iter_aligned_windows([packed], "emg", ["vhi_control"], 0.1, bad)
    with pytest.raises(ConfigError, match="less than one sample"):
        iter_labeled_windows([packed], "emg", 0.0002, 0.1)
    with pytest.raises(ConfigError, match="classes"):
        iter_labeled_windows([packed], "emg", 0.2, 0.1, classes={0.5})
    with pytest.raises(ConfigError, match="classes"):
        iter_labeled_windows([packed], "emg", 0.2, 0.1, classes=3)
    with pytest.raises(UnknownStreamError, match="EEG"):
        iter_labeled_windows([packed], "EEG", 0.2, 0.1)
    with pytest.raises(ConfigError, match="text"):
        iter_labeled_windows([packed], "markers", 0.2, 0.1)
    with pytest.raises(ConfigError, match="text"):
        iter_aligned_windows([packed], "emg", ["markers"], 0.2, 0.1)
    with pytest.raises(ConfigError, match="list"):
        iter_aligned_windows([packed], "emg", "vhi_control", 0.2, 0.1)
    with pytest.raises(ConfigError, match="align_window_samples"):
        iter_aligned_windows([packed], "emg", ["vhi_control"], 0.2, 0.1, 0)
    with pytest.raises(ConfigError, match="interpolate"):
        iter_aligned_windows([packed], "emg", ["vhi_control"], 0.2, 0.1, 3, interpolate=True)
    with pytest.raises(ConfigError, match="causal"):
        iter_aligned_windows([packed], "emg", ["vhi_control"], 0.2, 0.1, causal=True, interpolate=True)


def test_unreadable_sessions_are_skipped_with_a_warning_or_raise(packed, tmp_path, caplog):
    broken = tmp_path / "2020-01-01_00-00-00.session.zip"
    broken.write_bytes(b"PK\x03\x04 nothing of use")
    other = make_session(tmp_path, more=False)
    paths = [broken, tmp_path / "absent", packed, other]
    with caplog.at_level(logging.WARNING):
        got = list(iter_labeled_windows(paths, "emg", 0.2, 0.1))
    assert len(got) == 2 * len(list(iter_labeled_windows(packed, "emg", 0.2, 0.1)))
    assert [broken.name in caplog.text, "absent" in caplog.text] == [True, True]
    with pytest.raises(SessionError, match=broken.name):
        iter_labeled_windows(paths, "emg", 0.2, 0.1, strict=True)
    windows = iter_aligned_windows([packed, other], "emg", ["vhi_control"], 0.2, 0.1, strict=True)
    with pytest.raises(UnknownStreamError, match="vhi_control"):
        list(windows)


def test_a_session_that_the_arguments_do_not_fit_is_skipped_too(packed, tmp_path, caplog):
    irregular = make_session(tmp_path / "a", info=StreamInfo(4, 1000.0), more=False)
    session = Session(tmp_path / "b")
    fill(session, "emg", StreamInfo(4, 0.0), emg_of(100), START + np.arange(100) / 100)
    session.add_label(0, START)
    session.finish()
    alone = list(iter_labeled_windows([packed, irregular], "emg", 0.2, 0.1))
    with caplog.at_level(logging.WARNING):
        got = list(iter_labeled_windows([packed, session.path, irregular], "emg", 0.2, 0.1))
    assert len(got) == len(alone)
    assert "no nominal rate" in caplog.text
    with pytest.raises(ConfigError, match="no nominal rate"):
        list(iter_labeled_windows([packed, session.path], "emg", 0.2, 0.1, strict=True))


def test_a_damaged_chunk_ends_its_session_not_the_others(packed, tmp_path, caplog):
    folder = make_session(tmp_path, pack=False, labels=[(START, 1)], more=False)
    chunk = folder / "emg.zarr" / "c" / "6" / "0"
    chunk.write_bytes(chunk.read_bytes()[:100])
    paths = [folder, packed]
    with caplog.at_level(logging.WARNING):
        classes = [cls for _, _, cls in iter_labeled_windows(paths, "emg", 0.5, 0.5)]
    alone = [cls for _, _, cls in iter_labeled_windows(packed, "emg", 0.5, 0.5)]
    assert classes[-len(alone) :] == alone
    assert "emg.zarr/c/6/0" in caplog.text
    with pytest.raises(SessionError, match=r"emg\.zarr/c/6/0"):
        list(iter_labeled_windows(paths, "emg", 0.5, 0.5, strict=True))
    with open_session_store(folder) as session:
        np.testing.assert_array_equal(session.stores["emg"][:6000], emg_of(6000, seed=7))
        for part in (slice(None), slice(6100, 6200)):
            with pytest.raises(SessionError, match=r"emg\.zarr/c/6/0 .*samples 6000 to 6999"):
                session.stores["emg"][part]


def test_an_empty_stream_gives_no_windows(tmp_path):
    session = Session(tmp_path)
    session.init_stream("emg", EMG)
    session.add_label(0, START)
    session.finish()
    assert list(iter_labeled_windows(session.path, "emg", 0.2, 0.1)) == []
    assert labeled_windows(session.path, "emg", 0.2, 0.1)[0].shape == (0, 4, 200)
    assert list(iter_aligned_windows(session.path, "emg", ["emg"], 0.2, 0.1)) == []


def test_a_session_that_is_still_recorded_gives_what_it_has(tmp_path):
    session = Session(tmp_path)
    fill(session, "emg", EMG, emg_of(2500), START + np.arange(2500) / 1000)
    session.add_label(1, START)
    try:
        assert len(list(iter_labeled_windows(session.path, "emg", 0.5, 0.5))) == 5
    finally:
        session.finish()


def test_continuous_signal_and_parts_of_it(packed):
    with open_session_store(packed) as session:
        data, ts = session.get_continuous("emg")
        np.testing.assert_array_equal(data, emg_of(8000))
        np.testing.assert_allclose(ts, START + np.arange(8000) / 1000, atol=1e-5)
        np.testing.assert_array_equal(ts, session.timestamps("emg"))
        part, ts = session.get_continuous("emg", START + 2.0005, START + 3.0005)
        np.testing.assert_array_equal(part, emg_of(8000)[2001:3001])
        assert len(ts) == 1000
        raw = session.get_continuous("emg", clock="raw")[1]
        np.testing.assert_array_equal(raw, START + np.arange(8000) / 1000 - OFFSET)
        texts, _ = session.get_continuous("markers")
        assert texts[:, 0].tolist() == ["go", "größer µ", ""]
        assert session.extras == {}


def test_trials_around_labels(tmp_path):
    path = make_session(tmp_path, gap=(3.0, 0.4), fields={"electrode": "Ag/AgCl"})
    with open_session_store(path) as session:
        assert session.extras["electrode"] == "Ag/AgCl"
        whole = session.get_trials("emg")
        assert [(trial.index, trial.class_index) for trial in whole] == [(0, 0), (2, 2), (4, 1)]
        assert [trial.data.shape for trial in whole][:2] == [(4, 1500), (4, 1500)]
        around = session.get_trials("emg", 0.2, 0.5, classes={0, 1, 2})
        assert {trial.data.shape for trial in around} == {(4, 700)}
        assert [trial.index for trial in around] == [0, 1, 4]
        assert around[0].ts[0] == pytest.approx(START + 0.3, abs=1e-4)
        assert [trial.index for trial in session.get_trials("emg", 0.6, 0.1)] == [1, 4]
        assert [trial.data[0].tolist() for trial in session.get_trials("markers", 0.0, 0.6)][:2] == [
            ["go"],
            ["größer µ"],
        ]
        with pytest.raises(ConfigError):
            session.get_trials("emg", -0.1, 0.5)
