"""The session's folder goes away while it is recorded into."""

from __future__ import annotations

from pathlib import Path

import pytest

from myogestic_tui import App, Stream
from myogestic_tui.session import open_session_store
from myogestic_tui.session.recording import checkpoint
from tests.sending import RampSource, wait_for


def test_a_folder_that_is_moved_while_recording_is_told_and_the_next_recording_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checkpoint, "SYNC_SECONDS", 0.05)
    app = App("test", sessions_dir=tmp_path)
    stream = Stream("emg", RampSource())
    app.streams(stream)
    app.open()
    try:
        assert app.start_recording()
        assert app.ctx.session is not None
        app.ctx.session.path.rename(tmp_path / "moved")
        wait_for(lambda: app.ctx.state == "idle" and "was moved or deleted" in app.ctx.status_message)
        assert app.parts.jobs.statuses() == ()
        assert app.start_recording()
        assert stream.message == ""
        session = app.ctx.session
        wait_for(lambda: session.snapshot().n_samples.get("emg"))
        app.stop_recording()
    finally:
        app.shut()
    with open_session_store(session.path) as reader:
        assert reader.n_samples("emg") > 0
