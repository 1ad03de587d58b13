"""An archive, and a folder, open in what people have already: zarr's groups, xarray, tensorstore."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
import zarr

from myogestic_tui.session import open_session_store, verify_session
from myogestic_tui.session.format.consolidated import consolidate
from myogestic_tui.session.format.zarr_format import group_json
from myogestic_tui.session.packing.pack import pack_session

looks_round = pytest.mark.filterwarnings("ignore:Object at:zarr.errors.ZarrUserWarning")
"""Where zarr has to look for arrays, it says of ``meta.json`` and the other files of a session that they are none."""

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
    (folder / "zarr.json").write_bytes(group_json())
    return {"archive": recorded.path, "folder": folder}


def store_of(path):
    return zarr.storage.ZipStore(path, mode="r") if path.is_file() else zarr.storage.LocalStore(path, read_only=True)


@looks_round
@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_zarr_opens_a_group_of_named_arrays(places, recorded, kind):
    group = zarr.open_group(store_of(places[kind]), mode="r")
    for name, dimensions in NAMES.items():
        assert group[name].metadata.dimension_names == dimensions
    np.testing.assert_array_equal(group["emg.zarr"][:], recorded.emg)
    assert group["markers.zarr"][:].tolist() == recorded.texts.tolist()
    assert {"emg.zarr", "imu_timestamps.zarr"} <= set(group.array_keys())


@looks_round
@pytest.mark.parametrize("kind", ["archive", "folder"])
def test_xarray_opens_a_dataset_whose_dimensions_have_names(places, recorded, kind):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    with xarray.open_zarr(store_of(places[kind]), consolidated=False, chunks=None) as dataset:
        assert dataset["emg.zarr"].dims == ("emg_sample", "emg_channel")
        assert dict(dataset.sizes)["emg_sample"] == 6000
        np.testing.assert_array_equal(dataset["imu.zarr"].values, recorded.imu)
        np.testing.assert_array_equal(dataset["emg_timestamps.zarr"].values, recorded.times + 3.0)


def test_an_archive_opens_without_a_warning_by_one_read(places, recorded):
    """What anybody would write; warnings are errors here."""
    archive = store_of(places["archive"])
    for group in (
        zarr.open(archive, mode="r"),
        zarr.open_group(archive, mode="r"),
        zarr.open_consolidated(archive, mode="r"),
    ):
        assert {name.removesuffix(".zarr") for name in group.array_keys()} >= {"emg", "imu", "markers", "vhi_control"}
        np.testing.assert_array_equal(group["emg.zarr"][:], recorded.emg)
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    with xarray.open_zarr(store_of(places["archive"]), chunks=None) as dataset:
        np.testing.assert_array_equal(dataset["imu.zarr"].values, recorded.imu)


def test_copies_of_metadata_that_are_not_the_arrays_own_are_damage(places, tmp_path):
    """zarr goes by the copies: it would show zeros that nobody recorded."""
    folder = places["folder"]
    consolidate(folder)
    assert verify_session(folder).ok
    group = json.loads((folder / "zarr.json").read_text())
    group["consolidated_metadata"]["metadata"]["emg.zarr"]["shape"][0] += 1000
    (folder / "zarr.json").write_text(json.dumps(group))
    found = [one.text for one in verify_session(folder).findings if one.kind == "damage"]
    assert found == ["zarr.json has another copy of the metadata of emg.zarr: zarr and xarray would read it otherwise"]
    consolidate(folder)
    assert verify_session(folder).ok


@pytest.mark.parametrize(
    "told", [b"{", b"[]", b'{"consolidated_metadata": 3}', b'{"consolidated_metadata": {"metadata": []}}']
)
def test_a_root_that_is_none_is_no_reason_to_lose_the_session(places, told):
    (places["folder"] / "zarr.json").write_bytes(told)
    verify_session(places["folder"])
    with open_session_store(places["folder"]) as session:
        assert session.n_samples("emg") == 6000


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
