"""No client can harm the recorder or another client: garbage, floods, silence, other users."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from myogestic_tui.app.interface import AddLabel, View
from myogestic_tui.control import address
from myogestic_tui.control.attachment import MOST_OUTSTANDING
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.messages import (
    MAX_LINE,
    MAX_REQUEST,
    GetStatus,
    Refused,
    Subscribe,
)
from myogestic_tui.control.server import ControlServer
from tests.control.garbage import HELLO, frame, malformed
from tests.control.tiny import TinyRecorder, raw, read_all, serving
from tests.processes import run_alone
from tests.sending import wait_for


def test_a_thousand_malformed_messages_end_their_own_connections_only():
    dice = random.Random(20260517)
    with serving() as (server, recorder), RecorderClient(server.path) as good:
        for number in range(1000):
            with raw(server) as bad:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    bad.sendall(malformed(dice))
                    bad.shutdown(socket.SHUT_WR)
                read_all(bad)
            if number % 100 == 0:
                assert good.execute(AddLabel(class_index=number % 4, timestamp=float(number))).ok
        assert [label.timestamp for label in recorder.labels if label.timestamp in range(0, 1000, 100)] == [
            float(number) for number in range(0, 1000, 100)
        ]
        assert good.gone is None
        assert good._connections == 1
        wait_for(lambda: len(server._attachments) == 1)


def _memory_and_frames_for_one_that_never_reads() -> tuple[int, int]:
    view = View(stream="emg", columns=4096, n_channels=64)
    with serving() as (server, recorder), RecorderClient(server.path) as good, raw(server) as deaf:
        deaf.sendall(frame(HELLO) + frame(msgspec.msgpack.encode(Subscribe(views={1: view}, fps=60))))
        wait_for(lambda: server._publisher.viewers == 2)
        channel = next(one for one in server._attachments if one.is_viewer and one.subscription.views).channel
        wait_for(lambda: not channel.is_clear)
        frames = recorder.frame
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(200):
            assert good.execute(AddLabel(class_index=number % 4)).ok
        return tracemalloc.get_traced_memory()[0] - before, recorder.frame - frames


def test_a_client_that_never_reads_costs_a_bounded_amount_and_holds_nobody():
    grown, n_frames = run_alone(_memory_and_frames_for_one_that_never_reads)
    assert grown < 8 << 20
    assert n_frames <= 1, "envelopes are drawn for a client that does not take them"


def test_a_client_that_floods_commands_and_never_reads_is_held_back_and_loses_none():
    count = 20_000
    flood = frame(msgspec.msgpack.encode(GetStatus())) * count
    with serving() as (server, _), RecorderClient(server.path) as good, raw(server) as flooder:
        flooder.setblocking(True)
        sender = threading.Thread(target=lambda: flooder.sendall(frame(HELLO) + flood))
        sender.start()
        wait_for(lambda: any(one.channel and one.channel.unsent >= MOST_OUTSTANDING for one in server._attachments))
        assert good.execute(AddLabel(class_index=1)).ok
        assert max(one.channel.unsent for one in server._attachments if one.channel) <= MOST_OUTSTANDING
        answers, end = 0, b""
        while answers < count:
            data = end + flooder.recv(1 << 20)
            answers += data.count(b"StatusUpdate")
            end = data[1 - len(b"StatusUpdate") :]  # one that was cut in two
        sender.join(120)


def test_fifty_clients_at_once_are_all_served():
    failed: list[str] = []

    def come(path, number):
        try:
            with RecorderClient(path, timeout=120) as client:
                assert client.execute(AddLabel(class_index=0, timestamp=float(number))).ok
        except Exception as error:
            failed.append(repr(error))

    with serving() as (server, recorder):
        threads = [threading.Thread(target=come, args=(server.path, number)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
        assert not failed
        assert sorted(label.timestamp for label in recorder.labels) == [float(number) for number in range(50)]


def test_one_client_too_many_is_told_so():
    with (
        serving(most_clients=2) as (server, _),
        RecorderClient(server.path),
        RecorderClient(server.path),
        raw(server) as late,
    ):
        late.sendall(frame(HELLO))
        answer = msgspec.msgpack.decode(read_all(late)[4:], type=Refused)
        assert answer.kind == "full"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (frame(HELLO) + (MAX_REQUEST + 1).to_bytes(4, "big"), b"at most"),
        (b"{" + b" " * (MAX_LINE + 1), b"a line of more than"),
        (frame(msgspec.msgpack.encode(GetStatus())), b"must be Hello"),
        (b"GET / HTTP/1.1\r\n\r\n", b"neither a framed message nor a line of JSON"),
    ],
)
def test_an_oversized_or_misplaced_message_is_refused_in_words(sent, said):
    with serving() as (server, _), raw(server) as bad:
        bad.sendall(sent)
        assert said in read_all(bad)


@pytest.mark.parametrize("half", [frame(HELLO)[:-3], frame(HELLO) + b"\0\0", b'{"type": "GetSta'])
def test_a_client_that_stops_in_the_middle_of_a_message_is_let_go(half):
    with serving(patience=0.2) as (server, _), raw(server) as bad:
        bad.sendall(half)
        assert b"half a message" in read_all(bad)


def test_a_client_that_has_nothing_to_say_may_stay():
    with serving(patience=0.1) as (server, _), raw(server) as quiet, RecorderClient(server.path) as good:
        quiet.sendall(b'{"type": "GetStatus"}\n')
        assert b"StatusUpdate" in quiet.recv(65536)
        beat = good.status().at
        assert good.wait_for(lambda status: status.at > beat + 2.0, 120)
        quiet.sendall(b'{"type": "AddLabel", "class_index": 1}\n')
        assert b'"ok":true' in quiet.recv(65536)


def test_a_status_that_cannot_be_had_ends_nobody():
    recorder = TinyRecorder()
    with serving(recorder) as (server, _), RecorderClient(server.path) as client:
        status = recorder.status
        recorder.status = lambda: 1 / 0  # type: ignore[method-assign]
        beat = server._beat
        wait_for(lambda: server._beat > beat + 1.0)
        recorder.status = status  # type: ignore[method-assign]
        at = time.monotonic()
        assert client.wait_for(lambda status: status.at > at, 120)


NOBODY = """
import os, socket, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
with socket.socket(socket.AF_UNIX) as one:
    one.settimeout(120)
    try:
        one.connect(sys.argv[1])
        one.sendall(b'{"type": "GetStatus"}\\n')
        print(one.recv(65536).decode())
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_is_kept_out_by_the_folder_and_by_the_recorder():
    with serving() as (server, _):
        assert server.path is not None
        assert _as_nobody(server.path) == "PermissionError"
        server.path.parent.chmod(0o755)
        server.path.chmod(0o666)
        answer = json.loads(_as_nobody(server.path))
        assert answer["type"] == "Refused"
        assert "not uid 65534" in answer["reason"]


