"""CSV and NPZ hold every stream exactly."""

from __future__ import annotations

import csv
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError, MyoGesticError
from myogestic_tui.session.export import FORMATS, export_csv, export_npz, export_session


def test_npz_is_bit_for_bit_and_needs_no_pickle(session, recorded, tmp_path):
    (path,) = export_npz(session, tmp_path).paths
    with np.load(path, allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["emg"], recorded.emg)
        np.testing.assert_array_equal(arrays["imu"], recorded.imu)
        assert arrays["imu"].dtype == np.int16
        assert arrays["markers"].tolist() == recorded.texts.tolist()
        np.testing.assert_array_equal(arrays["emg_time"], session.timestamps("emg"))
        np.testing.assert_array_equal(arrays["emg_raw_time"], session.timestamps("emg", clock="raw"))
        np.testing.assert_array_equal(arrays["emg_clock"], session.clock_stores["emg"][:])
        classes = arrays["emg_class_index"]
        assert [classes[i] for i in (0, 499, 501, 1999, 2001, 3199, 3201, 4599, 4601, 5999)] == [
            -1, -1, 0, 0, 1, 1, 0, 0, -1, -1,
        ]  # fmt: skip
        # The second stream's stamps are exact, and a label that falls on a sample begins with it.
        assert arrays["imu_class_index"][[49, 50, 199, 200]].tolist() == [-1, 0, 0, 1]
        np.testing.assert_array_equal(arrays["label_time"], [at for at, _ in recorded.labels])
        assert arrays["label_bad"].tolist() == [False, True, False, False]
        assert arrays["class_names"].tolist() == ["Rest", "Fist"]
        assert json.loads(str(arrays["meta"]))["subject"] == "P07"


def test_csv_reads_back_to_the_same_bits(session, recorded, tmp_path):
    result = export_session(session, "csv", tmp_path, ["emg", "markers"])
    assert any("clock" in remark for remark in result.remarks)
    emg, markers, labels = result.paths
    with emg.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time", "raw_time", "class_index", *(f"E{k} [microvolts]" for k in range(1, 5))]
    values = np.array([row[3:] for row in rows[1:]], "float32")
    np.testing.assert_array_equal(values, recorded.emg)
    np.testing.assert_array_equal([float(row[0]) for row in rows[1:]], session.timestamps("emg"))
    with markers.open(newline="", encoding="utf-8") as file:
        assert [row[3] for row in list(csv.reader(file))[1:]] == [text for (text,) in recorded.texts]
    with labels.open(newline="") as file:
        assert [row[1:4] for row in list(csv.reader(file))[1:]] == [
            ["0", "Rest", "0"],
            ["1", "Fist", "1"],
            ["0", "Rest", "0"],
            ["-1", "", "0"],
        ]


def test_csv_of_all_streams(session, tmp_path):
    assert len(export_csv(session, tmp_path / "new").paths) == 5


NEEDED = {"nwb": "pynwb", "parquet": "pyarrow"}
"""Libraries that only some environments have."""


@pytest.mark.parametrize("to", FORMATS)
def test_progress_reaches_its_end_and_can_stop_an_export(to, session, tmp_path):
    if to in NEEDED:
        pytest.importorskip(NEEDED[to], reason=f"{NEEDED[to]} is not installed")
    seen = []

    def count(done, total):
        seen.append((done, total))

    streams = ["emg"] if to == "bids" else None
    export_session(session, to, tmp_path / "whole", streams, progress=count)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] >= 0.95 * seen[-1][1] or to in ("fif", "edf", "bdf")  # these leave text streams out

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_session(session, to, tmp_path / "ended", streams, progress=stop)
    assert not list((tmp_path / "ended").glob("*")) if (tmp_path / "ended").is_dir() else True


@pytest.mark.parametrize(
    ("to", "name", "told"),
    [
        ("edf", "a.edf", "one of emg, imu"),
        ("edf", "a.csv", "name a folder"),
        ("xdf", "a.edf", r"ends in \.xdf"),
        ("csv", "a.csv", "name a folder"),
        ("npz", "taken/a.npz", "cannot make the folder"),
        ("mat", "a.mat", "choose one of xdf"),
    ],
)
def test_a_destination_that_does_not_fit_is_refused(to, name, told, session, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(MyoGesticError, match=told):
        export_session(session, to, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_nothing_is_written_where_one_of_the_files_is_there(session, tmp_path):
    (there,) = (path for path in export_csv(session, tmp_path).paths if path.name.endswith("_imu.csv"))
    for path in set(tmp_path.iterdir()) - {there}:
        path.unlink()
    with pytest.raises(ConfigError, match="already"):
        export_csv(session, tmp_path)
    assert list(tmp_path.iterdir()) == [there]


@pytest.mark.parametrize(("to", "library"), [("edf", "edfio"), ("fif", "mne"), ("bids", "mne_bids"), ("bids", "edfio")])
def test_a_library_that_is_missing_is_named_with_its_extra(to, library, session, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=rf"{library}.*\[export\]"):
        export_session(session, to, tmp_path, ["emg"])


def test_the_page_has_a_row_for_each_format_with_its_true_streams(session, tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `")]
    told = {row[0].strip("`"): row for row in rows if row[0].strip("`") in FORMATS}
    assert set(told) == set(FORMATS)
    for to, (_, _, samples, time, labels, gaps, streams, electrodes) in told.items():
        if to in NEEDED and find_spec(NEEDED[to]) is None:
            continue
        done = export_session(session, to, tmp_path / to)
        remarks = " ".join(done.remarks)
        assert ("zeros" in gaps) == ("filled with zeros" in remarks), to
        assert ("even grid" in time) == ("even grid at" in remarks), to
        for bits in ("16", "24"):
            assert (f"{bits} bit" in samples) == (f"stored in {bits} bits" in remarks), to
        assert ("float32" in samples) == ("stored as float32" in remarks), to
        assert ("exact" in samples or "bit for bit" in samples) == (to not in ("fif", "edf", "bdf")), to
        assert ("clock offsets" in time) == ("no clock offsets" not in remarks and to in ("xdf", "npz")), to
        per_stream = {
            "all, a file each": 5,
            "all, one file": 1,
            "signal at a rate, a file each": 3,
            "EMG, EEG, motion, physio": 3,
        }
        assert len(done.paths) == per_stream[streams], to
        assert labels
        assert electrodes
