"""After a take of the protocol ``mvc`` the recorder knows what each channel reached, and Live shows percent of it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.app import interface as r
from myogestic_tui.config import parse_config
from myogestic_tui.sources import LSLSource
from myogestic_tui.sources.outlet import Outlet
from tests.sending import wait_for

FS = 1000.0
AMPLITUDES = np.array([20.0, 100.0, 500.0, 0.0])
CONFIG = """
[[gestures]]
name = "Rest"
[[gestures]]
name = "Fist"
[[protocols]]
name = "mvc"
lead_in = 0
steps = [{gesture = "Rest", seconds = 0.4}, {gesture = "Fist", seconds = 1.2}]
"""


@pytest.fixture
def tones() -> Iterator[str]:
    """A real outlet of 80 Hz tones on an offset, as loud as `AMPLITUDES`; its name."""
    name = f"mvc{uuid.uuid4().hex[:8]}"
    info = StreamInfo(len(AMPLITUDES), FS, units=("microvolts",) * 4, source_id=f"{name}-id")
    outlet, end = Outlet(name, info), threading.Event()

    def send() -> None:
        start, sent = time.monotonic(), 0
        while not end.wait(0.02):
            at = np.arange(sent, int((time.monotonic() - start) * FS))
            if len(at):
                tone = 1000.0 + AMPLITUDES * np.sin(2 * np.pi * 80 * at / FS)[:, None]
                outlet.push(tone.astype(np.float32), start + at / FS)
                sent += len(at)

    thread = threading.Thread(target=send)
    thread.start()
    yield name
    end.set()
    thread.join()
    outlet.close()


def opened(folder: Path, name: str) -> App:
    """A recorder of that stream, connected."""
    app = App("mvc", config=parse_config(CONFIG), sessions_dir=folder)
    app.streams(Stream("emg", source=LSLSource(name)))
    app.open()
    wait_for(lambda: any(stream.quality for stream in app.status().streams))
    return app


def mvc_of(app: App) -> tuple[float, ...]:
    """What the status says."""
    return app.status().streams[0].mvc


async def test_an_mvc_take_scales_live_in_percent_also_after_the_recorder_was_started_again(tones, tmp_path, stage):
    app = opened(tmp_path, tones)
    try:
        assert mvc_of(app) == ()
        assert app.execute(r.StartProtocol(name="mvc")).ok
        wait_for(lambda: app.status().protocol.state == "done")
        assert app.execute(r.Stop()).ok
        wait_for(lambda: mvc_of(app))
        assert mvc_of(app) == pytest.approx(AMPLITUDES / np.sqrt(2), rel=0.03)
    finally:
        app.shut()
    again = opened(tmp_path, tones)
    try:
        assert mvc_of(again) == pytest.approx(AMPLITUDES / np.sqrt(2), rel=0.03)
        await _live_is_in_percent(again, stage)
    finally:
        again.shut()


async def _live_is_in_percent(app: App, stage) -> None:
    async with stage(app, screen="live") as it:
        await it.until(lambda: "emg 1-4/4" in it.text)
        assert "µV" in it.rows()[2]
        await it.press("%")
        await it.until(lambda: "±200 % MVC" in it.rows()[2])
        levels = [line[5:13] for line in it.rows() if line[14:15] == "┊" and line[4:5] == " " and line[5:13].strip()]
        assert [float(level) for level in levels] == pytest.approx([100.0] * 3, abs=3.0)
        await it.press("%")
        await it.until(lambda: "µV" in it.rows()[2])
