"""Programs that are told of what happens: once a minute, one argument each, and never in the recorder's way."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from myogestic_tui import App, Stream, StreamInfo
from myogestic_tui.app import command_runner, hooks
from myogestic_tui.app import interface as r
from myogestic_tui.app.command_runner import CommandRunner
from myogestic_tui.app.hooks import filled
from myogestic_tui.cli.doctor_programs import check_programs
from myogestic_tui.cli.settings import Settings
from myogestic_tui.clock import local_clock
from myogestic_tui.config import Config, parse_config
from myogestic_tui.errors import ConfigError, NotAllowedError
from myogestic_tui.session import Session
from tests.sending import RampSource, wait_for

AT_ONCE = Path(__file__).with_name("command_child_at_once.py")
HOSTILE = "a b'\"; touch /tmp/hooks-never-made; $(id) `id` {seconds} {path} %s \n --x"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that wait for all else would wait for the other tests."""
    monkeypatch.setattr(command_runner, "_CHILD", AT_ONCE)


@pytest.fixture
def recorder_of_arguments(tmp_path: Path) -> tuple[str, Path]:
    """A program that writes its arguments into a new file in a folder, and that folder."""
    folder = tmp_path / "told"
    folder.mkdir()
    script = tmp_path / "tell.py"
    script.write_text(
        "import json, os, sys, tempfile\n"
        f"fd, name = tempfile.mkstemp(dir={str(tmp_path)!r})\n"
        "os.write(fd, json.dumps(sys.argv[1:]).encode())\n"
        f"os.rename(name, os.path.join({str(folder)!r}, str(os.getpid())))\n"
    )
    return f"{sys.executable} {script}", folder


def told(folder: Path) -> list[list[str]]:
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)]


@contextmanager
def running(folder: Path, config: Config, *streams: Stream) -> Iterator[App]:
    app = App("hooks", config=config, sessions_dir=folder)
    app.streams(*streams)
    app.open()
    try:
        yield app
    finally:
        app.shut()


def test_every_field_of_a_command_stays_one_argument_whatever_is_in_it():
    values = {"stream": HOSTILE, "seconds": "3.0", "path": "p"}
    assert filled(("x", "{stream}", "a{seconds}b", "{other}", "{", "{{stream}", "{stream"), values) == [
        "x", HOSTILE, "a3.0b", "{other}", "{", "{" + HOSTILE, "{stream",
    ]  # fmt: skip


def test_a_lost_stream_of_a_hostile_name_arrives_as_one_argument(tmp_path, recorder_of_arguments):
    program, folder = recorder_of_arguments
    config = parse_config(
        f"[on]\ntime_limit_s = 300\nlost = '''{program} {{event}} {{stream}} {{seconds}} '{{text}} x' '''"
    )
    source = RampSource()
    with running(tmp_path / "sessions", config, Stream(HOSTILE, source=source)) as app:
        wait_for(lambda: app.ctx.streams[HOSTILE].info is not None)
        app.start_recording()
        wait_for(lambda: app.ctx.session.snapshot().n_samples.get(HOSTILE, 0) > 100)
        source.available.clear()
        source.read = lambda: (_ for _ in ()).throw(OSError("unplugged"))
        wait_for(lambda: told(folder))
        ((event, stream, seconds, text),) = told(folder)
    assert (event, stream, text) == ("lost", HOSTILE, f"{HOSTILE} lost x")
    assert 0.0 <= float(seconds) < 300.0
    assert not Path("/tmp/hooks-never-made").exists()