def _as_nobody(path: os.PathLike[str]) -> str:
    done = subprocess.run([sys.executable, "-c", NOBODY, os.fspath(path)], capture_output=True, text=True, timeout=240)
    return done.stdout.strip() or done.stderr


# ---------------------------------------------------------------- the socket itself


def test_a_socket_that_was_left_behind_is_replaced(tmp_path):
    path = tmp_path / "s"
    address.bind(path).close()
    assert path.is_socket()
    address.bind(path).close()


def test_a_socket_that_answers_and_a_file_are_left_alone(tmp_path):
    path, file = tmp_path / "s", tmp_path / "f"
    file.write_text("mine")
    with pytest.raises(Exception, match="not a socket"):
        address.bind(file)
    assert file.read_text() == "mine"
    with address.bind(path), pytest.raises(Exception, match="answers at"):
        address.bind(path)
    assert path.is_socket()


def test_a_socket_that_vanished_with_its_folder_is_made_again(tmp_path):
    places = [tmp_path / "a" / "s", tmp_path / "b" / "s"]
    bound: list[object] = []

    def locate():
        place = places[min(len(bound), 1)]
        place.parent.mkdir(exist_ok=True)
        return place

    server = ControlServer(TinyRecorder(), locate, on_bound=bound.append)
    server.start()
    try:
        with RecorderClient(lambda: server.path) as before:
            places[0].unlink()
            places[0].parent.rmdir()
            wait_for(lambda: bound == places)
            assert before.execute(AddLabel(class_index=1)).ok, "who was attached stays attached"
            with RecorderClient(server.path) as after:
                assert after.status().session is None
    finally:
        server.close()
    assert not places[1].exists()


@pytest.fixture
def short():
    """A folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="mt-") as folder:
        yield Path(folder)


def test_the_socket_is_in_a_folder_that_only_its_owner_enters(short, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    path = address.socket_path(short / "sessions")
    assert path.parent == short / "myogestic_tui"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.parent.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(short))
    assert address.socket_path(short / "sessions").parent == short / f"myogestic_tui-{os.getuid()}"


def test_without_a_run_time_folder_a_link_in_the_temporary_one_is_not_followed(short, monkeypatch):
    elsewhere = short / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(short))
    (short / f"myogestic_tui-{os.getuid()}").symlink_to(elsewhere)
    path = address.socket_path(short)
    assert path.parent.name.startswith("myogestic_tui-")
    assert path.parent.resolve() != elsewhere
    assert path.parent.stat().st_mode & 0o777 == 0o700
