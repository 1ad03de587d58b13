"""The arrival record: when samples were read, on the one clock that the recorder vouches for."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.clock import local_clock
from myogestic_tui.session import (
    Session,
    open_session_store,
    pack_session,
    recover_session,
    salvage_session,
    verify_session,
)
from myogestic_tui.session.recording import checkpoint
from tests.archive.sessions import flip, rewrite
from tests.session.folders import cut_off

EMG = StreamInfo(2, 50.0)
MARKERS = StreamInfo(1, 0.0, "string")
START = -50_000.0
"""Before any present: the recorder's clock counts from the boot of the machine."""


def feed(
    session: Session, name: str, chunks: int, size: int = 10, *, first: int = 0, start: float, every: float
) -> None:
    """Chunks that were read one each ``every`` seconds from ``start`` on."""
    for number in range(first, first + chunks):
        rows = np.arange(number * size, (number + 1) * size)
        data = np.array([[f"m{row}"] for row in rows], object) if name == "markers" else np.stack((rows, -rows), 1)
        data = data if name == "markers" else data.astype(np.float32)
        session.append(name, data, rows / 50.0, start + (number + 1) * every)


def arrivals(path: Path, name: str = "emg") -> np.ndarray:
    with open_session_store(path) as reader:
        return reader.arrival_stores[name][:]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session(tmp_path, reserve_bytes=0)
    for name, info in (("emg", EMG), ("markers", MARKERS)):
        session.init_stream(name, info, began=START)
    return session


def test_each_read_that_brought_samples_is_a_row_from_begin_to_end(session):
    feed(session, "emg", 4, start=START, every=0.25)
    feed(session, "markers", 3, 1, start=START, every=7.0)
    session.mark_arrival("emg", START + 2.0)
    session.mark_arrival("markers", START + 22.0)
    session.finish()
    emg = [[0, 0.0], [10, 0.25], [20, 0.5], [30, 0.75], [40, 1.0], [40, 2.0]]
    np.testing.assert_array_equal(arrivals(session.path) - [0, START], emg)
    markers = [[0, 0.0], [1, 7.0], [2, 14.0], [3, 21.0], [3, 22.0]]
    np.testing.assert_array_equal(arrivals(session.path, "markers") - [0, START], markers)


def test_at_most_five_rows_a_second_and_the_last_one_always(session):
    feed(session, "emg", 999, 1, start=START, every=0.01)
    session.finish()
    rows = arrivals(session.path)
    assert len(rows) <= 52
    assert np.diff(rows[:-2, 1]).min() >= 0.2
    assert rows[-2].tolist() == [999, pytest.approx(START + 9.99)]


def test_what_came_just_before_a_silence_is_told_apart_from_what_came_after_it(session):
    rows = np.zeros((10, 2), np.float32)
    for first, at in ((0, 1.0), (10, 1.1), (20, 4.0), (30, 4.05)):
        session.append("emg", rows, np.arange(first, first + 10) / 50.0, START + at)
    session.mark_arrival("emg", START + 5.0)
    session.finish()
    told = [(0, 0.0), (10, 1.0), (20, 1.1), (30, 4.0), (40, 4.05), (40, 5.0)]
    np.testing.assert_allclose(arrivals(session.path), [(n, START + at) for n, at in told])


def test_texts_whose_stamps_are_no_numbers_lie_where_they_came(tmp_path):
    session = Session(tmp_path, started_at=START)
    session.init_stream("markers", MARKERS, began=START)
    came = START + np.array([1.0, 1.1, 4.0, 4.1, 9.0])
    for at in came:
        session.append("markers", np.array([["x"]], object), np.array([np.nan]), at)
    session.mark_arrival("markers", START + 10.0)
    session.request_stop(START + 10.0)
    session.finish()
    with open_session_store(session.path) as reader:
        assert reader.timeline("markers").basis == "count"
        np.testing.assert_allclose(reader.timestamps("markers"), came)


