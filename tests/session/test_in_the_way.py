"""What recovery finds gone is told; what stands in its way is set aside, and never a reason to give nothing back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from myogestic_tui.errors import SessionDamagedError
from myogestic_tui.session import (
    open_session_store,
    pack_session,
    recover_session,
    salvage_session,
    verify_session,
)
from myogestic_tui.session.reading.reader import damage_in
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS

EMG, IMU, _ = STREAMS
N = 1600


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """Three whole chunks and a flush, then 150 samples and a label that the journal alone has."""
    session = recorded(tmp_path / "rec", [(EMG, N, 100), (IMU, 300, 10)])
    session.flush()
    feed(session, EMG, N, N + 150, 50)
    session.add_label(1, 1000.0)
    folder = cut_off(session.path, tmp_path / "s" / "cut")
    session.finish()
    return folder


def test_a_whole_recovery_tells_no_damage(cut: Path):
    assert damage_in(recover_session(cut)) == []
    assert verify_session(cut).ok


@pytest.mark.parametrize("instead", ["nothing", "a file", "a FIFO"])
def test_a_journal_that_is_gone_is_told(cut: Path, instead: str):
    shutil.rmtree(cut / "journal")
    if instead == "a file":
        (cut / "journal").write_bytes(b"x")
    elif instead == "a FIFO":
        os.mkfifo(cut / "journal")
    assert any("journal is missing" in text for text in damage_in(cut))
    assert any("journal is missing" in text for text in damage_in(recover_session(cut)))
    with open_session_store(pack_session(cut)) as reader:
        assert EMG.assert_prefix(reader) == N
        assert any("journal is missing" in one.text and one.kind == "damage" for one in reader.findings)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


CHUNKS: dict[str, Callable[[Path], object]] = {
    "the array is gone": lambda folder: shutil.rmtree(folder / "emg.zarr"),
    "the array is a file": lambda folder: (shutil.rmtree(folder / "emg.zarr"), _empty(folder / "emg.zarr")),
    "its chunks are gone": lambda folder: shutil.rmtree(folder / "emg.zarr/c"),
    "one chunk is gone": lambda folder: shutil.rmtree(folder / "emg.zarr/c/1"),
    "one chunk is a folder": lambda folder: (
        (folder / "emg.zarr/c/1/0").unlink(),
        (folder / "emg.zarr/c/1/0").mkdir(),
    ),
    "one chunk is empty": lambda folder: _empty(folder / "emg.zarr/c/1/0"),
}


@pytest.mark.parametrize("what", CHUNKS)
def test_samples_that_verify_cannot_read_are_told_by_recovery(cut: Path, what: str):
    CHUNKS[what](cut)
    refusal = ""
    try:
        recover_session(cut)
    except SessionDamagedError as error:
        refusal = str(error)
    if refusal:
        assert "salvage" in refusal
    else:
        assert any("cannot be read" in text and "emg" in text for text in damage_in(cut))
        assert not verify_session(cut).ok
    saved = salvage_session(cut)
    assert verify_session(saved).ok
    with open_session_store(saved) as reader:
        IMU.assert_prefix(reader, at_least=300)
        assert reader.n_samples("emg") >= 150


@pytest.mark.parametrize("place", ["emg_overview.zarr", "emg_overview.zarr/c", "emg_overview.zarr/c/0/0/0"])
def test_an_overview_is_made_again(cut: Path, place: str):
    target = cut / place
    is_file = target.is_file()
    target.rename(cut.parent / "was")
    target.mkdir() if is_file else _empty(target)
    archive = pack_session(recover_session(cut))
    assert verify_session(archive).ok
    with open_session_store(archive) as reader:
        assert damage_in(archive) == []
        assert EMG.assert_prefix(reader) == N + 150
        assert reader.overview_stores["emg"].shape[0] == 4


@pytest.mark.parametrize("name", ["2026-05-17_14-23-05", "2026-05-17_14-23-05_2", "2026-05-17_14-23-05_12"])
def test_a_session_without_metadata_was_made_when_its_name_says(cut: Path, name: str):
    (cut / "meta.json").unlink()
    for segment in (cut / "journal").glob("@*"):
        segment.unlink()
    folder = recover_session(cut.rename(cut.with_name(name)))
    with open_session_store(folder) as reader:
        assert reader.meta.created.startswith("2026-05-17T14:23:05")


def test_a_name_that_is_no_text_is_set_aside(cut: Path):
    for place in ("emg_overview.zarr", "."):
        Path(os.fsdecode(os.fsencode(cut / place) + b"/caf\xe9")).write_bytes(b"x")
    with open_session_store(pack_session(recover_session(cut))) as reader:
        assert EMG.assert_prefix(reader) == N + 150
        assert sum("no text" in finding.text for finding in reader.findings) == 2


def test_a_terabyte_of_zeros_for_a_zarr_json_is_not_read(cut: Path):
    for name in ("imu_clock.zarr", "emg_overview.zarr", "emg.zarr"):
        with open(cut / name / "zarr.json", "wb") as file:
            file.truncate(1 << 40)
    with open_session_store(recover_session(cut)) as reader:
        assert EMG.assert_prefix(reader) == N + 150


@pytest.mark.parametrize("place", ["emg.zarr", "emg_timestamps.zarr/c", "journal", "meta.json"])
def test_a_link_to_a_part_of_the_session_is_left_to_a_person(cut: Path, place: str):
    elsewhere = cut.parent / "elsewhere"
    (cut / place).rename(elsewhere)
    (cut / place).symlink_to(elsewhere)
    with pytest.raises(SessionDamagedError, match=r"is a link to .* put that itself in its place"):
        recover_session(cut)
    (cut / place).unlink()
    elsewhere.rename(cut / place)
    archive = pack_session(recover_session(cut))
    with open_session_store(archive) as reader:
        assert EMG.assert_prefix(reader) == N + 150
