"""Paths of sessions, folders of them, and patterns; and what is said where there is nothing."""

from __future__ import annotations

import logging

import pytest

from myogestic_tui.errors import ConfigError, SessionError
from myogestic_tui.session import (
    WindowsDataset,
    aligned_windows,
    iter_aligned_windows,
    iter_labeled_windows,
    labeled_windows,
    open_session_store,
    trial_windows,
    windows,
)
from myogestic_tui.session.reading.find_sessions import find_sessions
from myogestic_tui.session.window_sets import gathered_windows, windows_arrays, windows_bag
from tests.windows.making import make_session

CUTS = [
    windows,
    labeled_windows,
    iter_labeled_windows,
    windows_bag,
    windows_arrays,
    gathered_windows,
    trial_windows,
    WindowsDataset,
    lambda paths, *lengths: iter_aligned_windows(paths, lengths[0], [], *lengths[1:]),
    lambda paths, *lengths: aligned_windows(paths, lengths[0], [], *lengths[1:]),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    base = tmp_path_factory.mktemp("lab")
    for subject in ("P01", "P02"):
        for seed in range(2):
            make_session(base / subject, more=False, seed=seed)
    (base / "notes.txt").write_text("none")
    return base


def test_a_folder_a_pattern_and_a_single_text_are_paths(lab, monkeypatch):
    one = [str(path) for path in sorted((lab / "P01").iterdir()) if path.name.endswith(".zip")]
    both = one + [str(path) for path in sorted((lab / "P02").iterdir()) if path.name.endswith(".zip")]
    assert find_sessions(str(lab / "P01")) == find_sessions([lab / "P01"]) == one
    assert find_sessions(lab / "P0*") == find_sessions(f"{lab}/**/*.zip") == both
    monkeypatch.chdir(lab)
    assert find_sessions("P0[12]/*") == both
    for path in (one[0], [one[0]], iter([one[0]])):
        assert find_sessions(path) == [one[0]]


def test_a_session_that_is_given_twice_is_used_once(lab, caplog):
    one = find_sessions(lab / "P01")
    with caplog.at_level(logging.WARNING):
        assert find_sessions([lab / "P01", one[0]]) == one
    assert "1 sessions are given twice" in caplog.text


@pytest.mark.parametrize("cut", CUTS)
def test_every_way_of_cutting_takes_a_folder_and_refuses_nothing(lab, tmp_path, cut):
    import dask

    with dask.config.set(scheduler="sync"):
        found = cut(str(lab / "P01"), "emg", 0.5, 0.5)
        assert len(list(found)) > 2
        with pytest.raises(ConfigError, match="no session given"):
            cut([], "emg", 0.5, 0.5)
        with pytest.raises(SessionError, match="holds no session"):
            cut(tmp_path, "emg", 0.5, 0.5)
        with pytest.raises(SessionError, match="holds no session"):
            cut(str(tmp_path / "*.zip"), "emg", 0.5, 0.5)
        (tmp_path / "a.session.zip").write_text("nothing")
        with pytest.raises(SessionError, match=r"none of 1 sessions can be read; the first: .*a\.session\.zip"):
            cut(tmp_path, "emg", 0.5, 0.5)


def test_a_folder_of_sessions_does_not_open_as_one(lab):
    with pytest.raises(SessionError, match=r"P01 is a folder of 2 sessions, such as .*; open one"):
        open_session_store(lab / "P01")
