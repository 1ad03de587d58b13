"""The recorder as a process of its own, with real streams and files: who starts it, attaches to it, kills it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.app.interface import AddLabel, AddNote, Shutdown, Start, Stop, View
from myogestic_tui.cli.serve import HELD
from myogestic_tui.control import hosted, spawn
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.logfile import log_path
from myogestic_tui.control.messages import Subscribe
from myogestic_tui.errors import RecorderGoneError, SessionLockedError
from myogestic_tui.session import open_session_store
from myogestic_tui.session.format.lock import recorder_of
from myogestic_tui.sources import Outlet
from tests.control.garbage import HELLO, frame, malformed
from tests.control.tiny import read_all
from tests.ports import free_port
from tests.processes import has_ended
from tests.sending import RampOutlet, RampSource, ramp, wait_for

PATIENCE = 120.0
CONFIG = """
gestures = [{{ name = "Rest" }}, {{ name = "Fist" }}, {{ name = "Pinch" }}, {{ name = "Open" }}]
[[streams]]
name = "{stream}"
as = "emg"
"""


@pytest.fixture
def outlet(unique: str) -> Iterator[RampOutlet]:
    with RampOutlet(unique, n_channels=4, fs=500.0) as outlet:
        yield outlet


@pytest.fixture
def config(tmp_path: Path, unique: str) -> Path:
    file = tmp_path / "myogestic.toml"
    file.write_text(CONFIG.format(stream=unique))
    return file


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Path]:
    """A sessions folder; a recorder that still runs on it is ended."""
    folder = tmp_path / "sessions"
    yield folder
    holder = recorder_of(folder)
    if holder is not None and holder.pid:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(holder.pid)
            process.kill()
            process.wait(PATIENCE)
    assert recorder_of(folder) is None


def attach(sessions: Path, config: Path | None = None, **options) -> RecorderClient:
    return spawn.attach(sessions, config_file=config, **options)


def is_live(status) -> bool:
    return any(stream.name == "emg" and stream.state == "live" for stream in status.streams)


def recording(client: RecorderClient) -> None:
    """Start once the stream is live, and wait until samples are on disk."""
    assert client.wait_for(is_live, PATIENCE)
    reply = client.execute(Start())
    assert reply.ok, reply.message
    assert client.wait_for(lambda status: any(s.recording and s.n_samples > 0 for s in status.streams), PATIENCE)


def packed(status) -> bool:
    return status.session is not None and status.session.path.endswith(".session.zip")


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    connection.settimeout(PATIENCE)
    return connection


def ended(pid: int) -> None:
    wait_for(lambda: has_ended(pid), PATIENCE)


def test_two_viewers_of_one_recorder_give_100_labels_in_order_on_disk(sessions, config, outlet):
    def press(client: RecorderClient, classes: tuple[int, int], seed: int) -> None:
        dice = random.Random(seed)
        for number in range(50):
            time.sleep(dice.random() * 0.02)
            sent.append(time.monotonic())
            assert client.execute(AddLabel(class_index=classes[number % 2], timestamp=sent[-1])).ok

    with attach(sessions, config) as one, attach(str(sessions)) as two:
        assert one.pid == two.pid
        assert one.pid != os.getpid()
        recording(one)
        sent: list[float] = []
        viewers = ((one, (0, 1), 1), (two, (2, 3), 2))
        threads = [threading.Thread(target=press, args=viewer) for viewer in viewers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert two.wait_for(lambda status: status.session is not None and status.session.n_labels == 100, PATIENCE)
        assert two.execute(Stop()).ok
        assert one.wait_for(packed, PATIENCE)
        path = one.status().session.path
        one.execute(Shutdown())
        wait_for(lambda: two.gone is not None)
        assert "shut down" in two.gone
    with open_session_store(path) as session:
        assert [label.timestamp for label in session.label_track] == sorted(sent)
        assert len(set(sent)) == 100


def test_bad_clients_cost_the_recording_no_sample_and_little_memory(sessions, config, outlet):
    dice = random.Random(5)
    deaf_view = View(stream="emg", seconds=1.0, columns=4096, n_channels=64)
    with attach(sessions, config) as client, contextlib.ExitStack() as stack:
        recording(client)
        recorder = psutil.Process(client.pid)
        path = spawn.locate(sessions)
        before = recorder.memory_info().rss
        deaf = stack.enter_context(connected(path))
        deaf.sendall(frame(HELLO) + frame(msgspec.msgpack.encode(Subscribe(views={1: deaf_view}, fps=60))))
        for _ in range(1000):
            with connected(path) as bad:
                with contextlib.suppress(OSError):
                    bad.sendall(malformed(dice))
                    bad.shutdown(socket.SHUT_WR)
                read_all(bad)
        crowd = [stack.enter_context(RecorderClient(path)) for _ in range(50)]
        assert all(one.execute(AddNote(text=f"viewer {number}")).ok for number, one in enumerate(crowd))
        assert recorder.memory_info().rss - before < 64 << 20
        assert client.gone is None
        assert client.execute(Stop()).ok
        assert client.wait_for(packed, PATIENCE)
        archive = client.status().session.path
        client.execute(Shutdown())
    with open_session_store(archive) as session:
        data, stamps = session.stores["emg"][:], session.timestamps("emg", clock="raw")
    first = round(float((stamps[0] - outlet.all_stamps[0]) * outlet.fs))
    assert np.array_equal(data, ramp(first, len(data), outlet.n_channels))


def test_a_viewer_sees_the_stream(sessions, config, outlet):
    view = View(stream="emg", seconds=1.0, columns=40, n_channels=4)
    with attach(sessions, config) as client:
        wait_for(lambda: client.envelope(view) is not None, PATIENCE)
        envelope = client.envelope(view)
        assert (envelope.n_channels, envelope.columns, len(envelope.high)) == (4, 40, 4 * 40 * 4)
        first = envelope.start
        wait_for(lambda: client.envelope(view).start > first, PATIENCE)
        client.execute(Shutdown())


def test_a_killed_recorder_is_seen_at_once_in_words_and_started_again(sessions, config, outlet):
    with attach(sessions, config) as client:
        recording(client)
        assert client.execute(AddLabel(class_index=1)).ok
        least = 4 * outlet.chunk
        assert client.wait_for(
            lambda status: any(s.recording and s.n_samples > least for s in status.streams), PATIENCE
        )
        path, pid = client.status().session.path, client.pid
        told = next(stream.n_samples for stream in client.status().streams if stream.recording)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: client.gone is not None)
        assert f"pid {pid}" in client.gone
        assert "killed or crashed" in client.gone
        assert client.status().problems[0].subject == "recorder"
        assert not client.execute(AddLabel(class_index=2)).ok
        spawn.start_recorder(sessions, config)
        client.reconnect(PATIENCE)
        assert client.gone is None
        assert client.pid != pid
        status = client.wait_for(lambda status: status.unfinished or status.jobs, PATIENCE)
        assert status is not None
        client.execute(Shutdown())
        ended(client.pid)  # until then it may be packed
    with open_session_store(path if Path(path).exists() else next(sessions.glob("*.session.zip"))) as session:
        assert [label.class_index for label in session.label_track] == [1]
        assert session.stores["emg"].shape[0] > told - 2 * outlet.chunk > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_and_packs_the_session(sessions, config, outlet, number):
    with attach(sessions, config) as client:
        recording(client)
        assert client.execute(AddLabel(class_index=2)).ok
        os.kill(client.pid, signal.SIGHUP)
        time.sleep(0.1)
        assert client.execute(AddLabel(class_index=1)).ok, "a hang-up is none of its business"
        os.kill(client.pid, number)
        wait_for(lambda: client.gone is not None, PATIENCE)
        assert signal.Signals(number).name in client.gone
        ended(client.pid)
    assert recorder_of(sessions) is None
    with open_session_store(next(sessions.glob("*.session.zip"))) as session:
        assert session.state == "packed"
        assert [label.class_index for label in session.label_track] == [2, 1]


def test_a_recorder_that_nobody_needs_ends_but_not_while_it_records(sessions, config, outlet):
    with attach(sessions, config, idle_s=0.5) as client:
        recording(client)
        pid = client.pid
    time.sleep(2.0)
    with attach(sessions, start=False) as client:
        assert client.pid == pid
        assert client.status().state == "recording"
        assert client.execute(Stop()).ok
    ended(pid)
    assert recorder_of(sessions) is None
    assert list(sessions.glob("*.session.zip")), "packing counts as being needed"


def test_who_comes_while_a_recorder_ends_gets_the_next_one(sessions, config):
    with attach(sessions, config) as client:
        pid = client.pid
        assert client.execute(Shutdown()).ok
        wait_for(lambda: client.gone is not None or not spawn.locate(sessions).exists(), PATIENCE)
        with attach(sessions, config) as late:
            assert late.pid != pid
            assert late.execute(Shutdown()).ok


def test_a_second_recorder_is_refused_by_name_and_pid(sessions, config, tmp_path):
    with attach(sessions, config) as client:
        second = subprocess.run(
            [sys.executable, "-m", "myogestic_tui", "--sessions", sessions, "serve"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert second.returncode == HELD  # which a service is not started again after
        assert f"myogestic-tui-recorder (pid {client.pid})" in second.stderr
        assert "Traceback" not in second.stderr
        client.execute(Shutdown())


def test_a_recorder_that_cannot_start_says_why_to_whoever_started_it(sessions, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[remote]\nport = 'high'\n")
    with pytest.raises(RecorderGoneError, match=r"remote\.port"):
        attach(sessions, wrong)
    with pytest.raises(RecorderGoneError, match="no recorder runs"):
        attach(sessions, start=False)


def test_after_a_logout_took_its_socket_a_recorder_can_be_attached_to_again(sessions, config):
    with attach(sessions, config) as before:
        old = spawn.locate(sessions)
        shutil.rmtree(old.parent)
        wait_for(
            lambda: (recorder_of(sessions) or before).pid == before.pid and spawn.locate(sessions).exists(), PATIENCE
        )
        with attach(sessions, start=False) as after:
            assert after.pid == before.pid
            after.execute(Shutdown())


def test_labrecorder_lines_name_start_and_stop_a_take(sessions, config, outlet):
    port = free_port()
    config.write_text(config.read_text() + f"[remote]\nenabled = true\nport = {port}\n")
    with attach(sessions, config) as client:
        assert client.wait_for(is_live, PATIENCE)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as remote, remote.makefile("rw") as lines:

            def say(line: str) -> str:
                print(line, file=lines, flush=True)
                return lines.readline()

            name = "filename {participant:P07} {task:grasp} {run:3} {template:sub-%p_task-%b.xdf}"
            assert say(name).startswith("OK")
            assert say("start").startswith("OK")
            assert "state=recording" in say("status")
            assert client.wait_for(lambda status: any(s.n_samples > 0 for s in status.streams if s.recording), PATIENCE)
            assert say("stop").startswith("OK")
        assert client.wait_for(packed, PATIENCE)
        path = client.status().session.path
        client.execute(Shutdown())
    assert "sub-P07_task-grasp" in path
    with open_session_store(path) as session:
        assert (session.meta.subject, session.meta.task, session.meta.take) == ("P07", "grasp", 3)
        assert session.stores["emg"].shape[0] > 0


def test_a_marker_stream_starts_labels_and_stops(sessions, config, outlet, unique):
    name = f"{unique}-markers"
    config.write_text(
        config.read_text()
        + f"[markers]\nstream = '{name}'\nstart = ['begin']\nstop = ['end']\nlabels = {{ on = 'Fist', off = '' }}\n"
    )
    info = StreamInfo(1, 0.0, "string", type="Markers", source_id=f"{name}-id")
    with Outlet(name, info) as markers, attach(sessions, config) as client:
        assert client.wait_for(is_live, PATIENCE)
        assert markers.wait_for_consumers(PATIENCE)
        markers.push_text([["begin"]], [time.monotonic()])
        assert client.wait_for(lambda status: status.state == "recording", PATIENCE)
        stamps = []
        for text in ("on", "noise", "off"):
            stamps.append(time.monotonic())
            markers.push_text([[text]], stamps[-1:])
        assert client.wait_for(lambda status: status.session.n_labels == 2, PATIENCE)
        markers.push_text([["end"]], [time.monotonic()])
        assert client.wait_for(lambda status: status.state == "idle" and packed(status), PATIENCE)
        path = client.status().session.path
        client.execute(Shutdown())
    with open_session_store(path) as session:
        assert [(label.class_index, label.source) for label in session.label_track] == [(1, "marker"), (-1, "marker")]
        # stamped by the sender's clock, corrected by the measured offset: both are this machine's
        assert session.label_track[0].timestamp == pytest.approx(stamps[0], abs=1.0)


def test_an_app_in_this_process_can_be_attached_to_and_shuts_others_out(sessions):
    app = App(sessions_dir=sessions)
    app.streams(Stream("emg", source=RampSource()))
    app.open()
    try:
        host = contextlib.ExitStack()
        host.enter_context(hosted(app))
        with host, RecorderClient(lambda: spawn.locate(sessions)) as client:
            assert client.wait_for(is_live, PATIENCE)
            assert client.wait_for(lambda status: status.viewers == 1, PATIENCE)
            with pytest.raises(SessionLockedError, match=f"pid {os.getpid()}"), hosted(app):
                pass
            recording(client)
            assert app.ctx.state == "recording"
            assert client.execute(Shutdown()).ok
            assert app.stopping.is_set()
            assert client.gone is None
            host.close()
            wait_for(lambda: client.gone is not None)
            assert not client.execute(Stop()).ok
    finally:
        app.shut()


def test_a_recorder_that_nobody_needs_makes_room_for_an_app(sessions, config):
    app = App(sessions_dir=sessions)
    with attach(sessions, config) as client:
        pid = client.pid
        with pytest.raises(SessionLockedError, match=f"pid {pid}"), hosted(app):
            pass
    wait_for(lambda: recorder_of(sessions).pid == pid)
    with hosted(app):
        assert recorder_of(sessions).pid == os.getpid()
    ended(pid)


EXPENDABLE_VIEWER = """
import sys
from pathlib import Path
from myogestic_tui.control import spawn
from myogestic_tui.session.library.priority import be_expendable, oom_score
before = oom_score()
be_expendable()
with spawn.attach(Path(sys.argv[1])) as client:
    recorder = int(Path(f"/proc/{client.pid}/oom_score_adj").read_text())
    print(before, oom_score(), recorder, client.pid)
