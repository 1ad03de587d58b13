"""What a hand at the keys may do: questions, quick takes, take numbers, two operators; and stops by the recorder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from myogestic_tui import App, Stream
from myogestic_tui.app import disk_space
from myogestic_tui.app import interface as r
from myogestic_tui.errors import ConfigError, NotAllowedError, SessionError
from myogestic_tui.session import Session, open_session_store
from tests.app.stalling import PluggedSource
from tests.sending import RampSource, wait_for


@pytest.fixture
def app(tmp_path: Path, unique: str) -> Iterator[App]:
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.ctx.class_names = ["Rest", "Fist"]
    app.streams(Stream("emg", RampSource(2, 200.0)), Stream("glove", RampSource(2, 200.0), required=True))
    app.open()
    wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
    yield app
    app.shut()


def row(app: App, name: str) -> r.StreamStatus:
    return next(stream for stream in app.status().streams if stream.name == name)


def wait_samples(app: App, name: str, count: int = 20) -> None:
    wait_for(lambda: app.ctx.session.snapshot().n_samples.get(name, 0) >= count)


def again(app: App, command: r.AnyCommand, confirmed: int = 1) -> r.Reply:
    return app.execute(msgspec.structs.replace(command, confirmed=confirmed))


def kinds(app: App) -> list[str]:
    return [event.kind for event in app.ctx.session.meta.events]


# ---------------------------------------------------------------- starting from a script


def test_a_start_gives_the_session_and_a_refused_one_raises_why(app: App) -> None:
    session = app.start_recording()
    assert session is app.ctx.session
    with pytest.raises(NotAllowedError, match="already recording"):
        app.start_recording()
    assert app.ctx.session is session


def test_a_recording_is_stopped_with_its_block_whatever_happens_in_it(app: App) -> None:
    with app.recording() as session:
        session.add_label(1)
        assert app.ctx.state == "recording"
    assert app.ctx.state == "idle"
    with pytest.raises(ConfigError), app.recording():
        app.add_label(7)
    assert app.ctx.state == "idle"
    assert app.ctx.session.meta.ended_by == "stopped by script"


def test_a_block_whose_recording_ended_early_says_so(app: App) -> None:
    with pytest.raises(SessionError, match=r"ended early: stopped by tui 7"), app.recording():
        app.execute(r.Stop(actor="tui 7"))


@pytest.mark.parametrize("which", ["before_run_hooks", "cleanup_hooks"])
def test_what_a_hook_raises_comes_out_of_run_after_all_is_saved(tmp_path: Path, which: str) -> None:
    app = App("hooks", sessions_dir=tmp_path)
    ended: list[str] = []
    getattr(app, which).append(lambda _: [][0])
    app.before_run_hooks.insert(0, lambda app: app.start_recording())
    app.before_run_hooks.append(lambda app: app.stop())
    app.cleanup_hooks.append(lambda _: ended.append("cleaned up"))
    with pytest.raises(IndexError):
        app.run("headless")
    assert ended == ["cleaned up"]
    assert len(list(tmp_path.glob("*.session.zip"))) == 1


# ---------------------------------------------------------------- streams that are taken out


def test_a_stream_is_taken_out_of_a_recording_only_by_who_confirms_it_and_the_gap_says_why(app: App) -> None:
    app.start_recording()
    wait_samples(app, "emg")
    out = r.TickStream(key="stream:emg", record=False, actor="tui 4711")
    reply = app.execute(out)
    assert not reply.ok
    assert "emg" in reply.confirm
    assert row(app, "emg").recording
    assert again(app, out).ok
    wait_for(lambda: not row(app, "emg").recording)
    n_before = app.ctx.session.snapshot().n_samples["emg"]
    received = app.ctx.streams["emg"].n_received
    wait_for(lambda: app.ctx.streams["emg"].n_received >= received + 200)
    assert app.execute(r.TickStream(key="stream:emg", record=True)).ok
    wait_samples(app, "emg", n_before + 40)
    assert kinds(app)[:2] == ["started", "excluded"]
    assert app.ctx.session.meta.events[1].who == "tui 4711"
    app.stop_recording()
    with open_session_store(app.ctx.session.path) as session:
        (gap,) = session.meta.streams["emg"].gaps
        assert gap.index == n_before
        assert gap.reason == "taken out by the operator"


def test_a_required_stream_asks_twice(app: App) -> None:
    app.start_recording()
    out = r.TickStream(key="stream:glove", record=False)
    assert "glove" in app.execute(out).confirm
    assert "required" in again(app, out, 1).confirm
    assert row(app, "glove").record
    assert again(app, out, 2).ok
    assert not row(app, "glove").record


def test_a_stream_is_deselected_without_a_question_while_idle(app: App) -> None:
    assert app.execute(r.TickStream(key="stream:glove", record=False)).ok


def test_a_recording_that_nothing_is_left_in_is_loud_and_is_counted_against_its_start(app: App) -> None:
    app.start_recording()
    for name in ("emg", "glove"):
        assert again(app, r.TickStream(key=f"stream:{name}", record=False), 2).ok
    status = app.status()
    assert status.session.expected == ("emg", "glove")
    (problem,) = [one for one in status.problems if one.subject == "session"]
    assert problem.severity == "error"
    assert "nothing is recorded" in problem.text


# ---------------------------------------------------------------- quick takes, two operators


def test_a_start_that_is_asked_for_while_a_stop_drains_follows_on_it(app: App) -> None:
    first = app.start_recording()
    stopping = threading.Thread(target=app.execute, args=(r.Stop(),))
    stopping.start()
    wait_for(lambda: app.status().stopping or app.ctx.state == "idle")
    assert app.execute(r.Start()).ok
    stopping.join()
    assert app.ctx.state == "recording"
    assert app.ctx.session is not first


def test_a_stop_means_the_recording_that_it_was_asked_for(app: App) -> None:
    app.start_recording()
    old = app.status().session.id
    app.execute(r.Stop(session=old, actor="tui 2"))
    assert app.status().session.ended_by == "stopped by tui 2"
    assert app.status().session.id == old
    app.start_recording()
    track = app.ctx.session
    for late in (
        r.Stop(session=old),
        r.Discard(session=old),
        r.AddLabel(class_index=1, session=old),
        r.AddNote(text="of the take before", session=old),
        r.MarkTrial(session=old),
        r.UndoLabel(session=old),
        r.TickStream(key="stream:emg", record=False, session=old, confirmed=1),
        r.AbortProtocol(session=old),
    ):
        reply = app.execute(late)
        assert not reply.ok, late
        assert "ended" in reply.message
    assert app.ctx.state == "recording"
    assert (track.label_track, track.notes) == ([], [])


def test_who_started_labelled_undid_and_stopped_stands_in_the_session(app: App) -> None:
    app.execute(r.Start(actor="tui 1"))
    app.execute(r.AddLabel(class_index=1, actor="tui 1"))
    app.execute(r.AddLabel(class_index=0, actor="tui 1"))
    app.execute(r.AddLabel(class_index=1, actor="ctl 2"))
    app.execute(r.UndoLabel(actor="tui 1"))
    app.execute(r.Stop(actor="ctl 3"))
    wait_for(lambda: app.ctx.session.path.suffix == ".zip")
    expected = [("started", "tui 1"), ("labels", "tui 1"), ("labels", "ctl 2"), ("undo", "tui 1"), ("stopped", "ctl 3")]
    with open_session_store(app.ctx.session.path) as session:
        assert [(event.kind, event.who) for event in session.meta.events] == expected
        assert session.meta.ended_by == "stopped by ctl 3"
        times = [event.timestamp for event in session.meta.events]
        assert times == sorted(times)


def test_a_stream_that_is_lost_and_comes_back_stands_among_the_events(tmp_path: Path) -> None:
    source = PluggedSource(2, 200.0)
    app = App("lost", sessions_dir=tmp_path)
    app.streams(Stream("glove", source))
    app.open()
    try:
        wait_for(lambda: app.ctx.streams["glove"].info is not None)
        app.start_recording()
        wait_samples(app, "glove")
        source.available.clear()
        wait_for(lambda: "lost" in kinds(app))
        source.available.set()
        wait_for(lambda: "back" in kinds(app))
        back = app.ctx.session.meta.events[-1]
        assert back.stream == "glove"
        assert "gap" in back.text
    finally:
        app.shut()


# ---------------------------------------------------------------- stopped by the recorder


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, left_s: float = 0.0) -> None:
    full = r.DiskStatus(free_bytes=10**8 if left_s == 0.0 else 10**9, reserve_bytes=2 * 10**8, left_s=left_s)
    monkeypatch.setattr(disk_space, "disk_status", lambda *_: full)


def test_a_stop_by_the_recorder_stands_until_it_is_acknowledged(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.start_recording()
    with monkeypatch.context() as patch:
        fill_the_disk(patch)
        wait_for(lambda: app.status().stopped is not None)
    stopped = app.status().stopped
    assert "reserve of 200 MB" in stopped.text
    assert stopped.session == app.status().session.id
    wait_for(lambda: not app.parts.jobs.busy)
    assert app.status().stopped == stopped, "packing does not take it away"
    with open_session_store(app.ctx.session.path) as session:
        assert session.meta.ended_by.startswith("stopped by the recorder: the disk reached its reserve")
        assert session.meta.events[-1].kind == "stopped"
    question = app.execute(r.Start()).confirm
    assert "stopped by the recorder" in question
    assert app.ctx.state == "idle"
    assert app.execute(r.Acknowledge()).ok
    assert app.status().stopped is None
    assert app.execute(r.Start()).ok


def test_a_start_with_less_than_a_minute_of_room_asks(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_disk(monkeypatch, left_s=12.0)
    assert "12 s" in app.execute(r.Start()).confirm
    assert app.ctx.state == "idle"
    protocol = r.StartProtocol(name="p", steps=(("Rest", 60.0),))
    assert "12 s" in app.execute(protocol).confirm
    assert again(app, r.Start()).ok


# ---------------------------------------------------------------- take numbers


def meta_of(app: App) -> tuple[str, str, int | None]:
    meta = app.ctx.session.meta
    return meta.subject, meta.task, meta.take


def take_of(app: App) -> tuple[str, str, int | None]:
    app.start_recording()
    app.stop_recording()
    return meta_of(app)


def test_the_number_on_the_screen_is_the_one_in_the_file_without_a_subject_too(app: App) -> None:
    assert app.status().take.take == 1
    assert take_of(app) == ("", "", 1)
    assert take_of(app) == ("", "", 2)


def test_a_task_that_is_changed_and_changed_back_goes_on_with_its_own_numbers(app: App) -> None:
    app.execute(r.SetTake(subject="P07", task="grasp"))
    assert [take_of(app)[2] for _ in range(3)] == [1, 2, 3]
    app.execute(r.SetTake(task="mvc"))
    assert take_of(app) == ("P07", "mvc", 1)
    app.execute(r.SetTake(task="grasp"))
    assert app.status().take.take == 4


def test_the_number_of_a_discarded_take_is_not_used_again(app: App) -> None:
    app.start_recording()
    app.discard_recording()
    assert app.status().take.take == 2
    app.shut()
    later = App("later", sessions_dir=app.sessions_dir)
    later.take = r.TakeStatus()
    later.parts.takes.settle()
    assert later.take.take == 2


def test_who_shuts_while_another_stops_waits_until_that_is_packed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[Path] = []

    def shut() -> None:
        app.shut()
        packed.extend(app.sessions_dir.glob("*.session.zip"))

    shutting, count = threading.Thread(target=shut), app.parts.takes.count

    def between() -> None:
        shutting.start()
        shutting.join(0.5)  # it ends only where it does not wait
        count()

    monkeypatch.setattr(app.parts.takes, "count", between)
    app.start_recording()
    app.stop_recording()
    shutting.join(60.0)
    assert len(packed) == 1


def test_after_a_kill_the_next_take_has_the_next_number(tmp_path: Path) -> None:
    killed = App("killed", sessions_dir=tmp_path)
    killed.take = r.TakeStatus(subject="P07", task="grasp", take=4)
    session = Session(tmp_path, fields=killed.parts.takes.fields(None))
    session.close()
    later = App("later", sessions_dir=tmp_path)
    assert later.take.take == 4
    assert later.start_recording().meta.take == 5
    later.stop_recording()
    later.shut()


def test_a_number_that_is_used_already_asks_and_may_be_meant(app: App) -> None:
    assert take_of(app)[2] == 1
    double = r.SetTake(take=1)
    assert "take 01" in app.execute(double).confirm
    assert app.take.take == 2
    assert again(app, double).ok
    assert app.status().take_exists
    assert "take 01" in app.execute(r.Start()).confirm
    assert again(app, r.Start()).ok
    app.stop_recording()
    assert meta_of(app)[2] == 1
    assert app.take.take == 2


def test_sessions_that_somebody_else_puts_into_the_folder_count(app: App, tmp_path: Path) -> None:
    other = Session(tmp_path / "other", fields={"subject": "P07", "task": "grasp", "take": 26})
    other.close()
    app.start_recording()
    app.stop_recording()
    other.path.rename(app.sessions_dir / f"{other.path.name}_9")
    wait_for(lambda: app.parts.takes.next_free(r.TakeStatus(subject="P07", task="grasp")) == 27)
    app.execute(r.SetTake(subject="P07", task="grasp"))
    assert app.take.take == 27


# ---------------------------------------------------------------- trials


def test_m_marks_the_running_trial_says_which_and_turns_it_back(app: App) -> None:
    app.start_recording()
    assert not app.execute(r.MarkTrial(bad=None)).ok
    app.add_label(0)
    app.add_label(1)
    reply = app.execute(r.MarkTrial(bad=None))
    assert reply.message == "trial 2 Fist (running) marked bad"
    assert app.status().message == reply.message
    assert [label.bad for label in app.ctx.session.label_track] == [False, True]
    assert "marked good" in app.execute(r.MarkTrial(bad=None)).message
    first = app.ctx.session.label_track[0].timestamp
    assert app.execute(r.MarkTrial(timestamp=first)).message == "trial 1 Rest marked bad"
    app.add_label(-1)
    assert app.execute(r.MarkTrial(bad=None)).message == "trial 2 Fist marked bad"
    assert not app.execute(r.MarkTrial(index=7)).ok


def test_any_past_trial_can_be_relabelled_and_marked_by_its_number_and_the_events_tell(app: App) -> None:
    app.start_recording()
    assert "no trial" in app.execute(r.Relabel(class_index=1)).message
    for class_index in (0, -1, 1, 0):
        app.add_label(class_index)
    assert app.execute(r.Relabel(class_index=0, trial=2, actor="tui 7")).message == "trial 2 Fist relabelled Rest"
    assert app.execute(r.Relabel(class_index=1)).message == "trial 3 Rest (running) relabelled Fist"
    assert app.ctx.current_label == 1
    assert app.execute(r.MarkTrial(trial=1)).message == "trial 1 Rest marked bad"
    assert "already" in app.execute(r.Relabel(class_index=1)).message
    for wrong in (
        r.Relabel(class_index=2),
        r.Relabel(class_index=1, trial=4),
        r.Relabel(class_index=1, trial=0),
        r.Relabel(class_index=1, timestamp=1.0),
        r.Relabel(class_index=1, session="another"),
        r.MarkTrial(trial=9),
    ):
        assert not app.execute(wrong).ok
    assert app.execute(r.Relabel(class_index=-1, trial=3)).ok
    assert app.ctx.current_label is None
    app.stop_recording()
    assert [label.class_index for label in app.ctx.session.label_track] == [0, -1, 0, -1]
    assert [label.bad for label in app.ctx.session.label_track] == [True, False, False, False]
    told = [(event.text, event.who) for event in app.ctx.session.meta.events if event.kind == "trial"]
    assert told[0] == ("trial 2 Fist relabelled Rest", "tui 7")
    assert len(told) == 4


# ---------------------------------------------------------------- the generator


def test_two_presses_start_one_generator(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from myogestic_tui.app import generator

    may_start, made = threading.Event(), []

    class Slow:
        alive = True

        def __init__(self, **_: object) -> None:
            may_start.wait(120.0)
            made.append(self)

        def stop(self) -> None:
            self.alive = False

        def gesture(self, _: int) -> None: ...

    monkeypatch.setattr(generator, "Generator", Slow)
    assert app.execute(r.StartGenerator()).ok
    assert not app.execute(r.StartGenerator()).ok
    assert app.status().generator
    stopping = threading.Thread(target=app.execute, args=(r.StopGenerator(),))
    stopping.start()
    may_start.set()
    stopping.join(30.0)
    assert len(made) == 1
    assert not made[0].alive
    assert not app.status().generator


def test_the_generator_is_not_ended_under_a_recording_without_a_question(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(app.parts.generators), "running", property(lambda _: True))
    app.start_recording()
    assert "generator" in app.execute(r.StopGenerator()).confirm
    monkeypatch.undo()
