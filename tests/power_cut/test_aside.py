"""What a recovery replaces or clears away is kept in the trash, whenever the power goes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.session import Session, list_trash, open_session_store, recover_session
from myogestic_tui.session.format.zarr_format import ArraySpec, encode_chunk
from tests.power_cut.disk_log import DiskLog, lay_out, without_syncs
from tests.power_cut.scenarios import EMG
from tests.session.folders import cut_off, feed

STRAY = b"a chunk that nobody published"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording that was cut off, with a stray chunk."""
    session = Session(tmp_path / "other", reserve_bytes=0)
    session.init_stream(EMG.name, EMG.info)
    feed(session, EMG, 0, 50, 5)
    session.flush()
    (tmp_path / "disk" / "sessions").mkdir(parents=True)
    folder = cut_off(session.path, tmp_path / "disk" / "sessions" / session.path.name)
    session.finish()
    shutil.rmtree(tmp_path / "other")
    (folder / "emg.zarr" / "c" / "8").mkdir()
    (folder / "emg.zarr" / "c" / "8" / "0").write_bytes(STRAY)
    return folder


@pytest.fixture
def contradicted(folder: Path) -> Path:
    """One whose arrays claim more than its journal has."""
    for name in ("emg.zarr", "emg_timestamps.zarr"):
        about = json.loads((folder / name / "zarr.json").read_text())
        about["shape"][0] = 58
        (folder / name / "zarr.json").write_text(json.dumps(about))
    (folder / "emg.zarr" / "c" / "2" / "0").write_bytes(claimed())
    return folder


def claimed() -> bytes:
    """A chunk with samples that the journal knows nothing of."""
    return encode_chunk(ArraySpec.data(EMG.info), np.full((20, 2), 7, "int16"))


def contents(root: Path) -> set[bytes]:
    return {path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_chunks_that_are_replaced_and_strays_are_kept(contradicted: Path):
    folder = contradicted
    recover_session(folder)
    with open_session_store(folder) as reader:
        assert EMG.assert_prefix(reader) == 50
    [kept] = [one.path for one in list_trash(folder.parent)]
    assert (kept / "emg.zarr" / "c" / "2" / "0").read_bytes() == claimed()
    assert (kept / "emg.zarr" / "c" / "8" / "0").read_bytes() == STRAY
    assert not (folder / "emg.zarr" / "c" / "8").exists()


def test_what_is_kept_is_on_the_disk_before_it_is_replaced(contradicted: Path, tmp_path: Path):
    assert_kept({claimed(), STRAY}, contradicted, tmp_path)


def test_what_is_moved_away_is_kept_whenever_the_power_goes(folder: Path, tmp_path: Path):
    assert_kept({STRAY}, folder, tmp_path)


def assert_kept(kept: set[bytes], folder: Path, tmp_path: Path) -> None:
    """Whenever the power goes while `folder` is recovered, these contents stand somewhere, and after another try."""
    with pytest.MonkeyPatch.context() as patch:
        log = DiskLog(tmp_path / "disk", patch)
        log.mark(True)
        recover_session(folder)
        log.mark(True)
    with without_syncs():
        for number, (at, state) in enumerate(log.worst()):
            left = lay_out(state, tmp_path / f"left{number}")
            assert kept <= contents(left), log.events[at - 1]
            recover_session(left / "sessions" / folder.name)
            assert kept <= contents(left), log.events[at - 1]