def test_a_program_is_run_once_a_minute_at_most_and_then_told_of_what_still_holds(
    tmp_path, recorder_of_arguments, monkeypatch
):
    program, folder = recorder_of_arguments
    now = [local_clock()]
    monkeypatch.setattr(hooks, "local_clock", lambda: now[0])
    config = parse_config(f"[on]\nlost = '{program} {{stream}}'")
    with running(tmp_path / "sessions", config) as app:
        one = app.parts.hooks
        for _ in range(3):  # it flaps
            one._while(True, "lost", stream="emg")
            one._while(False, "lost", stream="emg")
        one._while(True, "lost", stream="other")
        wait_for(lambda: len(told(folder)) == 2)
        one._while(True, "lost", stream="emg")
        now[0] += 61.0
        one._while(True, "lost", stream="emg")
        one._while(True, "lost", stream="emg")
        wait_for(lambda: len(told(folder)) == 3)
        now[0] += 61.0
        one._while(True, "lost", stream="emg")  # of that it was told
        one.tell("lost", stream="end")
        wait_for(lambda: ["end"] in told(folder))
        assert sorted(told(folder)) == [["emg"], ["emg"], ["end"], ["other"]]


def test_packed_and_stopped_name_the_session(tmp_path, recorder_of_arguments):
    program, folder = recorder_of_arguments
    config = parse_config(f"[on]\npacked = '{program} {{event}} {{path}}'\nstopped = '{program} {{event}} {{text}}'")
    with running(tmp_path / "sessions", config, Stream("emg", source=RampSource())) as app:
        wait_for(lambda: app.ctx.streams["emg"].info is not None)
        session = app.start_recording()
        app.parts.recorder.stop_by_itself(session, "no room")
        wait_for(lambda: len(told(folder)) == 2)
        assert sorted(told(folder)) == [["packed", str(session.path)], ["stopped", "no room"]]
        assert session.path.is_file()


