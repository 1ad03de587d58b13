"""Verifying says what is wrong in samples and seconds, and tells damage from what real devices do."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.clock import local_clock
from myogestic_tui.errors import SessionDamagedError, SessionError
from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session, open_session_store, pack_session, verify_session
from myogestic_tui.session.archive.archive import Archive
from myogestic_tui.session.archive.tree import FolderTree
from myogestic_tui.session.checking.arrival_check import ArrivalCheck
from myogestic_tui.session.checking.zip_check import SealCheck
from myogestic_tui.session.format.zarr_format import ArraySpec, array_json, create_array, encode_chunk, write_chunk
from myogestic_tui.stream.source import ClockEstimate
from tests.archive.sessions import EMG, START, cut_off_folder, finished_folder, flip, rewrite, samples_of, stamps_of


def texts(path: Path, level: str = "full") -> list[str]:
    return [finding.text for finding in verify_session(path, level).findings]


def recorded(base: Path, data: np.ndarray, stamps: np.ndarray, info: StreamInfo = EMG, labels=()) -> Path:
    session = Session(base, class_names=["Rest", "Fist"], reserve_bytes=0)
    session.init_stream("emg", info)
    session.append("emg", data, stamps)
    for timestamp, index in labels:
        session.add_label(index, timestamp)
    session.finish()
    return session.path


def began_at(path: Path, first: float) -> None:
    """Put the anchors of a finished session around stamps from `first` on, whatever this machine's uptime is."""
    meta = json.loads((path / "meta.json").read_text())
    for anchor, at in zip(meta["anchors"], (first - 1.0, first + 3600.0), strict=True):
        anchor["lsl"] = at
        anchor["utc"] = (datetime(2026, 5, 17, tzinfo=UTC) + timedelta(seconds=at)).isoformat()
    (path / "meta.json").write_text(json.dumps(meta))


@pytest.mark.parametrize("level", ["quick", "full"])
def test_whole_sessions_have_no_findings(folder, archive, level):
    for path in (folder, archive):
        outcome = verify_session(path, level)
        assert (outcome.level, outcome.ok, outcome.findings) == (level, True, [])


def test_the_hash_is_that_of_the_file(archive):
    from hashlib import sha256

    assert verify_session(archive).sha256 == sha256(archive.read_bytes()).hexdigest()


