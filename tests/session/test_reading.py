from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr

from myogestic_tui.errors import SessionClosedError, SessionDamagedError, SessionError, UnknownStreamError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import (
    Session,
    list_sessions,
    open_session_store,
    recover_session,
    session_state,
    unfinished_sessions,
    unpacked_sessions,
    verify_session,
)
from myogestic_tui.session.recording import checkpoint
from myogestic_tui.stream.source import ClockEstimate
from tests.sending import wait_for
from tests.session.folders import cut_off, feed, recorded
from tests.session.known import STREAMS, Known

EMG, IMU, MARKS = STREAMS


def all_files(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            found[str(path)] = (path.stat().st_size, path.stat().st_mtime_ns)
    return found


@pytest.mark.parametrize("times", [250, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_reader_that_opens_the_folder_again_and_again_never_sees_an_unsent_sample(tmp_path: Path, times: int):
    command = [sys.executable, "-m", "tests.session.steady_child", str(tmp_path)]
    seen = [0] * len(STREAMS)
    states = set()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        folder = Path(child.stdout.readline().decode().strip())
        for number in range(times):
            with open_session_store(folder) as reader:
                states.add(reader.state)
                assert reader.findings == []
                for place, stream in enumerate(STREAMS):
                    seen[place] = look_at(reader, stream, seen[place], whole=number % 50 == 0)
        out = child.communicate(timeout=240)[0]
    assert child.returncode == 0
    assert states == {"recording"}
    with open_session_store(folder) as reader:
        counts = [stream.assert_prefix(reader, at_least=n) for stream, n in zip(STREAMS, seen, strict=True)]
    assert counts == json.loads(out)
    assert seen[0] > 2 * times


def look_at(reader, stream: Known, before: int, *, whole: bool) -> int:
    """The newest samples are what was sent, and none is gone."""
    view = reader.stream(stream.name)
    n = view.n_samples
    assert n >= before
    start = 0 if whole else max(0, n - 100)
    np.testing.assert_array_equal(view.data.rows(start, n), stream.data(start, n))
    np.testing.assert_array_equal(view.stamps.rows(start, n), stream.stamps(start, n))
    if whole:
        np.testing.assert_array_equal(reader.stores[stream.name][:], stream.data(0, n))
    return n


def test_opening_writes_nothing(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 1300, 10), (MARKS, 5, 1)])
    session.flush()
    copy = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    for folder in (copy, session.path):
        before = all_files(folder)
        with open_session_store(folder) as reader:
            reader.summary()
            for stores in (reader.stores, reader.ts_stores, reader.clock_stores, reader.overview_stores):
                for name in stores:
                    stores[name][:]
        assert all_files(folder) == before


def test_an_unfinished_folder_opens_as_what_recovery_makes_of_it(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 1310, 10), (IMU, 730, 7), (MARKS, 5, 1)], class_names=["Rest"])
    session.add_label(0, timestamp=4.0)
    session.add_note("n", timestamp=5.0)
    session.add_clock_estimates("emg", [ClockEstimate(1.0, 0.25, 0.001, 0.75)])
    session.save_meta()
    feed(session, EMG, 1310, 1600, 7)
    copy = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    assert session_state(copy) == "unfinished"
    before = contents(copy)
    recover_session(copy)
    assert session_state(copy) == "recovered"
    assert contents(copy) == before
    after = all_files(copy)
    recover_session(copy)
    assert all_files(copy) == after


def contents(path: Path) -> dict:
    with open_session_store(path) as reader:
        found = {"labels": reader.label_track, "notes": reader.notes, "classes": reader.class_names}
        for kind in ("stores", "ts_stores", "clock_stores", "overview_stores"):
            stores = getattr(reader, kind)
            found |= {f"{kind} {name}": stores[name][:].tolist() for name in stores}
        summary = reader.summary().streams
        return found | {f"summary {name}": summary[name] for name in summary}


