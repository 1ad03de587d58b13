"""All surfaces give the same numbers for one session: metadata, info, --json, verify, windows, facts, exports."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as with_fields

from myogestic_tui.errors import ClockError, ConfigError
from myogestic_tui.session import Session, iter_labeled_windows, labeled_windows, open_session_store, verify_session
from myogestic_tui.session.export import export_session
from myogestic_tui.session.reading.facts import read_facts
from tests.session.as_recorded import CASES, FS, HOST, INFO, bursts, leaping, lossy, recorded, wall


@pytest.fixture(params=CASES)
def case(request, tmp_path):
    stamp, keep = CASES[request.param]
    path, taken, raw = recorded(tmp_path, stamp, keep=keep)
    return request.param, path, taken, raw


def test_every_surface_gives_the_same_numbers(case, tmp_path):
    _, path, taken, _ = case
    with open_session_store(path) as session:
        found, summary = session.timeline("emg"), session.summary().streams["emg"]
        measured, facts = session.measured("emg"), read_facts(session).streams[0]
        assert (summary.gaps, summary.lost_samples) == (len(found.lost), found.lost_samples)
        assert (summary.basis, summary.measured_fs) == (found.basis, found.measured_fs)
        assert [(gap.index, gap.kind or "gap") for gap in measured.gaps] == [
            (one.index, one.kind) for one in found.gaps
        ]
        assert len(facts.gaps) == len(found.gaps)
        assert [one.index for one in measured.time.leaps] == [one.index for one in found.leaps]
        assert set(summary.remarks) <= set(facts.remarks)
        session.timestamps("emg")
        with np.load(export_session(session, "npz", tmp_path / "out.npz").paths[0]) as arrays:
            npz = dict(arrays)
        np.testing.assert_array_equal(npz["emg_time"], session.timestamps("emg"))
        windows = list(iter_labeled_windows(path, "emg", 0.2, 0.2))
        for window, ts, class_index in windows:
            assert window.shape == (2, 50)
            assert class_index in (0, 1)
            assert np.diff(ts).max() < 2 / FS, "no window lies across a gap"
        X, y, _ = labeled_windows(path, "emg", 0.2, 0.2)
        assert (len(X), y.tolist()) == (len(windows), [index for _, _, index in windows])
        error = np.abs(session.timestamps("emg", dejitter=True) - taken).max()
        assert error <= found.error_s + 0.02
    outcome = verify_session(path, "full")
    assert outcome.ok
    said = [finding.text.removeprefix("emg: ") for finding in outcome.findings if finding.stream == "emg"]
    assert said == summary.remarks
    packed = Session(base_path=path).pack_to_zip()
    with open_session_store(packed) as session:
        again = session.summary().streams["emg"]
    assert replace_floats(again) == replace_floats(summary)


def replace_floats(summary):
    """What a summary says, to a microsecond."""
    plain = {key: getattr(summary, key) for key in summary.__struct_fields__}
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in plain.items()}


def test_what_the_cases_are(tmp_path):
    def found(name):
        stamp, keep = CASES[name]
        path, _, _ = recorded(tmp_path, stamp, keep=keep)
        with open_session_store(path) as session:
            return session.timeline("emg"), session.summary().streams["emg"]

    timeline, summary = found("loss")
    assert (timeline.basis, [(gap.index, gap.samples) for gap in timeline.gaps]) == ("uncompared", [(3000, 500)])
    assert summary.remarks == ["1 gap, 500 samples lost (6.7 %)"]
    timeline, summary = found("leap")
    assert (timeline.gaps, [one.index for one in timeline.leaps]) == ((), [4000])
    assert summary.remarks == ["time stamps leap once (+200000 s), nothing lost"]
    timeline, summary = found("wall")
    assert (timeline.basis, timeline.lost_samples) == ("arrival", 500)
    assert "time by arrival, ±0.2 s (its time stamps are in another clock)" in summary.remarks
    assert found("bursts")[1].remarks == []
    timeline, summary = found("standing")
    assert (timeline.basis, summary.remarks) == ("count", ["the stamps stand still; time by arrival, ±0.25 s"])
    timeline, summary = found("tail")
    assert round(summary.tail_s, 2) == 14.0
    assert summary.remarks == ["ended 14.0 s before the stop (last sample at 16.0 s of 30.0 s)"]
    timeline, summary = found("head")
    assert summary.remarks == ["came 12.0 s after the start"]


REMOTE = replace(INFO, hostname="amp-pc")


def ahead(seconds):
    """Stamps of a computer whose clock is so many seconds ahead of the recorder's."""
    return lambda taken, _start: taken + seconds