def test_progress_goes_from_nothing_to_all(archive):
    told = []
    verify_session(archive, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    with zipfile.ZipFile(archive) as plain:
        members = [info.file_size for info in plain.infolist()]
    assert told[0] == (members[0], sum(members))
    assert told[-1] == (sum(members), sum(members))


def test_a_damaged_chunk_is_named_with_its_samples_and_seconds(archive):
    flip(archive, "emg.zarr/c/3/0")
    outcome = verify_session(archive)
    [finding] = outcome.findings
    assert not outcome.ok
    assert finding.text == (
        "emg: samples 150–199 (3.0–4.0 s) are unreadable: checksum of member 'emg.zarr/c/3/0' differs"
    )
    assert (finding.kind, finding.stream, finding.member) == ("damage", "emg", "emg.zarr/c/3/0")
    assert (finding.first_sample, finding.stop_sample) == (150, 200)
    assert (finding.first_time, finding.stop_time) == pytest.approx((3.0, 4.0))


def test_damaged_time_stamps_are_told_from_damaged_samples(archive):
    flip(archive, "emg_timestamps.zarr/c/9")
    [text] = texts(archive)
    assert text.startswith("emg: time stamps of samples 450–479 (9.0–9.6 s) are unreadable")


def test_what_cannot_be_read_is_no_gap(archive):
    flip(archive, "emg_timestamps.zarr/c/4")
    [text] = texts(archive)
    assert text.startswith("emg: time stamps of samples 200–249")


def test_neighbouring_damage_is_one_finding(archive):
    flip(archive, "emg.zarr/c/3/0")
    flip(archive, "emg.zarr/c/4/0")
    [text] = texts(archive)
    assert text.startswith("emg: samples 150–249 (3.0–5.0 s) are unreadable")


def test_the_overview_is_not_the_signal(archive):
    flip(archive, "emg_overview.zarr/c/0/0/0")
    [text] = texts(archive)
    assert text.startswith("emg: the overview (not the signal) of samples 0–479")


def rewrite_overview(folder: Path, rows: np.ndarray) -> None:
    """Store other rows as the overview of ``emg``, in a chunk that is whole."""
    spec = ArraySpec.overview(EMG)
    write_chunk(folder, "emg_overview.zarr", spec, 0, encode_chunk(spec, rows))
    (folder / "emg_overview.zarr" / "zarr.json").write_bytes(array_json(spec, len(rows)))


def test_an_overview_that_is_not_of_these_samples_is_told(folder):
    with open_session_store(folder) as session:
        rows = session.stream("emg").overview.rows(0, 10).copy()
    rewrite_overview(folder, rows)
    assert texts(folder) == []
    for wrong, expected in ((3, "150–199 (3.0–4.0 s)"), (9, "450–479 (9.0–9.6 s)")):
        for place in np.ndindex(4, 3):
            changed = rows.copy()
            changed[wrong][place] *= np.float32(1.001)
            rewrite_overview(folder, changed)
            assert texts(folder) == [f"emg: the overview (not the signal) of samples {expected} is not what they are"]
    rewrite_overview(folder, np.zeros_like(rows))
    [text] = texts(pack_session(folder))
    assert text == "emg: the overview (not the signal) of samples 0–479 (0.0–9.6 s) is not what they are"


@pytest.mark.parametrize("level", ["quick", "full"])
def test_an_overview_that_ends_too_early_is_told_and_shows_all_the_same(folder, level):
    with open_session_store(folder) as session:
        rows = session.stream("emg").overview.rows(0, 10).copy()
    for n in (0, 4):
        rewrite_overview(folder, rows[:n]) if n else (folder / "emg_overview.zarr" / "zarr.json").write_bytes(
            array_json(ArraySpec.overview(EMG), 0)
        )
        outcome = verify_session(folder, level)
        assert outcome.ok
        assert [finding.text for finding in outcome.findings] == [
            f"emg: the overview (not the signal) has {n} rows, where the samples need 10"
        ]
        with open_session_store(folder) as session:
            np.testing.assert_array_equal(session.stream("emg").overview.rows(0, 10), rows)


@pytest.mark.parametrize("level", ["quick", "full"])
def test_a_deleted_chunk_is_damage_in_a_folder(folder, level):
    (folder / "emg.zarr/c/4/0").unlink()
    assert texts(folder, level) == ["emg: samples 200–249 (4.0–5.0 s) are unreadable: member emg.zarr/c/4/0 is missing"]


@pytest.mark.parametrize("level", ["quick", "full"])
def test_what_lies_between_two_chunks_that_are_gone_is_not_called_unreadable(folder, level):
    for number in (2, 3, 6):
        (folder / f"emg.zarr/c/{number}/0").unlink()
    found = [(one.first_sample, one.stop_sample) for one in verify_session(folder, level).findings]
    assert found == [(100, 200), (300, 350)]


def test_a_chunk_that_is_gone_and_one_that_is_damaged_are_two(folder):
    (folder / "emg.zarr/c/2/0").unlink()
    (folder / "emg.zarr/c/3/0").write_bytes(b"no chunk")
    found = [(one.first_sample, one.stop_sample, "is missing" in one.text) for one in verify_session(folder).findings]
    assert found == [(100, 150, True), (150, 200, False)]


def test_a_damaged_chunk_of_another_recorder_is_damage(archive, tmp_path):
    def edit(name: str, data: bytes) -> bytes | None:
        if name == "meta.json":
            meta = json.loads(data)
            del meta["schema_version"]
            return json.dumps(meta).encode()
        return None if name == "emg.zarr/c/2/0" else b"no chunk" if name == "emg.zarr/c/5/0" else data

    found = verify_session(rewrite(archive, tmp_path / "plain.zip", edit)).findings
    kinds = {one.member: one.kind for one in found if one.member.startswith("emg.zarr/c")}
    assert kinds == {"emg.zarr/c/2/0": "observation", "emg.zarr/c/5/0": "damage"}


@pytest.mark.parametrize("level", ["quick", "full"])
def test_a_deleted_chunk_is_damage_in_an_archive(archive, tmp_path, level):
    path = rewrite(archive, tmp_path / "deleted.zip", lambda n, d: None if n == "emg.zarr/c/4/0" else d)
    outcome = verify_session(path, level)
    assert not outcome.ok
    assert "emg: samples 200–249 (4.0–5.0 s)" in outcome.findings[0].text


def test_an_absent_chunk_of_another_recorder_is_ambiguous(archive, tmp_path):
    def foreign(name: str, data: bytes) -> bytes | None:
        if name == "emg.zarr/c/4/0":
            return None
        if name != "meta.json":
            return data
        meta = json.loads(data)
        return json.dumps({key: meta[key] for key in ("app_name", "created", "streams", "class_names")}).encode()

    outcome = verify_session(rewrite(archive, tmp_path / "foreign.zip", foreign))
    assert outcome.ok
    assert any("all zeros or lost" in finding.text for finding in outcome.findings)


def test_a_muted_stream_is_like_any_other(tmp_path):
    muted = recorded(tmp_path, np.zeros((6000, 4), np.float32), stamps_of(EMG, 6000))
    assert texts(pack_session(muted)) == []


def test_what_real_devices_do_is_observed(tmp_path):
    data, stamps = samples_of(EMG, 600).copy(), stamps_of(EMG, 600)
    data[77, 1], data[78, 2] = np.nan, np.inf
    stamps[300:] += 1.0
    outcome = verify_session(recorded(tmp_path, data, stamps))
    assert outcome.ok
    assert sorted(finding.text for finding in outcome.findings) == [
        "emg: 1 gap, 50 samples lost (7.7 %)",
        "emg: samples with NaN: 1, the first is sample 77",
        "emg: samples with infinite values: 1, the first is sample 78",
    ]


def test_a_channel_of_no_numbers_does_not_make_the_overview_wrong(tmp_path):
    data = samples_of(EMG, 600).copy()
    data[100:250, 2] = np.nan
    assert texts(recorded(tmp_path, data, stamps_of(EMG, 600))) == [
        "emg: samples with NaN: 150, the first is sample 100"
    ]


@pytest.mark.parametrize("level", ["quick", "full"])
def test_gaps_are_reported_whether_or_not_the_stamps_are_read(tmp_path, level):
    stamps = stamps_of(EMG, 600)
    stamps[300:] += 1.0
    assert texts(recorded(tmp_path, samples_of(EMG, 600), stamps), level) == ["emg: 1 gap, 50 samples lost (7.7 %)"]


@pytest.mark.parametrize(
    ("spec", "rows"),
    [
        (ArraySpec("string", (), 50), np.array(["now"] * 50, object)),
        (ArraySpec("int64", (), 50), np.arange(50)),
        (ArraySpec("float64", (2,), 50), np.zeros((50, 2))),
    ],
)
def test_time_stamps_that_are_none_are_told(folder, spec, rows):
    shutil.rmtree(folder / "emg_timestamps.zarr")
    create_array(folder, "emg_timestamps.zarr", spec)
    for number in range(10):
        write_chunk(folder, "emg_timestamps.zarr", spec, number, encode_chunk(spec, rows))
    (folder / "emg_timestamps.zarr/zarr.json").write_bytes(array_json(spec, 480))
    outcome = verify_session(folder)
    assert not outcome.ok
    assert any("not float64 numbers" in finding.text for finding in outcome.findings)


def test_metadata_that_are_gone_are_damage_where_a_manifest_lists_them(archive, tmp_path):
    zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "meta.json").unlink()
    outcome = verify_session(tmp_path / "unpacked")
    assert not outcome.ok
    assert "meta.json is missing: what was recorded of whom is lost" in [one.text for one in outcome.findings]
    (tmp_path / "unpacked" / "manifest.json").unlink()
    told = [one for one in verify_session(tmp_path / "unpacked").findings if one.member == "meta.json"]
    assert [one.kind for one in told] == ["observation"]


