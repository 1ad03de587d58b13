"""A session of six streams, opened by the library that owns each format: equal values, times, labels, electrodes."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from myogestic_tui.session import open_session_store
from myogestic_tui.session.export import export_session
from myogestic_tui.session.import_xdf import import_xdf
from tests.export.six_streams import BICEPS, EMG, FLEXORS, NUMERIC, Six, record

REGULAR = [name for name, info in NUMERIC.items() if info.is_regular]


@pytest.fixture(scope="module")
def six(tmp_path_factory) -> Six:
    return record(tmp_path_factory.mktemp("six"))


@pytest.fixture
def session(six):
    with open_session_store(six.path) as reader:
        yield reader


def library(name: str):
    return pytest.importorskip(name, reason=f"{name} is not installed")


def test_the_package_itself(session, six):
    for name, values in six.values.items():
        data, times = session.get_continuous(name)
        np.testing.assert_array_equal(data, values)
        np.testing.assert_allclose(times, six.times[name], atol=1e-9)
    assert session.stream_info("emg").channel_grids == (FLEXORS, BICEPS)


@pytest.mark.filterwarnings("ignore:Object at:zarr.errors.ZarrUserWarning")
def test_zarr_xarray_and_tensorstore(six, session, tmp_path):
    import zarr

    group = zarr.open_group(zarr.storage.ZipStore(six.path, mode="r"), mode="r")
    for name, values in six.values.items():
        np.testing.assert_array_equal(group[f"{name}.zarr"][:], values)
    assert group["markers.zarr"][:].ravel().tolist() == six.texts
    library("xarray")
    dataset = session.to_xarray()
    for name, values in six.values.items():
        np.testing.assert_array_equal(dataset[name].values, values)
    assert dataset["emg"].coords["emg_row"].values.tolist() == [0, 1, 0, 1, 0, -1]
    assert dataset["emg"].coords["emg_column"].values.tolist() == [0, 0, 1, 1, 0, -1]
    assert dataset["emg"].coords["emg_grid"].values.tolist() == ["flexors"] * 4 + ["biceps", ""]
    tensorstore = library("tensorstore")
    import zipfile

    with zipfile.ZipFile(six.path) as archive:
        archive.extractall(tmp_path / "folder")
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(tmp_path / "folder/emg.zarr")}}
    np.testing.assert_array_equal(tensorstore.open(spec).result().read().result(), six.values["emg"])


def test_pyxdf_and_our_own_import(six, session, tmp_path):
    import pyxdf

    (path,) = export_session(session, "xdf", tmp_path / "a.xdf").paths
    streams, _ = pyxdf.load_xdf(path, dejitter_timestamps=False)
    found = {one["info"]["name"][0]: one for one in streams}
    for name, values in six.values.items():
        np.testing.assert_array_equal(found[name]["time_series"], values)
        np.testing.assert_allclose(found[name]["time_stamps"], six.times[name], atol=1e-9)
    assert [row[0] for row in found["markers"]["time_series"]] == six.texts
    with open_session_store(import_xdf(path, tmp_path / "again")) as again:
        assert again.stream_info("emg").channel_grids == (FLEXORS, BICEPS)
        assert again.stream_info("eeg").channel_grids is None
        assert again.meta.fields == {"age": 31, "hand": "left"}


def test_mnelab_opens_xdf_and_bdf(six, session, tmp_path):
    """By its own readers. It refuses whole numbers unless it may resample them, whoever wrote the file."""
    mnelab = library("mnelab.io")
    (path,) = export_session(session, "xdf", tmp_path / "a.xdf").paths
    number = {name: place for place, name in enumerate(session.streams, 1)}
    for name, factor in (("emg", 1e-6), ("eeg", 1e-6), ("joints", 1.0)):
        raw = mnelab.read_raw(path, stream_ids=[number[name]])
        np.testing.assert_allclose(raw.get_data().T, six.values[name].astype(float) * factor, rtol=1e-12)
        assert raw.ch_names == list(NUMERIC[name].names)
        assert raw.info["sfreq"] == pytest.approx(NUMERIC[name].fs)
        assert {"Rest", "Fist", "go"} <= set(raw.annotations.description)
        (go,) = [one["onset"] for one in raw.annotations if one["description"] == "go"]
        assert go == pytest.approx(1.0, abs=1e-6)
    assert mnelab.read_raw(path, stream_ids=[number["imu"]], fs_new=100.0).get_data().shape[0] == 3
    assert raw.info["meas_date"] is not None
    (path,) = export_session(session, "bdf", tmp_path / "a.bdf", ["emg"]).paths
    raw = mnelab.read_raw(path, verbose="error")
    np.testing.assert_allclose(raw.get_data().T * 1e6, six.values["emg"], atol=1e-4)


def test_mne_reads_fif(six, session, tmp_path):
    mne = library("mne")
    done = export_session(session, "fif", tmp_path)
    assert [path.name.rsplit("_", 2)[1] for path in done.paths] == sorted(REGULAR)
    for path in done.paths:
        name = path.name.rsplit("_", 2)[1]
        raw = mne.io.read_raw_fif(path, verbose="error")
        factor = 1e-6 if name in ("emg", "eeg") else 1.0
        np.testing.assert_allclose(raw.get_data().T, six.values[name] * factor, rtol=1e-6, atol=1e-12)
    raw = mne.io.read_raw_fif(next(path for path in done.paths if "_emg_" in path.name), verbose="error")
    assert json.loads(raw.info["description"])["channel_grids"][0] == {"label": "flexors", "cells": [[0, 2], [1, 3]]}
    assert set(raw.annotations.description) >= {"Rest", "BAD Fist", "markers: go"}


@pytest.mark.parametrize("fmt", ["edf", "bdf"])
def test_edfio_pyedflib_and_mne_read_edf_and_bdf(six, session, tmp_path, fmt):
    import edfio

    done = export_session(session, fmt, tmp_path)
    paths = {path.stem.rsplit("_", 1)[1]: path for path in done.paths}
    assert sorted(paths) == sorted(REGULAR)
    for name, path in paths.items():
        file = (edfio.read_edf if fmt == "edf" else edfio.read_bdf)(path)
        for place, signal in enumerate(file.signals):
            values = six.values[name][:, place]
            step = (signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)
            np.testing.assert_allclose(signal.data[: len(values)], values, atol=0.51 * step)
    emg = (edfio.read_edf if fmt == "edf" else edfio.read_bdf)(paths["emg"])
    assert [signal.transducer_type for signal in emg.signals] == [
        "flexors: row 1 column 1, 8 mm",
        "flexors: row 2 column 1, 8 mm",
        "flexors: row 1 column 2, 8 mm",
        "flexors: row 2 column 2, 8 mm",
        "biceps: 20 mm",
        "",
    ]
    pyedflib = library("pyedflib")
    with pyedflib.EdfReader(str(paths["emg"])) as reader:
        assert reader.getTransducer(1) == "flexors: row 2 column 1, 8 mm"
        np.testing.assert_allclose(reader.readSignal(0), emg.signals[0].data, atol=1e-9)


def test_pynwb(six, session, tmp_path):
    pynwb = library("pynwb")
    (path,) = export_session(session, "nwb", tmp_path / "a.nwb").paths
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        for name, values in six.values.items():
            series = file.acquisition[name]
            np.testing.assert_array_equal(np.asarray(series.data).reshape(values.shape), values)
            np.testing.assert_allclose(
                series.timestamps[:] - series.timestamps[0], six.times[name] - six.times[name][0]
            )
        table = file.electrodes.to_dataframe()
        emg = table[table["channel_name"].isin(EMG.names)]
        assert emg["grid_row"].tolist() == [0, 1, 0, 1, -1, -1]
        assert emg["grid_column"].tolist() == [0, 0, 1, 1, -1, -1]
        assert emg["rel_x"].tolist()[:4] == [0.0, 0.0, 8000.0, 8000.0]
        assert emg["rel_x"].isna().tolist() == [False] * 4 + [True] * 2
        assert emg["location"].tolist() == ["left flexor digitorum"] * 4 + ["left biceps brachii", "unknown"]
        assert [group.description for group in emg["group"]] == ["flexors"] * 4 + ["biceps", "emg"]
        assert file.trials.to_dataframe()["label"].tolist() == ["Rest", "Fist", "Rest"]
    inspector = library("nwbinspector")
    found = [
        one for one in inspector.inspect_nwbfile(nwbfile_path=path) if one.importance.name != "BEST_PRACTICE_SUGGESTION"
    ]
    assert not [one.message for one in found if one.importance.name == "CRITICAL"]


def test_csv_and_npz(six, session, tmp_path):
    done = export_session(session, "csv", tmp_path)
    tables = {
        path.stem.rsplit("_", 1)[1]: list(csv.reader(path.read_text("utf-8").splitlines())) for path in done.paths
    }
    for name, values in six.values.items():
        np.testing.assert_array_equal(np.array([row[3:] for row in tables[name][1:]], values.dtype), values)
    assert tables["electrodes"][0] == [
        "stream", "channel", "name", "grid", "row", "column", "x_mm", "y_mm", "muscle", "side", "distance_mm"
    ]  # fmt: skip
    assert tables["electrodes"][3] == [
        "emg",
        "3",
        "E3",
        "flexors",
        "1",
        "2",
        "8.0",
        "0.0",
        "flexor digitorum",
        "left",
        "8.0",
    ]
    assert tables["electrodes"][5] == ["emg", "5", "BB", "biceps", "", "", "", "", "biceps brachii", "left", "20.0"]
    (path,) = export_session(session, "npz", tmp_path / "a.npz").paths
    with np.load(path) as arrays:
        for name, values in six.values.items():
            np.testing.assert_array_equal(arrays[name], values)
        meta = json.loads(str(arrays["meta"]))
        assert meta["streams"]["emg"]["channel_grids"][1] == {"label": "biceps", "cells": [[4]]}


def test_pandas_and_polars_read_parquet(six, session, tmp_path):
    pandas = library("pandas")
    library("pyarrow")
    done = export_session(session, "parquet", tmp_path)
    paths = {path.stem.rsplit("_", 1)[1]: path for path in done.paths}
    for name, values in six.values.items():
        frame = pandas.read_parquet(paths[name])
        np.testing.assert_array_equal(frame.iloc[:, 3:].to_numpy(), values)
        np.testing.assert_array_equal(session.to_pandas(name).iloc[:, 1:].to_numpy(), values)
    assert pandas.read_parquet(paths["electrodes"])["row"].tolist()[:4] == [1, 2, 1, 2]
    assert session.to_pandas("emg").attrs["channel_grids"][0]["cells"] == [[0, 2], [1, 3]]
    polars = library("polars")
    for name, values in six.values.items():
        np.testing.assert_array_equal(polars.read_parquet(paths[name])[:, 3:].to_numpy(), values)
    import pyarrow.parquet

    about = json.loads(pyarrow.parquet.read_schema(paths["emg"]).metadata[b"myogestic_tui"])
    assert about["streams"]["emg"]["channel_grids"][0]["label"] == "flexors"