"""


def test_memory_that_runs_out_ends_a_viewer_before_the_recorder_that_it_started(sessions):
    told = subprocess.run(
        [sys.executable, "-c", EXPENDABLE_VIEWER, sessions], capture_output=True, text=True, timeout=PATIENCE
    )
    before, viewer, recorder, pid = map(int, told.stdout.split())
    assert recorder == before < viewer
    assert recorder_of(sessions).pid == pid


def test_the_log_tells_who_did_what(sessions, config):
    with attach(sessions, config, program="viewer") as client:
        assert client.execute(AddLabel(class_index=1)).ok
        client.execute(Shutdown())
        ended(client.pid)
    log = log_path(sessions).read_text()
    assert f"viewer {os.getpid()} attached" in log
    assert f"viewer {os.getpid()}: AddLabel(" in log


def test_serve_tells_systemd_and_stays_and_ends_cleanly(sessions, config, tmp_path, unique):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + unique)
        systemd.settimeout(PATIENCE)
        served = subprocess.Popen(
            [sys.executable, "-m", "myogestic_tui", "--sessions", sessions, "--config", config, "serve"],
            cwd=tmp_path,
            env={**os.environ, "NOTIFY_SOCKET": f"@{unique}", "WATCHDOG_USEC": "1000000"},
            stderr=subprocess.PIPE,
        )
        assert systemd.recv(1000) == f"READY=1\nMAINPID={served.pid}".encode()
        assert systemd.recv(1000) == b"WATCHDOG=1"
        assert json.loads(ctl(sessions, "status", "--json").stdout)["state"] == "idle"
        served.send_signal(signal.SIGTERM)
        said = b""
        while not said.startswith(b"STOPPING=1"):
            said = systemd.recv(1000)
        _, errors = served.communicate(timeout=PATIENCE)
        assert served.returncode == 0
        assert b"Traceback" not in errors


def ctl(sessions: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "myogestic_tui", "--sessions", sessions, "ctl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_ctl_drives_a_whole_take(sessions, config, outlet):
    assert ctl(sessions, "status").returncode == 3
    with attach(sessions, config):
        assert ctl(sessions, "wait", "--state", "ready", "--timeout", PATIENCE).returncode == 0
        assert ctl(sessions, "take", "--subject", "P01", "--task", "mvc", "--field", "side=left").returncode == 0
        refused = ctl(sessions, "stop")
        assert refused.returncode == 1
        assert "not recording" in refused.stderr
        assert ctl(sessions, "start").returncode == 0
        before = time.monotonic()
        assert ctl(sessions, "label", "fist", "--at", before).returncode == 0
        assert ctl(sessions, "label", 2).returncode == 0
        after = time.monotonic()
        assert ctl(sessions, "label", "end").returncode == 0
        assert ctl(sessions, "undo").returncode == 0
        wrong = ctl(sessions, "label", "Fits")
        assert wrong.returncode == 2
        assert "Fist" in wrong.stderr
        assert ctl(sessions, "note", "electrode 3", "--at", -1).returncode == 0
        assert ctl(sessions, "wait", "--state", "idle", "--timeout", 0.1).returncode == 1
        status = json.loads(ctl(sessions, "status", "--json").stdout)
        assert set(status) >= {"state", "session", "streams", "jobs"}
        assert status["state"] == "recording"
        assert status["session"]["labels"] == {"Rest": 0, "Fist": 1, "Pinch": 1, "Open": 0}
        assert status["session"]["streams"]["emg"]["n_channels"] == 4
        assert status["streams"]["emg"]["state"] == "live"
        stopped = ctl(sessions, "stop", "--wait", "--json")
        assert stopped.returncode == 0
        path = json.loads(stopped.stdout)["path"]
        assert ctl(sessions, "shutdown").returncode == 0
    with open_session_store(path) as session:
        assert [label.class_index for label in session.label_track] == [1, 2]
        assert session.label_track[0].timestamp == pytest.approx(before)
        assert before < session.label_track[1].timestamp < after
        assert [note.text for note in session.notes] == ["electrode 3"]
        assert (session.meta.subject, session.meta.take) == ("P01", 1)


def test_ctl_start_and_discard_leave_nothing_but_the_trash(sessions, config, outlet):
    with attach(sessions, config) as client:
        recording(client)
        assert ctl(sessions, "discard").returncode == 0
        assert ctl(sessions, "status").stdout.startswith("idle")
        client.execute(Shutdown())
    assert not [path for path in sessions.iterdir() if path.name != ".myogestic"]
    assert list((sessions / ".myogestic" / "trash").iterdir())
