"""Where nobody reads what a command prints, its exit code is still its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from myogestic_tui import App
from myogestic_tui.control import hosted
from tests.sending import wait_for
from tests.tui.terminal import Terminal

from .conftest import COMMAND, PATIENCE

WRITES = ["sessions", "--help"]
"""One command that prints nothing else."""


@contextlib.contextmanager
def closed_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextlib.contextmanager
def full_disk() -> Iterator[int]:
    """A file that takes nothing."""
    file = os.open("/dev/full", os.O_WRONLY)
    yield file
    os.close(file)


OUTPUTS = pytest.mark.parametrize("output", [closed_pipe, full_disk])
BUFFERING = pytest.mark.parametrize("unbuffered", ["", "1"])


def run(*arguments: object, unbuffered: str, **streams: object) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, env=environ, **streams)


@OUTPUTS
@BUFFERING
def test_output_that_does_not_arrive_is_a_failure_and_a_leaving_reader_needs_no_word(output, unbuffered):
    with output() as out:
        done = run(*WRITES, unbuffered=unbuffered, stdout=out, stderr=subprocess.PIPE)
    assert done.returncode == 1
    said = "" if output is closed_pipe else "myogestic-tui: [Errno 28] No space left on device\n"
    assert done.stderr == said


@OUTPUTS
@BUFFERING
def test_an_error_keeps_its_exit_code_where_nobody_hears_it(output, unbuffered, tmp_path):
    for arguments, code in ((["pack", tmp_path], 1), (["nonsense"], 2)):
        with output() as out:
            assert run(*arguments, unbuffered=unbuffered, stdout=out, stderr=out).returncode == code


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_process_without_standard_streams_ends_well(tmp_path, closed):
    command = f'exec "$0" "$@" sessions --sessions {tmp_path} {closed}'
    done = subprocess.run(["sh", "-c", command, *COMMAND], timeout=PATIENCE, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


def test_no_file_takes_the_place_of_a_standard_stream(tmp_path):
    opened = "import os, myogestic_tui.cli.command_table as root\nroot.run = lambda _: min(os.open('/', 0), 3)"
    code = f"{opened}\nimport myogestic_tui.cli\nmyogestic_tui.cli.main([])"
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    assert subprocess.run(command, timeout=PATIENCE).returncode == 3


@BUFFERING
def test_cues_whose_terminal_hung_up_end_with_129(tmp_path, unbuffered):
    app = App(sessions_dir=tmp_path)
    app.open()
    try:
        with (
            hosted(app),
            Terminal(
                [*COMMAND, "--sessions", str(tmp_path), "cue"], environ={"PYTHONUNBUFFERED": unbuffered}
            ) as terminal,
        ):
            terminal.wait_output(b"\x1b[?2004h")
            terminal.hang_up()
            assert terminal.wait_exit() == 129
    finally:
        app.shut()


@BUFFERING
def test_a_recording_whose_terminal_hung_up_ends_well_when_it_is_told_to(tmp_path, outlet, unbuffered):
    command = [*COMMAND, "--sessions", str(tmp_path), "record", outlet]
    with Terminal(command, environ={"PYTHONUNBUFFERED": unbuffered}) as terminal:
        wait_for(lambda: list(tmp_path.glob(f"*/{outlet}.zarr")), PATIENCE)
        terminal.hang_up()
        wait_for(lambda: terminal.hung_up)
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == 0
    assert list(tmp_path.glob("*.session.zip"))


def test_a_recording_that_nobody_hears_any_more_continues(tmp_path, outlet):
    command = [*COMMAND, "--sessions", str(tmp_path), "record", outlet, "--seconds", "1"]
    with full_disk() as out:
        assert subprocess.run(command, timeout=PATIENCE, stderr=out, stdin=subprocess.DEVNULL).returncode == 0
    assert list(tmp_path.glob("*.session.zip"))


@BUFFERING
def test_a_generator_whose_reader_left_ends_well_when_it_is_told_to(unique, unbuffered):
    environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "myogestic_tui.sources.generator", "--no-hand", "--name", unique]
    generator = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environ)
    with generator:
        generator.stdout.readline()
        generator.stdout.close()
        generator.send_signal(signal.SIGTERM)
        assert generator.wait(PATIENCE) == 0
