"""A command line, what it printed where, and its exit code: of a process of its own, or of this one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myogestic_tui.cli import main
from tests.windows.making import LONG_AGO

COMMAND = [sys.executable, "-P", "-m", "myogestic_tui"]
GENERATOR = [sys.executable, "-m", "myogestic_tui.sources.generator", "--channels", "8", "--rate", "500"]
PATIENCE = 120

CUT_OFF = """
import os
import numpy as np
from myogestic_tui import StreamInfo
from myogestic_tui.session import Session
session = Session("sessions", class_names=["Rest", "Fist"])
session.init_stream("emg", StreamInfo(4, 100.0))
session.append("emg", np.ones((250, 4), np.float32), 50.0 + np.arange(250) / 100.0)
session.add_label(1, 51.0)
print(session.path, flush=True)
os._exit(9)
"""


@dataclass
class Ran:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ran]:
    """Run `myogestic-tui` with these arguments in a folder of its own, without a terminal."""

    def command(*arguments: object) -> Ran:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return command


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """`run` in this process: for commands that read and change sessions, where starting Python is most of the time."""

    def command(*arguments: object) -> Ran:
        monkeypatch.chdir(tmp_path)
        with open(os.devnull) as nothing, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", nothing)
            with pytest.raises(SystemExit) as ended:
                main([*map(str, arguments)])
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, out, err)

    return command


@contextlib.contextmanager
def sending(command: list[str], cwd: Path | None = None) -> Iterator[None]:
    """A generator process that has said that it is on the network; ended afterwards."""
    generator = subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with generator:
        try:
            assert generator.stdout is not None
            assert generator.stdout.readline(), generator.communicate()
            yield
        finally:
            generator.terminate()
            generator.communicate(timeout=PATIENCE)


@pytest.fixture
def outlet(unique: str) -> Iterator[str]:
    """Name of an outlet (8 channels, float32, 500 Hz) that sends as long as the test runs, in a process of its own."""
    with sending([*GENERATOR, "--no-hand", "--name", unique]):
        yield unique


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A packed session of 3 s and three labels, written without LSL."""
    from myogestic_tui import StreamInfo
    from myogestic_tui.session import Session

    written = Session(tmp_path / "sessions", class_names=["Rest", "Fist"])
    written.init_stream("emg", StreamInfo(4, 100.0), began=LONG_AGO)
    data, stamps = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float32), 50.0 + np.arange(300) / 100.0
    written.append("emg", data, stamps, arrived=LONG_AGO)
    for class_index, at in ((0, 50.0), (1, 51.0), (0, 52.0)):
        written.add_label(class_index, at)
    return written.pack_to_zip()


@pytest.fixture
def cut_off(tmp_path) -> str:
    """Path of a session whose recorder died; relative to the working directory of `run`."""
    done = subprocess.run([sys.executable, "-c", CUT_OFF], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 9, done.stderr
    return done.stdout.strip()
