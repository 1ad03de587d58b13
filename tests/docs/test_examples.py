"""Every example runs, on real outlets that only this test sees."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui.session import open_session_store
from tests.ports import free_port
from tests.tui.terminal import Terminal
from tests.windows.hands import record_hand

EXAMPLES = Path(__file__).parents[2] / "examples"
LIVE = ("headless", "two_streams", "cued_protocol")


@pytest.fixture
def network(tmp_path: Path, unique: str) -> dict[str, str]:
    """An environment in which outlets named EMG are seen by this test only."""
    settings = tmp_path / "lsl_api.cfg"
    settings.write_text(f"[lab]\nSessionID = {unique}\n")
    return {**os.environ, "LSLAPICFG": str(settings)}


@pytest.fixture
def sending(network: dict[str, str]) -> Iterator[None]:
    """Outlets EMG and vhi_control, for as long as the test runs."""
    command = [
        sys.executable,
        "-m",
        "myogestic_tui.sources.generator",
        "--name",
        "EMG",
        "--channels",
        "8",
        "--rate",
        "500",
    ]
    generator = subprocess.Popen([*command, "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=network)
    with generator:
        assert generator.stdout is not None
        assert generator.stdout.readline()
        yield
        generator.communicate(timeout=240)


def start(name: str, folder: Path, network: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, env=network, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(example: subprocess.Popen[str]) -> str:
    out, err = example.communicate(timeout=180)
    assert example.returncode == 0, err
    return out


def the_archive(folder: Path) -> Path:
    (archive,) = (folder / "sessions").glob("*.session.zip")
    return archive


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_is_short_and_says_how_to_run_it(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) < 60
    assert f"python examples/{path.name}" in text.split('"""')[1]


def test_examples_on_live_streams(tmp_path, network, sending):
    """All at once, on the same outlets."""
    running = {name: start(name, tmp_path / name, network, 1) for name in LIVE}
    said = {name: finish(example) for name, example in running.items()}
    with open_session_store(the_archive(tmp_path / "headless")) as session:
        assert [label.class_index for label in session.label_track] == [0, 1, 0, 1, 0]
    assert "targets" in said["two_streams"]
    with open_session_store(the_archive(tmp_path / "cued_protocol")) as session:
        cues = [label.class_index for label in session.label_track if label.class_index >= 0]
        assert sorted(cues) == [1, 1, 1, 2, 2, 2]


def test_a_device_over_udp_is_recorded(tmp_path, network):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        port = free_port()
        example = start("custom_source", tmp_path, network, 3, port)
        while example.poll() is None:
            device.sendto(np.arange(16, dtype="<f4").tobytes(), ("127.0.0.1", port))
            time.sleep(0.01)
        finish(example)
    with open_session_store(the_archive(tmp_path)) as session:
        assert session.stores["udp"].shape[0] > 50
        assert np.array_equal(session.stores["udp"][0], np.arange(16, dtype=np.float32))


def test_a_serial_device_is_recorded(tmp_path, network):
    pytest.importorskip("serial")
    device, port = os.openpty()
    os.set_blocking(device, False)
    example = start("serial_source", tmp_path, network, os.ttyname(port), 1)
    while example.poll() is None:
        with contextlib.suppress(BlockingIOError):
            os.write(device, struct.pack("<B8h", 0xA5, *range(-4, 4)))
        time.sleep(0.004)
    finish(example)
    os.close(device)
    os.close(port)
    with open_session_store(the_archive(tmp_path)) as session:
        assert session.stores["serial"].shape[0] > 50
        assert np.array_equal(session.stores["serial"][-1], np.arange(-4, 4, dtype=np.int16))


@pytest.fixture
def six_sessions(tmp_path: Path) -> Path:
    """A folder of two sessions of each of three synthetic subjects."""
    for seed in (1, 2, 3):
        for take in (1, 2):
            record_hand(tmp_path / "lab", seed, take=take, seconds=1.0, n_channels=8, fs=500.0, hand=False)
    return tmp_path / "lab"


def test_six_sessions_become_a_decoder_that_is_cross_validated_and_runs_live(tmp_path, network, sending, six_sessions):
    assert len((EXAMPLES / "train_and_predict.py").read_text("utf-8").splitlines()) <= 40
    (any_of_them, *_) = sorted(six_sessions.glob("*.session.zip"))
    replay = start("replay", tmp_path / "replay", network, any_of_them)
    said = finish(start("train_and_predict", tmp_path / "predict", network, six_sessions))
    assert float(re.search(r"accuracy by subject: ([0-9.]+)", said)[1]) > 0.9
    predictions = re.findall(r"^(\w+)  \d+ ms after the last sample$", said, re.MULTILINE)
    assert len(predictions) == 20
    assert predictions.count("Rest") > 16  # which the hand does
    assert finish(replay).count("strongest channel") == 10


def in_terminal(name: str, folder: Path, network: dict[str, str]) -> Terminal:
    return Terminal.python(str(EXAMPLES / f"{name}.py"), cwd=folder, environ=network)


def test_the_quick_start_records_by_its_buttons_and_keys(tmp_path, network, request):
    with in_terminal("quick_start", tmp_path, network) as terminal:
        terminal.wait_for("no stream with name 'EMG'")
        request.getfixturevalue("sending")
        terminal.wait_for("1/1 streams")
        terminal.press("tab", "enter")
        terminal.wait_for("● REC")
        terminal.press("2")
        terminal.wait_for("▶ 2")
        terminal.press("x")
        terminal.wait_for("save")
        terminal.press("enter")
        terminal.wait_for("packed:")
        terminal.press("q")
        assert terminal.wait_exit() == 0
    with open_session_store(the_archive(tmp_path)) as session:
        assert session.class_names == ["Rest", "Fist"]
        assert [label.class_index for label in session.label_track] == [1]
        assert session.stores["emg"].shape[0] > 0


def test_a_custom_interface_records_into_its_own_folder_with_a_first_label(tmp_path, network, sending):
    with in_terminal("custom_interface", tmp_path, network) as terminal:
        terminal.wait_for("1/1 streams")
        terminal.press("tab", "enter")
        terminal.wait_for("Recording: experiments/trial5")
        terminal.wait_for("┊")
        terminal.press("x")
        terminal.wait_for("save")
        terminal.press("enter")
        terminal.wait_for("Start trial")
        terminal.press("q")
        assert terminal.wait_exit() == 0
    (archive,) = (tmp_path / "experiments" / "trial5").glob("*.session.zip")
    with open_session_store(archive) as session:
        assert [label.class_index for label in session.label_track] == [0]


def test_the_widgets_serve_a_textual_app_of_ones_own(tmp_path, network, sending):
    with in_terminal("own_textual_app", tmp_path, network) as terminal:
        terminal.wait_for("● live")
        terminal.press("tab", "enter")
        terminal.wait_for("● REC")
        terminal.press("f")
        terminal.wait_for("▶ 2")
        terminal.press("q")
        assert terminal.wait_exit() == 0
    (archive,) = (tmp_path / "experiments" / "lab").glob("*.session.zip")
    with open_session_store(archive) as session:
        assert [label.class_index for label in session.label_track] == [0, 1]
