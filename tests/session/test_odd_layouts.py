"""An array laid out as nothing that belongs there: every reader says so, and salvage gives back the rest."""

from __future__ import annotations

import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.errors import MyoGesticError
from myogestic_tui.session import (
    list_trash,
    open_session_store,
    recover_session,
    salvage_session,
    verify_session,
)
from myogestic_tui.session.format.zarr_format import ArraySpec, array_json, create_array, encode_chunk, write_chunk
from myogestic_tui.session.library.catalog import read_entry
from myogestic_tui.session.reading.facts import read_facts
from tests.session.folders import recorded
from tests.session.known import STREAMS

EMG, MARKS = STREAMS[0], STREAMS[2]
LAYOUTS = [
    ("float64", ()), ("float64", (2,)), ("float32", (1, 3)), ("string", ()), ("string", (1,)), ("int64", ()),
]  # fmt: skip
ARRAYS = ["emg_timestamps", "emg_clock", "emg_arrival", "emg_overview", "marks", "marks_timestamps"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    session = recorded(tmp_path_factory.mktemp("whole"), [(EMG, 700, 100), (MARKS, 5, 1)])
    session.add_label(0, 1000.5)
    session.finish()
    return session.path


def lay_out(array: Path, dtype: str, row_shape: tuple[int, ...], n: int) -> None:
    spec = ArraySpec(dtype, row_shape, 500)
    shutil.rmtree(array)
    create_array(array.parent, array.name, spec)
    for number in range(spec.n_chunks(n)):
        shape = (min(500, n - 500 * number), *row_shape)
        rows = np.full(shape, "t", object) if dtype == "string" else np.ones(shape, dtype)
        write_chunk(array.parent, array.name, spec, number, encode_chunk(spec, rows))
    (array / "zarr.json").write_bytes(array_json(spec, n))


def look_through(path: Path) -> None:
    with open_session_store(path) as reader:
        read_facts(reader)
        for name in reader.streams:
            reader.measured(name)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_an_array_of_another_layout_costs_nothing_else(whole: Path, tmp_path: Path, name: str, packed: bool):
    for number, (dtype, row_shape) in enumerate(LAYOUTS):
        path = Path(shutil.copytree(whole, tmp_path / str(number) / "session"))
        lay_out(path / f"{name}.zarr", dtype, row_shape, 5 if name.startswith("marks") else 700)
        if packed:
            with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
                for file in sorted(path.rglob("*")):
                    if file.is_file():
                        archive.write(file, file.relative_to(path))
            shutil.rmtree(path)
            path = path.with_suffix(".zip")
        with suppress(MyoGesticError):
            look_through(path)
        read_entry(path)
        outcome = verify_session(path)
        if not packed:
            with suppress(MyoGesticError):
                recover_session(path)
        saved = salvage_session(path)
        assert verify_session(saved).ok, (dtype, row_shape)
        assert saved == path or outcome.ok or list_trash(path.parent), "the original is kept"
        if name.startswith("marks"):
            with open_session_store(saved) as reader:
                assert EMG.assert_prefix(reader) == 700