def test_the_first_of_several_is_the_one_that_is_named(tmp_path):
    data = samples_of(EMG, 600).copy()
    data[[77, 78, 400], 1] = np.nan
    assert texts(recorded(tmp_path, data, stamps_of(EMG, 600))) == ["emg: samples with NaN: 3, the first is sample 77"]


def test_an_overview_that_is_behind_while_a_session_is_recorded_is_no_finding(tmp_path):
    session = Session(tmp_path, reserve_bytes=0)
    session.init_stream("emg", EMG)
    session.append("emg", samples_of(EMG, 120), stamps_of(EMG, 120))
    session.flush()
    rewrite_overview(session.path, np.zeros((1, 4, 3), np.float32))
    found = [finding.text for finding in verify_session(session.path, "quick").findings]
    assert not [text for text in found if "overview" in text]
    session.finish()


def test_stamps_that_repeat_or_come_out_of_order_are_no_finding_but_no_numbers_are(tmp_path):
    stamps = stamps_of(EMG, 600)
    stamps[101] = stamps[100]
    stamps[[151, 153]] -= 0.025
    stamps[200] = np.nan
    outcome = verify_session(recorded(tmp_path, samples_of(EMG, 600), stamps))
    assert outcome.ok
    assert sorted(finding.text for finding in outcome.findings) == [
        "emg: 1 of 600 time stamps is no number",
    ]


