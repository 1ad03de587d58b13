"""What a person is asked, where no person can be: recordings start all the same, and the events tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.app import App as TextualApp
from textual.app import ComposeResult

from myogestic_tui import App, Stream
from myogestic_tui.app import disk_space
from myogestic_tui.app import interface as r
from myogestic_tui.config import MarkerConfig
from myogestic_tui.control.labrecorder_port import _action
from myogestic_tui.control.marker_control import MarkerControl
from myogestic_tui.widgets.panels import RecordingControls, call_back
from tests.sending import RampSource, wait_for

LITTLE = r.DiskStatus(free_bytes=10**9, reserve_bytes=2 * 10**8, left_s=12.0)


@pytest.fixture
def app(tmp_path: Path, unique: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr(disk_space, "disk_status", lambda *_: LITTLE)
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.ctx.class_names = ["Rest", "Fist"]
    app.streams(Stream("emg", RampSource(2, 200.0)))
    app.open()
    wait_for(lambda: all(stream.info is not None for stream in app.ctx.streams.values()))
    yield app
    app.shut()


def by_line(app: App) -> r.Reply:
    return _action("start")(app, "script 127.0.0.1:1")


def by_marker(app: App) -> r.Reply:
    reply = MarkerControl(app, MarkerConfig(stream="m", start=("begin",))).act("begin", 1.0)
    assert reply is not None
    return reply


@pytest.mark.parametrize("start", [by_line, by_marker])
def test_a_start_by_a_program_records_and_says_what_it_would_have_asked(
    app: App, start: Callable[[App], r.Reply]
) -> None:
    assert app.execute(r.Start()).confirm == "there is room for 12 s"
    assert app.ctx.state == "idle"
    reply = start(app)
    assert reply.ok
    assert "there is room for 12 s" in reply.message
    assert app.ctx.state == "recording"
    app.stop_recording()
    told = [event.text for event in app.ctx.session.meta.events if event.kind == "started"]
    assert told[-1] == "started although there is room for 12 s"


def test_a_run_that_is_there_already_is_kept_as_it_was_sent(app: App) -> None:
    for _ in range(2):
        line = _action("filename {participant:P07} {task:grasp} {run:3}")
        assert line(app, "script").ok
        assert by_line(app).ok
        assert app.ctx.session.meta.take == 3
        app.stop_recording()
    assert any("take 03 of P07 grasp is there already" in event.text for event in app.ctx.session.meta.events)


async def test_the_record_button_shows_what_is_asked_and_a_second_press_is_a_yes(app: App) -> None:
    class Screen(TextualApp[None]):
        def compose(self) -> ComposeResult:
            yield RecordingControls(app.ctx)

    screen = Screen()

    async def press(button: int) -> None:
        buttons = list(screen.query("Action"))
        screen.query_one(RecordingControls).poll()
        assert not buttons[button].disabled
        buttons[button].press()
        await pilot.pause()

    async def until(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await pilot.pause(0.02)

    def said() -> list[str]:
        return [note.message for note in screen._notifications]

    async with screen.run_test() as pilot:
        await press(0)
        await until(lambda: any("room for 12 s" in text for text in said()))
        assert app.ctx.state == "idle"
        await press(0)
        await until(lambda: app.ctx.state == "recording")
        await press(1)
        await until(lambda: app.ctx.state == "idle")
        controls = screen.query_one(RecordingControls)
        call_back(controls, controls.stop)
        await until(lambda: any("not recording" in text for text in said()))
