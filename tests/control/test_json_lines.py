"""A program in another language drives the recorder with lines of JSON, as docs/control-protocol.md says."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from myogestic_tui.app.interface import AnyCommand
from myogestic_tui.control.messages import PROTOCOL
from myogestic_tui.session.format.lock import lock_sessions_folder
from tests.control.tiny import raw, serving

PAGE = Path(__file__).parents[2] / "docs" / "control-protocol.md"


@contextlib.contextmanager
def talking(server):
    with raw(server) as connection, connection.makefile("rw") as lines:

        def ask(message):
            print(message if isinstance(message, str) else json.dumps(message), file=lines, flush=True)
            return json.loads(lines.readline())

        yield ask


def test_the_ten_lines_of_the_page_record_a_label(tmp_path):
    example = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    with serving() as (server, recorder), lock_sessions_folder(tmp_path / "sessions", socket=str(server.path)):
        done = subprocess.run(
            [sys.executable, "-I", "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("'ok': True") == 3
        assert [label.class_index for label in recorder.labels] == [1]
        assert recorder.state == "idle"
        assert recorder.commands[0].actor.startswith("script ")


def test_the_page_names_every_command_and_every_field():
    table = PAGE.read_text().partition("### Commands")[2].partition("Every command also takes")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    named = {
        name: set(re.findall(r"`(\w+)`", fields)) for names, fields in rows for name in re.findall(r"`(\w+)`", names)
    }
    real = {cls.__name__: set(cls.__struct_fields__) - {"actor"} for cls in AnyCommand.__args__}
    assert named == {"type": set(), **real}


def test_commands_are_answered_in_order_with_their_numbers():
    with serving() as (server, _), talking(server) as ask:
        assert ask({"type": "Start", "id": 5}) == {"type": "Executed", "id": 5, "reply": {"ok": True, "path": "/tiny"}}
        assert ask({"type": "Start", "id": 6})["reply"]["ok"] is False
        assert ask({"type": "Execute", "id": 7, "command": {"type": "Stop"}})["reply"]["ok"] is True
        assert ask({"type": "GetStatus"})["status"]["gestures"][1]["name"] == "Fist"


def test_a_program_that_always_says_the_same_number_is_heard_each_time():
    with serving() as (server, recorder), talking(server) as ask:
        for index in range(3):
            assert ask({"type": "AddLabel", "class_index": index, "id": 1})["reply"]["ok"]
        assert len(recorder.labels) == 3


def test_with_a_name_the_same_number_is_answered_again_and_not_done_again():
    hello = {"type": "Hello", "protocol": PROTOCOL, "program": "stimulus", "client": "abc"}
    with serving() as (server, recorder):
        for _ in range(2):
            with talking(server) as ask:
                assert ask(hello)["type"] == "Welcome"
                assert ask({"type": "AddLabel", "class_index": 1, "id": 1})["reply"] == {"ok": True}
        assert len(recorder.labels) == 1
        assert recorder.commands[0].actor.startswith("stimulus ")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"type": "AddLabel", "class_index": 1, "timestmp": 3.5}', "has no timestmp"),
        ('{"type": "Execute", "id": 1, "command": {"type": "AddLabel", "clas": 1}}', "has no clas"),
        ('{"type": "AddLabel"}', "class_index"),
        ('{"type": "AddLabel", "class_index": "one"}', "int"),
        ('{"type": "Labl"}', "there is no 'Labl'"),
        ('{"class_index": 1}', "give one object per line"),
        ('{"type": ["Start"]}', "give one object per line"),
        ('{"type": "Execute", "id": 1, "command": 3}', "object"),
    ],
)
def test_a_mistake_is_explained_and_the_connection_goes_on(line, said):
    with serving() as (server, recorder), talking(server) as ask:
        reply = ask(line)["reply"]
        assert not reply["ok"]
        assert said in reply["message"]
        assert ask({"type": "AddLabel", "class_index": 2})["reply"]["ok"]
        assert [label.class_index for label in recorder.labels] == [2]


def test_another_version_is_refused_before_anything_is_done():
    with serving() as (server, recorder), talking(server) as ask:
        answer = ask({"type": "Hello", "protocol": PROTOCOL + 1})
        assert answer["type"] == "Refused"
        assert answer["kind"] == "version"
        assert not recorder.commands


def test_a_subscription_brings_statuses_until_it_is_ended():
    with serving() as (server, _), raw(server) as connection, connection.makefile("rw") as lines:
        print('{"type": "Subscribe"}', file=lines, flush=True)
        at = [json.loads(lines.readline())["status"]["at"] for _ in range(4)]
        assert at == sorted(set(at))
        assert at[-1] - at[0] < 60


def test_what_a_status_holds_survives_the_way_through_json():
    with serving() as (server, recorder), talking(server) as ask:
        ask({"type": "Start"})
        ask({"type": "AddLabel", "class_index": 1, "timestamp": 12.5})
        status = msgspec.convert(ask({"type": "GetStatus"})["status"], type(recorder.status()))
        assert status.session.labels == recorder.status().session.labels