def test_labels_ought_to_be_of_a_class_with_a_name_and_within_the_recording(tmp_path, folder):
    path = recorded(tmp_path / "a", samples_of(EMG, 100), stamps_of(EMG, 100), labels=[(START, 1), (START - 50.0, -1)])
    began_at(path, START)
    outcome = verify_session(path)
    assert outcome.ok
    told = [finding.text for finding in outcome.findings if finding.member == "labels.json"]
    assert told == ["labels outside the recording: 1, the first at 950.000 s"]
    (folder / "labels.json").write_text(json.dumps([{"timestamp": START, "class_index": 7}]))
    outcome = verify_session(folder)
    assert outcome.ok, "nothing recorded is lost"
    assert "is of class 7, which has no name here" in outcome.findings[0].text


def test_labels_without_class_names_are_fine(tmp_path):
    session = Session(tmp_path, reserve_bytes=0)
    session.add_label(7, START)
    session.finish()
    assert verify_session(session.path).ok


def test_a_label_of_a_class_below_none_is_told(folder):
    path = folder / "labels.json"
    path.write_bytes(path.read_bytes().replace(b'"class_index":1', b'"class_index":-2'))
    assert ["is of class -2, which has no name here" in text for text in texts(folder)] == [True]


@pytest.mark.parametrize("step", [100, 256, 1000])
def test_the_row_is_named_at_which_an_arrival_record_goes_back(step):
    rows = np.arange(2000.0).reshape(1000, 2)
    for turned in (1, 255, 256, 257, 999):
        wrong = rows.copy()
        wrong[turned] = wrong[turned - 1] - 0.5
        if turned < 900:
            wrong[900] = 0.0
        check = ArrivalCheck()
        for first in range(0, 1000, step):
            check.feed(first, wrong[first : first + step])
        [finding] = check.findings("emg", "emg_arrival.zarr", 2000, finished=True)
        assert f"goes back at row {turned}:" in finding.text


def test_an_overview_of_another_recorder_is_not_held_to_ours(folder):
    """Nobody but us says what it is to hold."""
    rewrite_overview(folder, np.zeros((10, 4, 3), np.float32))
    assert len(texts(folder)) == 1
    meta = json.loads((folder / "meta.json").read_bytes())
    del meta["schema_version"]
    (folder / "meta.json").write_text(json.dumps(meta))
    assert not [text for text in texts(folder) if "overview" in text]


def test_a_file_is_read_up_to_the_limit_and_not_beyond(folder):
    tree = FolderTree(folder)
    size = tree.size("meta.json")
    assert len(tree.read("meta.json", limit=size)) == size
    with pytest.raises(SessionDamagedError, match=f"has {size} bytes; more than {size - 1} are not read"):
        tree.read("meta.json", limit=size - 1)


def test_an_overview_of_texts_is_none_of_ours(folder):
    spec = ArraySpec("float32", (1, 3), 64)
    create_array(folder, "markers_overview.zarr", spec)
    write_chunk(folder, "markers_overview.zarr", spec, 0, encode_chunk(spec, np.zeros((1, 1, 3), np.float32)))
    (folder / "markers_overview.zarr/zarr.json").write_bytes(array_json(spec, 1))
    assert verify_session(folder).ok