def test_damage_that_a_job_finds_is_told(tmp_path, recorder_of_arguments):
    program, folder = recorder_of_arguments
    config = parse_config(f"[on]\ndamaged = '{program} {{path}} {{text}}'")
    with running(tmp_path / "sessions", config, Stream("emg", source=RampSource())) as app:
        wait_for(lambda: app.ctx.streams["emg"].info is not None)
        session = app.start_recording()
        app.stop_recording()
        wait_for(lambda: session.path.is_file())
        data = bytearray(session.path.read_bytes())
        data[len(data) // 2] ^= 1
        session.path.write_bytes(data)
        app.execute(r.StartJob(kind="verify", paths=(str(session.path),)))
        wait_for(lambda: told(folder))
        ((path, text),) = told(folder)
        assert path == str(session.path)
        assert text


@pytest.fixture
def runner() -> Iterator[tuple[CommandRunner, list[tuple[str, str]]]]:
    ended: list[tuple[str, str]] = []
    runner = CommandRunner(lambda name, outcome: ended.append((name, outcome)))
    runner.start()
    yield runner, ended
    runner.stop()


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def shell(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


def gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_what_becomes_of_a_program_is_said(runner):
    run, ended = runner
    run.run("good", python("print('x' * 10**7)"), 300.0)
    run.run("bad", python("raise SystemExit(3)"), 300.0)
    run.run("dead", python("import os; os.kill(os.getpid(), 9)"), 300.0)
    run.run("none", ["/nowhere/program"], 300.0)
    wait_for(lambda: len(ended) == 4)
    assert dict(ended) == {
        "good": "",
        "bad": "exit code 3",
        "dead": "ended by signal 9",
        "none": "cannot be run: No such file or directory",
    }


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file without which no time passes for the runner: for programs that take their time to begin."""
    monkeypatch.setenv("NO_TIME_PASSES_BEFORE", str(tmp_path / "begun"))
    return tmp_path / "begun"


def test_a_program_that_hangs_is_killed_with_all_that_it_started(begun, runner, tmp_path):
    run, ended = runner
    pids = tmp_path / "pids"
    one = f"echo $$ >> {pids}; exec sleep 600"
    run.run("hangs", shell(f"(setsid sh -c '{one}') & (sh -c '{one}') & {one}"), 4.0)
    wait_for(lambda: pids.exists() and pids.read_text().count("\n") == 3)
    begun.touch()
    wait_for(lambda: ended == [("hangs", "killed after 4 s")])
    started = pids.read_text().split()
    for pid in map(int, started):
        wait_for(lambda pid=pid: gone(pid))


def test_more_programs_than_are_allowed_at_once_are_refused_and_not_waited_for(runner, tmp_path):
    run, ended = runner
    gate = tmp_path / "gate"
    for number in range(12):
        run.run(str(number), shell(f"until [ -e {gate} ]; do sleep 0.1; done"), 300.0)
    wait_for(lambda: len(ended) == 4)
    gate.touch()
    wait_for(lambda: len(ended) == 12)
    assert sum("running already" in outcome for _, outcome in ended) == 4


def test_a_runner_that_was_killed_is_started_again(runner, monkeypatch):
    monkeypatch.setattr(command_runner, "_AGAIN_SECONDS", 0.1)
    run, ended = runner
    child = run._child
    child.kill()
    wait_for(lambda: run._child is not child and run._channel is not None)
    run.run("again", python("pass"), 300.0)
    wait_for(lambda: ended == [("again", "")])


def test_a_runner_that_does_not_read_is_never_waited_for(runner):
    run, _ = runner
    os.kill(run._child.pid, 19)
    try:
        refused = 0
        for number in range(3000):
            try:
                run.run(str(number), ["/bin/true", "x" * 1000], 30.0)
            except NotAllowedError:
                refused += 1
        assert refused
    finally:
        os.kill(run._child.pid, 18)


def test_commands_of_ones_own_run_by_name_and_others_are_refused(tmp_path, recorder_of_arguments):
    program, folder = recorder_of_arguments
    config = parse_config(f"[[commands]]\nname = 'back up'\nrun = '{program} {{path}} end'\nkey = '%'")
    with running(tmp_path / "sessions", config) as app:
        assert app.execute(r.RunCommand(name="back up")).ok
        wait_for(lambda: told(folder) == [["", "end"]])
        wait_for(lambda: app.status().message == "back up: done")
        refused = app.execute(r.RunCommand(name="back down"))
        assert not refused.ok
        assert "back up" in refused.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[on]\nlost = 'x {strem}'", "{strem} stands for nothing"),
        ("[on]\nlost = '''x 'y'''", "quote"),
        ("[on]\nlsot = 'x'", "did you mean 'lost'"),
        ("[on]\ntime_limit_s = 0", "time_limit_s"),
        ("[[commands]]\nname = 'a'\nrun = '{stream}'", "{stream} stands for nothing"),
        ("[[commands]]\nname = 'a'", "run"),
        ("[[commands]]\nname = 'a'\nrun = 'x'\n[[commands]]\nname = 'a'\nrun = 'y'", "each needs its own"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(text: str, said: str):
    with pytest.raises(ConfigError, match=said.replace("{", r"\{").replace("}", r"\}")):
        parse_config(text)


def test_doctor_names_a_program_that_is_not_there(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("myogestic.toml").write_text(
        '[on]\nlost = "no-such-program {stream}"\npacked = "true"\n[[commands]]\nname = "lamp"\nrun = "no-lamp on"\n'
    )
    texts = [check.text for check in check_programs(Settings()) if check.state == "warning"]
    assert texts == ["[on] lost: there is no program no-such-program", "command lamp: there is no program no-lamp"]


def test_append_waits_for_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Counted, not timed: no thread of the recorder is begun for a program, and every chunk is taken meanwhile."""
    config = parse_config("[on]\nlost = '/bin/sleep 600'\ntime_limit_s = 1")
    with running(tmp_path / "sessions", config) as app:
        session = Session(tmp_path / "other", reserve_bytes=0)
        session.init_stream("emg", StreamInfo(8, 1000.0))
        begun, start = [], threading.Thread.start
        monkeypatch.setattr(
            threading.Thread, "start", lambda one: (begun.append(threading.current_thread().name), start(one))
        )
        for number in range(200):
            app.parts.hooks.tell("lost", stream=str(number))
            session.append("emg", np.zeros((4, 8), "float32"), np.arange(4.0))
        assert not {threading.current_thread().name, "commands"} & {*begun}
        assert session.snapshot().n_samples["emg"] == 800
        session.finish()
