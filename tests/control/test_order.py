"""A viewer that has its answer sees a status from after the command, whatever comes in between."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from myogestic_tui.app.interface import Reply
from myogestic_tui.control.server import ControlServer
from tests.control.tiny import TinyRecorder


def test_no_older_status_is_taken_for_new_once_an_answer_is_there(tmp_path: Path) -> None:
    server = ControlServer(TinyRecorder(), lambda: tmp_path / "socket")
    fresh: list[bool] = []

    class Answers(deque):
        def append(self, answer: object) -> None:
            fresh.append(server._publisher._stale)

    server._answers = Answers()
    server._answer(None, False, 1, Reply(ok=True))
    assert fresh == [True]
    server.close()
