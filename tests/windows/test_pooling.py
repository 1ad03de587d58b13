"""Sessions that are taken together: classes by name, and the same stream in each."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import numpy as np
import pytest

from myogestic_tui.errors import OtherClassesError, OtherStreamError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, iter_aligned_windows, iter_labeled_windows, labeled_windows
from myogestic_tui.session.window_sets import gathered_windows, windows_arrays, windows_bag
from tests.windows.making import EMG, OFFSET, START, fill

ALL = [labeled_windows, iter_labeled_windows, gathered_windows, windows_bag, windows_arrays]
VALUE = {"Rest": 1.0, "Fist": 2.0, "Pinch": 3.0, "": 9.0}


def session_of(folder, names, labels, info=EMG, **options):
    """A second of signal for each label (by name, or by index), whose samples all have the value of the name."""
    session = Session(folder, class_names=names, **options)
    n = int(info.fs)
    said = [label if isinstance(label, str) else dict(enumerate(names)).get(label, "") for label in labels]
    data = np.repeat([VALUE[name] for name in said], n)[:, None] * np.ones(info.n_channels)
    fill(session, "emg", info, data.astype(info.np_dtype), START + np.arange(len(data)) / info.fs, OFFSET)
    for at, label in enumerate(labels):
        session.add_label(names.index(label) if isinstance(label, str) else label, START + at)
    session.finish()
    return session.path


def labelled(cut, paths, *arguments, **options):
    """Class index and value of every window, whatever cuts them."""
    import dask

    with dask.config.set(scheduler="sync"):
        found = cut(paths, "emg", 0.5, 0.5, *arguments, **options)
        if isinstance(found, tuple):
            return list(zip(found[1].tolist(), np.asarray(found[0])[:, 0, 0].tolist(), strict=True))
        return [(index, window[0, 0]) for window, _, index in found]


@pytest.mark.parametrize("cut", ALL)
def test_classes_are_matched_by_name(tmp_path, cut):
    paths = [
        session_of(tmp_path / "a", ["Rest", "Fist"], ["Rest", "Fist"]),
        session_of(tmp_path / "b", ["Pinch", "Fist", "Rest"], ["Rest", "Pinch", "Fist"]),
    ]
    assert {*labelled(cut, paths)} == {(0, 1.0), (1, 2.0), (2, 3.0)}
    assert {*labelled(cut, paths, {0})} == {(0, 1.0)}
    assert {*labelled(cut, paths, {2})} == {(2, 3.0)}
    assert {*labelled(cut, paths[1])} == {(0, 3.0), (1, 2.0), (2, 1.0)}


def test_aligned_windows_choose_classes_by_name_too(tmp_path):
    paths = [
        session_of(tmp_path / "a", ["Rest", "Fist"], ["Rest", "Fist"]),
        session_of(tmp_path / "b", ["Fist", "Rest"], ["Rest", "Fist"]),
    ]
    got = [window[0, 0] for window, _, _ in iter_aligned_windows(paths, "emg", ["emg"], 0.5, 0.5, classes={1})]
    assert got == [2.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize("cut", ALL)
def test_a_class_without_a_name_is_not_matched_with_one_that_has(tmp_path, cut):
    named = session_of(tmp_path / "a", ["Rest", "Fist"], ["Rest", "Fist"])
    for number, other in enumerate(([], ["Fist"])):
        nameless = session_of(tmp_path / f"b{number}", other, [0, 1])
        with pytest.raises(OtherClassesError, match=f"class {number}, which has no name there"):
            labelled(cut, [named, nameless])
    alone = session_of(tmp_path / "c", [], [0, 1])
    again = session_of(tmp_path / "d", [], [1, 0])
    assert [index for index, _ in labelled(cut, [alone, again])] == [0, 0, 1, 1, 1, 1, 0, 0]


def test_stamps_taken_as_they_are_have_no_classes_to_match(tmp_path):
    paths = [session_of(tmp_path / "a", ["Rest"], ["Rest"]), session_of(tmp_path / "b", [], [0])]
    assert {index for index, _ in labelled(iter_labeled_windows, paths, times="raw")} == {-1}


FASTER = replace(EMG, fs=2000.0)
OTHERS = [
    (replace(EMG, channel_names=("E4", "E3", "E2", "E1")), "channel 1 is E4, not E1"),
    (replace(EMG, channel_names=("E1", "E2", "E4", "E3")), "channel 3 is E4, not E3"),
    (replace(EMG, units=("V",) * 4), "units is V, not microvolts"),
    (replace(EMG, units=("uV", "uV", "uV", "mV")), "units of channel 4 is mV, not microvolts"),
    (FASTER, "rate is 2000 Hz, not 1000 Hz"),
    (replace(EMG, dtype="int16"), "dtype is 'int16', not 'float32'"),
    (StreamInfo(3, 1000.0), "channel count is 3, not 4"),
]


@pytest.mark.parametrize(("other", "words"), OTHERS, ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("cut", ALL)
def test_another_montage_unit_or_rate_is_refused(tmp_path, other, words, cut):
    paths = [session_of(tmp_path / "a", ["Rest"], ["Rest"]), session_of(tmp_path / "b", ["Rest"], ["Rest"], other)]
    with pytest.raises(OtherStreamError, match=re.escape(words)):
        labelled(cut, paths)


def test_numbered_channels_say_nothing_of_the_montage(tmp_path, caplog):
    paths = [
        session_of(tmp_path / "a", ["Rest"], ["Rest", "Rest"]),
        session_of(tmp_path / "b", ["Rest"], ["Rest", "Rest"], replace(EMG, channel_names=None)),
    ]
    with caplog.at_level(logging.WARNING):
        assert len(labelled(iter_labeled_windows, paths)) == 8
    assert caplog.text == ""