@pytest.mark.parametrize("seconds", [40.0, -40.0, 5.0, 0.4, -0.3, 100.0, 1e6])
def test_the_clock_of_another_computer_that_was_never_compared_is_placed_by_arrival(tmp_path, seconds):
    path, taken, _ = recorded(tmp_path, ahead(seconds), info=REMOTE)
    with open_session_store(path) as session:
        found = session.timeline("emg")
        assert (found.basis, found.error_s) == ("arrival", 0.2)
        assert np.abs(session.timestamps("emg") - taken).max() < 0.05
        assert (found.gaps, found.leaps) == ((), ())
    assert every_word(path, tmp_path) == {"no clock comparison with amp-pc: time by arrival, ±0.2 s"}


def test_stamps_of_another_computer_that_arrivals_agree_with_count_as_far_as_these_tell(tmp_path):
    path, taken, _ = recorded(tmp_path, lossy, info=REMOTE)
    with open_session_store(path) as session:
        found = session.timeline("emg")
        assert (found.basis, found.error_s) == ("uncompared", 0.2)
        np.testing.assert_allclose(session.timestamps("emg"), taken)
    text = "no clock comparison with amp-pc: its time stamps are taken as they are, ±0.2 s"
    assert every_word(path, tmp_path) == {text}


@pytest.mark.parametrize(("seconds", "basis", "error"), [(0.3, "uncompared", 0.5), (5.0, "none", np.inf)])
def test_without_arrivals_another_computers_clock_must_fit_the_sessions_ends(tmp_path, seconds, basis, error):
    path = without_arrivals(recorded(tmp_path, ahead(seconds), info=REMOTE)[0])
    with open_session_store(path) as session:
        found = session.timeline("emg")
        assert (found.basis, found.error_s) == (basis, error)
    (said,) = every_word(path, tmp_path)
    assert said.startswith("no clock comparison with amp-pc: ")
    if basis == "none":
        with pytest.raises(ClockError, match="emg"):
            labeled_windows(path, "emg", 0.2, 0.2)
    else:
        assert "±0.5 s" in said


def test_windows_near_a_label_of_a_clock_that_was_not_compared_are_left_out(tmp_path, caplog):
    path, *_ = recorded(tmp_path, ahead(40.0), info=REMOTE)
    X, _, _ = labeled_windows(path, "emg", 0.2, 0.2)
    with_guard = len(X)
    said = [record.getMessage() for record in caplog.records]
    assert any("left out" in text for text in said), said
    assert "emg: no clock comparison with amp-pc: time by arrival, ±0.2 s" in said
    path, *_ = recorded(tmp_path, ahead(0.0))
    assert len(labeled_windows(path, "emg", 0.2, 0.2)[0]) > with_guard


@pytest.mark.parametrize("host", [HOST, HOST.upper(), ""])
def test_the_recorders_own_computer_and_one_that_is_not_known_need_no_comparison(tmp_path, host):
    path, *_ = recorded(tmp_path, lossy, info=replace(INFO, hostname=host))
    with open_session_store(path) as session:
        assert (session.timeline("emg").basis, session.timeline("emg").error_s) == ("uncompared", 0.01)
    assert every_word(path, tmp_path) == set()


def every_word(path, folder):
    """What `info`, its summary, `verify` and an export say of the time of ``emg``; they must agree."""
    with open_session_store(path) as session:
        summary = session.summary().streams["emg"].remarks
        assert set(summary) <= set(read_facts(session).streams[0].remarks)
        exported = export_session(session, "npz", folder / "words.npz").remarks
    verified = [finding.text.removeprefix("emg: ") for finding in verify_session(path).findings]
    assert verified == summary
    assert {f"emg: {text}" for text in summary} <= set(exported), exported
    return set(summary)


