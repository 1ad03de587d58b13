"""A program that knows only LabRecorder's lines names, starts and stops a take; nothing else gets through."""

from __future__ import annotations

import contextlib
import socket
from functools import partial

import msgspec
import pytest

from myogestic_tui.app.interface import (
    AddLabel,
    AddNote,
    ConnectAll,
    ConnectStream,
    Start,
    StreamStatus,
    TakeStatus,
    TickStream,
)
from myogestic_tui.config import parse_config
from myogestic_tui.control.labrecorder_port import remote_lines, take_sheet
from myogestic_tui.control.server import ControlServer
from myogestic_tui.control.stream_query import parse_query
from myogestic_tui.errors import ConfigError, ControlError
from tests.control.tiny import TinyRecorder, read_all


@contextlib.contextmanager
def remote(tmp_path, recorder, token=""):
    """A connection to the remote port of a recorder: a function that sends a line and reads its answer."""
    server = ControlServer(recorder, lambda: tmp_path / "s")
    port = server.open_port("127.0.0.1", 0, partial(remote_lines, token=token))
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


STREAMS = [
    StreamStatus(key="a", name="EMG", type="EMG", state="live", source_id="x-1", hostname="amp and pc", n_channels=64),
    StreamStatus(
        key="b", name="EMG", type="EEG", state="seen", source_id="x-2", hostname="rpi", n_channels=8, fs=500.0
    ),
    StreamStatus(key="c", name="it's", type="Markers", state="seen"),
]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("name='EMG'", "ab"),
        ('name="EMG" and type="EEG"', "b"),
        ("name = 'EMG' and type != 'EEG'", "a"),
        ("hostname='amp and pc' and channel_count=64", "a"),
        ("starts-with(source_id,'x-') and nominal_srate=500", "b"),
        ("contains(hostname, 'pi')", "b"),
        ("{name=EMG}", "ab"),
        ('name="it\'s"', "c"),
        ("name='none'", ""),
    ],
)
def test_a_query_means_the_streams_that_it_says(query, keys):
    test = parse_query(query)
    assert "".join(stream.key for stream in STREAMS if test(stream)) == keys


@pytest.mark.parametrize("query", ["EMG", "name='EMG", "colour='red'", "name='a' or name='b'", "", "not(name='a')"])
def test_what_is_no_query_is_refused_and_selects_nothing(query, tmp_path):
    with pytest.raises(ValueError, match="no condition"):
        parse_query(query)
    recorder = TinyRecorder()
    if query:
        with remote(tmp_path, recorder) as say:
            assert say(f"select {query}").startswith("ERROR")
        assert not recorder.commands


def test_select_takes_what_is_meant_beside_what_is_selected(tmp_path):
    recorder = TinyRecorder()
    status = recorder.status
    recorder.status = lambda: msgspec.structs.replace(status(), streams=tuple(STREAMS))
    with remote(tmp_path, recorder) as say:
        assert say("select name='EMG'").startswith("OK 2 selected")
        assert say("select name='none'").startswith("ERROR no stream is meant")
    told = [(type(command), command.key) for command in recorder.commands]
    assert told == [(TickStream, "a"), (ConnectStream, "b")]


def test_labels_and_notes_come_with_their_names_and_times(tmp_path):
    recorder = TinyRecorder()
    with remote(tmp_path, recorder) as say:
        say("start")
        assert say("label Fist") == "OK"
        assert say("label 2 @ 5123.25") == "OK"
        assert say("label") == "OK"
        assert say("label Fits").startswith("ERROR no gesture 'Fits'; there are: Rest, Fist")
        assert say("label Fist @ noon").startswith("ERROR 'noon' is no time")
        say("note electrode 17 re-taped")
    labels = [command for command in recorder.commands if isinstance(command, AddLabel)]
    assert [(label.class_index, label.timestamp) for label in labels] == [(1, None), (2, 5123.25), (-1, None)]
    assert all(label.source == "script" for label in labels)
    assert [command.text for command in recorder.commands if isinstance(command, AddNote)] == ["electrode 17 re-taped"]


def test_with_a_token_nothing_is_done_before_it_is_said(tmp_path):
    recorder = TinyRecorder()
    with remote(tmp_path, recorder, "s3cret") as say:
        assert say("start").startswith("ERROR say `token …` first")
        assert read_all(say.connection) == b""
    with remote(tmp_path, recorder, "s3cret") as say:
        assert say("token s3cre").startswith("ERROR that is not the token")
        assert read_all(say.connection) == b""
    assert not recorder.commands
    with remote(tmp_path, recorder, "s3cret") as say:
        assert say("token s3cret") == "OK"
        assert say("start") == "OK"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.20", "::", "emg-pi.local"])
def test_beyond_loopback_there_must_be_a_token(host):
    text = f"[remote]\nenabled = true\nhost = '{host}'\n"
    with pytest.raises(ConfigError, match="give a token"):
        parse_config(text)
    assert parse_config(f"{text}token = 'x'").remote.token == "x"
    assert parse_config("[remote]\nenabled = true\nhost = '::1'").remote.enabled
