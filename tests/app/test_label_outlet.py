"""Every label is an LSL marker, too: with its own time stamp, on an outlet that tells whose clock that is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from myogestic_tui import App, Stream
from myogestic_tui.app import interface as r
from myogestic_tui.app.label_markers import CLOCK_ELEMENT, LABEL_STREAM
from myogestic_tui.clock.local import clock_id
from myogestic_tui.config import parse_config
from myogestic_tui.session import open_session_store
from myogestic_tui.sources import LSLSource
from tests.sending import RampSource, wait_for


class Heard:
    """What comes in from the outlet of an app's labels."""

    def __init__(self, app: App) -> None:
        self.source = LSLSource(LABEL_STREAM, source_id=app.status().label_source, timeout=60.0)
        self.info = self.source.connect()
        wait_for(lambda: app.parts.label_outlet.is_heard)
        self.texts: list[str] = []
        self.stamps: list[float] = []

    def wait(self, count: int) -> list[tuple[str, float]]:
        def read() -> bool:
            data, stamps = self.source.read()
            self.texts.extend(str(row[0]) for row in data)
            self.stamps.extend(stamps.tolist())
            return len(self.texts) >= count

        wait_for(read)
        return list(zip(self.texts, self.stamps, strict=True))


def opened(folder: Path, name: str, config: str = "") -> App:
    app = App(name, config=parse_config(config), sessions_dir=folder)
    app.ctx.class_names = ["Rest", "Fist", "Pinch"]
    app.streams(Stream("emg", source=RampSource()))
    app.open(discover=True, publish=True)
    wait_for(lambda: app.ctx.streams["emg"].info is not None)
    return app


@pytest.fixture
def app(tmp_path: Path, unique: str) -> Iterator[App]:
    app = opened(tmp_path / "sessions", unique)
    wait_for(lambda: app.parts.label_outlet.uid)
    yield app
    app.shut()


def test_every_label_goes_out_with_its_own_time_stamp_and_an_undo_is_told(app: App) -> None:
    heard = Heard(app)
    try:
        app.add_label(1)
        app.start_recording()
        start = app.started_at
        assert app.execute(r.AddLabel(class_index=2, timestamp=start + 0.5, source="key")).ok
        assert app.execute(r.AddLabel(class_index=-1, timestamp=start + 0.75)).ok
        assert app.execute(r.UndoLabel()).ok
        told = heard.wait(4)
    finally:
        heard.source.disconnect()
    assert told == [
        ("Fist", start),
        ("Pinch", start + 0.5),
        ("no label", start + 0.75),
        ("undo no label", start + 0.75),
    ]
    app.stop_recording()
    with open_session_store(app.ctx.session.path) as session:
        assert [(label.class_index, label.timestamp) for label in session.label_track] == [(1, start), (2, start + 0.5)]
        assert session.meta.recorder.clock == clock_id() == app.status().clock
    assert f"<{CLOCK_ELEMENT}>{clock_id()}</{CLOCK_ELEMENT}>" in heard.info.desc_xml


def test_the_outlet_of_its_own_labels_is_not_offered_to_be_recorded(app: App) -> None:
    discovery = app.parts.streams
    wait_for(lambda: discovery.discovering and discovery._discovery.has(app.parts.label_outlet.uid))
    assert app.parts.label_outlet.uid not in {row.uid for row in app.status().streams}


def test_a_recorder_that_is_told_not_to_publish_labels_has_no_outlet(tmp_path: Path, unique: str) -> None:
    app = opened(tmp_path / "sessions", unique, "[markers]\npublish = false\n")
    try:
        wait_for(lambda: not app.parts.housekeeping._threads[1].is_alive())
        app.start_recording()
        app.add_label(1)
        assert app.parts.label_outlet.uid == ""
    finally:
        app.shut()


def test_an_app_that_runs_without_screens_has_the_outlet_too(tmp_path: Path, unique: str) -> None:
    app = App(unique, sessions_dir=tmp_path / "sessions")
    app.ctx.class_names = ["Rest", "Fist"]
    running = threading.Thread(target=app.run, args=("headless",))
    running.start()
    try:
        heard = Heard(app)
        app.start_recording()
        label = app.add_label(1)
        assert heard.wait(1) == [("Fist", label.timestamp)]
        heard.source.disconnect()
    finally:
        app.stop()
        running.join(120.0)


def test_two_sessions_folders_of_one_computer_have_outlets_of_their_own(tmp_path: Path, unique: str) -> None:
    names = {App(unique, sessions_dir=tmp_path / one).status().label_source for one in ("left", "right", "left")}
    assert len(names) == 2
