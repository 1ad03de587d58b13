"""A window has as many samples live as in each way of cutting recorded ones: a model of one fits all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.info import StreamInfo, samples_in
from myogestic_tui.session import Session, iter_aligned_windows, iter_labeled_windows, open_session_store
from myogestic_tui.session.window_sets import gathered_windows, windows_arrays, windows_bag
from tests.stream.scripted import ScriptedSource, chunk
from tests.stream.test_recording import Running
from tests.windows.making import emg_of, fill

LENGTHS = [(0.2, 2048.0, 409), (0.29, 100.0, 29), (0.3, 1000.0, 300), (0.1, 1111.11, 111), (0.0125, 2000.0, 25)]


@pytest.mark.parametrize(("seconds", "fs", "n"), LENGTHS)
def test_all_windows_have_the_same_length(tmp_path, seconds, fs, n):
    import dask

    info = StreamInfo(2, fs, type="EMG")
    session = Session(tmp_path, class_names=["Rest"])
    start = local_clock() - 2.0  # no sample comes before its stamp
    fill(session, "emg", info, emg_of(4 * n + 9, info), start + np.arange(4 * n + 9) / fs)
    session.add_label(0, start)
    session.finish()
    paths = [session.path]
    hops = {samples_in(seconds, fs)}
    windows = list(iter_labeled_windows(paths, "emg", seconds, seconds))
    assert {window.shape for window, _, _ in windows} == {(2, n)}
    hops |= {round((after[1][0] - before[1][0]) * fs) for before, after in pairwise(windows)}
    assert {window.shape for window, _, _ in iter_aligned_windows(paths, "emg", [], seconds, seconds)} == {(2, n)}
    assert hops == {n}
    assert gathered_windows(paths, "emg", seconds, seconds)[0].shape[1:] == (2, n)
    with dask.config.set(scheduler="sync"):
        assert {window.shape for window, _, _ in windows_bag(paths, "emg", seconds, seconds).compute()} == {(2, n)}
        assert windows_arrays(paths, "emg", seconds, seconds)[0].shape[1:] == (2, n)
    with open_session_store(session.path) as reader:
        assert {trial.data.shape for trial in reader.get_trials("emg", post=seconds)} == {(2, n)}
    source = ScriptedSource(info)
    with Running(source, window_seconds=seconds) as stream:
        source.give(chunk(0, 4 * n, info, local_clock()))
        data, stamps = stream.get_window()
        assert (data.shape, stamps.shape) == ((2, n), (n,))