def test_a_muted_stream_is_like_any_other(tmp_path: Path):
    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", StreamInfo(4, 100.0))
    zeros = np.zeros((100, 4), "float32")
    for second in range(180):
        session.append("emg", zeros, second + np.arange(100) / 100)
    session.finish()
    folder = session.path
    assert len(list((folder / "emg.zarr/c").iterdir())) == 180
    with open_session_store(session.pack_to_zip()) as reader:
        array = reader.stores["emg"]
        assert array.shape == (18000, 4)
        assert not array[:].any()
        assert not reader.overview_stores["emg"][:].any()


@pytest.mark.parametrize("packed", [False, True])
def test_a_deleted_chunk_is_damage_and_never_reads_as_zeros(tmp_path: Path, packed: bool):
    session = recorded(tmp_path, [(EMG, 1600, 100)])
    session.finish()
    (session.path / "emg.zarr/c/1/0").unlink()
    path = session.path
    if packed:
        path = Path(shutil.make_archive(str(tmp_path / "x"), "zip", path)).rename(tmp_path / "x.session.zip")
    with open_session_store(path) as reader:
        with pytest.raises(SessionDamagedError, match=r"emg\.zarr/c/1/0"):
            reader.stores["emg"][:]
        with pytest.raises(SessionDamagedError, match=r"emg\.zarr/c/1/0"):
            reader.stream("emg").data.rows(400, 600)
        np.testing.assert_array_equal(reader.stores["emg"][1000:], EMG.data(1000, 1600))


def test_a_chunk_that_claims_a_hundred_gigabytes_is_refused_unread(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 600, 100)])
    session.finish()
    chunk = session.path / "emg.zarr/c/0/0"
    raw = bytearray(chunk.read_bytes())
    assert raw[4] >> 6 == 1  # two bytes of size, of a frame without a window descriptor
    chunk.write_bytes(raw[:4] + bytes([raw[4] | 0xC0]) + (100 * 2**30).to_bytes(8, "little") + raw[7:])
    what = pytest.raises(SessionDamagedError, match="claims to decode to 107374182400 bytes")
    with open_session_store(session.path) as reader, what:
        reader.stream("emg").data.rows(0, 10)
    (session.path / "emg.zarr/c/1/0").unlink()  # one that is missing keeps zarrs away, which aborts the process
    with open_session_store(session.path) as reader, pytest.raises(SessionDamagedError, match="claims"):
        reader.stores["emg"][:10]


def seed_folder(path: Path, n_data: int, n_stamps: int, *, meta: bool, fs: int = 100, empty: bool = False) -> Path:
    """A session as the desktop recorder writes it: no journal, zarr's own defaults."""
    path.mkdir()
    stream = Known("emg", StreamInfo(3, fs))
    data = zarr.create_array(path / "emg.zarr", shape=(n_data, 3), chunks=(fs, 3), dtype="float32")
    stamps = zarr.create_array(path / "emg_timestamps.zarr", shape=(n_stamps,), chunks=(fs,), dtype="float64")
    data[:] = 0 if empty else stream.data(0, n_data)
    stamps[:] = stream.stamps(0, n_stamps)
    if meta:
        streams = {"emg": {"n_channels": 3, "fs": fs, "dtype": "float32"}}
        about = {"app_name": "desktop", "created": "2026-05-17T14:23:05", "streams": streams, "class_names": ["Rest"]}
        (path / "meta.json").write_text(json.dumps(about))
        (path / "labels.json").write_text(
            '[{"timestamp": 2.0, "class_index": 0}, {"timestamp": 1.0, "class_index": 1}]'
        )
    return path


