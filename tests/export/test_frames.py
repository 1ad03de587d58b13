"""Sessions as pandas, xarray, PyTorch and notebooks have them, and as Parquet and NWB, read by their own libraries."""

from __future__ import annotations

import json
import pickle
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Session, WindowsDataset, iter_labeled_windows, open_session_store
from myogestic_tui.session.export import export_session
from tests.windows.making import EMG, START, fill


def library(name):
    return pytest.importorskip(name, reason=f"{name} is not installed")


def test_a_data_frame_has_time_classes_and_channels(session, recorded):
    library("pandas")
    frame = session.to_pandas("emg")
    assert list(frame.columns) == ["class_index", "E1", "E2", "E3", "E4"]
    np.testing.assert_array_equal(frame[["E1", "E2", "E3", "E4"]].to_numpy(), recorded.emg)
    np.testing.assert_array_equal(frame.index.to_numpy(), session.timestamps("emg"))
    assert frame["class_index"].iloc[[0, 501, 2001, 5999]].tolist() == [-1, 0, 1, -1]
    assert frame.attrs["fs"] == 1000.0
    assert (frame.attrs["units"][0], frame.attrs["class_names"]) == ("microvolts", ["Rest", "Fist"])
    assert session.to_pandas("markers")["ch1"].tolist() == [text for (text,) in recorded.texts]


def test_a_dataset_has_named_dimensions_and_labels(session, recorded):
    library("xarray")
    dataset = session.to_xarray()
    assert dataset["emg"].dims == ("emg_time", "emg_channel")
    np.testing.assert_array_equal(dataset["emg"].sel(emg_channel="E3").values, recorded.emg[:, 2])
    np.testing.assert_array_equal(dataset["imu_time"].values, session.timestamps("imu"))
    np.testing.assert_array_equal(dataset["emg_raw_time"].values, session.timestamps("emg", clock="raw"))
    assert dataset["label_class_index"].values.tolist() == [index for _, index in recorded.labels]
    assert set(session.to_xarray(["imu"]).data_vars) == {"imu", "label_class_index", "label_bad"}


def test_what_is_not_installed_is_named_with_its_extra(session, monkeypatch, tmp_path):
    import sys

    for module in ("pandas", "xarray", "pynwb", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=r"pandas.*\[frames\]"):
        session.to_pandas("emg")
    with pytest.raises(ConfigError, match=r"xarray.*\[frames\]"):
        session.to_xarray()
    with pytest.raises(ConfigError, match=r"pynwb.*\[nwb\]"):
        export_session(session, "nwb", tmp_path)
    with pytest.raises(ConfigError, match=r"pyarrow.*\[frames\]"):
        export_session(session, "parquet", tmp_path)


def window_sum(dataset_and_number):
    dataset, number = dataset_and_number
    return float(dataset[number][0].astype(np.float64).sum())


def test_a_dataset_of_windows_is_that_of_the_iterators_in_any_order_and_process(recorded):
    dataset = WindowsDataset(recorded.path, "emg", 0.2, 0.1, channels=None)
    windows = list(iter_labeled_windows(recorded.path, "emg", 0.2, 0.1))
    assert len(dataset) == len(windows)
    order = np.random.default_rng(3).permutation(len(dataset)).tolist()
    for number in order:
        window, class_index = dataset[number]
        np.testing.assert_array_equal(window, windows[number][0])
        assert class_index == windows[number][2]
    assert dataset.y.tolist() == [class_index for _, _, class_index in windows]
    assert len(set(dataset.groups.tolist())) == 2  # of the three trials one is bad
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    assert pickle.loads(pickle.dumps(dataset))[0][1] == windows[0][2]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        sums = list(pool.map(window_sum, [(dataset, number) for number in order[:6]]))
    assert sums == [float(windows[number][0].astype(np.float64).sum()) for number in order[:6]]
    dataset.close()


def test_pytorch_loads_it_with_workers_and_shuffled(recorded):
    torch = library("torch")
    dataset = WindowsDataset(recorded.path, "emg", 0.2, 0.1, channels=None)
    loader = torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True, num_workers=2)
    batches = list(loader)
    assert sum(len(y) for _, y in batches) == len(dataset)
    assert tuple(batches[0][0].shape[1:]) == (4, 200)


def test_a_session_shows_itself(recorded):
    session = open_session_store(recorded.path)
    assert repr(session) == (
        f"<session {recorded.path.name} (packed): emg 6000x4, imu 600x3, markers 3x1, vhi_control 360x2; 4 labels>"
    )
    html = session._repr_html_()
    for text in ("emg", "4 × float32", "1000 Hz", "amp-1", "Fist", "<svg", "wrist &lt;4&gt;"):
        assert text in html
    assert html.count("<rect") == 3
    session.close()
    assert "closed" in repr(session)


