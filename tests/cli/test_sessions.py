"""`sessions`, `info`, `verify`, `recover`, `pack`, `salvage`: on whole, interrupted and damaged sessions."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from myogestic_tui.info import StreamInfo
from myogestic_tui.session import Session
from myogestic_tui.session.format.journal import EVENTS

SHAPE = {"path", "state", "name", "subject", "task", "take", "created", "duration_s", "bytes", "streams", "labels"}
SHAPE |= {"continues", "continued_by", "fields", "labels_edited", "before_s", "chain", "segment"}
MORE = {"electrodes", "ended_by", "events", "notes", "bad_channels", "bad_trials", "edits", "findings"}
STREAM_SHAPE = {"n_samples", "n_channels", "fs", "dtype", "measured_fs", "gaps", "lost_samples"}
STREAM_SHAPE |= {"type", "source_id", "head_s", "tail_s", "time_model", "basis", "error_s", "remarks"}


def test_info_tells_the_shared_object(call, session):
    told = call("info", session, "--json").json()
    assert set(told) == SHAPE | MORE
    assert told["path"] == str(session)
    assert (told["state"], told["labels"]) == ("packed", {"Rest": 2, "Fist": 1})
    assert set(told["streams"]["emg"]) == STREAM_SHAPE
    assert told["streams"]["emg"]["n_samples"] == 300


def test_info_tells_what_happened_and_what_ended_it(call, tmp_path):
    made = Session(tmp_path / "sessions", reserve_bytes=0)
    made.add_event("trial", "trial 2 Fist relabelled Rest", who="tui 7")
    made.set_fields(ended_by="stopped by the recorder: disk")
    made.finish()
    told = call("info", made.path, "--json").json()
    assert told["ended_by"] == "stopped by the recorder: disk"
    assert [(one["kind"], one["text"], one["who"]) for one in told["events"]] == [
        ("trial", "trial 2 Fist relabelled Rest", "tui 7")
    ]
    text = call("info", made.path).out
    assert "ended by     stopped by the recorder: disk" in text
    assert " s  trial 2 Fist relabelled Rest (tui 7)" in text


def test_info_tells_the_take_sheet_and_what_was_noted(call, tmp_path):
    info = StreamInfo(4, 100.0, type="EMG", source_id="amp-7")
    made = Session(tmp_path / "sessions", reserve_bytes=0, fields={"subject": "P07", "hand": "left", "age": 31})
    made.init_stream("emg", info)
    made.add_note("electrode 3 re-taped")
    made.add_label(0)
    made.mark_trial(0)
    made.mark_channel("emg", 2)
    made.finish()
    path = call("note", made.pack_to_zip(), "came off").out.split()[0]
    text = call("info", path).out
    for line in ("hand         left", "age          31", "[EMG amp-7]"):
        assert line in text
    told = call("info", path, "--json").json()
    assert told["fields"] == {"hand": "left", "age": 31}
    assert [note["text"] for note in told["notes"]] == ["electrode 3 re-taped", "came off"]
    assert (told["bad_channels"], told["bad_trials"]) == ({"emg": [2]}, [0])
    assert len(told["edits"]) == 1
    assert (told["streams"]["emg"]["type"], told["streams"]["emg"]["source_id"]) == ("EMG", "amp-7")


def test_sessions_are_found_by_fields_also_those_of_older_versions(call, session, tmp_path):
    def made(side):
        one = Session(tmp_path / "sessions", reserve_bytes=0, fields={"hand": side})
        one.finish()
        return one.pack_to_zip()

    left, right = made("left"), made("right")
    comment = left.read_bytes()
    # What an older version wrote: a comment without the fields, of the same length.
    assert comment.count(b'"fields":{"hand":"left"}') == 1
    left.write_bytes(comment.replace(b'"fields":{"hand":"left"}', b'"others":{"hand":"left"}'))
    for _ in range(2):  # from the archives, and from the cache
        assert [one["path"] for one in call("sessions", "hand left", "--json").json()] == [f"sessions/{left.name}"]
        assert [one["path"] for one in call("sessions", "right", "--json").json()] == [f"sessions/{right.name}"]


def test_info_reads_well_without_json(call, session):
    done = call("info", session)
    assert "4 ch float32" in done.out
    assert "300 samples" in done.out
    assert "Rest 2, Fist 1" in done.out


def test_sessions_is_an_array_of_the_shared_object(call, session, cut_off):
    told = call("sessions", "--json").json()
    assert [set(one) for one in told] == [SHAPE, SHAPE]
    assert {one["state"] for one in told} == {"packed", "unfinished"}


def test_what_is_to_be_mended_is_said_with_the_command(call, session, cut_off):
    told = call("sessions")
    assert f"1 unfinished: myogestic-tui recover sessions/{Path(cut_off).name}" in told.err
    assert "unfinished" in told.out


def test_sessions_are_found_by_words(call, session, cut_off):
    assert [one["state"] for one in call("sessions", "unfin", "--json").json()] == ["unfinished"]
    assert call("sessions", "no such word", "--json").json() == []


def test_an_empty_folder_has_no_sessions(call):
    done = call("sessions")
    assert (done.code, done.out) == (0, "")
    assert "no session in sessions" in done.err


def test_a_whole_session_verifies(call, session):
    told = call("verify", session, "--json").json()
    assert told[0]["verified"] == {"level": "full", "ok": True, "findings": []}
    (listed,) = call("sessions", "verified", "--json").json()
    assert listed["verified"]["ok"]
    assert listed["state"] == "verified"
    quick = call("verify", "--quick", session)
    assert quick.code == 0
    assert "verified ok (quick)" in quick.out


def test_a_flipped_byte_is_damage_and_salvage_saves_the_rest(call, session, tmp_path):
    broken = bytearray(session.read_bytes())
    at = broken.index(b"emg.zarr/c/1/0") + 60
    broken[at] ^= 1
    session.write_bytes(broken)
    done = call("verify", session)
    assert done.code == 1
    assert "DAMAGED (full)" in done.out
    assert "✗" in done.out
    saved = call("salvage", session)
    assert saved.code == 0, saved.err
    assert "packed" in saved.out
    assert re.search(r"✗ emg: \d+ samples from \d+ on are lost", saved.out), saved.out


def test_one_bad_path_does_not_keep_the_others_from_being_verified(call, session, tmp_path):
    (tmp_path / "no.session.zip").write_bytes(b"nothing")
    done = call("verify", tmp_path / "no.session.zip", session)
    assert done.code == 1
    assert "verified ok (full)" in done.out


def test_several_at_a_time_are_verified_as_one_after_the_other(call, session, cut_off, tmp_path):
    broken = bytearray(session.read_bytes())
    broken[broken.index(b"emg.zarr/c/1/0") + 60] ^= 1
    (session.parent / "2026-05-17_10-00-00.session.zip").write_bytes(broken)
    (tmp_path / "no.session.zip").write_bytes(b"nothing")
    paths = ("sessions", "no.session.zip")
    alone, many = call("verify", *paths, "--json"), call("verify", *paths, "--json", "--jobs", 2)
    assert (many.code, many.out) == (alone.code, alone.out)
    assert [one["verified"]["ok"] for one in json.loads(many.out)].count(True) == 1
    assert len(json.loads(many.out)) == 3
    assert "no.session.zip: " in many.err
    quick = call("verify", *paths, "--quick", "--jobs", 2)
    assert (quick.code, quick.out) == (1, call("verify", *paths, "--quick").out)
    refused = call("verify", "--jobs", 2, "--dask", "127.0.0.1:1", session)
    assert (refused.code, "--jobs is for sessions of this computer" in refused.err) == (2, True)


def test_a_cut_off_session_is_recovered_and_packed(call, cut_off, tmp_path):
    told = call("recover", "--json").json()
    assert told[0]["streams"]["emg"]["n_samples"] == 250
    assert told[0]["labels"] == {"Rest": 0, "Fist": 1}
    assert told[0]["path"].endswith(".session.zip")
    assert not (tmp_path / cut_off).exists()
    again = call("recover")
    assert (again.code, again.out) == (0, "")
    assert "nothing to recover" in again.err


def test_recover_tells_of_damage(call, cut_off, tmp_path):
    events = tmp_path / cut_off / "journal" / EVENTS
    data = bytearray(events.read_bytes())
    data[40] ^= 1
    events.write_bytes(data)
    done = call("recover")
    assert done.code == 1
    assert f"✗ {EVENTS} is damaged" in done.out
    assert call("sessions", "--json").json()[0]["state"] == "packed"


def test_an_unfinished_folder_is_shown_and_not_changed(call, cut_off, tmp_path):
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / cut_off).rglob("*"))
    assert call("info", cut_off, "--json").json()["streams"]["emg"]["n_samples"] == 250
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / cut_off).rglob("*")) == before


def test_packing_a_cut_off_folder_recovers_it_first(call, cut_off, tmp_path):
    told = call("pack", cut_off, "--json").json()
    assert told[0]["streams"]["emg"]["n_samples"] == 250
    assert not (tmp_path / cut_off).exists()


def test_verify_goes_through_a_folder_of_sessions(call, session, cut_off, tmp_path):
    told = call("verify", "sessions")
    assert told.code == 1, "one of them is unfinished"
    assert f"{session.name}   packed" in told.out
    assert "verified ok" in told.out
    assert "recover it" in told.out
    (tmp_path / "empty").mkdir()
    told = call("verify", "empty")
    assert told.code == 1
    assert "empty holds no session" in told.err


def test_a_session_goes_into_a_bids_dataset_as_it_is_told_to(call, session, tmp_path):
    meta = ["--subject", "P 09", "--task", "mvc", "--run", "3"]
    assert call("export", session, "--to", "xdf", *meta).code == 2
    told = call("export", session, "--to", "bids", "-o", "dataset", *meta)
    assert "no EMG channel" in told.err
    assert not (tmp_path / "dataset").exists()


def test_packing_what_is_damaged_says_so_and_lists_it(call, cut_off, tmp_path):
    call("recover")
    [archive] = (tmp_path / "sessions").glob("*.session.zip")
    folder = tmp_path / "sessions" / "2026-01-01_00-00-00"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    archive.unlink()
    (folder / "manifest.json").unlink()
    next((folder / "emg.zarr" / "c").glob("*/0")).unlink()
    told = call("pack", folder)
    assert told.code == 1
    assert "verified DAMAGED (quick)" in told.out
    assert "1 damaged: myogestic-tui salvage" in call("sessions").err
    assert call("salvage", next((tmp_path / "sessions").glob("*.session.zip"))).code == 0