def test_a_script_s_samples_arrive_when_it_appends_them(tmp_path):
    session = Session(tmp_path, reserve_bytes=0)
    before = local_clock()
    session.init_stream("emg", EMG)
    session.append("emg", np.zeros((5, 2), np.float32), np.arange(5.0))
    between = local_clock()
    session.finish()
    rows = arrivals(session.path)
    assert rows[:, 0].tolist() == [0, 5, 5]
    assert before <= rows[0, 1] <= rows[1, 1] <= between <= rows[2, 1] <= local_clock()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, START])
def test_an_arrival_that_cannot_be_is_that_of_the_samples_before(session, odd):
    feed(session, "emg", 2, start=START, every=1.0)
    session.append("emg", np.zeros((5, 2), np.float32), np.arange(5.0), odd)
    session.finish()
    assert arrivals(session.path)[:4].tolist() == [[0, START], [10, START + 1], [20, START + 2], [25, START + 2]]
    assert verify_session(session.path).ok


@pytest.mark.parametrize("flushed", [0, 3, 40])
def test_a_session_that_was_cut_off_has_it_to_the_last_frame(session, tmp_path, flushed):
    whole = tmp_path / "whole"
    for number in range(130):
        feed(session, "emg", 1, 7, first=number, start=START, every=0.09)
        if number == flushed:
            session.flush()
    cut = cut_off(session.path, whole)
    session.finish()
    for path in (cut, recover_session(cut)):
        rows = arrivals(path)
        assert rows[0].tolist() == [0, START]
        assert rows[-1].tolist() == [910, pytest.approx(START + 11.7)]
        assert (np.diff(rows, axis=0) >= 0).all()
        np.testing.assert_allclose(rows[1:, 1] - START, rows[1:, 0] / 7 * 0.09)
        assert 43 <= len(rows) <= 47
    assert verify_session(cut).ok


def test_what_the_journal_drops_stands_in_the_array_before(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.01)
    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", EMG, began=START)
    for number in range(400):
        feed(session, "emg", 1, 50, first=number, start=START, every=0.3)
        if number % 50 == 49:
            session.flush()
    cut = cut_off(session.path, tmp_path / "cut")
    assert not (cut / "journal/emg.00000001.journal").exists(), "the journal dropped nothing"
    session.finish()
    rows = arrivals(recover_session(cut))
    np.testing.assert_allclose(rows, [[0, START], *([50 * n, START + 0.3 * n] for n in range(1, 401))])


