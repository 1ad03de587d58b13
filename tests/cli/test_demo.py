"""`demo`, `generate`, `streams` and `doctor`, without a terminal."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess

import psutil

from tests.sending import wait_for
from tests.tui.terminal import Terminal

from .conftest import COMMAND, PATIENCE


def test_the_demo_records_packs_and_verifies(run, tmp_path, unique):
    """Also with an LSL session id of the lab's, and where the user's own files are called as modules of Python are."""
    (tmp_path / "myogestic.toml").write_text(f'[lsl]\nsession_id = "{unique}"\n')
    (tmp_path / "signal.py").write_text("raise RuntimeError('not the signal module')")
    told = run("demo", "--seconds", 3, "--json").json()
    assert (told["verified"]["level"], told["verified"]["ok"]) == ("full", True)
    assert not [one for one in told["verified"]["findings"] if one["kind"] != "observation"]
    assert told["labels"] == {"Rest": 2, "Fist": 1, "Pinch": 1, "Open": 1}
    assert told["streams"]["emg"]["n_channels"] == 64
    assert told["streams"]["emg"]["n_samples"] >= 2.5 * 2048
    assert told["streams"]["vhi_control"]["n_channels"] == 9
    assert (tmp_path / told["path"]).is_file()


def test_a_generator_sends_on_in_the_background_of_a_shell(tmp_path, unique):
    with Terminal(["bash", "--norc", "--noprofile", "-i"], cwd=tmp_path, columns=160) as shell:
        shell.send(f"{shlex.join(COMMAND)} generate --name {unique} --channels 2 &\r".encode())
        shell.wait_for('"ready": true')
        shell.send(b"jobs\r")
        shell.wait_for("Running")
        in_front, started = shell.foreground(), psutil.Process(shell.process.pid).children(recursive=True)
        assert started
        shell.send(b"fg\r")
        wait_for(lambda: shell.foreground() != in_front and shell.is_restored())  # else ^C is a letter
        shell.send(b"gesture 1\r\x03")
        wait_for(lambda: shell.foreground() == in_front)
        _, alive = psutil.wait_procs(started, timeout=PATIENCE)
        assert not alive
        shell.send(b"echo e''nded\r")
        shell.wait_for("ended")


def test_streams_lists_what_is_there(run, outlet):
    (told,) = [one for one in run("streams", "--json").json() if one["name"] == outlet]
    assert (told["type"], told["n_channels"], told["fs"], told["dtype"]) == ("EMG", 8, 500.0, "float32")


def test_an_empty_network_exits_3(run, tmp_path, unique):
    (tmp_path / "myogestic.toml").write_text(f'[lsl]\nsession_id = "{unique}"\n')
    done = run("streams", "--wait", 0.5)
    assert (done.code, done.out) == (3, "")
    assert run("streams", "--wait", 0.5, "--json").code == 3


def test_watching_tells_who_comes(outlet, tmp_path):
    watch = subprocess.Popen(
        [*COMMAND, "streams", "--watch", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert watch.stdout is not None
    for line in watch.stdout:
        event = json.loads(line)
        if event["name"] == outlet:
            break
    assert event["event"] == "appeared"
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=PATIENCE)
    assert watch.returncode == 130


def test_the_doctor_finds_that_recording_works_here(run):
    checks = run("doctor", "--json").json()
    states = {check["subject"]: check["state"] for check in checks}
    assert states["LSL"] == states["multicast"] == states["clock"] == "ok"
    assert all(check["fix"] for check in checks if check["state"] != "ok")


def test_the_doctor_exits_1_where_recording_would_not_work(run, tmp_path):
    (tmp_path / "file").touch()
    done = run("doctor", "--sessions", "file/sessions")
    assert done.code == 1
    assert "✗ disk" in done.out
