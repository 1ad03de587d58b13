"""Whatever stands in a folder, and whatever a job is asked: the recorder continues watching its recording."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from myogestic_tui import App, Stream
from myogestic_tui.app import interface as r
from myogestic_tui.app import preferences
from myogestic_tui.errors import DiskError
from myogestic_tui.session import open_session_store, verify_session
from tests.sending import RampSource, wait_for
from tests.session.folders import cut_off, recorded
from tests.session.known import STREAMS


@pytest.fixture
def app(tmp_path: Path, unique: str) -> Iterator[App]:
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.streams(Stream("emg", source=RampSource()))
    yield app
    app.shut()


def opened(app: App) -> App:
    app.open()
    wait_for(lambda: app.ctx.streams["emg"].info is not None)
    return app


def foreign(sessions_dir: Path, base: Path) -> Path:
    """A session with an array of a type that no recorder of this format writes."""
    session = recorded(base / "rec", [(STREAMS[0], 600, 100)])
    folder = cut_off(session.path, sessions_dir / "foreign")
    session.finish()
    path = folder / "emg.zarr" / "zarr.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "data_type": {"name": "fixed_length_utf32"}}))
    return folder


def test_the_reserve_is_watched_whatever_stands_in_the_folder(app: App, tmp_path: Path, monkeypatch):
    folder = foreign(tmp_path / "sessions", tmp_path)
    opened(app)
    assert app.start_recording()
    monkeypatch.setattr(app.config.disk.__class__, "reserve_bytes", lambda *_: 1 << 62)
    wait_for(lambda: app.ctx.state == "idle" and "reserve" in app.ctx.status_message)
    assert folder.is_dir()


def test_a_shortage_that_was_measured_before_a_recording_began_does_not_end_it(app: App, monkeypatch):
    def full_before_it_began() -> str:
        app.start_recording()
        return "the disk of another folder reached its reserve"

    monkeypatch.setattr(app.parts.disk, "shortage", full_before_it_began)
    app.parts._watch_disk()
    assert app.ctx.state == "recording"
    app.stop_recording()


def test_a_part_of_the_housekeeping_that_fails_is_told_once_and_the_others_go_on(
    app: App, monkeypatch, caplog: pytest.LogCaptureFixture
):
    calls, poll = threading.Semaphore(0), app.parts.jobs.poll

    def fail() -> None:
        if threading.current_thread().name != "housekeeper":
            return poll()
        calls.release()
        raise ZeroDivisionError("odd")

    monkeypatch.setitem(app.parts.housekeeping._parts, "jobs", fail)
    opened(app)
    assert app.start_recording()
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert calls.acquire(timeout=30)
    told = [record for record in caplog.records if "housekeeping" in record.message]
    assert len(told) <= 1
    monkeypatch.setattr(app.config.disk.__class__, "reserve_bytes", lambda *_: 1 << 62)
    wait_for(lambda: app.ctx.state == "idle")


def test_a_session_that_cannot_be_written_ends_the_recording_without_the_housekeeper(app: App, monkeypatch):
    stopped = threading.Event()
    monkeypatch.setattr(app.parts.housekeeping, "_repeat", stopped.wait)
    opened(app)
    assert app.start_recording()
    session = app.ctx.session
    assert session is not None
    wait_for(lambda: session.snapshot().n_samples.get("emg"))
    real = os.writev

    def refuse(fd: int, parts: object) -> int:
        if str(session.path) in os.readlink(f"/proc/self/fd/{fd}"):
            raise OSError(28, "No space left on device")
        return real(fd, parts)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "writev", refuse)
    wait_for(lambda: app.ctx.state == "idle" and "the disk refused a write" in app.ctx.status_message)
    monkeypatch.undo()
    stopped.set()
    assert isinstance(session.error, DiskError)
    wait_for(lambda: app.parts.jobs.poll() or session.path.is_file())
    assert verify_session(session.path).ok


@pytest.mark.parametrize(
    "command",
    [
        r.EditSession(path="a\0b", changes={"name": "x"}),
        r.EditSession(path="a", changes={"name": "x\0y"}),
        r.AddNote(text="x", path="a\0b"),
        r.AddNote(text="x\0y", path="a"),
        r.StartJob(kind="verify", paths=("a\0b",)),
        r.StartJob(kind="copy", paths=("a",), options={"to": "b\0"}),
        r.StartJob(kind="verify", paths=("a\udcff",)),
        r.TrashSession(path="a\0b"),
        r.Start(base_path="a\0b"),
        r.SetTake(subject="P\0"),
        r.SetTake(take=10**30),
        r.SetTake(fields={"k": "\0"}),
    ],
    ids=repr,
)
def test_what_nothing_can_store_is_refused_and_the_next_stop_packs(app: App, command: r.AnyCommand):
    opened(app)
    reply = app.execute(command)
    assert not reply.ok
    assert reply.message
    assert "internal" not in reply.message
    assert app.start_recording()
    session = app.ctx.session
    assert session is not None
    wait_for(lambda: session.snapshot().n_samples.get("emg"))
    assert app.execute(r.Stop()).ok
    wait_for(lambda: session.path.is_file())
    json.dumps([status.message for status in app.parts.jobs.statuses()])
    with open_session_store(session.path) as reader:
        assert reader.n_samples("emg") > 0


def test_any_exception_of_a_job_fails_that_job_only(app: App, tmp_path: Path, monkeypatch):
    from myogestic_tui.session.library import jobs

    real = jobs.start_job

    def start(kind: str, path: Path, options: object = None) -> object:
        if kind == "verify":
            raise ZeroDivisionError("odd")
        return real(kind, path, options)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "start_job", start)
    session = recorded(tmp_path / "sessions", [(STREAMS[0], 600, 100)])
    session.finish()
    first = app.parts.jobs.add("verify", session.path)
    app.parts.jobs.add("pack", session.path)
    wait_for(lambda: app.parts.jobs.poll() or not app.parts.jobs.busy)
    states = {status.id: status.state for status in app.parts.jobs.statuses()}
    assert states.pop(first) == "failed"
    assert set(states.values()) == {"done"}
    assert session.path.is_file()


@pytest.mark.parametrize("place", ["home", "sessions folder"])
@pytest.mark.parametrize("what", ["file for a folder", "folder for the file", "FIFO", "link in a circle", "nonsense"])
def test_nothing_that_is_remembered_for_comfort_comes_between_a_start_and_its_answer(
    app: App, tmp_path: Path, monkeypatch, place: str, what: str
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = preferences._places_file() if place == "home" else tmp_path / "sessions" / ".myogestic" / "remembered.json"
    if what == "file for a folder" and place == "home":
        file.parent.parent.mkdir(parents=True)
        file.parent.write_bytes(b"")
    else:
        file.parent.mkdir(parents=True)
        match what:
            case "FIFO":
                os.mkfifo(file)
            case "link in a circle":
                file.symlink_to(file.name)
            case "nonsense":
                file.write_bytes(b'{"take": {"take": "x"}}\xff')
            case _:
                (file / "x").mkdir(parents=True)
    fresh = App(app.name, sessions_dir=app.sessions_dir)
    fresh.streams(Stream("emg", source=RampSource()))
    opened(fresh)
    try:
        reply = fresh.execute(r.Start())
        assert reply.ok, reply.message
        fresh.take = r.TakeStatus(subject="P07")
        wait_for(lambda: fresh.ctx.session.snapshot().n_samples.get("emg"))  # type: ignore[union-attr]
        assert fresh.execute(r.Stop()).ok
    finally:
        fresh.shut()


def test_a_home_that_cannot_be_written_is_told_by_the_memory_and_records_all_the_same(
    app: App, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/self/nowhere")
    opened(app)
    assert app.execute(r.Start()).ok
    session = app.ctx.session
    wait_for(lambda: session.snapshot().n_samples.get("emg", 0) > 100)  # type: ignore[union-attr]
    assert app.execute(r.Stop()).ok
    assert any("other folders are not remembered" in text for text in preferences.trouble(tmp_path))


def test_streams_rest_while_nobody_watches_and_not_as_soon_as_a_viewer_has_left(app: App):
    app.open(lean=True)
    stream = app.ctx.streams["emg"]
    wait_for(lambda: stream.resting)
    app.set_viewers(1)
    assert not stream.resting
    app.set_viewers(0)
    app.parts._let_streams_rest()
    assert not stream.resting


def test_streams_whose_windows_are_read_in_this_process_never_rest(app: App):
    opened(app).parts._let_streams_rest()
    assert not app.ctx.streams["emg"].resting