def without_arrivals(path):
    import shutil

    shutil.rmtree(path / "emg_arrival.zarr")
    return path


def test_a_stream_in_another_clock_that_nothing_places_is_refused(tmp_path, caplog):
    path, _, raw = recorded(tmp_path, lambda taken, start: taken - start + 5.0)
    without_arrivals(path)
    with open_session_store(path) as session:
        assert session.timeline("emg").basis == "none"
        assert "its time stamps are in another clock and cannot be aligned with labels" in (
            session.summary().streams["emg"].remarks
        )
        with pytest.raises(ClockError, match="emg: its time stamps are in another clock"):
            session.get_trials("emg")
        with np.load(export_session(session, "npz", tmp_path / "out.npz").paths[0]) as arrays:
            npz = dict(arrays)
        assert set(npz["emg_class_index"].tolist()) == {-1}
    with pytest.raises(ClockError, match="--times raw"):
        labeled_windows(path, "emg", 0.2, 0.2)
    X, y, _ = labeled_windows(path, "emg", 0.2, 0.2, times="raw")
    assert (len(X), set(y.tolist())) == (150, {-1})
    _, ts, _ = next(iter_labeled_windows(path, "emg", 0.2, 0.2, times="raw"))
    np.testing.assert_array_equal(ts, raw[:50])
    assert verify_session(path).ok


def test_an_old_session_of_a_wall_clock_sender_is_placed_by_its_anchors(tmp_path):
    from datetime import datetime

    utc = datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp()
    path, taken, _ = recorded(tmp_path, lambda taken, start: taken - start + utc)
    without_arrivals(path)
    with open_session_store(path) as session:
        assert session.timeline("emg").basis == "wall"
        assert np.abs(session.timestamps("emg") - taken).max() < 0.001


def test_windows_near_a_change_of_label_are_left_out_and_counted(tmp_path, caplog):
    path, _, _ = recorded(tmp_path, wall)
    windows = list(iter_labeled_windows(path, "emg", 0.2, 0.2))
    with open_session_store(path) as session:
        events = [event.timestamp for event in session.label_track]
        guard = session.timeline("emg").error_s
    for _, ts, _ in windows:
        assert all(not ts[0] - guard < at < ts[-1] + guard for at in events)
    left_out = 125 - len(windows)
    assert f"emg: aligned by arrival; {left_out} windows within 0.2 s of a label change left out" in caplog.text


def test_a_gap_of_an_hour_is_not_filled_unless_that_is_asked_for(tmp_path):
    path, _, _ = recorded(tmp_path, lambda taken, start: taken)
    with open_session_store(path) as session:
        stream = session.stream_data("emg")
        found = stream.timeline
        from myogestic_tui.clock.timeline import Gap
        from myogestic_tui.session.export.even_grid import Grid, check_fill

        hour = replace(found, gaps=(Gap(3000, 3600.0, 900_000),))
        grid = Grid(replace(stream, find_timeline=lambda: hour))
        with pytest.raises(ConfigError, match=r"emg: a gap of 3600 s would add 900,000 zeros to 7,500 samples"):
            check_fill(grid, None)
        check_fill(grid, 3600.0)
        two = replace(found, gaps=(Gap(3000, 2.008, 502),))
        with pytest.raises(ConfigError, match=r"emg: a gap of 2.01 s would add 502 zeros .* --fill 3 does it"):
            check_fill(Grid(replace(stream, find_timeline=lambda: two)), 1.0)


def test_parts_between_gaps_become_files_of_their_own(tmp_path):
    import edfio

    path, _, _ = recorded(tmp_path, lossy, keep=CASES["loss"][1])
    with open_session_store(path) as session:
        whole = export_session(session, "edf", tmp_path / "whole")
        parts = export_session(session, "edf", tmp_path / "parts", split=True)
    assert any("1 gap (500 samples) filled with zeros, marked BAD_ACQ_SKIP" in text for text in whole.remarks)
    assert [path.name[-11:] for path in parts.paths] == ["_part-1.edf", "_part-2.edf"]
    assert edfio.read_edf(whole.paths[0]).duration == 30
    assert [edfio.read_edf(path).duration for path in parts.paths] == [12, 16]
    assert not any("filled" in text for text in parts.remarks)