@pytest.mark.parametrize("meta", [False, True])
def test_a_folder_of_the_desktop_recorder_opens_and_recovers(tmp_path: Path, meta: bool):
    folder = seed_folder(tmp_path / "2026-05-17_14-23-05", 450, 430, meta=meta)
    stream = Known("emg", StreamInfo(3, 100))
    for path in (lambda: folder, lambda: recover_session(folder), lambda: Session(folder).pack_to_zip()):
        with open_session_store(path()) as reader:
            assert stream.assert_prefix(reader) == 430
            np.testing.assert_array_equal(reader.stores["emg"][:], stream.data(0, 430))
            assert reader.stream_info("emg") in (
                StreamInfo(3, 100),
                StreamInfo(3, 100, channel_names=("ch1", "ch2", "ch3")),
            )
            assert [label.timestamp for label in reader.label_track] == [1.0, 2.0] * meta
            assert any("450 samples and 430 time stamps" in finding.text for finding in reader.findings)
    assert stream.info.fs == 100


def test_a_desktop_session_with_absent_chunks_of_zeros_reads(tmp_path: Path):
    folder = seed_folder(tmp_path / "2026-05-17_14-23-05", 450, 450, meta=True, empty=True)
    assert not (folder / "emg.zarr/c").exists()
    for path in (folder, recover_session(folder)):
        with open_session_store(path) as reader:
            assert not reader.stores["emg"][:].any()
            assert reader.stores["emg"].shape == (450, 3)
            assert not reader.stream("emg").data.rows(0, 450).any()


def test_times_are_corrected_by_the_offsets(tmp_path: Path):
    stream = Known("emg", StreamInfo(1, 100.0))
    session = recorded(tmp_path, [(stream, 3000, 30)])
    estimates = [ClockEstimate(at - 990.0, -990.0, 1e-4, at) for at in np.arange(1000.0, 1031.0, 5.0)]
    session.add_clock_estimates("emg", estimates)
    session.finish()
    with open_session_store(session.path) as reader:
        np.testing.assert_allclose(reader.timestamps("emg"), stream.stamps(0, 3000) - 990.0, atol=1e-6)
        np.testing.assert_array_equal(reader.timestamps("emg", clock="raw"), stream.stamps(0, 3000))
        assert np.abs(np.diff(reader.timestamps("emg", dejitter=True)) - 0.01).max() < 1e-6
        np.testing.assert_array_equal(reader.ts_stores["emg"][:], stream.stamps(0, 3000))


def test_the_overview_holds_least_greatest_and_rms_of_each_second(tmp_path: Path):
    info = StreamInfo(3, 50.0, "float32")
    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", info)
    rng = np.random.default_rng(3)
    data = rng.normal(size=(4000, 3)).astype("float32")
    data[100:120, 1], data[200:250, 2] = np.nan, np.nan
    for at in range(0, 4000, 70):
        session.append("emg", data[at : at + 70], np.arange(at, min(at + 70, 4000)) / 50)
    with open_session_store(session.path) as reader:
        live = reader.overview_stores["emg"][:]
    session.finish()
    with open_session_store(session.path) as reader:
        overview = reader.overview_stores["emg"][:]
    seconds = data.reshape(80, 50, 3)
    assert overview.shape == (80, 3, 3)
    np.testing.assert_array_equal(live, overview)
    np.testing.assert_array_equal(overview[4, 2], [np.nan] * 3)
    with np.errstate(invalid="ignore"):
        known = np.delete(overview, 4, axis=0), np.delete(seconds, 4, axis=0)
        np.testing.assert_allclose(known[0][..., 0], np.nanmin(known[1], axis=1))
        np.testing.assert_allclose(known[0][..., 1], np.nanmax(known[1], axis=1))
        np.testing.assert_allclose(known[0][..., 2], np.sqrt(np.nanmean(known[1].astype("f8") ** 2, axis=1)), rtol=1e-5)


def test_an_overview_that_a_flush_published_follows_the_samples_that_came_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", 0.01)
    session = recorded(tmp_path, [(EMG, 700, 100)])
    session.flush()
    feed(session, EMG, 700, 1600, 100)
    published_last = session.path / "emg_timestamps.zarr" / "zarr.json"  # then the folder rests, and can be copied
    wait_for(lambda: json.loads(published_last.read_bytes())["shape"][0] >= 1000, 120.0)
    cut = cut_off(session.path, tmp_path / "cut")
    with open_session_store(cut) as reader:
        cut_overview = reader.overview_stores["emg"][:]
    session.finish()
    with open_session_store(session.path) as reader:
        overview = reader.overview_stores["emg"][:]
    np.testing.assert_array_equal(cut_overview, overview)
    assert verify_session(recover_session(cut)).ok


