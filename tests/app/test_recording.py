"""The idle/recording state machine: what is allowed, what it leaves on disk, and what it says where it refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream
from myogestic_tui.app import interface as r
from myogestic_tui.config import parse_config
from myogestic_tui.errors import ConfigError, DiskError, NotAllowedError
from myogestic_tui.session import Session, open_session_store
from tests.sending import RampSource, ramp, wait_for


@pytest.fixture
def app(tmp_path: Path, unique: str) -> Iterator[App]:
    """An app with one connected 500 Hz stream, open, idle."""
    app = App(f"state machine {unique}", sessions_dir=tmp_path / "sessions")
    app.ctx.class_names = ["Rest", "Fist", "Pinch"]
    app.streams(Stream("emg", source=RampSource()))
    app.open()
    wait_for(lambda: app.ctx.streams["emg"].info is not None)
    yield app
    app.shut()


def finished(app: App) -> Path:
    app.shut()
    assert app.ctx.session is not None
    return Path(app.ctx.session.path)


def wait_samples(app: App, count: int, name: str = "emg") -> None:
    session = app.ctx.session
    assert session is not None
    wait_for(lambda: session.snapshot().n_samples.get(name, 0) >= count)


def test_a_session_is_set_before_the_state_and_stays_after_stop(app: App) -> None:
    assert (app.ctx.state, app.ctx.session) == ("idle", None)
    assert app.start_recording()
    session = app.ctx.session
    assert app.ctx.state == "recording"
    assert session is not None
    assert app.stop_recording()
    assert app.ctx.state == "idle"
    assert app.ctx.session is session


@pytest.mark.parametrize("end", ["stop", "exclude"])
def test_no_sample_is_from_beyond_the_stop_however_long_the_stop_takes(app: App, monkeypatch, end: str) -> None:
    stream = app.ctx.streams["emg"]
    stream.poll_s = 0.005
    app.start_recording()
    wait_samples(app, app.ctx.session.snapshot().n_samples.get("emg", 0) + 10)
    asked: list[float] = []

    def read_meanwhile(at: float) -> float:
        """Between the choice of the instant and the next step of the stop, more samples come."""
        asked.append(at)
        before = stream.n_received
        wait_for(lambda: stream.n_received > before + 10)
        return at

    real_end, real_finish = Session.request_stop, Stream.finish
    monkeypatch.setattr(Session, "request_stop", lambda session, at: real_end(session, read_meanwhile(at)))
    monkeypatch.setattr(
        Stream, "finish", lambda this, at, *rest, **more: real_finish(this, read_meanwhile(at), *rest, **more)
    )
    if end == "exclude":
        app.parts.recordings.exclude(stream, "not needed")
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        assert session.ts_stores["emg"][-1] <= asked[0]


def test_transitions_that_are_not_allowed_change_nothing_and_say_why(app: App, tmp_path: Path) -> None:
    assert not app.stop_recording()
    assert "not recording" in app.ctx.status_message
    assert not app.discard_recording()
    app.start_recording()
    session = app.ctx.session
    with pytest.raises(NotAllowedError, match="already recording"):
        app.start_recording()
    assert "already recording" in app.ctx.status_message
    assert app.ctx.session is session
    assert len([path for path in (tmp_path / "sessions").iterdir() if not path.name.startswith(".")]) == 1


def test_what_was_sent_and_labelled_is_in_the_archive(app: App) -> None:
    app.start_recording()
    for index in (0, 2, 1):
        app.add_label(index)
        wait_samples(app, app.ctx.session.snapshot().n_samples.get("emg", 0) + 100)
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        data, stamps = session.stores["emg"][:], session.ts_stores["emg"][:]
        assert [label.class_index for label in session.label_track] == [0, 2, 1]
        assert session.class_names == ["Rest", "Fist", "Pinch"]
    source = app.ctx.streams["emg"].source
    first = round((stamps[0] - source.start) * 500)
    np.testing.assert_array_equal(data, ramp(first, len(data), 4))
    np.testing.assert_allclose(np.diff(stamps), 1 / 500, atol=1e-9)


def test_the_label_chosen_while_idle_is_the_first_of_the_next_session_only(app: App) -> None:
    app.add_label(1, source="key")
    app.start_recording()
    assert [(label.class_index, label.source) for label in app.ctx.session.label_track] == [(1, "key")]
    app.stop_recording()
    app.start_recording()
    assert app.ctx.session.label_track == []


def test_a_press_of_the_active_gesture_is_ignored(app: App) -> None:
    app.start_recording()
    assert app.add_label(1) is not None
    assert app.add_label(1) is None
    app.add_label(-1)
    app.add_label(-1)
    app.add_label(1)
    assert [label.class_index for label in app.ctx.session.label_track] == [1, -1, 1]


def test_undo_takes_the_last_label_back(app: App) -> None:
    app.start_recording()
    app.add_label(0)
    app.add_label(1)
    app.undo_label()
    assert app.ctx.current_label == 0
    app.undo_label()
    assert app.ctx.current_label is None
    assert not app.execute(r.UndoLabel()).ok


def test_a_class_that_there_is_not_is_refused(app: App) -> None:
    app.start_recording()
    with pytest.raises(ConfigError, match="Rest, Fist, Pinch"):
        app.add_label(3)
    assert app.ctx.session.label_track == []
    app.ctx.session.add_label(3)
    (told,) = [problem.text for problem in app.status().problems if problem.subject == "labels"]
    assert "class 3" in told
    assert "app.ctx.class_names" in told


def test_a_class_that_no_session_could_hold_is_refused_while_idle(app: App) -> None:
    app.ctx.class_names = []
    with pytest.raises(ConfigError, match="count from 0"):
        app.add_label(2**31)
    assert app.start_recording()


def test_recording_starts_with_no_stream_connected_and_streams_join(tmp_path: Path) -> None:
    source = RampSource()
    source.available.clear()
    app = App("late", sessions_dir=tmp_path)
    app.streams(Stream("emg", source=source))
    app.open()
    assert app.start_recording()
    assert "No connected streams to record" in app.ctx.status_message
    source.available.set()
    wait_samples(app, 50)
    wait_for(lambda: app.ctx.status_message == "emg joined the recording")
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        assert session.stores["emg"].shape[0] >= 50
        assert session.meta.streams["emg"].joined_at is not None


def test_a_stream_that_is_not_ticked_is_not_recorded(app: App) -> None:
    app.streams(Stream("aux", source=RampSource(2, 100.0), record=False))
    wait_for(lambda: app.ctx.streams["aux"].info is not None)
    app.start_recording()
    wait_samples(app, 50)
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        assert list(session.streams) == ["emg"]


def test_a_stream_ticked_while_recording_joins(app: App) -> None:
    app.streams(Stream("aux", source=RampSource(2, 100.0), record=False))
    wait_for(lambda: app.ctx.streams["aux"].info is not None)
    app.start_recording()
    assert app.execute(r.TickStream(key="stream:aux", record=True)).ok
    wait_samples(app, 20, "aux")
    assert app.execute(r.TickStream(key="stream:aux", record=False, confirmed=1)).ok
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        assert session.stores["aux"].shape[0] >= 20
        assert session.meta.streams["aux"].joined_at is not None


def test_discard_moves_the_session_to_the_trash(app: App, tmp_path: Path) -> None:
    app.start_recording()
    wait_samples(app, 50)
    assert app.discard_recording()
    app.shut()
    left = [path.name for path in (tmp_path / "sessions").iterdir()]
    assert left == [".myogestic"]
    assert len(list((tmp_path / "sessions/.myogestic/trash").iterdir())) >= 1


def test_an_unusable_folder_is_said_at_start(app: App, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DiskError):
        app.start_recording(tmp_path / "file" / "below")
    assert "not started" in app.ctx.status_message
    assert app.ctx.state == "idle"
    assert app.start_recording()


def test_takes_in_quick_succession_are_all_packed(app: App, tmp_path: Path) -> None:
    for _ in range(6):
        assert app.start_recording()
        assert app.stop_recording()
    app.shut()
    assert len(list((tmp_path / "sessions").glob("*.session.zip"))) == 6


def test_the_take_counts_up_and_names_the_session(app: App, tmp_path: Path) -> None:
    app.execute(r.SetTake(subject="P07", task="grasp", take=4))
    app.start_recording()
    app.stop_recording()
    assert app.take.take == 5
    with open_session_store(finished(app)) as session:
        assert (session.meta.subject, session.meta.task, session.meta.take) == ("P07", "grasp", 4)
        assert "P07" in session.path.name
    assert App("again", sessions_dir=tmp_path / "sessions").take.take == 5


def test_the_fields_of_the_config_stand_on_the_take_sheet_stick_and_go_into_the_metadata(app: App) -> None:
    app.execute(r.SetTake(subject="P07", fields={"hand": "left"}))
    for name in ("first", ""):
        app.execute(r.SetTake(name=name))
        app.start_recording()
        assert app.discard_recording()
        assert app.take == r.TakeStatus(subject="P07", take=app.take.take, fields={"hand": "left"})
    app.start_recording()
    app.stop_recording()
    config = parse_config('take = { subject = "P01", fields = { age = "", hand = "right" } }')
    later = App("later", config=config, sessions_dir=app.sessions_dir)
    assert later.take == r.TakeStatus(subject="P07", take=4, fields={"age": "", "hand": "left"})
    with open_session_store(finished(app)) as session:
        assert session.meta.extra["hand"] == "left"


def test_a_protocol_of_given_steps_is_labelled_and_noted_with_its_seed(app: App) -> None:
    for wrong in ((("Wave", 1.0),), (("Rest", -1.0),), (("Rest", float("nan")),)):
        assert not app.execute(r.StartProtocol(name="p", steps=wrong)).ok
    assert not app.execute(r.StartProtocol(name="p", steps=(("Rest", 1.0),), repeats=10**9)).ok
    assert app.ctx.state == "idle", "a protocol that is refused starts no recording"
    steps = (("Rest", 60.0), ("Fist", 60.0), ("", 60.0))
    assert app.execute(r.StartProtocol(name="p", steps=steps, repeats=2, shuffle=True, seed=5)).ok
    for cue in range(1, 4):
        app.execute(r.SkipCue())
        wait_for(lambda cue=cue: app.status().protocol.cue == cue)
    assert app.execute(r.AbortProtocol()).ok
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        assert sorted(label.class_index for label in session.label_track) == [-1, -1, 0, 1]
        texts = [note.text for note in session.notes]
    assert texts == ["protocol p: 6 cues in 360 s, seed 5", "protocol p aborted"]


def test_marks_and_notes_are_kept(app: App) -> None:
    app.start_recording()
    app.add_label(1)
    app.add_label(0)
    assert app.execute(r.MarkTrial(index=0)).ok
    assert app.execute(r.MarkChannel(stream="emg", channel=2)).ok
    assert app.execute(r.AddNote(text="electrode 17 re-taped")).ok
    status = app.status()
    assert [gesture.bad for gesture in status.gestures] == [0, 1, 0]
    app.stop_recording()
    with open_session_store(finished(app)) as session:
        assert [label.bad for label in session.label_track] == [True, False]
        assert session.meta.bad_channels == {"emg": [2]}
        assert [note.text for note in session.notes] == ["electrode 17 re-taped"]


def test_commands_that_need_a_recording_are_refused_when_idle(app: App) -> None:
    for command in (r.Stop(), r.Discard(), r.UndoLabel(), r.AddNote(text="x"), r.MarkTrial(), r.SkipCue()):
        reply = app.execute(command)
        assert not reply.ok, command
        assert reply.message


def test_labels_from_two_threads_are_all_kept_in_order(app: App) -> None:
    app.start_recording()
    session = app.ctx.session

    def press() -> None:
        for _ in range(50):
            session.add_label(0)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [label.timestamp for label in session.label_track]
    assert len(times) == 100
    assert times == sorted(times)


def test_a_protocol_labels_at_its_cues_and_publishes_them(app: App) -> None:
    from myogestic_tui.app.cue_markers import CUE_STREAM
    from myogestic_tui.app.protocol import make_plan
    from myogestic_tui.sources import LSLSource

    plan = make_plan("p", [(1, 0.3), (0, 0.3)], repeats=3, lead_in=0.1)
    app.parts.protocols.cues.open()
    markers = LSLSource(CUE_STREAM, source_id=f"{app.name}-cues", timeout=240.0)
    markers.connect()
    wait_for(lambda: app.parts.protocols.cues.is_heard)
    app.run_protocol(plan)
    wait_for(lambda: app.status().protocol.state == "done")
    texts: list[str] = []
    stamps: list[float] = []

    def read() -> bool:
        data, times = markers.read()
        texts.extend(str(row[0]) for row in data)
        stamps.extend(times)
        return len(texts) >= 7

    wait_for(read)
    markers.disconnect()
    track = app.ctx.session.label_track
    assert app.ctx.state == "recording", "the recording outlives its protocol"
    assert [label.class_index for label in track] == [1, 0, 1, 0, 1, 0, -1]
    assert {label.source for label in track} == {"protocol"}
    assert texts == ["Fist", "Rest", "Fist", "Rest", "Fist", "Rest", "no label"]
    assert stamps == [label.timestamp for label in track]
