"""The headless script of the seed's how-to runs with only the package name changed, and records what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.session import open_session_store
from tests.sending import wait_for

PAGE = """
import threading
import time
from myogestic_tui import App, Stream
from myogestic_tui.sources import LSLSource

app = App("Headless capture")
app.streams(Stream("emg", source=LSLSource("EMG"), window_seconds=1.0))

def _capture(app):
    # Run on a background thread so app.run()'s main loop can spin
    # the acquisition threads while we sleep here.
    def _run():
        time.sleep(2)  # let buffers warm up
        app.start_recording("sessions")
        app.ctx.session.add_label(0)  # initial class index
        for class_idx in (1, 0, 1, 0):  # cycle Fist <-> Rest
            time.sleep(5)
            app.ctx.session.add_label(class_idx)
        time.sleep(5)
        app.stop_recording()
        # Wait for the pack thread to finish before exiting.
        time.sleep(2)
        import os; os._exit(0)
    threading.Thread(target=_run, daemon=True).start()

app.before_run_hooks.append(_capture)
app.run(mode="headless")
"""
EXIT = "import os; os._exit(0)"
FS, N_CHANNELS = 1000, 16


@pytest.fixture
def network(tmp_path: Path, unique: str) -> dict[str, str]:
    """An environment in which outlets named EMG are seen by this test only."""
    settings = tmp_path / "lsl_api.cfg"
    settings.write_text(f"[lab]\nSessionID = {unique}\n")
    return {**os.environ, "LSLAPICFG": str(settings)}


def start(script: str, folder: Path, network: dict[str, str]) -> subprocess.Popen[str]:
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=folder,
        env=network,
        stderr=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def check(folder: Path) -> None:
    wait_for(lambda: list((folder / "sessions").glob("*.session.zip")))  # packing outlives the script
    (archive,) = (folder / "sessions").glob("*.session.zip")
    with open_session_store(archive) as session:
        assert [label.class_index for label in session.label_track] == [0, 1, 0, 1, 0]
        assert np.allclose(np.diff([label.timestamp for label in session.label_track]), 5.0, atol=2.0)
        assert session.stores["emg"].shape[0] >= 24 * FS
        assert session.stores["emg"].shape[1] == N_CHANNELS
        assert np.ptp(session.stores["emg"][:FS]) > 0
        assert session.ts_stores["emg"].shape == session.stores["emg"].shape[:1]


def test_the_pages_headless_script_leaves_its_labels_and_samples(tmp_path, network):
    """Both endings at once: the page's own, and the `app.stop()` that makes it needless."""
    generator = subprocess.Popen(
        [sys.executable, "-m", "myogestic_tui.sources.generator", "--until-eof", "--name", "EMG"]
        + ["--rate", str(FS), "--channels", str(N_CHANNELS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=network,
    )
    assert generator.stdin is not None
    assert generator.stdout is not None
    assert generator.stdout.readline()
    assert PAGE.count(EXIT) == 1
    page = start(PAGE, tmp_path / "page", network)
    stops = start(PAGE.replace(EXIT, "app.stop()"), tmp_path / "stops", network)
    _, page_said = page.communicate(timeout=180)
    _, stops_said = stops.communicate(timeout=180)
    generator.stdin.close()
    generator.wait(120)
    generator.stdout.close()
    assert (page.returncode, page_said) == (0, "")
    assert (stops.returncode, stops_said) == (0, "")
    check(tmp_path / "page")
    check(tmp_path / "stops")
