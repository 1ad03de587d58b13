"""How long nothing was recorded: by the sources where these sent on, else by clocks, with the doubt that is left."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from myogestic_tui import App, StreamInfo
from myogestic_tui.config import parse_config
from myogestic_tui.control.crash_evidence import Evidence, find_evidence
from myogestic_tui.control.resume import FILE, Continuity, Kept, Link, Running
from myogestic_tui.session import Session
from myogestic_tui.session.format.meta import Anchor, Meta, StreamMeta
from myogestic_tui.session.library.link_sessions import Beginning, Estimate, interruption
from tests.sending import wait_for

START = datetime(2026, 5, 17, 12, 0, 0, tzinfo=UTC).timestamp()


def anchor(wall: float, lsl: float) -> Anchor:
    return Anchor(datetime.fromtimestamp(wall, UTC).isoformat(), lsl)


def seen(written_after: float) -> Evidence:
    """A session that began at the wall clock's `START`, 1000 s on the recorder's clock."""
    return Evidence(Path("s"), True, anchor=anchor(START, 1000.0), written_at=START + written_after)


def test_the_clocks_agree():
    assert seen(60.0).estimate(anchor(START + 63.0, 1063.0)) == Estimate(3.0, "")


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (anchor(START + 90.0, 5.0), 30.0),  # restarted: the recorder's clock began anew
        (anchor(START + 3663.0, 1063.0), 3603.0),  # the wall clock was set
        (anchor(START - 100.0, 5.0), None),  # restarted, and the wall clock is behind
    ],
)
def test_a_restart_or_a_clock_that_was_set_leaves_a_doubt(now, seconds):
    estimate = seen(60.0).estimate(now)
    assert estimate.seconds == seconds
    assert "restarted or its clock set meanwhile" in estimate.doubt
    told = interruption(Meta(), {}, estimate)
    assert "restarted or its clock set" in told.text
    assert told.seconds == seconds


def test_of_a_folder_that_is_gone_nothing_is_known(tmp_path):
    estimate = find_evidence(tmp_path / "gone").estimate(anchor(START, 5.0))
    assert estimate.seconds is None
    assert "moved or removed" in estimate.doubt


def test_what_was_said_last_is_found_in_the_journal(tmp_path):
    session = Session(tmp_path, class_names=["Rest", "Fist"], fields={"subject": "P07", "take": 3})
    session.init_stream("emg", StreamInfo(4, 100.0))
    session.add_label(1)
    session.mark_channel("emg", 2)
    session.set_fields(name="renamed")
    found = find_evidence(session.path)
    assert (found.label.class_index, found.bad_channels) == (1, {"emg": [2]})
    assert found.fields == {"name": "renamed", "subject": "P07", "task": "", "take": 3}
    assert not found.stopped
    session.close()


def earlier(**last: float) -> Meta:
    """Streams at 100 Hz of the outlets ``uid-NAME``, with the stamps of their last samples."""
    streams = {
        name: StreamMeta(
            n_channels=4, fs=100.0, dtype="float32", name=name, uid=f"uid-{name}", n_samples=5, last_timestamp=stamp
        )
        for name, stamp in last.items()
    }
    return Meta(streams=streams)


def test_the_same_outlets_tell_by_their_own_stamps_whatever_the_clocks_of_the_box_say():
    begun = {"a": Beginning("uid-a", 53.01), "b": Beginning("uid-b", 904.51)}
    told = interruption(earlier(a=50.0, b=900.0), begun, Estimate(1e6, "restarted"))
    assert told.text == ("nothing was recorded for 3.0 to 4.5 s, depending on the stream (by the sources' time stamps)")
    assert told.seconds == pytest.approx(4.5)


def test_streams_that_are_not_back_are_named_and_other_outlets_prove_nothing():
    begun = {"a": Beginning("another", 53.0)}
    told = interruption(earlier(a=50.0, b=900.0), begun, Estimate(7.0, ""))
    assert told.text == "nothing was recorded for about 7.0 s; not yet recorded again: b"
    assert told.seconds == 7.0


@pytest.mark.parametrize("first", [49.0, 50.01, 51.0], ids=["back", "at once", "too soon"])
def test_stamps_that_cannot_be_true_are_not_believed(first):
    told = interruption(earlier(a=50.0), {"a": Beginning("uid-a", first)}, Estimate(7.0, ""))
    assert told.text == "nothing was recorded for about 7.0 s"


def test_the_reserve_of_the_disk_holds_for_a_continued_recording_too(tmp_path, caplog):
    config = parse_config("[record]\nresume = true\n[disk]\nreserve_mb = 1e9\n")
    left(tmp_path)
    app = App(config=config, sessions_dir=tmp_path)
    Continuity(tmp_path, resume=True).begin(app)
    assert app.ctx.state == "idle"
    assert "is not continued" in app.ctx.status_message
    assert "was being recorded when the recorder ended" in caplog.text
    assert not (tmp_path / ".myogestic" / FILE).exists()


def test_a_session_that_is_still_recorded_is_not_continued(tmp_path):
    live = Session(tmp_path)
    left(tmp_path, live.path)
    app = App(sessions_dir=tmp_path)
    Continuity(tmp_path, resume=True).begin(app)
    assert app.ctx.state == "idle"
    assert f"pid {os.getpid()}" in app.ctx.status_message
    live.close()


def test_one_that_was_killed_while_it_was_being_stopped_is_not_continued(tmp_path):
    session = Session(tmp_path)
    session.request_stop()
    assert find_evidence(session.path).stopped
    session.close()


def test_a_session_whose_continuation_was_discarded_is_packed_without_it(tmp_path):
    earlier = Session(tmp_path)
    earlier.finish()
    (tmp_path / ".myogestic").mkdir()
    kept = Kept(links=[Link(earlier=str(earlier.path), later=str(tmp_path / "gone"), estimate=Estimate(1.0))])
    (tmp_path / ".myogestic" / FILE).write_bytes(msgspec.json.encode(kept))
    app = App(sessions_dir=tmp_path)
    continuity = Continuity(tmp_path, resume=False)
    app.open()
    try:
        continuity.begin(app)
        assert continuity.linked()

        def packed() -> bool:
            continuity.update(app)
            return bool(list(tmp_path.glob("*.session.zip")))

        wait_for(packed, 120.0)
        assert not continuity.linked()
    finally:
        app.shut()
    assert not (tmp_path / ".myogestic" / FILE).exists()


def test_an_attempt_that_ends_the_recorder_itself_counts(tmp_path, monkeypatch):
    left(tmp_path)
    app = App(sessions_dir=tmp_path)

    def ends(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(app, "start_recording", ends)
    with pytest.raises(SystemExit):
        Continuity(tmp_path, resume=True).begin(app)
    kept = msgspec.json.decode((tmp_path / ".myogestic" / FILE).read_bytes(), type=Kept)
    assert kept.running.attempts == 1


def left(sessions: Path, session: Path | None = None) -> None:
    """The file of a recorder that was killed."""
    (sessions / ".myogestic").mkdir(exist_ok=True)
    kept = Kept(running=Running(session=str(session or sessions / "gone"), take={"subject": "P07"}))
    (sessions / ".myogestic" / FILE).write_bytes(msgspec.json.encode(kept))