def test_an_archive_that_shrinks_while_it_is_read_is_damaged(archive):
    with Archive(archive) as opened:
        os.truncate(archive, archive.stat().st_size // 2)
        files = list(SealCheck(opened).members())
    assert [file for file in files if file.problem]
    assert "the end record of the archive is damaged" in [finding.text for finding in files[-1].findings]


def test_whoever_stops_verifying_leaves_no_thread(archive):
    helpers: list[threading.Thread] = []

    def stop(done: int, total: int) -> None:
        helpers.extend(one for one in threading.enumerate() if one.name.startswith("read_"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify_session(archive, progress=stop)
    assert helpers
    assert not [one for one in helpers if one.is_alive()]


def test_clock_offsets_are_evidence_as_they_are_when_it_was_recorded(tmp_path):
    """Of a source on another host, whose clock was compared: without the offsets nothing tells where its times are."""
    session = Session(tmp_path, reserve_bytes=0)
    at = local_clock()
    session.init_stream("emg", dataclasses.replace(EMG, hostname="elsewhere"))
    offset = -5e6
    stamps = at - offset + np.arange(1000) / 50.0
    session.add_clock_estimates("emg", [ClockEstimate(at + i, offset, 1e-5, at + i - offset) for i in range(0, 20, 5)])
    session.append("emg", samples_of(EMG, 1000), stamps)
    session.finish()
    assert texts(session.path) == []


def test_counts_that_contradict_each_other_are_damage(folder):
    meta = json.loads((folder / "meta.json").read_text())
    meta["streams"]["emg"]["n_samples"] = 481
    (folder / "meta.json").write_text(json.dumps(meta))
    assert texts(folder, "quick") == ["emg: 480 samples, where meta.json says 481"]
    array = json.loads((folder / "emg_timestamps.zarr/zarr.json").read_text())
    array["shape"] = [479]
    (folder / "emg_timestamps.zarr/zarr.json").write_text(json.dumps(array))
    assert "emg: 480 samples, but 479 time stamps" in texts(folder, "quick")


def test_an_unfinished_session_is_not_whole(tmp_path):
    outcome = verify_session(cut_off_folder(tmp_path))
    assert not outcome.ok
    assert any("recover it" in finding.text for finding in outcome.findings)


def test_an_unpacked_archive_is_still_held_to_its_manifest(archive, tmp_path):
    folder = tmp_path / "unpacked"
    zipfile.ZipFile(archive).extractall(folder)
    assert verify_session(folder).ok
    labels = folder / "labels.json"
    labels.write_bytes(labels.read_bytes().replace(b"1000.0", b"1000.1"))
    assert texts(folder) == ["member labels.json differs from its SHA-256 in manifest.json"]


def test_an_archive_packed_again_by_another_program_is_held_to_its_manifest(archive, tmp_path):
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(tmp_path / "again.zip", "w") as new:
        for name in old.namelist():
            new.writestr(f"session/{name}", old.read(name) + (b" " if name == "labels.json" else b""))
    again = ["another program has packed it again: members were checked, the headers of the zip could not be"]
    assert texts(tmp_path / "again.zip") == ["member labels.json differs from its SHA-256 in manifest.json", *again]


@pytest.mark.parametrize("sealed", [True, False])
def test_a_member_that_the_manifest_does_not_list_is_told(archive, tmp_path, sealed):
    if not sealed:
        with zipfile.ZipFile(archive) as old, zipfile.ZipFile(tmp_path / "again.zip", "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
        archive = tmp_path / "again.zip"
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("lab/notes.txt", "x")
    told = []
    outcome = verify_session(archive, progress=lambda done, total: told.append((done, total)))
    assert any("lab/notes.txt" in finding.text for finding in outcome.findings)
    assert not outcome.ok
    assert told[-1][0] == told[-1][1]


def test_a_folder_that_is_no_session_is_refused_and_one_of_sessions_is_gone_through(archive, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path, tmp_path / "empty"):
        with pytest.raises(SessionError, match="neither a session folder nor an archive"):
            verify_session(folder)


@pytest.mark.parametrize("member", ["meta.json", "labels.json", "emg.zarr/zarr.json"])
def test_what_is_wrong_with_a_file_is_told_once(archive, member):
    with zipfile.ZipFile(archive) as plain:
        info = plain.getinfo(member)
    data = bytearray(archive.read_bytes())
    data[info.header_offset + 30 + len(member)] = 0x7E
    archive.write_bytes(data)
    assert len([one for one in verify_session(archive).findings if one.member == member]) == 1


def test_labels_that_are_gone_are_damage(folder):
    (folder / "labels.json").unlink()
    assert texts(folder) == ["labels.json is missing: what was labelled is lost"]


@pytest.mark.parametrize("level", ["quick", "full"])
def test_a_shape_larger_than_any_recording_is_told_at_once(folder, level):
    for name in ("emg.zarr", "emg_timestamps.zarr"):
        about = json.loads((folder / name / "zarr.json").read_text())
        about["shape"][0] = 10**13
        (folder / name / "zarr.json").write_text(json.dumps(about))
    assert any("larger than any recording" in text for text in texts(folder, level))


def test_a_damaged_header_is_told_from_damaged_content(archive):
    data = bytearray(archive.read_bytes())
    data[10] ^= 1
    archive.write_bytes(data)
    assert texts(archive) == ["the zip header of member 'meta.json' is damaged; its content is intact"]


def test_findings_are_bounded(tmp_path):
    folder = finished_folder(tmp_path)
    labels = [{"timestamp": START + i, "class_index": 9} for i in range(3000)]
    (folder / "labels.json").write_text(json.dumps(labels))
    outcome = verify_session(folder)
    assert len(outcome.findings) == 1001
    assert "more findings" in outcome.findings[-1].text


def test_there_must_be_a_session(tmp_path):
    with pytest.raises(FileNotFoundError):
        verify_session(tmp_path / "nowhere")
    assert not verify_session(__file__).ok
