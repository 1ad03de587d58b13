"""Markers label, start and stop by the configured mapping, at their own time; what was sent before is history."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from myogestic_tui import StreamInfo
from myogestic_tui.config import MarkerConfig
from myogestic_tui.control.marker_control import MarkerControl, MarkerWatch
from myogestic_tui.errors import StreamNotFoundError
from myogestic_tui.stream.source import ClockEstimate
from tests.control.tiny import TinyRecorder
from tests.sending import wait_for

CONFIG = MarkerConfig(stream="m", labels={"fist-on": "Fist", "fist-off": ""}, start=("begin",), stop=("end",))


class MarkerSource:
    """A string source on a clock that is 100 s behind the recorder's; missing until `appear`."""

    def __init__(self):
        self.there = threading.Event()
        self.waiting: list[tuple[str, float]] = []
        self.connected = 0

    def connect(self):
        if not self.there.wait(0.01):
            raise StreamNotFoundError("no stream m")
        self.connected += 1
        return StreamInfo(1, 0.0, "string")

    def read(self):
        rows, self.waiting = self.waiting, []
        texts = np.array([[text] for text, _ in rows], dtype=object).reshape(-1, 1)
        return texts, np.array([at for _, at in rows], dtype=np.float64)

    def disconnect(self):
        return

    def take_clock_estimates(self):
        return [ClockEstimate(collected_at=time.monotonic(), offset=100.0, uncertainty=0.0, remote_time=0.0)]


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr("myogestic_tui.control.marker_control._RETRY_SECONDS", 0.02)
    recorder, source = TinyRecorder(), MarkerSource()
    watch = MarkerWatch(source, MarkerControl(recorder, CONFIG))
    watch.start()
    yield recorder, source
    watch.close()


def test_markers_start_label_and_stop(watched):
    recorder, source = watched
    source.there.set()
    wait_for(lambda: source.connected)
    now = time.monotonic()
    texts = ["begin", "fist-on", "unknown", "fist-off", "end"]
    source.waiting = [(text, now - 100.0 + 0.5 * number) for number, text in enumerate(texts, 1)]
    wait_for(lambda: recorder.state == "idle" and len(recorder.commands) == 4)
    assert [(label.class_index, round(label.timestamp - now, 6)) for label in recorder.labels] == [(1, 1.0), (-1, 2.0)]
    assert {command.actor for command in recorder.commands} == {"marker"}


def test_markers_from_before_the_watch_do_nothing(watched):
    recorder, source = watched
    source.waiting = [("begin", time.monotonic() - 160.0)]
    source.there.set()
    wait_for(lambda: source.connected and not source.waiting)
    source.waiting = [("fist-on", time.monotonic() - 99.0)]
    wait_for(lambda: recorder.labels)
    assert recorder.state == "idle"


def test_a_start_marker_never_records_what_is_not_ticked():
    recorder = TinyRecorder()
    recorder.selected = False
    reply = MarkerControl(recorder, CONFIG).act("begin", 1.0)
    assert reply is not None
    assert not reply.ok
    assert not recorder.commands
