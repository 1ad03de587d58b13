"""A script's own screen: composed anew with each state, driven by keys, and nothing in it can hurt the recording."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from scripted import ScriptedRecorder, emg, idle, recording

from myogestic_tui import App
from myogestic_tui.errors import ConfigError
from myogestic_tui.session import open_session_store
from myogestic_tui.tui import ViewerOptions
from myogestic_tui.tui.modals.ask import Ask
from myogestic_tui.tui.viewer import Viewer
from myogestic_tui.widgets import button, recording_controls, signal_view, text
from myogestic_tui.widgets.gestures import GestureList
from myogestic_tui.widgets.panels import RecordingControls
from myogestic_tui.widgets.script_ui import compose_ui
from myogestic_tui.widgets.signal_display import SignalView
from tests.tui.terminal import Terminal

SCRIPT = Path(__file__).with_name("script_with_ui.py")


def seconds_recorded(text: str) -> int:
    """What the clock of the recording shows; a busy machine may leave seconds out."""
    shown = re.search(r"● REC  (\d+):(\d+):(\d+)", text)
    hours, minutes, seconds = map(int, shown.groups()) if shown else (0, 0, 0)
    return 3600 * hours + 60 * minutes + seconds


def test_a_trial_by_the_script_s_own_buttons(tmp_path: Path) -> None:
    message = "broken failed: ValueError"
    with Terminal([sys.executable, str(SCRIPT)], cwd=tmp_path) as terminal:
        terminal.wait_for("Start trial")
        terminal.wait_for(lambda text: re.search("[\u2801-\u28ff]{10}", text))
        terminal.press("tab", "enter")
        terminal.wait_for("Stop trial")
        terminal.wait_for("Recording: experiments/trial5/")
        terminal.wait_for(lambda text: seconds_recorded(text) >= 1)
        terminal.send(b"12")
        terminal.wait_for("▶ 2")
        terminal.press("tab", "tab", "enter")
        seen = seconds_recorded(terminal.wait_for(message))
        terminal.wait_for(lambda text: seconds_recorded(text) > seen and message in text)  # no picture draws over it
        terminal.wait_for(lambda text: seconds_recorded(text) >= 3)
        terminal.press("l")
        terminal.wait_for("l LIVE")
        terminal.press("q")
        terminal.wait_for("Stop trial")
        terminal.press("x")
        terminal.wait_for("stop take")
        terminal.press("enter")
        terminal.wait_for("Start trial")
        terminal.press("q")
        assert terminal.wait_exit() == 0, bytes(terminal.output[-4000:])
        assert terminal.is_restored()
    archive = next((tmp_path / "experiments/trial5").glob("*.session.zip"))
    with open_session_store(archive) as session:
        assert [label.class_index for label in session.label_track] == [0, 1]
        assert session.label_track[1].uncertainty_s > 0.0, "two keys in one read"
        assert session.class_names == ["Rest", "Fist"]
        assert session.stores["emg"].shape[0] >= 3 * 500


class _Context:
    def __init__(self, recorder: ScriptedRecorder) -> None:
        self.app = recorder

    @property
    def state(self) -> str:
        return self.app.now.state

    def offer_class_names(self, names: Iterable[str]) -> None:
        pass


async def test_a_snapshot_that_comes_while_the_screens_end_is_not_drawn() -> None:
    """Textual refuses to mount a widget from the moment on at which it was told to end."""
    recorder = ScriptedRecorder(idle(gestures=()))
    recorder.ctx = _Context(recorder)
    recorder.ui_function = lambda ctx: [recording_controls(ctx, ["Rest", "Fist"]), signal_view(ctx, "emg")]
    viewer = Viewer(recorder, ViewerOptions(script=recorder, screen="script"))
    async with viewer.run_test(size=(100, 30)) as pilot:
        while not viewer.screen.query(GestureList) or not viewer.screen.query(SignalView).first().size:
            await pilot.pause(0.01)
        viewer.exit(0)
        recorder.now = recording(streams=(emg(64),))
        viewer.screen.query(RecordingControls).first().poll()
        viewer.screen.query(SignalView).first()._look()
        viewer.screen.redraw()
        recorder.now = idle()
        await viewer.screen._compose_script()
    assert viewer.return_code == 0


async def test_a_key_counts_for_what_the_script_s_widgets_show_already() -> None:
    """They look at the recorder themselves, and more often than an idle screen is drawn: a stop was not heard."""
    recorder = ScriptedRecorder(idle(gestures=()))
    recorder.ctx = _Context(recorder)
    recorder.ui_function = lambda ctx: [recording_controls(ctx, ["Rest", "Fist"])]
    viewer = Viewer(recorder, ViewerOptions(script=recorder, screen="script"))
    async with viewer.run_test(size=(100, 30)) as pilot:
        while not viewer.screen.query(GestureList):
            await pilot.pause(0.01)
        recorder.now = recording(streams=(emg(64),))
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(viewer.screen, Ask)


def test_widgets_are_shown_once_whether_called_or_yielded() -> None:
    ctx = App("compose").ctx

    def ui(ctx):
        first = text(ctx, "a")
        yield first
        button(ctx, "b", on_press=lambda: None)
        yield text(ctx, "c")

    assert [type(widget).__name__ for widget in compose_ui(ui, ctx)] == ["Text", "Action", "Text"]


def test_what_is_no_widget_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="42"):
        compose_ui(lambda _: [42], App("compose").ctx)


def test_names_that_the_script_gave_stay() -> None:
    app = App("names")
    app.ctx.offer_class_names(["Rest", "Fist"])
    assert app.ctx.class_names == ["Rest", "Fist"]
    app.ctx.offer_class_names(["Other"])
    assert app.ctx.class_names == ["Rest", "Fist"]
