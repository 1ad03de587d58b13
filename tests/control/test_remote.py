"""A program that knows only LabRecorder's lines names, starts and stops a take; nothing else gets through."""

from __future__ import annotations

import contextlib
import socket

import pytest

from myogestic_tui.app.interface import ConnectAll, Start, TakeStatus
from myogestic_tui.control.labrecorder_port import remote_lines, take_sheet
from myogestic_tui.control.server import ControlServer
from myogestic_tui.errors import ControlError
from tests.control.tiny import TinyRecorder, read_all


@contextlib.contextmanager
def remote(tmp_path, recorder):
    """A connection to the remote port of a recorder: a function that sends a line and reads its answer."""
    server = ControlServer(recorder, lambda: tmp_path / "s")
    port = server.open_port("127.0.0.1", 0, remote_lines)
    server.start()
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 30) as connection,
            connection.makefile("rw", newline="") as lines,
        ):

            def say(line):
                lines.write(line + "\r\n")
                lines.flush()
                return lines.readline().strip()

            say.connection = connection
            yield say
    finally:
        server.close()


def test_lines_name_start_and_stop_a_take(tmp_path):
    recorder = TinyRecorder()
    with remote(tmp_path, recorder) as say:
        assert say("update") == "OK"
        assert say("select all") == "OK"
        assert (
            say(
                "filename {root:C:\\Data\\} {template:exp%n\\sub-%p_task-%b.xdf} {participant:P07} {task:grasp} {run:3}"
            )
            == "OK"
        )
        assert say("status") == "OK state=idle streams=1/1 take=3"
        assert say("start") == "OK"
        assert say("status").startswith("OK state=recording streams=1/1 take=3 elapsed=")
        assert say("start") == "ERROR not now: recording"
        assert say("stop") == "OK"
    take = recorder.take
    assert (take.subject, take.task, take.take, take.name) == ("P07", "grasp", 3, "sub-P07_task-grasp")
    assert take.fields == {"root": "C:\\Data\\", "template": "exp%n\\sub-%p_task-%b.xdf"}
    kinds = [type(command) for command in recorder.commands]
    assert ConnectAll in kinds
    assert all(command.actor.startswith("script 127.0.0.1:") for command in recorder.commands)


def test_start_never_records_what_is_not_ticked(tmp_path):
    recorder = TinyRecorder()
    recorder.selected = False
    with remote(tmp_path, recorder) as say:
        assert say("start").startswith("ERROR no stream is selected")
    assert not [command for command in recorder.commands if isinstance(command, Start)]


def test_all_at_once_is_worked_off_in_order(tmp_path):
    recorder = TinyRecorder()
    with remote(tmp_path, recorder) as say:
        assert say("filename {participant:P1}\r\nstart\nstop") == "OK"
        say.connection.shutdown(socket.SHUT_WR)
        read_all(say.connection)
    assert [type(command).__name__ for command in recorder.commands] == ["SetTake", "Start", "Stop"]


@pytest.mark.parametrize("line", ["POST / HTTP/1.1", "shutdown", '{"type": "Shutdown"}', "start now", "\x00\x00"])
def test_anything_else_ends_the_connection(tmp_path, line):
    recorder = TinyRecorder()
    with remote(tmp_path, recorder) as say:
        assert say(line).startswith("ERROR")
        assert read_all(say.connection) == b""
    assert not recorder.commands


@pytest.mark.parametrize("line", ["filename", "filename {}", "filename {color:red}"])
def test_a_filename_without_a_known_field_is_refused(tmp_path, line):
    with remote(tmp_path, TinyRecorder()) as say:
        assert say(line).startswith("ERROR")


def test_an_empty_or_odd_run_changes_no_take_number():
    before = TakeStatus(fields={"side": "left"})
    assert take_sheet({"run": ""}, before).take is None
    odd = take_sheet({"run": "2b"}, before)
    assert odd.take is None
    assert odd.fields == {"side": "left", "run": "2b"}
    assert take_sheet({"template": "%s/%x.xdf", "participant": "P"}, before).name == ""


def test_a_port_that_is_taken_is_named(tmp_path):
    server = ControlServer(TinyRecorder(), lambda: tmp_path / "s")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ControlError, match=f"port {port}"):
            server.open_port("127.0.0.1", port, remote_lines)
    server.close()
