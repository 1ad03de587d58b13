"""An archive, and a folder, open in what people have already: zarr's groups, xarray, tensorstore."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
import zarr

from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.session.packing.pack import pack_session

pytestmark = pytest.mark.filterwarnings("ignore:Object at:zarr.errors.ZarrUserWarning")
"""zarr says of ``meta.json`` and the other files of a session that they are no arrays."""

NAMES = {
    "emg.zarr": ("emg_sample", "emg_channel"),
    "emg_timestamps.zarr": ("emg_sample",),
    "emg_overview.zarr": ("emg_second", "emg_channel", "overview_column"),
    "emg_clock.zarr": ("emg_estimate", "clock_column"),
    "markers.zarr": ("markers_sample", "markers_channel"),
}


@pytest.fixture
def places(recorded, tmp_path):
    """The session as an archive and as a folder."""
    folder = tmp_path / "2026-01-02_03-04-05"
    with zipfile.ZipFile(recorded.path) as archive:
        archive.extractall(folder)
    (folder / "manifest.json").unlink()
    return {"archive": recorded.path, "folder": folder}


def store_of(path):
    return zarr.storage.ZipStore(path, mode="r") if path.is_file() else zarr.storage.LocalStore(path, read_only=True)


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_zarr_opens_a_group_of_named_arrays(places, recorded, kind):
    group = zarr.open_group(store_of(places[kind]), mode="r")
    for name, dimensions in NAMES.items():
        assert group[name].metadata.dimension_names == dimensions
    np.testing.assert_array_equal(group["emg.zarr"][:], recorded.emg)
    assert group["markers.zarr"][:].tolist() == recorded.texts.tolist()
    assert {"emg.zarr", "imu_timestamps.zarr"} <= set(group.array_keys())


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_xarray_opens_a_dataset_whose_dimensions_have_names(places, recorded, kind):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    with xarray.open_zarr(store_of(places[kind]), consolidated=False, chunks=None) as dataset:
        assert dataset["emg.zarr"].dims == ("emg_sample", "emg_channel")
        assert dict(dataset.sizes)["emg_sample"] == 6000
        np.testing.assert_array_equal(dataset["imu.zarr"].values, recorded.imu)
        np.testing.assert_array_equal(dataset["emg_timestamps.zarr"].values, recorded.times + 3.0)


def test_tensorstore_reads_the_same_numbers(places, recorded):
    tensorstore = pytest.importorskip("tensorstore", reason="tensorstore is not installed")
    path = places["folder"] / "emg.zarr"
    array = tensorstore.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": str(path)}}).result()
    np.testing.assert_array_equal(array.read().result(), recorded.emg)
    assert array.domain.labels == ("emg_sample", "emg_channel")


@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_a_session_without_group_and_names_opens_and_verifies_as_before(places, recorded, kind, tmp_path):
    """As every earlier version wrote it."""
    folder = tmp_path / "old" / "2020-01-02_03-04-05"
    shutil.copytree(places["folder"], folder)
    (folder / "zarr.json").unlink()
    for file in folder.glob("*/zarr.json"):
        document = json.loads(file.read_text())
        del document["dimension_names"]
        file.write_text(json.dumps(document, indent=2))
    path = pack_session(folder) if kind == "archive" else folder
    assert verify_session(path).ok
    with open_session_store(path) as session:
        np.testing.assert_array_equal(session.get_continuous("emg")[0], recorded.emg)