def test_a_session_shows_how_loud_it_was(tmp_path):
    session = Session(tmp_path, class_names=["Rest"], reserve_bytes=0)
    start = session.started_at
    loud = np.ones((6000, 4), "float32")
    loud[2000:4000] *= 10
    fill(session, "emg", EMG, loud, start + np.arange(6000) / 1000)
    session.add_label(0, start + 1)
    session.request_stop(start + 6)
    with open_session_store(session.pack_to_zip()) as reader:
        html = reader._repr_html_()
    assert "emg: RMS of 4 channels, at most 10 microvolts" in html
    path = re.search(r'<path d="([^"]+)"', html)[1]
    bars = np.array([list(map(float, one)) for one in re.findall(r"M([\d.]+) 36v-([\d.]+)", path)])
    assert set(bars[:, 1].round(1)) <= {3.4, 34.0}
    assert bars[bars[:, 1] > 30, 0].min() == pytest.approx(200, abs=5)
    assert bars[bars[:, 1] > 30, 0].max() == pytest.approx(400, abs=5)


def test_parquet_is_read_back_exactly(session, recorded, tmp_path):
    parquet = library("pyarrow.parquet")
    result = export_session(session, "parquet", tmp_path)
    emg = parquet.read_table(next(path for path in result.paths if path.name.endswith("_emg.parquet")))
    assert emg.column_names == ["time", "raw_time", "class_index", "E1", "E2", "E3", "E4"]
    np.testing.assert_array_equal(np.stack([emg[f"E{k}"].to_numpy() for k in range(1, 5)], 1), recorded.emg)
    np.testing.assert_array_equal(emg["time"].to_numpy(), session.timestamps("emg"))
    assert emg.schema.field("E1").metadata == {b"unit": b"microvolts"}
    assert json.loads(emg.schema.metadata[b"myogestic_tui"])["subject"] == "P07"
    labels = parquet.read_table(result.paths[-1])
    assert labels["class_index"].to_pylist() == [index for _, index in recorded.labels]
    assert labels["bad"].to_pylist() == [False, True, False, False]


@pytest.mark.parametrize("reader", ["pandas", "polars"])
def test_other_libraries_read_the_parquet(reader, session, recorded, tmp_path):
    library("pyarrow")
    (path, _) = export_session(session, "parquet", tmp_path, ["imu"]).paths
    frame = library(reader).read_parquet(path)
    np.testing.assert_array_equal(np.stack([frame[f"ch{k}"].to_numpy() for k in (1, 2, 3)], 1), recorded.imu)


def test_pyedflib_reads_the_bdf(session, recorded, tmp_path):
    pyedflib = library("pyedflib")
    (path,) = export_session(session, "bdf", tmp_path, ["emg"]).paths
    with pyedflib.EdfReader(str(path)) as file:
        step = (file.getPhysicalMaximum(0) - file.getPhysicalMinimum(0)) / 2**24
        np.testing.assert_allclose(file.readSignal(0)[:3000], recorded.emg[:3000, 0], atol=0.51 * step)
        onsets, lengths, texts = file.readAnnotations()
    marks = {text: (onset, length) for onset, length, text in zip(onsets, lengths, texts, strict=True)}
    assert marks["BAD Fist"] == pytest.approx((2.0, 1.6), abs=2e-3)


def test_nwb_is_read_back_equal(session, recorded, tmp_path):
    pynwb = library("pynwb")
    (path,) = export_session(session, "nwb", tmp_path).paths
    zero = session.meta.anchors[0].lsl
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        emg = file.acquisition["emg"]
        np.testing.assert_array_equal(emg.data[:], recorded.emg)
        assert emg.conversion == 1e-6
        np.testing.assert_allclose(emg.timestamps[:], session.timestamps("emg") - zero, atol=1e-9)
        electrodes = file.electrodes.to_dataframe()
        assert electrodes["channel_name"].tolist() == ["E1", "E2", "E3", "E4"]
        assert electrodes["bad"].tolist() == [False, False, True, False]
        assert set(electrodes["location"]) == {"unknown"}
        np.testing.assert_array_equal(file.acquisition["imu"].data[:], recorded.imu)
        assert file.acquisition["imu"].unit == "g"
        assert list(file.events["markers"]["annotation"][:]) == [text for (text,) in recorded.texts]
        trials = file.trials.to_dataframe()
        assert trials["label"].tolist() == ["Rest", "Fist", "Rest"]
        assert trials["bad"].tolist() == [False, True, False]
        np.testing.assert_allclose(trials["start_time"], np.array([at for at, _ in recorded.labels[:3]]) - zero)
        assert (file.subject.subject_id, "re-taped" in file.notes) == ("P07", True)
        assert (file.subject.age, file.subject.sex) == ("P0D/", "U")
        assert (file.session_start_time.timestamp() + START - zero) > 0


def test_nwbinspector_has_nothing_critical_to_say(session, tmp_path):
    nwbinspector = library("nwbinspector")
    (path,) = export_session(session, "nwb", tmp_path).paths
    found = list(nwbinspector.inspect_nwbfile(nwbfile_path=path))
    critical = {nwbinspector.Importance.ERROR, nwbinspector.Importance.CRITICAL}
    assert found
    assert [message for message in found if message.importance in critical] == []
