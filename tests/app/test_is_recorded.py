"""What is selected is what is recorded, and what the status says of it is what the archive has."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from myogestic_tui import App, Stream
from myogestic_tui.app import interface as r
from myogestic_tui.app import problems as problems_module
from myogestic_tui.errors import NotAllowedError
from myogestic_tui.session import open_session_store
from myogestic_tui.stream import acquisition, session_change
from tests.app.stalling import PluggedSource, StallingDisk
from tests.sending import wait_for

NAMES = ("emg", "glove", "imu")
FS = 200.0


@pytest.fixture
def app(tmp_path: Path, unique: str) -> Iterator[App]:
    """Two live streams, the second one not selected."""
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.streams(Stream("emg", PluggedSource(2, FS)), Stream("glove", PluggedSource(2, FS), record=False))
    app.open()
    wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
    yield app
    app.shut()


def n_stored(app: App, name: str) -> int:
    session = app.ctx.session
    assert session is not None
    return session.snapshot().n_samples.get(name, 0)


def wait_more(app: App, name: str, more: int = 20) -> None:
    before = n_stored(app, name)
    wait_for(lambda: n_stored(app, name) >= before + more)


def row(app: App, name: str) -> r.StreamStatus:
    return next(stream for stream in app.status().streams if stream.name == name)


def problems(app: App, subject: str) -> list[str]:
    return [one.text for one in app.status().problems if one.subject == subject and one.severity == "error"]


def stop_in_a_stall(app: App, disk: StallingDisk) -> None:
    """Stop while the disk stalls; it answers once the stop waits for it."""
    stopping = threading.Thread(target=app.stop_recording)
    with disk.stalled():
        stopping.start()
        wait_for(lambda: app.parts.recordings.state == "stopping")
    stopping.join(60.0)
    assert not stopping.is_alive()


def test_a_stop_waits_for_a_disk_that_stalls_and_nothing_is_missing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = StallingDisk(monkeypatch)
    app.start_recording()
    wait_more(app, "emg")
    stop_in_a_stall(app, disk)
    assert "not heard from" not in app.ctx.status_message
    with open_session_store(app.ctx.session.path) as session:
        stamps, stop = session.ts_stores["emg"][:], session.meta.anchors[-1].lsl
    np.testing.assert_allclose(np.diff(stamps), 1 / FS, atol=1e-9)
    (stopped,) = [event for event in app.ctx.session.meta.events if event.kind == "stopped"]
    assert stopped.text == "stopped by script"
    assert stop - stamps[-1] < 60.0


def test_after_a_stall_that_outlasts_the_stop_the_next_recording_has_the_stream(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_change, "_STALL_SECONDS", 0.0, raising=False)
    disk = StallingDisk(monkeypatch)
    app.start_recording()
    wait_more(app, "emg")
    first = app.ctx.session
    stopping = threading.Thread(target=app.stop_recording)
    with disk.stalled():
        stopping.start()
        wait_for(lambda: any(event.kind == "stopped" for event in first.meta.events))
    stopping.join(60.0)
    app.start_recording()
    wait_more(app, "emg")
    assert row(app, "emg").recording
    app.stop_recording()
    with open_session_store(app.ctx.session.path) as session:
        assert session.stores["emg"].shape[0] >= 20


def test_a_stream_that_another_recording_still_holds_refuses_the_start_and_nothing_is_changed(
    app: App, tmp_path: Path
) -> None:
    from myogestic_tui.clock import local_clock
    from myogestic_tui.session import Session

    other = Session(tmp_path / "other")
    app.ctx.streams["emg"].begin(other, local_clock())
    with pytest.raises(NotAllowedError, match="emg is being recorded"):
        app.start_recording()
    assert app.ctx.state == "idle"
    assert app.ctx.session is None
    assert not list((tmp_path / "sessions").glob("2*"))
    app.ctx.streams["emg"].finish(local_clock())
    other.finish()
    assert app.start_recording().path.is_dir()


def test_a_disk_that_stalls_stands_in_red(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems_module, "_STALL_SECONDS", 0.05)
    disk = StallingDisk(monkeypatch)
    app.start_recording()
    wait_more(app, "emg")
    with disk.stalled():
        wait_for(lambda: problems(app, "disk"))
    wait_for(lambda: not problems(app, "disk"))


def test_what_is_live_and_selected_while_its_count_stands_still_is_a_problem_in_red(app: App) -> None:
    app.start_recording()
    wait_more(app, "emg")
    app.parts.recordings._try_join = lambda _: None
    app.ctx.streams["emg"]._take.done.set()  # whatever the reason may be
    wait_for(lambda: problems(app, "emg"))
    assert "not recorded" in problems(app, "emg")[0]
    assert not row(app, "emg").recording
    assert [event.stream for event in app.ctx.session.meta.events if event.kind == "not recorded"] == ["emg"]


def test_a_stream_that_dropped_out_of_the_recording_is_taken_into_it_again(app: App) -> None:
    app.start_recording()
    wait_more(app, "emg")
    app.ctx.streams["emg"]._take.done.set()
    wait_more(app, "emg")
    assert row(app, "emg").recording


def test_connect_all_while_recording_records_what_it_selects_and_the_choice_is_remembered(app: App) -> None:
    app.start_recording()
    assert app.execute(r.ConnectAll()).ok
    wait_more(app, "glove")
    app.stop_recording()
    assert App("again", sessions_dir=app.sessions_dir).parts.preferences.kept.ticks == {"emg": True, "glove": True}
    with open_session_store(app.ctx.session.path) as session:
        assert set(session.streams) == {"emg", "glove"}


def test_a_script_that_selects_a_stream_while_recording_has_it_recorded(app: App) -> None:
    app.start_recording()
    app.ctx.streams["glove"].record = True
    wait_more(app, "glove")
    app.ctx.streams["glove"].record = False
    wait_for(lambda: not row(app, "glove").recording)
    assert row(app, "emg").recording


def test_one_chunk_that_cannot_be_stored_does_not_end_the_recording_of_its_stream(app: App) -> None:
    from myogestic_tui.errors import SourceError

    app.start_recording()
    wait_more(app, "emg")
    take, refused = app.ctx.streams["emg"]._take, threading.Event()
    append = take.session.append

    def once(*chunk: object) -> None:
        if not refused.is_set():
            refused.set()
            raise SourceError("a text of more than the most bytes cannot be recorded")
        append(*chunk)

    take.session.append = once
    assert refused.wait(120.0)
    wait_more(app, "emg")
    assert app.ctx.streams["emg"]._take is take
    assert "cannot be recorded" in row(app, "emg").message


class Operator(RuleBasedStateMachine):
    """Somebody at the keys, devices that come and go, and a disk that stalls."""

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(acquisition, "_RETRY_SECONDS", (0.02,))
        self._patch.setattr(problems_module, "_STALL_SECONDS", 0.05)
        self._folder = tempfile.TemporaryDirectory(prefix="machine-", ignore_cleanup_errors=True)
        self.disk = StallingDisk(self._patch)
        self.app = App("machine", sessions_dir=self._folder.name)
        self.app.parts.jobs.pack = lambda session: 0
        self.sources = {name: PluggedSource(2, FS) for name in NAMES}
        for source in self.sources.values():
            source.available.clear()
        self.app.streams(*(Stream(name, source) for name, source in self.sources.items()))
        self.app.set_viewers(1)
        self.app.open()
        self.connected: set[str] = set()
        self.selected = set(NAMES)
        self.in_session: set[str] = set()
        self.whole: set[str] = set()

    def teardown(self) -> None:
        self.app.shut()
        self._patch.undo()
        self._folder.cleanup()

    @property
    def recording(self) -> bool:
        return self.app.ctx.state == "recording"

    def _now_in(self) -> set[str]:
        return self.selected & self.connected if self.recording else set()

    def _plugged(self) -> set[str]:
        return {name for name, source in self.sources.items() if source.available.is_set()}

    @rule(name=st.sampled_from(NAMES))
    def plug_in(self, name: str) -> None:
        self.sources[name].available.set()
        wait_for(lambda: self.app.ctx.streams[name]._connected)
        self.connected.add(name)

    @rule(name=st.sampled_from(NAMES))
    def lose(self, name: str) -> None:
        self.sources[name].available.clear()
        wait_for(lambda: not self.app.ctx.streams[name]._connected)
        self.whole.discard(name)

    @rule(name=st.sampled_from(NAMES))
    def include(self, name: str) -> None:
        assert self.app.execute(r.TickStream(key=f"stream:{name}", record=True)).ok
        self.selected.add(name)

    @rule(name=st.sampled_from(NAMES))
    def take_out(self, name: str) -> None:
        command = r.TickStream(key=f"stream:{name}", record=False)
        reply = self.app.execute(command)
        assert bool(reply.confirm) == (self.recording and name in self.selected)
        if reply.confirm:
            assert self.app.execute(r.TickStream(key=command.key, record=False, confirmed=1)).ok
        self.selected.discard(name)
        self.whole.discard(name)

    @rule()
    def connect_all(self) -> None:
        assert self.app.execute(r.ConnectAll()).ok
        self.selected = set(NAMES)

    @precondition(lambda self: not self.recording)
    @rule()
    def start(self) -> None:
        assert self.app.execute(r.Start(confirmed=1)).ok
        self.in_session = set()
        self.whole = self._now_in() & self._plugged()

    @precondition(lambda self: self.recording)
    @rule()
    def start_twice(self) -> None:
        assert not self.app.execute(r.Start()).ok

    @precondition(lambda self: self._now_in() & self._plugged())
    @rule()
    def stall(self) -> None:
        with self.disk.stalled():
            wait_for(lambda: problems(self.app, "disk"))

    @precondition(lambda self: self.recording)
    @rule()
    def stop(self) -> None:
        session = self.app.parts.recordings.id
        counts = {name: n_stored(self.app, name) for name in self.in_session}
        assert self.app.execute(r.Stop(session=session)).ok
        self._compare(counts)

    @precondition(lambda self: self._now_in() & self._plugged())
    @rule()
    def stop_while_the_disk_stalls(self) -> None:
        stop_in_a_stall(self.app, self.disk)
        self._compare({})

    @invariant()
    def the_status_says_what_is_recorded(self) -> None:
        expected = self._now_in()
        self.in_session |= expected
        wait_for(lambda: {one.name for one in self.app.status().streams if one.recording} == expected)
        for name in expected & self._plugged():
            wait_more(self.app, name, 4)

    def _compare(self, counts: dict[str, int]) -> None:
        with open_session_store(self.app.ctx.session.path) as session:
            assert set(session.streams) == self.in_session
            for name in self.in_session:
                stamps = session.ts_stores[name][:]
                assert len(stamps) >= counts.get(name, 0)
                assert (np.diff(stamps) > 0).all()
                if name in self.whole:
                    np.testing.assert_allclose(np.diff(stamps), 1 / FS, atol=1e-9)
        assert not any(one.recording for one in self.app.status().streams)


def run_operator(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Operator,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_the_status_says_is_what_the_archive_has() -> None:
    run_operator(examples=6, steps=12)


@pytest.mark.slow
def test_what_the_status_says_is_what_the_archive_has_in_many_ways() -> None:
    run_operator(examples=25, steps=25)
