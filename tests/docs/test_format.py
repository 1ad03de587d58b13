"""The page on the file format is enough to write a reader: its own reads sessions without Zarr and this package."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.session import Session

PAGE = Path(__file__).parents[2] / "docs" / "file-format.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
N_SAMPLES, FS = 730, 100.0


@pytest.fixture
def reader() -> dict[str, Any]:
    """The functions that the page defines."""
    names: dict[str, Any] = {}
    for block in BLOCK.findall(PAGE.read_text("utf-8")):
        if "\ndef " in block:
            exec(block.split("\nwith ")[0], names)
    return names


@pytest.mark.parametrize("dtype", ["int16", "float64"])
def test_the_page_s_reader_reads_an_archive_and_the_journal_of_a_session_that_is_recorded(dtype, reader, tmp_path):
    data = np.random.default_rng(3).normal(scale=1000, size=(N_SAMPLES, 3)).astype(dtype)
    stamps = 50.0 + np.arange(N_SAMPLES) / FS
    session = Session(tmp_path)
    session.init_stream("emg", StreamInfo(3, FS, dtype))
    for start in range(0, N_SAMPLES, 35):
        session.append("emg", data[start : start + 35], stamps[start : start + 35])
    written = sorted((Path(session.path) / "journal").glob("emg.*.journal"))
    frames = [frame for path in written for frame in reader["read_frames"](path.read_bytes(), 3, dtype)]
    torn = list(reader["read_frames"](written[-1].read_bytes()[:-1], 3, dtype))
    for index, times, samples in frames:
        np.testing.assert_array_equal(samples, data[index : index + len(samples)])
        np.testing.assert_array_equal(times, stamps[index : index + len(times)])
    assert frames[-1][0] + len(frames[-1][1]) == N_SAMPLES
    assert torn[-1][0] < frames[-1][0]
    with zipfile.ZipFile(os.fspath(session.pack_to_zip())) as archive:
        np.testing.assert_array_equal(reader["read_array"](archive, "emg.zarr"), data)
        np.testing.assert_array_equal(reader["read_array"](archive, "emg_timestamps.zarr"), stamps)
        assert reader["read_array"](archive, "emg_overview.zarr").shape[1:] == (3, 3)
