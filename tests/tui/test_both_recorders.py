"""The screens on a real recorder, once in this process and once at the other end of the socket: they are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from myogestic_tui import App, Stream
from myogestic_tui.app.interface import Recorder
from myogestic_tui.control import RecorderClient, hosted
from myogestic_tui.control.spawn import locate
from myogestic_tui.session import open_session_store
from myogestic_tui.tui.recorder_feed import Feed
from tests.sending import RampSource, wait_for
from tests.tui.scripted import ScriptedRecorder

NAMES = ["Rest", "Fist", "Pinch", "Open"]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A real recorder with one live stream of 8 channels."""
    app = App("both", sessions_dir=tmp_path / "sessions")
    app.ctx.class_names = NAMES
    app.streams(Stream("emg", source=RampSource(8, 500.0)))
    app.open()
    wait_for(lambda: any(stream.state == "live" for stream in app.status().streams))
    yield app
    app.shut()


@pytest.fixture(params=["in this process", "over the socket"])
def recorder(app: App, request: pytest.FixtureRequest) -> Iterator[Recorder]:
    """The app itself, or a client of it."""
    if request.param == "in this process":
        yield app
        return
    with hosted(app), RecorderClient(lambda: locate(app.sessions_dir)) as client:
        assert client.wait_for(lambda status: status.state == "idle", 120.0)
        yield client


@pytest.fixture
def recorded(app: App) -> Callable[[], Path]:
    """The archive, once it is packed."""

    def path() -> Path:
        wait_for(lambda: str(app.ctx.session.path).endswith(".session.zip"), 120.0)
        return Path(app.ctx.session.path)

    return path


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_a_take_from_start_to_stop(stage, recorder, recorded, size):
    async with stage(recorder, screen="record", size=size) as it:
        await it.until(lambda: "space records" in it.text and "1/1" in it.rows()[1])
        await it.press("space")
        await it.until(lambda: "● REC" in it.rows()[1])
        await it.press("2")
        await it.until(lambda: "2 Fist" in it.rows()[1])
        await it.press("3")
        await it.until(lambda: "3 Pinch" in it.rows()[1])
        await it.press("u")
        await it.until(lambda: "2 Fist" in it.rows()[1])
        await it.press("n", *"tape", "enter")
        await it.until(lambda: "tape" in it.text)
        await it.press("x")
        assert "stop take" in it.text
        await it.press("enter")
        await it.until(lambda: "○ IDLE" in it.rows()[1])
    with open_session_store(recorded()) as session:
        assert [label.class_index for label in session.label_track] == [1]
        assert [note.text for note in session.notes] == ["tape"]
        assert session.stores["emg"].shape[1] == 8


async def test_streams_and_live_show_the_signal(stage, recorder):
    async with stage(recorder, screen="streams") as it:
        await it.until(lambda: "emg" in it.text and "● live" in it.text)
        await it.press("l")
        await it.until(lambda: "emg 1-8/8" in it.text)
        await it.until(lambda: sum("\u2801" <= letter <= "\u28ff" for letter in it.text) > 50)
        before = it.text
        await it.until(lambda: it.text != before)


async def test_what_is_refused_is_said(stage, recorder):
    async with stage(recorder, screen="record") as it:
        await it.until(lambda: "1/1" in it.rows()[1])
        await it.press("space")
        await it.until(lambda: "● REC" in it.rows()[1])
        await it.press("u")
        await it.until(lambda: "there is no label to undo" in it.text)
        await it.press("x", "d")
        await it.until(lambda: "○ IDLE" in it.rows()[1])


async def test_the_take_sheet_is_kept(stage, recorder, app):
    async with stage(recorder, screen="record") as it:
        await it.press("t", *"P08", "tab", *"mvc", "enter")
        await it.until(lambda: "P08 · mvc · take 01" in it.rows()[1])
    assert (app.take.subject, app.take.task) == ("P08", "mvc")


def test_a_recorder_in_place_of_the_first_tells_of_its_envelopes_too():
    class Remote(ScriptedRecorder):
        on_envelope = None

    def told() -> None: ...

    first, other = Remote(), Remote()
    feed = Feed(first, "tui", embedded=False)
    feed.start(lambda *_: None, told)
    assert first.on_envelope is told
    feed.reconnect(lambda: other)
    assert other.on_envelope is told
    assert first.closed