def test_a_kill_loses_no_row(tmp_path):
    child = os.fork()
    if child == 0:
        session = Session(tmp_path, reserve_bytes=0)
        session.init_stream("emg", EMG, began=START)
        feed(session, "emg", 30, start=START, every=0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    [folder] = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    rows = arrivals(recover_session(folder))
    np.testing.assert_allclose(rows, [[0, START], *([10 * n, START + 0.3 * n] for n in range(1, 31))])


def test_it_is_packed_and_verified_and_read_from_the_archive(session):
    feed(session, "emg", 600, start=START, every=0.25)
    session.finish()
    before = arrivals(session.path)
    assert len(before) == 602
    archive = session.pack_to_zip()
    np.testing.assert_array_equal(arrivals(archive), before)
    assert verify_session(archive).ok
    assert not verify_session(archive).findings


def archive_with(session: Session, tmp_path: Path, rows: np.ndarray, *, n_rows: int | None = None) -> Path:
    """The archive with other arrival rows, as another program would have written it."""
    from myogestic_tui.session.format.zarr_format import ArraySpec, array_json, encode_chunk

    feed(session, "emg", 4, start=START, every=0.25)
    spec = ArraySpec.arrival()
    chunk = {
        "emg_arrival.zarr/zarr.json": array_json(spec, n_rows or len(rows)),
        "emg_arrival.zarr/c/0/0": encode_chunk(spec, rows),
    }
    return rewrite(session.pack_to_zip(), tmp_path / "other.zip", lambda name, data: chunk.get(name, data))


@pytest.mark.parametrize(
    ("rows", "kind", "words"),
    [
        ([[0, 5.0], [20, 4.0], [40, 6.0]], "damage", "goes back at row 1"),
        ([[0, 5.0], [30, 6.0], [20, 7.0]], "damage", "goes back at row 2"),
        ([[0, 5.0], [30, np.nan], [40, 7.0]], "damage", "goes back at row 1"),
        ([[0, 5.0], [41, 6.0]], "damage", "covers 41 samples, but there are 40"),
        ([[0, 5.0], [30, 6.0]], "observation", "ends at sample 30 of 40"),
    ],
)
def test_verify_tells_what_is_wrong_with_it(session, tmp_path, rows, kind, words):
    outcome = verify_session(archive_with(session, tmp_path, np.array(rows, float)))
    [finding] = [finding for finding in outcome.findings if "arrival" in finding.text]
    assert (finding.kind, finding.stream, finding.member) == (kind, "emg", "emg_arrival.zarr")
    assert words in finding.text
    assert outcome.ok is (kind == "observation")


def test_a_damaged_record_is_reported_and_the_samples_are_salvaged_without_it(session, tmp_path):
    feed(session, "emg", 600, start=START, every=0.25)
    archive = session.pack_to_zip()
    flip(archive, "emg_arrival.zarr/c/1/0")
    outcome = verify_session(archive)
    assert not outcome.ok
    assert any("rows of the arrival record 256–511 are unreadable" in finding.text for finding in outcome.findings)
    saved = salvage_session(archive)
    rows = arrivals(saved)
    assert len(rows) == 602 - 256
    assert rows[-1, 0] == 6000
    assert verify_session(saved).ok


def test_salvage_takes_lost_samples_out_of_the_counts(session):
    feed(session, "emg", 600, start=START, every=0.25)
    archive = session.pack_to_zip()
    flip(archive, "emg.zarr/c/2/0")
    rows = arrivals(salvage_session(archive))
    assert rows[-1, 0] == 5950
    assert (np.diff(rows, axis=0) >= 0).all()
    assert (rows[:, 0] == 100).sum() == 6


def test_sessions_without_it_open_recover_and_verify_as_before(session, tmp_path):
    feed(session, "emg", 4, start=START, every=0.25)
    archive = rewrite(
        session.pack_to_zip(), tmp_path / "old.zip", lambda name, data: None if "_arrival.zarr" in name else data
    )
    with open_session_store(archive) as reader:
        assert list(reader.arrival_stores) == []
        assert reader.stores["emg"].shape == (40, 2)
    assert [finding.text for finding in verify_session(archive).findings if "arrival" in finding.text] == []


def test_a_stream_of_an_older_session_whose_name_it_has_is_a_stream(tmp_path):
    """An older recorder let a second stream be called ``emg_arrival``."""
    session = Session(tmp_path, reserve_bytes=0)
    for name in ("emg", "other"):
        session.init_stream(name, StreamInfo(2, 50.0, "float64"))
        session.append(name, np.full((40, 2), 3.0), np.arange(40) / 50.0)
    session.finish()
    folder = session.path
    for array in ("emg_arrival", "other_arrival"):
        for file in sorted((folder / f"{array}.zarr").rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        (folder / f"{array}.zarr").rmdir()
    for derived in ("", "_timestamps", "_clock", "_overview"):
        (folder / f"other{derived}.zarr").rename(folder / f"emg_arrival{derived}.zarr")
    meta = json.loads((folder / "meta.json").read_text())
    meta["streams"]["emg_arrival"] = meta["streams"].pop("other")
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "zarr.json").unlink()  # which names the arrays; that recorder wrote none
    assert_two_streams(folder)
    assert_two_streams(pack_session(folder))


def assert_two_streams(path: Path) -> None:
    assert verify_session(path).ok
    with open_session_store(path) as reader:
        assert sorted(reader.streams) == ["emg", "emg_arrival"]
        assert reader.stores["emg_arrival"].shape == (40, 2)
        assert list(reader.arrival_stores) == []


def test_it_takes_next_to_no_room(session):
    feed(session, "emg", 3000, start=START, every=0.2)
    with zipfile.ZipFile(session.pack_to_zip()) as archive:
        size = sum(info.compress_size for info in archive.infolist() if "emg_arrival" in info.filename)
    assert size < 16 * 3000