def test_the_date_of_a_file_does_not_come_from_a_foreign_clock(tmp_path):
    import edfio

    path, _, _ = recorded(tmp_path, wall)
    with open_session_store(path) as session:
        (file,) = export_session(session, "edf", tmp_path).paths
    assert edfio.read_edf(file).startdate.year == 2026


def test_json_has_it_too(tmp_path):
    from myogestic_tui.session.format.summary import to_dict

    path, _, _ = recorded(tmp_path, wall, keep=np.r_[0:4000])
    with open_session_store(path) as session:
        told = json.loads(json.dumps(to_dict(session.summary())))["streams"]["emg"]
    assert (told["basis"], told["error_s"], round(told["tail_s"])) == ("arrival", 0.2, 14)
    assert any(text.startswith("ended 14.") for text in told["remarks"])


def test_the_listing_of_an_older_archive_does_not_repeat_what_an_earlier_rule_counted(tmp_path, monkeypatch):
    from myogestic_tui.session.reading.archive_summary import read_archive_summary

    path, _, _ = recorded(tmp_path, bursts)
    archive = Session(base_path=path).pack_to_zip()
    told = read_archive_summary(archive).streams["emg"]
    assert (told.gaps, told.basis) == (0, "uncompared")
    from myogestic_tui.session.reading import archive_summary

    decode = archive_summary.decode_comment

    def older(comment):
        found = decode(comment)
        streams = {name: with_fields(one, time_model=0, gaps=58, tail_s=9.0) for name, one in found.streams.items()}
        return with_fields(found, streams=streams)

    monkeypatch.setattr(archive_summary, "decode_comment", older)
    told = read_archive_summary(archive).streams["emg"]
    assert (told.gaps, told.lost_samples, told.measured_fs) == (None, None, None)
    assert (told.basis, told.tail_s, told.n_samples) == ("", 0.0, 7500)


@pytest.mark.parametrize(("declared", "stamp"), [(60.0, lossy), (60.0, wall), (100.0, lossy), (100.0, leaping)])
def test_a_device_far_above_its_declared_rate_is_no_script(tmp_path, declared, stamp):
    """It cost the whole session its arrivals and its ends: a stream that died was not reported any more."""
    info = replace(INFO, fs=declared)
    path, taken, _ = recorded(tmp_path, stamp, keep=np.r_[0:6000], info=info)
    with open_session_store(path) as session:
        found = session.timeline("emg")
        assert found.measured_fs == pytest.approx(FS, rel=1e-3)
        assert found.tail is not None
        assert found.tail.seconds == pytest.approx(6.0, abs=0.1)
        assert found.lost == ()
        assert [leap.index for leap in found.leaps] == ([4000] if stamp is leaping else [])
        assert np.abs(session.timestamps("emg", dejitter=True) - taken).max() < found.error_s + 0.02


def test_what_an_earlier_model_of_time_stored_counts_no_more(tmp_path):
    """Development versions stored their findings without a version: 30 s off here, and in another clock."""
    from myogestic_tui.session.format.json_files import replace_file
    from myogestic_tui.session.format.meta import decode_meta, encode_meta
    from myogestic_tui.session.format.time_records import GapRecord, TimeMeta
    from myogestic_tui.session.reading.archive_summary import read_archive_summary

    path, _, _ = recorded(tmp_path, bursts)
    with open_session_store(path) as session:
        right = session.summary().streams["emg"]
    meta = decode_meta((path / "meta.json").read_bytes())
    emg = meta.streams["emg"]
    emg.time, emg.gaps = TimeMeta(basis="none", measured_fs=99.0), [GapRecord(100, 30.0)]
    replace_file(path / "meta.json", encode_meta(meta))
    with open_session_store(path) as session:
        assert session.summary().streams["emg"] == right
    assert len(labeled_windows(path, "emg", 0.2, 0.2)[0]) > 0
    archive = Session(base_path=path).pack_to_zip()
    listed = read_archive_summary(archive).streams["emg"]
    assert (listed.gaps, listed.basis, listed.measured_fs) == (0, right.basis, right.measured_fs)
    assert verify_session(archive).ok