def test_a_closed_reader_says_so_and_an_unknown_stream_is_named(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 20, 10)])
    session.finish()
    reader = open_session_store(session.path)
    for broken in (lambda: reader.stream_info("eeg"), lambda: reader.stores["eeg"], lambda: reader.timestamps("eeg")):
        with pytest.raises(UnknownStreamError, match="there are: emg"):
            broken()
    reader.close()
    reader.close()
    with pytest.raises(SessionClosedError):
        reader.stream_info("emg")


def test_what_is_no_session_raises_the_packages_errors_only(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.session.zip").write_text("hello")
    for path in (tmp_path / "nothing", tmp_path / "text.session.zip"):
        with pytest.raises(SessionError):
            open_session_store(path)
    with pytest.raises(SessionError):
        recover_session(tmp_path / "empty")
    assert session_state(tmp_path / "text.session.zip") == "damaged"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"streams": 5}', b'{"class_names": [[]]}']
)
def test_broken_metadata_is_found_and_the_samples_still_read(tmp_path: Path, content: bytes):
    session = recorded(tmp_path, [(EMG, 600, 100)])
    copy = cut_off(session.path, tmp_path / "cut off")
    session.finish()
    for folder in (session.path, copy):
        (folder / "meta.json").write_bytes(content)
        (folder / "labels.json").write_bytes(content)
        with open_session_store(folder) as reader:
            assert EMG.assert_prefix(reader) == 600
            assert any(finding.kind == "damage" and finding.member == "meta.json" for finding in reader.findings)
        with open_session_store(recover_session(folder)) as reader:
            assert EMG.assert_prefix(reader) == 600


def test_sessions_are_listed_with_what_they_need(tmp_path: Path):
    sessions = [recorded(tmp_path, [(EMG, 100, 10)]) for _ in range(3)]
    left = cut_off(sessions[0].path, tmp_path / "2020-01-01_00-00-00")
    assert session_state(sessions[0].path) == "recording"
    assert unfinished_sessions(tmp_path) == [left]
    for session in sessions:
        session.finish()
    archive = sessions[2].pack_to_zip()
    (tmp_path / "other").mkdir()
    (tmp_path / "notes.txt").write_text("")
    assert list_sessions(tmp_path) == sorted(
        [left, sessions[0].path, sessions[1].path, archive], key=lambda path: path.name
    )
    assert unpacked_sessions(tmp_path) == sorted(session.path for session in sessions[:2])
    assert session_state(archive) == "packed"
    assert list_sessions(tmp_path / "nowhere") == unfinished_sessions(tmp_path / "nowhere") == []


def test_reading_imports_neither_lsl_nor_screens_nor_plots(tmp_path: Path):
    session = recorded(tmp_path, [(EMG, 100, 10)])
    session.finish()
    code = (
        "import sys; from myogestic_tui.session import open_session_store\n"
        f"with open_session_store({str(session.path)!r}) as reader:\n"
        "    reader.summary(); reader.timestamps('emg'); assert 'zarr' not in sys.modules\n"
        "    reader.stores['emg'][:]\n"
        "print(sorted({'mne_lsl', 'textual', 'plotext', 'mne'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240).stdout
    assert out.strip() == "[]"


def test_zarrs_where_installed_is_the_pipeline_once_the_package_is_imported():
    pytest.importorskip("zarrs")
    for order in ("import zarr, myogestic_tui.session", "import myogestic_tui.session, zarr"):
        code = f"{order}; print(zarr.config.get('codec_pipeline.path'))"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ZARR_")}
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=240, check=True
        )
        assert run.stdout.strip() == "zarrs.ZarrsCodecPipeline"
